"""The API's routes on campaigns, cohorts and margin: the same figures as the console's pages, for the program's own keys."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from affiliate import errors, ids
from affiliate.accounts import access
from affiliate.api import MoneySchema, paged
from affiliate.money import Money
from affiliate.partners import queries as partners
from affiliate.reports import campaign_queries, campaign_sheet, cohort_store, cohorts, margin_rules, margin_store
from affiliate.reports.campaign_facts import Parts
from affiliate.reports.campaign_sheet import KEYS
from affiliate.reports.cohort_metrics import MEASURES, Cohort, Kind
from affiliate.reports.margin_rules import Margin
from affiliate.reports.metrics import Unit, Value
from affiliate.reports.periods import Period
from affiliate.reports.written_models import Campaign
from affiliate.rest import filters, queries
from affiliate.rest.blueprint import Answer, blueprint, found, key_program_id, parsed_id
from affiliate.rest.figures import figures_of, head_of
from affiliate.web import orm, request_now

_PREFIXES = {"partners": "ptn", "links": "lnk", "coupons": "cpn", "creatives": "crv"}


class BadMonth(errors.Invalid):
    """Margins are kept of the last twelve months."""

    code = "bad_month"

    def __init__(self) -> None:
        super().__init__({"month": ["Ask for one of the last twelve months, as 2026-11."]})


@blueprint.get("/campaigns")
@access.key("reports:read")
@blueprint.arguments(filters.PageArguments, location="query")
@blueprint.response(200)
def list_campaigns(arguments: Mapping[str, Any]) -> Answer:
    """The campaigns of the program with what each brought in its days until now, and the change of sales against as many days before."""
    size = arguments["limit"]
    program = queries.program(orm.session, program_id=key_program_id())
    rows = queries.campaigns(orm.session, program_id=program.id, after=arguments.get("cursor"), size=size)
    page, headers = paged(rows, size=size, key=lambda row: row.id)
    lines = campaign_sheet.lines(orm.session, program=program, campaigns=page, now=request_now())
    told = [
        _campaign(one.campaign)
        | {"change_bps": one.change_bps, "figures": figures_of(one.facts, KEYS) if one.spans.during else None}
        for one in lines
    ]
    return told, 200, headers


@blueprint.get("/campaigns/<campaign_id>")
@access.key("reports:read")
@blueprint.response(200)
def one_campaign(campaign_id: str) -> dict[str, Any]:
    """One campaign: what belongs to it, and its figures beside as many days before and after. A span of which no day is over is null."""
    program = queries.program(orm.session, program_id=key_program_id())
    wanted = parsed_id("cmp", campaign_id, "campaign")
    known = found(
        campaign_queries.campaign(orm.session, program_id=program.id, campaign_id=wanted), "campaign"
    )  # fmt: skip
    report = campaign_sheet.report(orm.session, program=program, campaign=known, now=request_now())
    spans: dict[str, Any] = dict.fromkeys(("before", "during", "after"))
    for name, facts in report.facts.items():
        spans[name] = _days(getattr(report.spans, name)) | {"figures": figures_of(facts, KEYS)}
    lift = {
        "change_bps": report.lift.change_bps, "others_bps": report.lift.others_bps, "expected": report.lift.expected,
        "doubts": [doubt.value for doubt in report.lift.doubts],
    }  # fmt: skip
    return _campaign(known) | {"parts": _parts(report.parts), "spans": spans, "lift": lift}


@blueprint.get("/reports/cohorts")
@access.key("reports:read")
@blueprint.arguments(filters.CohortArguments, location="query")
@blueprint.response(200)
def list_cohorts(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Partners by the month in which they were let in, or customers by that of their first order, and what each month since brought.

    Customers of one partner are those whose first order was credited to it. Month 0 is the month itself; null is unknown.
    """
    program, kind = queries.program(orm.session, program_id=key_program_id()), Kind(arguments["of"])
    if (partner_id := arguments.get("partner")) is not None:
        found(queries.partner(orm.session, program_id=program.id, partner_id=partner_id), "partner")
        here: dict[str, Any] = {"program_id": program.id, "currency": program.currency, "zone": program.time_zone}
        counted = cohorts.of_customers(orm.session, **here, now=request_now(), partner_id=partner_id)
        at = request_now()
    else:
        counted, at = cohort_store.shown(orm.session, program=program, kind=kind, now=request_now())
    rows = [_cohort(one, kind, program.currency) for one in counted]
    return {"of": kind.value, "time_zone": program.time_zone, "counted_at": at.isoformat(), "rows": rows}


