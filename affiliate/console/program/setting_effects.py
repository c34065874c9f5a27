"""What a change of settings does: before and after, from when, and what it would have touched of the last days."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats
from affiliate.console.money import setting_words, trail_words
from affiliate.console.queries import effects
from affiliate.money import Money
from affiliate.programs import rules
from affiliate.programs.models import Program
from affiliate.web import orm, request_now

MONTH = timedelta(days=30)
QUARTER = timedelta(days=90)
_TEXT_LENGTH_MAX = 200


def changes(program: Program, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each setting that would change, with what that means. Nothing is stored."""
    return [
        {
            "name": setting_words.setting(name),
            "before": _value(name, getattr(program, name)),
            "after": _value(name, value),
            "means": _means(name),
            "effect": _EFFECTS[name](getattr(program, name), value) if name in _EFFECTS else None,
        }
        for name, typed in wanted.items()
        if (value := rules.clean(name, typed)) != getattr(program, name)
    ]


def _means(name: str) -> str:
    """From when a setting counts, and for what."""
    at_once = _("Partners and visitors see it at once.")
    sentences: dict[str, str] = {
        "shop_url": _("New links lead there unless they name another page. Links that there are stay as they are."),
        "allowed_hosts": _("Counts for links made from now on. Links that there are go on leading where they lead."),
        "fallback_url": _("Within seconds unknown, paused and expired links lead there."),
        "click_parameter": _("Within seconds clicks arrive under the new name: change the tag or the shop's server at the same time."),
        "cookie_by_default": _("Counts for clicks from now on. Ask whoever looks after privacy first."),
        "channel_signs": _("Counts for visits from now on. Put the tag into the shop again if a parameter is new."),
        "landing_labels": _("Counts for clicks from now on: within seconds visits arrive with these labels."),
        "validation_days": _("Counts for orders reckoned from now on. Dates that partners see already stay."),
        "validation_start": _("Counts for orders reckoned from now on."),
        "payout_min_minor": _("Counts from the next payout run on."),
        "case_answer_days": _("Partners read it at once. Cases that wait are measured by it, too."),
        "application_answer_days": _("Applicants read it at once. Applications that wait are measured by it, too."),
        "time_zone": _("Days and months of reports are cut anew from now on, past ones as well. Sums in the books stay."),
    }  # fmt: skip
    return sentences.get(name, at_once)


def _of_hosts(before: list[str], after: list[str]) -> str | None:
    gone = [host for host in before if host not in after]
    if not gone:
        return None
    count = effects.links_to(orm.session, program_id=g.program.id, hosts=gone)
    return ngettext(
        "%(num)d active link leads to what is left out.", "%(num)d active links lead to what is left out.", count
    )


def _of_validation(before: int, after: int) -> str:
    """How much would have been approved earlier or later, and which returns would have come in time, or too late."""
    since, days = request_now() - MONTH, abs(after - before)
    count, minor = effects.earned_since(orm.session, program_id=g.program.id, since=since)
    span = (min(before, after), max(before, after))
    returned = effects.returns_between(orm.session, program_id=g.program.id, since=request_now() - QUARTER, days=span)
    facts: dict[str, Any] = {
        "amount": formats.money(Money(minor, g.program.currency)), "days": formats.number(days),
        "count": formats.number(count),
    }  # fmt: skip
    if after > before:
        first = _(
            "%(count)s commissions of the last 30 days, %(amount)s, would be approved %(days)s days later.", **facts
        )
        second = ngettext(
            "%(num)d return of the last 90 days would have come before the approval.",
            "%(num)d returns of the last 90 days would have come before the approval.",
            returned,
        )
    else:
        first = _("%(count)s commissions of the last 30 days, %(amount)s, would be approved %(days)s days earlier.", **facts)  # fmt: skip
        second = ngettext(
            "%(num)d return of the last 90 days would have come only after the approval.",
            "%(num)d returns of the last 90 days would have come only after the approval.",
            returned,
        )
    return f"{first} {second}"


def _of_minimum(before: int, after: int) -> str:
    def told(minor: int) -> str:
        count, owed = effects.owed_below(orm.session, program_id=g.program.id, amount_minor=minor)
        return _("%(count)s (%(amount)s)", count=formats.number(count), amount=formats.money(Money(owed, g.program.currency)))  # fmt: skip

    return _(
        "Partners with less than that to be paid now: %(after)s; with less than before: %(before)s.",
        before=told(before),
        after=told(after),
    )


def _of_clicks(_before: Any, _after: Any) -> str:
    count = effects.clicks_since(orm.session, program_id=g.program.id, since=request_now() - MONTH)
    return ngettext(
        "The last 30 days had %(num)s valid click.", "The last 30 days had %(num)s valid clicks.", count,
    )  # fmt: skip


def _of_accent(_before: str | None, after: str | None) -> str | None:
    if after is None:
        return None
    ratio = f"{rules.contrast_on_tint(after):.1f}"
    return _("Contrast on its own tint: %(ratio)s. 4.5 can be read.", ratio=ratio)


_EFFECTS: dict[str, Callable[[Any, Any], str | None]] = {
    "allowed_hosts": _of_hosts, "validation_days": _of_validation, "payout_min_minor": _of_minimum,
    "click_parameter": _of_clicks, "cookie_by_default": _of_clicks, "landing_labels": _of_clicks, "accent": _of_accent,
}  # fmt: skip


def _value(name: str, value: Any) -> str:
    if value is None or (isinstance(value, str | list) and not value):
        return formats.UNKNOWN
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(value)[:_TEXT_LENGTH_MAX]
    if name == "payout_min_minor":
        return formats.money(Money(value, g.program.currency))
    text = trail_words.value(name, str(value))
    return text if len(text) <= _TEXT_LENGTH_MAX else f"{text[:_TEXT_LENGTH_MAX]}…"
