"""The letters about cases, to the partner's people and the program's managers. Jobs write them too, so the language is named."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from sqlalchemy.orm import Session

from affiliate import ids, settings
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.mailer import Letter
from affiliate.partners import posting
from affiliate.programs import addresses
from affiliate.programs.models import Program
from affiliate.relations import queries
from affiliate.relations.models import Case, CaseKind, CaseStatus, Side
from affiliate.speech import say

N_ = str  # marks a sentence for the translators

_TOLD = {
    CaseStatus.OPEN: (
        N_("An answer in case %(case)s"),
        N_("There is something new in your case about order %(order)s."),
    ),
    CaseStatus.ASKED: (N_("A question in case %(case)s"), N_("The program has a question about order %(order)s.")),
    CaseStatus.ACCEPTED: (N_("Accepted: case %(case)s"), N_("Your case about order %(order)s was accepted.")),
    CaseStatus.DECLINED: (N_("Declined: case %(case)s"), N_("Your case about order %(order)s was declined.")),
}
_TOLD_OF_PAYMENT = {
    CaseStatus.OPEN: N_("There is something new in your case about a payment."),
    CaseStatus.ASKED: N_("The program has a question about the payment that you asked about."),
    CaseStatus.ACCEPTED: N_("Your case about a payment was accepted."),
    CaseStatus.DECLINED: N_("Your case about a payment was declined."),
}


def tell_partner(session: Session, *, case: Case, program: Program, text: str, now: datetime) -> None:
    """Tell the partner's people what the program said, and what became of the case."""
    subject, sentence = _TOLD[case.status]
    if _is_about_payment(case):
        sentence = _TOLD_OF_PAYMENT[case.status]
    _tell(session, (case, program), (subject, [sentence], text), now=now)


def tell_managers(session: Session, *, case: Case, program: Program, text: str, now: datetime) -> None:
    """Tell the program's managers what a partner claims or adds, and until when the answer is promised."""
    people = queries.managers_of(session, program_id=program.id, kind=MailKind.COMPLAINTS)
    paragraphs = [N_("A partner writes about order %(order)s. The answer is promised by %(by)s.")]
    if _is_about_payment(case):
        paragraphs = [N_("A partner writes about a payment that is late. The answer is promised by %(by)s.")]
    _post(
        session,
        people,
        (case, program),
        (N_("Case %(case)s waits for an answer"), paragraphs, text),
        now=now,
    )


def remind(session: Session, *, case: Case, program: Program, now: datetime) -> None:
    """Remind both sides of a promised answer that comes due: who has to give it, and who waits for it."""
    to_program, to_partner = (_REMINDERS_OF_PAYMENT if _is_about_payment(case) else _REMINDERS)[case.status]
    people = queries.managers_of(session, program_id=program.id, kind=MailKind.COMPLAINTS)
    _post(session, people, (case, program), (N_("Reminder: case %(case)s"), [to_program], ""), now=now)
    _tell(session, (case, program), (N_("Reminder: case %(case)s"), [to_partner], ""), now=now)


_REMINDERS = {
    CaseStatus.OPEN: (
        N_("The answer about order %(order)s is promised by %(by)s."),
        N_("The program answers about order %(order)s by %(by)s. You need not do anything."),
    ),
    CaseStatus.ASKED: (
        N_("The partner has not answered your question about order %(order)s yet."),
        N_("The program waits for your answer about order %(order)s since its question. Please give it by %(by)s."),
    ),
}

_REMINDERS_OF_PAYMENT = {
    CaseStatus.OPEN: (
        N_("The answer about a partner's late payment is promised by %(by)s."),
        N_("The program answers about your payment by %(by)s. You need not do anything."),
    ),
    CaseStatus.ASKED: (
        N_("The partner has not answered your question about its payment yet."),
        N_("The program waits for your answer about your payment since its question. Please give it by %(by)s."),
    ),
}


def _is_about_payment(case: Case) -> bool:
    """Whether it names no order because it needs none."""
    return case.kind is CaseKind.LATE_PAYMENT and not case.order_id


def _tell(session: Session, about: tuple[Case, Program], said: tuple[str, list[str], str], *, now: datetime) -> None:
    case, program = about
    posting.tell(
        session, program=program, partner_ids=[case.partner_id], kind=MailKind.CASES,
        letter=lambda person: _letter(person, about, Side.PARTNER, said), now=now,
    )  # fmt: skip


def _post(
    session: Session, people: Iterable[User], about: tuple[Case, Program], said: tuple[str, list[str], str],
    *, now: datetime,
) -> None:  # fmt: skip
    for person in people:
        letter = _letter(person, about, Side.PROGRAM, said)
        posting.post(session, person=person, letter=letter, kind=MailKind.COMPLAINTS, program=about[1], now=now)


def _letter(person: User, about: tuple[Case, Program], side: Side, said: tuple[str, list[str], str]) -> Letter:
    (case, program), (subject, sentences, text) = about, said
    place = "portal" if side is Side.PARTNER else "console"
    base = addresses.pages(program.own_host if side is Side.PARTNER else None, settings.current())
    url = f"{base}/{place}/{program.slug}/cases/{ids.public('cas', case.id)}"
    locale = person.locale or "en"
    by = format_datetime(case.answer_by.astimezone(ZoneInfo(_zone(person, program))), "d MMM y, HH:mm", locale=locale)
    values = {"case": short(case), "order": case.order_id or "–", "by": by}
    paragraphs = [say(N_("Hello %(name)s,"), locale, name=person.name)]
    paragraphs += [say(sentence, locale, **values) for sentence in sentences]
    return Letter(
        say(subject, locale, **values),
        [*paragraphs, *([text] if text else [])],
        (say(N_("Open the case"), locale), url),
        say(N_("You get this mail because of a case in the partner program of %(program)s."), locale, program=program.name),
    )  # fmt: skip


def _zone(person: User, program: Program) -> str:
    return person.time_zone or program.time_zone


def short(case: Case) -> str:
    """The end of a case's id: enough to tell one's cases apart in a subject line."""
    return ids.public("cas", case.id)[-6:].upper()
