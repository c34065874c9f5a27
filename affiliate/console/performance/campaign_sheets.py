"""How the pages of campaigns are shaped: plain values for their templates."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from flask import url_for
from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from affiliate import formats
from affiliate.console.performance import annotations, performance_pages
from affiliate.console.performance.performance_pages import LESS_IS_BETTER
from affiliate.money import Money
from affiliate.reports import metrics, tables
from affiliate.reports.campaign_queries import Named
from affiliate.reports.campaign_sheet import KEYS, Line, Report
from affiliate.reports.lift import SALES_MIN, Doubt
from affiliate.reports.metrics import METRICS
from affiliate.reports.periods import Period
from affiliate.reports.words import Sign
from affiliate.reports.written_models import Campaign, PartKind

BROUGHT = ("conversions", "revenue", "cost", "roi")
"""What a list tells of each campaign."""
_TILES = ("clicks_valid", "conversions", "revenue", "new_customers", "cost", "roi")


def line(one: Line, *, today: date) -> dict[str, Any]:
    """A campaign in the list."""
    change = one.change_bps
    return {
        "name": one.campaign.name,
        "url": url_for("console.campaign", campaign_id=one.campaign.id),
        "days": days(one.campaign),
        "sign": state(one.campaign, today=today),
        "cells": tables.values(one.facts, BROUGHT) if one.spans.during else [None] * len(BROUGHT),
        "change": {"text": formats.percent_bps(abs(change)), "up": change > 0} if change else None,
    }


def days(one: Campaign) -> str:
    """From when to when."""
    return f"{formats.day(one.starts_on)} – {formats.day(one.ends_on - timedelta(days=1))}"


def state(one: Campaign, *, today: date) -> Sign:
    """Whether it is to come, runs, or is over."""
    if today < one.starts_on:
        return Sign("", _("To come"), "clock")
    return Sign("acc", _("Running"), "player-play") if today < one.ends_on else Sign("", _("Over"), "check")


def page(found: Report, named: Sequence[Named]) -> dict[str, Any]:
    """Everything on the page of one campaign."""
    during = found.facts.get("during")
    return {
        "answer": answer(found),
        "doubts": [_doubt(doubt) for doubt in found.lift.doubts],
        "overlapping": [
            {"name": one.name, "url": url_for("console.campaign", campaign_id=one.id), "days": days(one)}
            for one in found.overlapping
        ],
        "parts_shown": _parts(named),
        "tiles": [performance_pages.tile(key, during, found.facts["before"]) for key in _TILES] if during else [],
        "spans": _spans(found),
        "rows": [_row(key, found) for key in KEYS] if during else [],
        "chart": _chart(found) if during else None,
    }


def answer(found: Report) -> str | None:
    """What the figures say, in a sentence."""
    lift, during = found.lift, found.facts.get("during")
    if during is None:
        return None
    sold = ngettext("%(num)s sale", "%(num)s sales", during.conversions)
    before = formats.number(found.facts["before"].conversions)
    gained = lift.gained(during.conversions)
    if gained is None:
        return _("%(sales)s against %(before)s in as many days before: too few to say more.", sales=sold, before=before)
    if lift.others_bps is None:
        return _("%(sales)s against %(before)s in as many days before.", sales=sold, before=before)
    return _(
        "%(sales)s against %(before)s in as many days before. Grown as the rest of the program (%(others)s) it would have been "
        "%(expected)s: %(extra)s by the campaign.",
        sales=sold, before=before, others=_signed_percent(lift.others_bps), expected=formats.number(lift.expected),
        extra=_signed(gained),
    )  # fmt: skip


def _signed(number: int) -> str:
    return f"+{formats.number(number)}" if number > 0 else formats.number(number)


def _signed_percent(bps: int) -> str:
    return f"+{formats.percent_bps(bps)}" if bps > 0 else formats.percent_bps(bps)


def _doubt(doubt: Doubt) -> str:
    return {
        Doubt.NOT_BEGUN: lambda: _("It has not begun: no day of it is over."),
        Doubt.RUNNING: lambda: _("It still runs. The days that are over are held against as many before."),
        Doubt.AFTER_OPEN: lambda: _("The days after it are not over, so that nobody knows yet whether sales only came earlier."),
        Doubt.TOO_FEW: lambda: _("Fewer than %(count)s sales before and during it: that says nothing.", count=SALES_MIN),
        Doubt.LIKE_CHANCE: lambda: _("Sales differ as much without any reason: this can be chance."),
        Doubt.OTHERS_TOO: lambda: _("The rest of the program changed as much in the same days: it may be the season."),
        Doubt.NOTHING_BESIDE: lambda: _("There is nothing beside it to compare with, so that a season looks like a success."),
        Doubt.OVERLAPS: lambda: _("Other campaigns about the same ran in these days or just before: which one worked cannot be told apart."),
        Doubt.NO_MARGIN: lambda: _("The shop told no costs of these days: whether it paid off is not known, only what it brought in."),
    }[doubt]()  # fmt: skip


def _parts(named: Sequence[Named]) -> list[dict[str, Any]]:
    labels = {
        PartKind.PARTNER: _("Partners"), PartKind.LINK: _("Links"), PartKind.COUPON: _("Coupons"),
        PartKind.CREATIVE: _("Creatives"),
    }  # fmt: skip
    return [
        {"label": label, "names": [one.name for one in named if one.kind is kind]}
        for kind, label in labels.items()
        if any(one.kind is kind for one in named)
    ]


def _spans(found: Report) -> list[dict[str, Any]]:
    labels = {"before": _("Before"), "during": _("During"), "after": _("After")}
    return [
        {"key": name, "name": labels[name], "value": _period(getattr(found.spans, name))} for name in found.facts
    ]  # fmt: skip


def _period(period: Period) -> str:
    count = ngettext("%(num)s day", "%(num)s days", len(period.days))
    return f"{formats.day(period.days[0])} – {formats.day(period.days[-1])}, {count}"


def _row(key: str, found: Report) -> dict[str, Any]:
    metric = METRICS[key]
    values = {name: metric.of(facts) for name, facts in found.facts.items()}
    change = metrics.change_bps(values.get("during"), values.get("before"))
    cells = [tables.printed(metric, value, found.campaign.currency) for value in values.values()]
    up = bool(change and change > 0)
    return {
        "label": _(metric.label),
        "help": _(metric.help_text),
        "cells": cells,
        "change": {"text": formats.percent_bps(abs(change)), "up": up, "good": up is not (key in LESS_IS_BETTER)} if change else None,
    }  # fmt: skip


def _chart(found: Report) -> dict[str, Any]:
    """Revenue by day of the campaign as bars, the same weekdays before and after as lines."""
    during = found.spans.during
    if during is None:
        return {}
    names = {"during": _("During"), "before": _("Before"), "after": _("After")}
    series = [
        _series(name, label, getattr(found.spans, name), found, length=len(during.days))
        for name, label in names.items()
        if getattr(found.spans, name) is not None
    ]
    labels = [format_date(day, "EEE d MMM") for day in during.days]
    spec = {"kind": "bar", "head": _("Day"), "labels": labels, "series": series}
    summary = _("Revenue by day of the campaign, beside the same weekdays before and after.")
    return {"spec": spec | annotations.marks(during), "summary": summary}


def _series(name: str, label: str, period: Period, found: Report, *, length: int) -> dict[str, Any]:
    amounts = [Money(found.days[day].revenue_minor, found.campaign.currency) for day in period.days[:length]]
    to_come = [None] * (length - len(amounts))
    look = {} if name == "during" else {"kind": "line", "before": name == "before"}
    return {
        "name": label,
        "values": [one.text() for one in amounts] + to_come,
        "texts": [formats.money(one) for one in (*amounts, *to_come)],
        **look,
    }
