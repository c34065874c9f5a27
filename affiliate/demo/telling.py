"""What the demo's program tells in public: its page in three languages, an article, a partner's story, an invitation."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.joining import inviting, writing
from affiliate.joining.models import ArticleKind
from affiliate.joining.writing import Draft, PageText
from affiliate.programs.models import Program

_PAGES = {
    "en": PageText(
        "Recommend things that outlive fashions",
        "Pots, knives and linen made within a day’s drive, repaired for life. Ten percent for who tells others.",
        "We make **few things** and mend them for ever. We pay late-night questions as well as bestsellers, and "
        "whoever recommends us sees the whole calculation.",
        "Pots, knives, linen and coffee tools.\n\n- an average basket is about 75 euro\n- one order in twelve comes back",
        "Food writers, cooking channels and small newsletters whose readers *cook at home*.",
        [("May I use my own photos?", "Yes, and ours too: they stand in your portal.")],
    ),
    "it": PageText(
        "Consiglia cose che durano più delle mode",
        "Pentole, coltelli e tessili fatti a un giorno di strada, riparati per sempre.",
        "Facciamo **poche cose** e le ripariamo per sempre.",
        "Pentole, coltelli, tessili e attrezzi per il caffè.",
        "Chi scrive di cucina per lettori che *cucinano a casa*.",
        [("Posso usare le mie foto?", "Sì, e anche le nostre: le trovi nel tuo portale.")],
        "Niente offerte pubblicitarie sul nostro nome. Di’ che il link è a pagamento. Solo i codici sconto che ti abbiamo "
        "dato. Rispondiamo entro un giorno lavorativo.",
    ),
    "pl": PageText(
        "Polecaj rzeczy, które przetrwają mody",
        "Garnki, noże i tkaniny z warsztatu o dzień drogi stąd, naprawiane dożywotnio.",
        "Robimy **niewiele rzeczy** i naprawiamy je na zawsze.",
        "Garnki, noże, tkaniny i akcesoria do kawy.",
        "Osoby piszące o kuchni dla czytelników, którzy *gotują w domu*.",
        [("Czy mogę użyć własnych zdjęć?", "Tak, naszych też: są w Twoim portalu.")],
        "Bez reklam na naszą nazwę. Zaznacz, że link jest płatny. Tylko kody rabatowe otrzymane od nas. "
        "Odpowiadamy w ciągu jednego dnia roboczego.",
    ),
}
_ARTICLES = (
    Draft(
        "how-we-count", "en", ArticleKind.ARTICLE, "How we count a recommendation",
        "From the click to the commission, step by step.",
        "A reader follows your link.\n\nWithin thirty days they order. **Your part is worked out from what they paid**, "
        "without tax and shipping, and your portal shows each step.",
    ),
    Draft(
        "martas-first-year", "en", ArticleKind.STORY, "Marta’s first year",
        "A newsletter of 2,400 readers, and a pan that lasts.",
        "> I write about what I use. The pan was in my kitchen for six years before I wrote about it.\n\n"
        "Her readers ask her first. That is all there is to it.",
        "Marta, Slow Kitchen", is_agreed=True,
    ),
)  # fmt: skip


def tell(session: Session, *, program: Program, actor: Actor, now: datetime) -> None:
    """Write and publish all of it."""
    for language, text in _PAGES.items():
        writing.save_text(
            session, program_id=program.id, language=language, text=text, seen_at=None, actor=actor, now=now
        )
    for draft in _ARTICLES:
        _publish(session, program.id, draft, actor=actor, now=now)
    inviting.invite(session, program=program, terms=inviting.Terms("Kitchen fair"), actor=actor, now=now)


def _publish(session: Session, program_id: UUID, draft: Draft, *, actor: Actor, now: datetime) -> None:
    made = writing.save_article(session, program_id=program_id, draft=draft, article_id=None, actor=actor, now=now)
    writing.publish(session, program_id=program_id, article_id=made.id, is_public=True, actor=actor, now=now)
