"""The letter that a figure has crossed its threshold, to the program's managers. Jobs write it, so the language is named."""

from datetime import datetime
from decimal import Decimal

from babel.numbers import format_currency, format_decimal
from sqlalchemy.orm import Session

from affiliate import mailer, settings
from affiliate.mailer import Letter
from affiliate.money import Money
from affiliate.programs.models import Program
from affiliate.relations.queries import managers_of
from affiliate.reports.metrics import Unit
from affiliate.speech import say
from affiliate.steering.board import FIGURES
from affiliate.steering.models import KpiWatch
from affiliate.steering.thresholds import Side

N_ = str  # marks a sentence for the translators
_SENTENCES = {
    Side.BELOW: N_("%(figure)s was %(value)s in the last %(days)s days, below your limit of %(limit)s."),
    Side.ABOVE: N_("%(figure)s was %(value)s in the last %(days)s days, above your limit of %(limit)s."),
}


def tell_alarm(session: Session, *, program: Program, watch: KpiWatch, value: int | None, now: datetime) -> None:
    """Tell the managers once, when the alarm begins."""
    url = f"{settings.current().base_url}/console/{program.slug}/kpis"
    figure = FIGURES[watch.key]
    for person in managers_of(session, program_id=program.id):
        locale = person.locale or "en"
        words = {
            "figure": say(figure.label, locale), "days": watch.look_back_days,
            "value": printed(figure.unit, value, program.currency, locale),
            "limit": printed(figure.unit, watch.threshold, program.currency, locale),
        }  # fmt: skip
        letter = Letter(
            say(N_("%(figure)s: a limit was crossed"), locale, **words),
            [say(N_("Hello %(name)s,"), locale, name=person.name), say(_SENTENCES[watch.side], locale, **words)],
            (say(N_("Look at the figures"), locale), url),
            say(N_("You get this mail because you manage the partner program of %(program)s."), locale, program=program.name),
        )  # fmt: skip
        mailer.post(session, recipient=person.email, letter=letter, locale=locale, now=now)


def printed(unit: Unit, value: int | None, currency: str, locale: str) -> str:
    """A figure as people of this language write it."""
    if value is None:
        return "–"
    if unit is Unit.MONEY:
        return str(format_currency(Money(value, currency).decimal(), currency, locale=locale))
    if unit is Unit.BPS:
        return f"{format_decimal(Decimal(value).scaleb(-2), format='#,##0.##', locale=locale)}\u00a0%"
    return str(format_decimal(value, locale=locale))
