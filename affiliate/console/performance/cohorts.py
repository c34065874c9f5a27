"""Cohorts: partners by the month in which they were let in, customers by that of their first order, as a table and a file."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from flask import Response, g, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _

from affiliate import exports, formats
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import blueprint, show
from affiliate.console.performance import performance_pages
from affiliate.console.performance.performance_kept import desk
from affiliate.money import Money
from affiliate.reports import cohort_metrics, cohort_store, cohorts, grids
from affiliate.reports.cohort_metrics import MEASURES, Cohort, Kind, Measure
from affiliate.reports.metrics import Unit, Value
from affiliate.reports.pages import Wanted, printed
from affiliate.web import orm, request_now


@blueprint.get("/<slug>/performance/partners-by-month")
@access.console(*roles.EVERYBODY)
def partner_cohorts() -> str:
    """Whether partners stay, and what they bring month by month."""
    return _page(Kind.PARTNERS)


@blueprint.get("/<slug>/performance/customers-by-first-order")
@access.console(*roles.EVERYBODY)
def customer_cohorts() -> str:
    """Whether customers come back: of the program, or those that one partner brought."""
    return _page(Kind.CUSTOMERS)


@blueprint.get("/<slug>/performance/partners-by-month.<kind>")
@access.console(*roles.EVERYBODY)
def partner_cohorts_file(kind: str) -> Response:
    """A row for each month of each cohort, with every measure."""
    return _file(Kind.PARTNERS, kind)


@blueprint.get("/<slug>/performance/customers-by-first-order.<kind>")
@access.console(*roles.EVERYBODY)
def customer_cohorts_file(kind: str) -> Response:
    """The same of customers."""
    return _file(Kind.CUSTOMERS, kind)


def _page(kind: Kind) -> str:
    try:
        found, computed_at = _counted(kind)
    except grids.NotCounted:
        found, computed_at = [], None
    measures = MEASURES[kind]
    key = request.args.get("show", "")
    key = key if key in measures else next(iter(measures))
    return show(
        "performance/cohorts.html",
        pages=performance_pages.chips(),
        is_customers=kind is Kind.CUSTOMERS,
        computed_at=computed_at,
        partner=_partner_shown(kind),
        measures=[
            {"label": _(one.label), "url": _address(kind, show=name), "current": name == key}
            for name, one in measures.items()
        ],
        meaning=[{"name": _(one.label), "value": _(one.help_text)} for one in measures.values()],
        months=range(cohort_metrics.MONTHS),
        rows=_rows(found, measures[key]),
        keep_form=desk.form(Wanted(_endpoint(kind), {**_narrowed(), "show": key})),
        is_empty=not any(one.size for one in found),
        files=[
            {"label": label, "url": url_for(f"console.{_endpoint(kind)}_file", kind=form.value, **_narrowed())}
            for form, label in ((exports.Format.CSV, _("Export as CSV")), (exports.Format.XLSX, _("Export as XLSX")))
        ],
    )


def _file(kind: Kind, form: str) -> Response:
    found, _computed_at = _counted(kind)
    measures = MEASURES[kind]
    units = {name: f"{name}_bps" if one.unit is Unit.BPS else name for name, one in measures.items()}
    head = ["month", "size", "months_after", *units.values(), "currency"]
    currency = g.program.currency
    rows = (
        [cohort.month, cohort.size, after, *(one.of(cell, currency) for one in measures.values()), currency]
        for cohort in found
        for after, cell in enumerate(cohort.cells)
    )
    return exports.response(form, f"cohorts-of-{kind.value}", head, rows)


def _counted(kind: Kind) -> tuple[list[Cohort], datetime | None]:
    """The program's cohorts as they were counted last; one partner's customers are counted now."""
    partner_id = performance_pages.partner_id() if kind is Kind.CUSTOMERS else None
    if partner_id is None:
        return cohort_store.shown(orm.session, program=g.program, kind=kind, now=request_now())
    here = {"program_id": g.program.id, "currency": g.program.currency, "zone": g.program.time_zone}
    return cohorts.of_customers(orm.session, **here, now=request_now(), partner_id=partner_id), request_now()


def _partner_shown(kind: Kind) -> dict[str, str] | None:
    if kind is not Kind.CUSTOMERS or performance_pages.partner_id() is None:
        return None
    return {"name": performance_pages.partner().Partner.name, "all_url": url_for("console.customer_cohorts")}


def _endpoint(kind: Kind) -> str:
    return "partner_cohorts" if kind is Kind.PARTNERS else "customer_cohorts"


def _narrowed() -> dict[str, Any]:
    partner = request.args.get("partner", "")
    return {"partner": partner[:40]} if partner else {}


def _address(kind: Kind, **more: Any) -> str:
    return url_for(f"console.{_endpoint(kind)}", **_narrowed(), **more)


def _rows(found: Sequence[Cohort], measure: Measure) -> list[dict[str, Any]]:
    """The cohorts with somebody in them, the latest first; each cell with its text and how warm it is."""
    currency = g.program.currency
    shown = [one for one in reversed(found) if one.size]
    levels = iter(cohort_metrics.heat([_number(measure.of(cell, currency)) for one in shown for cell in one.cells]))
    return [
        {
            "month": format_date(date.fromisoformat(f"{one.month}-01"), "LLL y"),
            "size": formats.number(one.size),
            "cells": [{"text": printed(measure, cell, currency), "heat": next(levels)} for cell in one.cells],
        }
        for one in shown
    ]


def _number(value: Value) -> int | None:
    if isinstance(value, Money):
        return value.amount_minor
    return None if value is None else int(value)