@blueprint.get("/reports/margin")
@access.key("reports:read")
@blueprint.arguments(filters.MonthArguments, location="query")
@blueprint.response(200)
def margin(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a month's sales by partners left the shop, from the list price down, in all and by partner, the most revenue first.

    `goods`, `left` and what follows from them are null where the margin of something that was sold is not written down.
    """
    program = queries.program(orm.session, program_id=key_program_id())
    offered = margin_store.months(program, now=request_now())
    month = next((one for one in offered if f"{one:%Y-%m}" == arguments.get("month", f"{offered[0]:%Y-%m}")), None)
    if month is None:
        raise BadMonth
    by_partner, at = margin_store.shown(orm.session, program=program, month=month, now=request_now())
    names = partners.partner_names(orm.session, partner_ids=list(by_partner))
    ordered = margin_store.in_order(by_partner)
    rows = [
        {"partner_id": ids.public("ptn", partner_id), "partner": names.get(partner_id, "")}
        | {"orders": one.orders}
        | _margin(one, program.currency)
        for partner_id, one in ordered
    ]
    whole = margin_rules.total(by_partner.values())
    total = {"orders": whole.distinct_orders} | _margin(whole, program.currency)
    head = head_of(margin_store.of_month(month, zone=program.time_zone))
    return head | {"counted_at": at.isoformat(), "rows": rows, "total": total}


def _campaign(one: Campaign) -> dict[str, Any]:
    return {
        "id": ids.public("cmp", one.id), "name": one.name, "first": one.starts_on.isoformat(),
        "last": (one.ends_on - timedelta(days=1)).isoformat(), "cost": _money(one.cost_minor, one.currency),
    }  # fmt: skip


def _parts(parts: Parts) -> dict[str, list[str]]:
    """Public ids of what belongs to a campaign; nothing at all means the whole program."""
    return {
        name: sorted(ids.public(prefix, one) for one in getattr(parts, name)) for name, prefix in _PREFIXES.items()
    }  # fmt: skip


def _days(period: Period) -> dict[str, str]:
    last: date = period.end - timedelta(days=1)
    return {"first": period.first.isoformat(), "last": last.isoformat()}


def _cohort(one: Cohort, kind: Kind, currency: str) -> dict[str, Any]:
    names = {name: f"{name}_bps" if each.unit is Unit.BPS else name for name, each in MEASURES[kind].items()}
    months = [
        {names[name]: _plain(each.of(cell, currency)) for name, each in MEASURES[kind].items()} for cell in one.cells
    ]
    return {"month": one.month, "size": one.size, "months": months}


def _plain(value: Value) -> Any:
    return MoneySchema().dump(value) if isinstance(value, Money) else value


def _margin(one: Margin, currency: str) -> dict[str, Any]:
    sums: dict[str, int | None] = {
        "list_price": one.listed_minor, "discounts": one.discount_minor, "returns": one.returned_minor,
        "tax_and_shipping": one.tax_minor, "net": one.net_minor, "goods": None if one.unknown_minor else one.goods_minor,
        "commission": one.earned_minor, "other_costs": one.spent_minor, "left": one.left_minor,
    }  # fmt: skip
    told = {name: None if minor is None else _money(minor, currency) for name, minor in sums.items()}
    return told | {"left_bps": one.left_bps, "roi_bps": one.roi_bps}


def _money(minor: int, currency: str) -> Any:
    return MoneySchema().dump(Money(minor, currency))
