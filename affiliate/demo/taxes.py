"""The demo's tax papers: the buyer, the shipped examples of rules, and profiles of partners in three countries. All numbers are invented."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.demo import cast
from affiliate.papers import issuing
from affiliate.programs.models import Program
from affiliate.taxes import service
from affiliate.taxes.figures import PaperKind
from affiliate.taxes.service import Identity, Wanted

_BUYER = Identity("Casa Ondera S.r.l.", "Via dei Calzaiuoli 12\n50122 Firenze FI", "IT", "IT00743110157", "00743110157")
_BATCH = 100

_PROFILES: dict[str, tuple[Identity, Wanted]] = {
    "marta@slow-kitchen.example": (
        Identity("Marta Sala", "Via Larga 7\n20122 Milano MI", "IT"),
        Wanted(is_company=False, paper=PaperKind.RECEIPT, rule_code="it_occasional", locale="it"),
    ),
    "ewa@domowe-smaki.example": (
        Identity("Ewa Lis", "ul. Piękna 4\n00-539 Warszawa", "PL"),
        Wanted(is_company=False, paper=PaperKind.RECEIPT, rule_code="pl_person", locale="pl"),
    ),
    "luca@piatto-lento.example": (
        Identity("Luca Ferri", "Vicolo Stretto 3\n40125 Bologna BO", "IT", "IT12345670017"),
        Wanted(is_company=False, paper=PaperKind.SELF_BILLING, rule_code="it_agent", agrees=True, locale="it"),
    ),
    "jana@kochfreunde.example": (
        Identity("Kochfreunde Elbtal GmbH", "Elbstraße 20\n01662 Meißen", "DE", "DE136695976"),
        Wanted(is_company=True, paper=PaperKind.SELF_BILLING, rule_code=None, agrees=True),
    ),
    "bianca@tavola-tela.example": (
        Identity("Bianca Orsi", "Corso Italia 1\n37121 Verona VR", "IT", "IT04332211004"),
        Wanted(is_company=False, paper=PaperKind.SELF_BILLING, rule_code="it_forfettario", agrees=True, locale="it"),
    ),
}
"""By the owner's address. The others have none yet: they are paid without papers."""


def prepare(session: Session, program: Program, *, actor: Actor, now: datetime) -> None:
    """The buyer's data and the tax rules, before anybody has a profile."""
    service.set_buyer(
        session, program_id=program.id, buyer=_BUYER, text=cast.PROGRAM_NAME,  # the same in each language
        demands_profile=False, offers_self_billing=True, actor=actor, now=now,
    )  # fmt: skip
    service.take_examples(session, program=program, actor=actor, today=now.date(), now=now)


def enter_profile(
    session: Session, program: Program, *, email: str, partner_id: UUID, actor: Actor, now: datetime
) -> None:
    """The tax profile of a partner of the demo, if it has one."""
    if (found := _PROFILES.get(email)) is not None:
        identity, wanted = found
        service.enter_profile(
            session,
            program_id=program.id,
            partner_id=partner_id,
            identity=identity,
            wanted=wanted,
            actor=actor,
            now=now,
        )


def issue(session: Session, *, now: datetime) -> None:
    """Number the papers of what was paid, with the day of the story; the workers make the PDFs."""
    issuing.issue_due(session, limit=_BATCH, now=now)
