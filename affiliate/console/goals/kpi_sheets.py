"""The figures, watches and risks as plain values."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _

from affiliate import amounts, formats
from affiliate.console.blueprint import can
from affiliate.console.words import Sign
from affiliate.reports import metrics, page_tables
from affiliate.reports.board import FIGURES, Figure, Figures
from affiliate.reports.metrics import Unit
from affiliate.steering import queries as steering
from affiliate.steering.models import KpiWatch, WatchState
from affiliate.steering.riskmap import STEPS, Risk, RiskKind
from affiliate.steering.thresholds import Side

DECIDED_WITHIN = steering.DECIDED_WITHIN
"""A proposed run, an invoice or a creative that waits longer is late."""


def printed(unit: Unit, value: int | None) -> str:
    """A figure in its unit."""
    return page_tables.printed(unit, value, g.program.currency)


def tiles(now: Figures, before: Mapping[str, int | None]) -> list[dict[str, Any]]:
    """The board: each figure beside the days before, where these are known."""
    return [_tile(figure, figure.of(now), before.get(key)) for key, figure in FIGURES.items()]


def _tile(figure: Figure, value: int | None, before: int | None) -> dict[str, Any]:
    change = metrics.change_bps(value, before)
    up = bool(change and change > 0)
    return {
        "label": _(figure.label),
        "help": _(figure.help_text),
        "value": printed(figure.unit, value),
        "change": formats.percent_bps(abs(change)) if change else None,
        "up": up,
        "good": up != figure.less_is_better,
    }


def watch(row: KpiWatch) -> dict[str, Any]:
    """A watch as a line: what it allows, and what the last look found."""
    figure = FIGURES[row.key]
    return {
        "label": _(figure.label),
        "limit": allowed(figure, row.side, row.threshold, row.look_back_days),
        "volume": formats.number(row.volume_min),
        "value": printed(figure.unit, row.value),
        "sign": state(row),
        "since": row.since,
        "remove_url": url_for("console.remove_watch", watch_id=row.id),
        "change_url": url_for("console.change_watch", watch_id=row.id),
        "typed": _typed(figure.unit, row.threshold),
        "look_back_days": row.look_back_days,
        "volume_min": row.volume_min,
    }


def _typed(unit: Unit, threshold: int) -> str:
    """A limit as one types it."""
    currency = g.program.currency if unit is Unit.MONEY else ""
    return amounts.typed(threshold, currency=currency, is_share=unit is Unit.BPS)


def allowed(figure: Figure, side: Side, threshold: int, days: int) -> str:
    """What a watch lets a figure be."""
    said = {"limit": printed(figure.unit, threshold), "days": formats.number(days)}
    if side is Side.BELOW:
        return str(_("at least %(limit)s in %(days)s days", **said))
    return str(_("at most %(limit)s in %(days)s days", **said))


def state(row: KpiWatch) -> Sign:
    """What the last look found."""
    if row.checked_at is None:
        return Sign("", _("Not looked at yet"), "clock")
    return {
        WatchState.QUIET: Sign("good", _("Fine")),
        WatchState.ALARM: Sign("bad", _("Beyond the limit"), "alert-triangle"),
        WatchState.TOO_LITTLE: Sign("", _("Too little happened"), "minus"),
    }[row.state]


def risk_rows(found: Sequence[Risk], *, top_partner_id: UUID | None) -> list[dict[str, Any]]:
    """The risks as a list, the heaviest first, each with its number on the map and where to act, if the person may go there."""
    return [
        {
            "number": number,
            "name": _name(risk.kind),
            "told": _told(risk),
            "likelihood": risk.likelihood,
            "effect": risk.effect,
            "sign": _weight(risk),
            "url": _url(risk.kind, top_partner_id),
        }
        for number, risk in enumerate(found, 1)
    ]


def risk_grid(found: Sequence[Risk]) -> list[dict[str, Any]]:
    """The map, from the most likely row down: each cell has a tone and the numbers of the risks in it."""
    places: dict[tuple[int, int], list[int]] = {}
    for number, risk in enumerate(found, 1):
        places.setdefault((risk.likelihood, risk.effect), []).append(number)
    return [
        {
            "likelihood": likelihood,
            "cells": [
                {"tone": tone(likelihood * effect), "numbers": places.get((likelihood, effect), [])}
                for effect in range(1, STEPS + 1)
            ],
        }
        for likelihood in range(STEPS, 0, -1)
    ]


def tone(weight: int) -> str:
    """How heavy a place on the map is."""
    return "bad" if weight >= 12 else "wait" if weight >= 5 else "good"  # noqa: PLR2004 - the bounds of the map's three tones


def _weight(risk: Risk) -> Sign:
    words = {"bad": _("High"), "wait": _("Medium"), "good": _("Low")}
    icons = {"bad": "alert-triangle", "wait": "clock", "good": "check"}
    kind = tone(risk.weight)
    return Sign(kind, words[kind], icons[kind])


def _name(kind: RiskKind) -> str:
    return {
        RiskKind.ONE_PARTNER: _("Much hangs on one partner"),
        RiskKind.REVERSALS: _("Orders come back"),
        RiskKind.FRAUD: _("Orders are doubtful"),
        RiskKind.OVERDUE: _("People wait longer than promised"),
        RiskKind.TRACKING: _("Orders do not arrive"),
    }[kind]


def _told(risk: Risk) -> str:
    if risk.figure is None:
        return _("Nothing is known yet.")
    share, count = formats.percent_bps(risk.figure), formats.number(risk.figure)
    return {
        RiskKind.ONE_PARTNER: _("The best partner brings %(share)s of the revenue.", share=share),
        RiskKind.REVERSALS: _("%(share)s of commissions were taken back.", share=share),
        RiskKind.FRAUD: _("%(share)s of orders are under review or rejected.", share=share),
        RiskKind.OVERDUE: _("%(count)s decisions are late.", count=count),
        RiskKind.TRACKING: _("%(count)s events were refused or could not be stored.", count=count),
    }[risk.kind]


def _url(kind: RiskKind, top_partner_id: UUID | None) -> str | None:
    """Where one acts on it: the first page of those that tell of it which the person may open."""
    pages: dict[RiskKind, tuple[tuple[str, dict[str, Any]], ...]] = {
        RiskKind.ONE_PARTNER: (("partner", {"partner_id": top_partner_id}) if top_partner_id else ("partners", {}),),
        RiskKind.REVERSALS: (("commissions", {"status": "reversed"}),),
        RiskKind.FRAUD: (("fraud", {}),),
        RiskKind.OVERDUE: (("today", {}), ("cases", {}), ("applications", {})),
        RiskKind.TRACKING: (("rejected", {}),),
    }
    found = (url_for(f"console.{page}", **values) for page, values in pages[kind] if can(page))
    return next(found, None)
