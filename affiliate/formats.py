"""How values look on pages: money, numbers, dates in the reader's language and zone, by Babel."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale, dates
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal
from flask import Flask, g, has_app_context, request, session
from flask_babel import Babel, Domain, format_date, format_datetime, get_locale
from flask_babel import gettext as _

from affiliate import ids, outgoing
from affiliate.errors import DomainError, Invalid
from affiliate.money import Money, exponent

LANGUAGES = {"en": "English", "it": "Italiano", "pl": "Polski"}
"""The languages of every page, each in its own name."""

UNKNOWN = "–"
TRUE_MINUS = "−"
NO_BREAK_SPACE = "\u00a0"
_DAY = "d MMM y"

_remembered = lru_cache(maxsize=4_096, typed=True)
"""For what Babel writes: a page of figures has the same ones again and again, and each takes it a tenth of a millisecond."""


def select_locale() -> str:
    """The person's language: chosen in the account, else on this browser, else what the browser asks for."""
    chosen = g.get("user_locale") or session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(list(LANGUAGES)) or "en"


def select_time_zone() -> str | None:
    """The person's zone, else the program's, else UTC."""
    program = g.get("program")
    return g.get("user_time_zone") or (program.time_zone if program is not None else None) or "UTC"


def locale() -> str:
    """The language of this request as Babel names it; English outside a request."""
    kept = g.get("_flask_babel") if has_app_context() else None
    found = getattr(kept, "babel_locale", None) or get_locale()
    return "en" if found is None else str(found.language)  # our languages have no territories


def reason(refusal: DomainError) -> str:
    """What a refused act means, with what to do next; the last resort is the error's own sentence."""
    if isinstance(refusal, Invalid):
        return " ".join(str(_(text)) for texts in refusal.errors.values() for text in texts)
    return str(_(str(refusal)))


def call_problem(told: str) -> str:
    """Why a call to a stranger's address failed, as `outgoing.CallFailed` told it; what the system said stays as it is."""
    if told in {outgoing.TOO_LONG, outgoing.NOT_SECURE}:
        return str(_(told))
    host = told.removesuffix(outgoing.NOWHERE_PUBLIC % {"host": ""})
    return told if host == told else str(_(outgoing.NOWHERE_PUBLIC, host=host))


def listed(words: Sequence[str]) -> str:
    """`tax and shipping`, as the language joins words."""
    return format_list(words, locale=locale())


def money(value: Money | None) -> str:
    """`€1,204.50`, `1.204,50 €`, `1 204,50 zł`; a true minus; an en dash for what is not known."""
    return UNKNOWN if value is None else _money(value, locale())


@_remembered
def _money(value: Money, language: str) -> str:
    return format_currency(value.decimal(), value.currency, locale=language).replace("-", TRUE_MINUS)


def fine_money(value: Decimal | None, currency: str) -> str:
    """An amount per click or the like: in major units, with one decimal more than the currency has."""
    return UNKNOWN if value is None else _fine_money(value, currency, locale())


@_remembered
def _fine_money(value: Decimal, currency: str, language: str) -> str:
    pattern = Locale.parse(language).currency_formats["standard"].pattern
    finer = pattern.replace("0.00", "0." + "0" * (exponent(currency) + 1))
    text = format_currency(value, currency, finer, locale=language, currency_digits=False)
    return text.replace("-", TRUE_MINUS)


def number(value: int | None) -> str:
    """A whole number with the language's grouping."""
    return UNKNOWN if value is None else _number(value, locale())


@_remembered
def _number(value: int, language: str) -> str:
    return format_decimal(value, locale=language).replace("-", TRUE_MINUS)


def percent_bps(value: int | None) -> str:
    """Basis points as percent, `2.6 %`: a no-break space in every language (house rule)."""
    return UNKNOWN if value is None else _percent(value, locale())


@_remembered
def _percent(value: int, language: str) -> str:
    text = format_decimal(Decimal(value).scaleb(-2), format="#,##0.##", locale=language)
    return f"{text}{NO_BREAK_SPACE}%".replace("-", TRUE_MINUS)


def grade(value: Decimal | None) -> str:
    """A decimal number with one place at least and two at most: “4.5”, in Italian “4,5”."""
    return UNKNOWN if value is None else format_decimal(value, format="0.0#", locale=locale())


def day(value: date | datetime | None) -> str:
    """`16 Nov 2026` in the reader's language; an instant is cut in the reader's zone."""
    if value is None:
        return UNKNOWN
    return format_date(value, _DAY) if isinstance(value, datetime) else day_as(value, _DAY)


def day_as(value: date, pattern: str) -> str:
    """A day as the pattern says (`EEE d MMM`: `Mon 16 Nov`), in the reader's language."""
    return _day(value, pattern, locale())


@_remembered
def _day(value: date, pattern: str, language: str) -> str:
    return dates.format_date(value, pattern, language)


def instant(value: datetime | None) -> str:
    """`16 Nov 2026, 20:14` in the reader's language and zone."""
    return UNKNOWN if value is None else format_datetime(value, "d MMM y, HH:mm")


def country(code: str) -> str:
    """The name of a country by its two letters, in the reader's language; a code that nobody knows stays as it is."""
    return str(Locale.parse(locale()).territories.get(code.upper(), code))


def iso(value: datetime | None) -> str:
    """The exact instant for `<time datetime>`."""
    return "" if value is None else value.isoformat()


class _Catalogues(Domain):  # type: ignore[misc]
    """The library's, but a request looks for its language once and not with each of its hundreds of texts."""

    def get_translations(self) -> Any:
        """The catalogue of this request's language."""
        kept: Any = g.get("_flask_babel")
        if kept is None:
            return super().get_translations()
        found = getattr(kept, "babel_translations", None)  # the library takes it away when the language changes
        if found is None:
            found = kept.babel_translations = super().get_translations()
            if "ungettext" not in vars(found):  # it is kept for all requests of its language
                found.ungettext = _grouping(found.ungettext, locale())
        return found


def _grouping(plural: Callable[[str, str, int], str], language: str) -> Callable[[str, str, int], str]:
    """The same plurals with their number written as the language does: "1,502 decisions", as the numbers beside it."""

    def said(one: str, many: str, number: int) -> str:
        text = plural(one, many, number)
        return text.replace("%(num)d", "%(num)s").replace("%(num)s", _number(number, language))

    return said


def init_app(app: Flask) -> None:
    """Register Babel, the filters, and what every template may read."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "en")
    Babel(app, locale_selector=select_locale, timezone_selector=select_time_zone)
    app.extensions["babel"].instance.domain_instance = _Catalogues()
    filters: dict[str, Any] = {
        "money": money,
        "number": number,
        "percent_bps": percent_bps,
        "date": day,
        "datetime": instant,
        "iso": iso,
    }
    app.jinja_env.filters.update(filters)
    app.jinja_env.filters["public"] = lambda identifier, prefix: ids.public(prefix, identifier)
    app.jinja_env.globals.update(format_money=money, locales=LANGUAGES)
    app.context_processor(lambda: {"current_locale": locale()})
