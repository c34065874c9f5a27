"""The API's routes on funnels and products: how far visits came, what was bought, what came back."""

from collections.abc import Mapping
from typing import Any

from affiliate.accounts import access
from affiliate.api import MoneySchema
from affiliate.money import Money
from affiliate.reports import funnel as funnels
from affiliate.reports import funnel_queries, goods_queries, products
from affiliate.reports.funnel_queries import Visits
from affiliate.rest import filters, queries
from affiliate.rest.blueprint import any_key, blueprint, key_program_id, narrowed
from affiliate.rest.figures import head_of, period_of
from affiliate.web import orm

_LABELS = {"product": products.SKU, "category": products.CATEGORY}


@blueprint.get("/reports/funnel")
@any_key("reports:read")
@blueprint.arguments(filters.FunnelArguments, location="query")
@blueprint.response(200)
def funnel(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """How far the visits that began in these days came until now: visit, product, cart, checkout, order, kept order.

    A partner's key reads the partner's own visits. `waiting` are orders that are not validated yet; null is not told.
    """
    program = queries.program(orm.session, program_id=key_program_id())
    period, mine = period_of(program, arguments), narrowed(arguments)
    visits = Visits(program.id, mine.partner_id, arguments.get("device"), arguments.get("source"))
    found = funnel_queries.funnel(orm.session, visits=visits, period=period)
    rows = [
        {
            "stage": line.stage.value, "visits": line.number, "of_visits_bps": line.of_visits_bps,
            "of_stage_before_bps": line.of_before_bps, "left": line.left, "abandoned_bps": line.abandoned_bps,
        }
        for line in funnels.lines(found)
    ]  # fmt: skip
    return head_of(period) | {"rows": rows, "waiting": found.waiting}


@blueprint.get("/reports/products")
@access.key("reports:read")
@blueprint.arguments(filters.ProductReportArguments, location="query")
@blueprint.response(200)
def goods(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What partners' customers bought in these days, and what of it came back until now, the most revenue first.

    An empty name stands for orders that name none.
    """
    program = queries.program(orm.session, program_id=key_program_id())
    period, by = period_of(program, arguments), arguments["by"]
    asked: dict[str, Any] = {"program_id": program.id, "period": period, "currency": program.currency}
    found = goods_queries.bought(orm.session, by=_LABELS[by], **asked)
    ordered = sorted(found.items(), key=lambda pair: (-pair[1].revenue_minor, pair[0]))[: arguments["limit"]]
    rows = [
        {
            by: label, "name": good.name, "orders": good.orders, "pieces": good.pieces,
            "revenue": _money(good.revenue_minor, program.currency),
            "earnings": _money(good.earned_minor, program.currency),
            "came_back": _money(good.back_minor, program.currency), "orders_with_returns": good.back_orders,
        }
        for label, good in ordered
    ]  # fmt: skip
    return head_of(period) | {"rows": rows}


def _money(minor: int, currency: str) -> Any:
    return MoneySchema().dump(Money(minor, currency))
