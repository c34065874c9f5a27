"""The API's routes on numbers: clicks, the ledger, and reports by the one dictionary of metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import request

from affiliate import errors, ids
from affiliate.accounts import access
from affiliate.api import MoneySchema
from affiliate.ledger import queries as ledger
from affiliate.money import Money
from affiliate.programs.models import Program
from affiliate.reports import asked, metrics, partner_facts, periods, shop_days, without_partner
from affiliate.reports import queries as reports
from affiliate.reports.metrics import METRICS, Facts, Unit
from affiliate.reports.periods import Period
from affiliate.rest import filters, payout_schemas, queries, schemas
from affiliate.rest.blueprint import Answer, answer, any_key, blueprint, key_program_id, narrowed, whose
from affiliate.web import orm, request_now

DAYS = 30
_FILTERS = {"link": "link_id", "verdict": "verdict"}


class BadPeriod(errors.Invalid):
    """The days of a report are in the wrong order, or too many."""

    code = "bad_period"

    def __init__(self) -> None:
        super().__init__({"from": [f"Give days in order, at most {periods.DAYS_MAX} of them."]})


@blueprint.get("/clicks")
@any_key("reports:read")
@blueprint.arguments(filters.ClickFilter, location="query")
@blueprint.response(200, schemas.ClickSchema(many=True))
def clicks(arguments: Mapping[str, Any]) -> Answer:
    """The clicks that are still kept, oldest first, of one partner, link or verdict if asked."""
    size = arguments["limit"]
    wanted = {column: arguments[name] for name, column in _FILTERS.items() if name in arguments}
    after = arguments.get("cursor")
    return answer(queries.clicks(orm.session, whose=narrowed(arguments), wanted=wanted, after=after, size=size), size)


@blueprint.get("/ledger")
@any_key("payouts:read")
@blueprint.arguments(filters.PartnerFilter, location="query")
@blueprint.response(200, payout_schemas.TransferSchema(many=True))
def transfers(arguments: Mapping[str, Any]) -> Answer:
    """The movements of money, newest first, of one partner if asked."""
    size = arguments["limit"]
    mine, before = asdict(narrowed(arguments)), arguments.get("cursor")
    return answer(ledger.transfers(orm.session, **mine, before=before, limit=size + 1), size)


@blueprint.get("/reports/days")
@any_key("reports:read")
@blueprint.arguments(filters.ReportArguments, location="query")
@blueprint.response(200)
def by_day(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What was clicked, sold and earned on each day, and in all of them.

    A partner's key reads the partner's own numbers, without what the program spent and kept. For the program's own stands beside the
    total what came to the shop without a partner, in the days that it told.
    """
    program, mine = queries.program(orm.session, program_id=key_program_id()), whose()
    period, currency = period_of(program, arguments), program.currency
    is_inside = mine.partner_id is None
    margin = shop_days.margin_bps(orm.session, program_id=program.id, period=period) if is_inside else None
    told: dict[str, Any] = asdict(mine) | {"with_costs": is_inside}
    by_day = reports.facts_by_day(orm.session, **told, period=period, currency=currency)
    found = {day: replace(facts, margin_bps=margin) for day, facts in by_day.items()}
    keys = tuple(METRICS) if is_inside else asked.COLUMNS
    rows = [{"day": day.isoformat()} | figures_of(facts, keys) for day, facts in found.items()]
    told_whole = {"rows": rows, "total": figures_of(metrics.total(found.values(), currency=currency), keys)}
    return head_of(period) | told_whole | (_without_partner(program, period, by_day) if is_inside else {})


def _without_partner(program: Program, period: Period, by_day: Mapping[date, Facts]) -> dict[str, Any]:
    """What came to the shop without a partner in the days that it told, visitors as valid clicks; null where it told none."""
    without = without_partner.found(orm.session, program=program, period=period, days=by_day)
    if without is None:
        return {without_partner.KEY: None}
    wanted = {key: METRICS[key] for key in without_partner.KNOWN}
    facts = Facts(program.currency)
    told = {_name(key, one.unit): _shown(without.value(key), one.unit, facts) for key, one in wanted.items()}
    return {without_partner.KEY: {"days_told": without.told} | told}


@blueprint.get("/reports/partners")
@access.key("reports:read")
@blueprint.arguments(filters.PartnerReportArguments, location="query")
@blueprint.response(200)
def by_partner(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """What each partner brought in these days, best earner first, in pages."""
    program = queries.program(orm.session, program_id=key_program_id())
    period, size, page = period_of(program, arguments), arguments["limit"], arguments["page"]
    margin = shop_days.margin_bps(orm.session, program_id=program.id, period=period)
    found = partner_facts.facts_by_partner(
        orm.session,
        program_id=program.id,
        period=period,
        currency=program.currency,
        limit=size + 1,
        offset=(page - 1) * size,
    )
    rows = [
        {"partner_id": ids.public("ptn", line.partner_id), "partner": line.partner_name}
        | figures_of(replace(line.facts, margin_bps=margin))
        for line in found[:size]
    ]
    return head_of(period) | {"rows": rows}, 200, _next(page) if len(found) > size else {}


def period_of(program: Program, arguments: Mapping[str, Any]) -> Period:
    """The days that were asked for, in the zone that was named, else the program's.

    A missing first or last one is thirty days from the other, or today.

    Raises:
        BadPeriod: they are in the wrong order, or too many.
    """
    zone = arguments.get("time_zone", program.time_zone)
    today = periods.last_days(1, now=request_now(), zone=zone).first
    last = arguments.get("until") or max(today, arguments.get("since", today))
    first = arguments.get("since") or last - timedelta(days=DAYS - 1)
    try:
        return Period(first, last + timedelta(days=1), zone)
    except periods.BadPeriod as error:
        raise BadPeriod from error


def head_of(period: Period) -> dict[str, Any]:
    """What stands over the rows of a report."""
    last = period.end - timedelta(days=1)
    return {"from": period.first.isoformat(), "to": last.isoformat(), "time_zone": period.zone}


def figures_of(facts: Facts, keys: Sequence[str] = tuple(METRICS)) -> dict[str, Any]:
    """These metrics by their keys: counts as numbers, rates in basis points, money as everywhere; null is unknown."""
    wanted = {key: METRICS[key] for key in keys}
    return {_name(key, metric.unit): _shown(metric.of(facts), metric.unit, facts) for key, metric in wanted.items()}


def _name(key: str, unit: Unit) -> str:
    return f"{key}_bps" if unit is Unit.BPS else key


def _shown(value: metrics.Value, unit: Unit, facts: Facts) -> Any:
    if isinstance(value, Money):
        return MoneySchema().dump(value)
    if unit is Unit.FINE_MONEY and value is not None:
        return {"amount": str(value), "currency": facts.currency}
    return value


def _next(page: int) -> dict[str, str]:
    arguments = request.args.to_dict() | {"page": page + 1}
    return {"Link": f'<{request.base_url}?{urlencode(arguments)}>; rel="next"'}
