"""Shapes that several pages share: plain values for templates, never table rows."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from flask import g, request, url_for
from flask_babel import format_timedelta
from flask_babel import gettext as _
from flask_login import current_user

from affiliate import formats, ids
from affiliate.console.blueprint import filters, with_arguments
from affiliate.joining import asking
from affiliate.money import Money
from affiliate.partners import facts
from affiliate.reports.metrics import Facts
from affiliate.reports.periods import DAYS_MAX, Period, last_days
from affiliate.web import request_now

E = TypeVar("E", bound=StrEnum)
_NO_ANSWERS = frozenset(  # facts, beside what was answered
    {"partner_name", "website", "country", "terms_accepted_at", "terms_language", "terms_version"}
)
SPANS = (7, 30, 90, 365)
"""The lengths of report that pages offer, in days."""


def chosen_in_form(members: type[E], name: str, default: E) -> E:
    """What a form says, if it is one of these; else the default."""
    said = request.form.get(name)
    return next((member for member in members if member.value == said), default)


def seen(text: str | None) -> int:
    """How many decisions or messages the person saw; what cannot be read was none, and is refused if there are any."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0  # noqa: PLR2004 - five digits are plenty


def chosen(members: type[E], name: str = "status") -> E | None:
    """The member that a filter in the address names; an unknown one counts as no filter."""
    try:
        return members(request.args.get(name, ""))
    except ValueError:
        return None


def with_filters(endpoint: str, **values: Any) -> str:
    """The address of another form of this list (a file), with the same filters."""
    kept: dict[str, Any] = {**filters(), **values}
    return url_for(endpoint, **kept)


def chip(
    label: str, *, current: bool, count: int | None = None, remove: bool = False, **arguments: str | None
) -> dict[str, Any]:
    """A filter as a link: this address with other arguments."""
    url = with_arguments(**arguments)
    return {"label": label, "url": url, "count": count, "current": current, "remove": remove}


def amount(minor: int, currency: str | None = None) -> Money:
    """An amount in the program's currency unless another is named."""
    return Money(minor, currency or g.program.currency)


def text(money: Money) -> str:
    """An amount inside a sentence."""
    return formats.money(money)


def age(since: datetime) -> str:
    """How long ago, in words: “5 hours”, “3 days”."""
    return str(format_timedelta(max(request_now() - since, timedelta(minutes=1)), granularity="minute"))


def span() -> int:
    """The number of days that the address asks for."""
    days = request.args.get("days", default=30, type=int)
    return days if days in SPANS else 30


def period(days: int) -> Period:
    """The last days of the program, today included."""
    return last_days(min(days, DAYS_MAX), now=request_now(), zone=g.program.time_zone)


def span_chips() -> list[dict[str, Any]]:
    """The choice of the length of a report."""
    words_of = {7: _("7 days"), 30: _("30 days"), 90: _("90 days"), 365: _("12 months")}
    return [chip(words_of[days], current=days == span(), days=str(days)) for days in SPANS]


def figures(facts: Facts) -> dict[str, Any]:
    """What a partner or program brought, for tiles and table cells."""
    return {
        "clicks": facts.clicks_valid,
        "sales": facts.conversions,
        "revenue": Money(facts.revenue_minor, facts.currency),
        "earned": Money(facts.earned_minor, facts.currency),
    }


def chart(by_day: Mapping[date, Facts], currency: str) -> dict[str, Any]:
    """Commission by day, as the chart part draws it."""
    earned = [Money(facts.earned_minor, currency) for facts in by_day.values()]
    series = {
        "name": _("Commission"),
        "values": [money.text() for money in earned],
        "texts": [formats.money(money) for money in earned],
    }
    return {"kind": "bar", "labels": [formats.day(day) for day in by_day], "series": [series], "head": _("Day")}


def picked(most: int, name: str = "partner", prefix: str = "ptn") -> list[UUID]:
    """The partners, or others, that were ticked in the form, so many at most; what is no id of theirs is passed over."""
    found = []
    for text in request.form.getlist(name)[:most]:
        with suppress(ids.BadPublicId):
            found.append(ids.parse(prefix, text))
    return found


def partner_link(partner_id: UUID | None, name: str | None) -> dict[str, str] | None:
    """A partner's name and page."""
    if partner_id is None or name is None:
        return None
    return {"name": name, "url": url_for("console.partner", partner_id=partner_id)}


def first_answer(given: Mapping[str, Any] | None, length: int = 160) -> str:
    """The beginning of the longest answer in words: what a list shows of an application."""
    said = [value for name, value in (given or {}).items() if isinstance(value, str) and name not in _NO_ANSWERS]
    places = ", ".join(one.address for one in facts.channels((given or {}).get("channels")))
    longest = max([*said, places], key=len, default="")
    return longest if len(longest) <= length else longest[:length].rsplit(" ", 1)[0] + "…"


def channel(one: facts.Channel) -> str:
    """A place where a partner promotes, with its reach a month where that was said."""
    return one.address if one.people is None else f"{one.address} ({formats.number(one.people)})"


def channels(said: Any) -> list[dict[str, str]]:
    """The places of a profile, each with its kind in words."""
    kinds = dict(asking.channel_kinds())
    return [{"kind": kinds[one.kind], "text": channel(one)} for one in facts.channels(said)]


def my_name() -> str:
    """The name of the signed-in person."""
    return str(current_user.name)
