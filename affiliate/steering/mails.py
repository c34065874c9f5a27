"""What managers are told by mail and in their chats: a figure has crossed its threshold, something is late. Jobs write it, so the language is named."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from babel.numbers import format_currency, format_decimal
from sqlalchemy.orm import Session

from affiliate import settings
from affiliate.accounts.mail_kinds import MailKind
from affiliate.mailer import Letter
from affiliate.money import Money
from affiliate.notifications import chat_queries, chat_service
from affiliate.notifications.chats import ChatEvent, Message
from affiliate.partners import posting
from affiliate.programs.models import Program
from affiliate.relations.queries import managers_of
from affiliate.reports.board import FIGURES
from affiliate.reports.metrics import Unit
from affiliate.speech import say
from affiliate.steering.models import KpiWatch
from affiliate.steering.queries import Late
from affiliate.steering.thresholds import Side

N_ = str  # marks a sentence for the translators
_SENTENCES = {
    Side.BELOW: N_("%(figure)s was %(value)s in the last %(days)s days, below your limit of %(limit)s."),
    Side.ABOVE: N_("%(figure)s was %(value)s in the last %(days)s days, above your limit of %(limit)s."),
}
_APPLICATIONS = N_("Applications without an answer: %(count)s")
_CASES = N_("Cases whose promised answer is late: %(count)s")
_RUNS = N_("Payout runs that wait: %(count)s")
_DUTIES = N_("Tasks whose day has passed: %(count)s")


def tell_alarm(session: Session, *, program: Program, watch: KpiWatch, value: int | None, now: datetime) -> None:
    """Tell the managers once, when the alarm begins."""

    def told(locale: str) -> Message:
        figure = FIGURES[watch.key]
        words = {
            "figure": say(figure.label, locale), "days": watch.look_back_days,
            "value": printed(figure.unit, value, program.currency, locale),
            "limit": printed(figure.unit, watch.threshold, program.currency, locale),
        }  # fmt: skip
        title = say(N_("%(figure)s: a limit was crossed"), locale, **words)
        line = say(_SENTENCES[watch.side], locale, **words)
        return Message(title, [line], _console(program, "kpis"), say(N_("Look at the figures"), locale))

    occasion = f"alarm:{watch.id.hex}:{now:%Y-%m-%dT%H:%M:%S}"
    _tell(session, program, (MailKind.ALARMS, ChatEvent.ALARM, occasion), told, now)


def tell_late(session: Session, *, program: Program, late: Late, day: date, now: datetime) -> None:
    """Tell the managers in the morning what is late, if anything is."""

    def told(locale: str) -> Message:
        counts = [(late.applications, _APPLICATIONS), (late.cases, _CASES), (late.runs, _RUNS), (late.duties, _DUTIES)]
        lines = [say(sentence, locale, count=count) for count, sentence in counts if count]
        title = say(N_("%(program)s: what is late today"), locale, program=program.name)
        return Message(title, lines, _console(program, ""), say(N_("Open the work list"), locale))

    if late.is_any:
        _tell(session, program, (MailKind.LATE, ChatEvent.LATE, f"late:{day}"), told, now)


def _tell(
    session: Session,
    program: Program,
    what: tuple[MailKind, ChatEvent, str],
    told: Callable[[str], Message],
    now: datetime,
) -> None:
    """The same by mail to each manager who wants it, and in each chat that is told of it."""
    kind, event, occasion = what
    for person in managers_of(session, program_id=program.id, kind=kind):
        locale = person.locale or "en"
        message = told(locale)
        why = say(
            N_("You get this mail because you manage the partner program of %(program)s."), locale, program=program.name
        )
        hello = say(N_("Hello %(name)s,"), locale, name=person.name)
        letter = Letter(message.title, [hello, *message.lines], (message.url_label, message.url), why)
        posting.post(session, person=person, letter=letter, kind=kind, program=program, now=now)
    messages = {
        language: told(language) for language in chat_queries.languages(session, program_id=program.id, event=event)
    }
    chat_service.tell(session, program=program, event=event, occasion=occasion, messages=messages, now=now)


def _console(program: Program, page: str) -> str:
    return f"{settings.current().base_url}/console/{program.slug}/{page}"


def printed(unit: Unit, value: int | None, currency: str, locale: str) -> str:
    """A figure as people of this language write it."""
    if value is None:
        return "–"
    if unit is Unit.MONEY:
        return str(format_currency(Money(value, currency).decimal(), currency, locale=locale))
    if unit is Unit.BPS:
        return f"{format_decimal(Decimal(value).scaleb(-2), format='#,##0.##', locale=locale)}\u00a0%"
    return str(format_decimal(value, locale=locale))
