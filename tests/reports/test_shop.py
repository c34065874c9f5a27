"""Partners beside the shop: shares over told days alone, unknown where something is not told, the margin."""

from datetime import date

from affiliate.money import Money
from affiliate.reports.metrics import Facts
from affiliate.reports.shop import Told, compared, margin_bps

FIRST, SECOND, THIRD = (date(2026, 11, day) for day in (14, 15, 16))
DAY = Facts(
    "EUR", clicks_raw=60, clicks_valid=50, conversions=5, revenue_minor=500_00, new_customers=3, known_customers=4
)
FACTS = {FIRST: DAY, SECOND: DAY, THIRD: DAY}


def test_the_share_is_over_the_days_that_the_shop_told() -> None:
    found = compared({FIRST: Told(20, 2_000_00), THIRD: Told(30, 2_000_00)}, FACTS, currency="EUR")
    assert (found.days, found.shop_orders, found.shop_revenue) == (2, 50, Money(4_000_00, "EUR"))
    assert (found.orders_share_bps, found.revenue_share_bps) == (2000, 2500)
    assert found.others is not None
    assert (found.partners.orders, found.others.orders) == (10, 40)
    assert (found.partners.aov, found.others.aov) == (Money(100_00, "EUR"), Money(75_00, "EUR"))
    assert found.partners.rate_bps is found.others.visitors is None


def test_rates_are_over_the_days_whose_visitors_are_known() -> None:
    told = {FIRST: Told(20, 2_000_00, visitors=800, new_customers=9), SECOND: Told(20, 2_000_00)}
    found = compared(told, FACTS, currency="EUR")
    assert found.others is not None
    assert (found.partners.visitors, found.partners.rate_bps, found.partners.new_share_bps) == (50, 1000, 7500)
    assert (found.others.visitors, found.others.rate_bps, found.others.new_share_bps) == (750, 200, 4000)


def test_more_by_partners_than_the_shop_told_is_no_share() -> None:
    found = compared({FIRST: Told(4, 2_000_00)}, FACTS, currency="EUR")
    assert (found.others, found.orders_share_bps, found.revenue_share_bps) == (None, None, None)
    assert found.partners.orders == 5


def test_nothing_told_is_nothing_known() -> None:
    found = compared({}, FACTS, currency="EUR")
    assert (found.days, found.revenue_share_bps, found.partners.aov) == (0, None, None)


def test_the_margin_is_of_the_days_whose_costs_are_known() -> None:
    assert (
        margin_bps([Told(1, 100_00, costs_minor=60_00), Told(1, 300_00, costs_minor=140_00), Told(1, 999_00)]) == 5000
    )
    assert margin_bps([Told(1, 100_00)]) is None
    assert margin_bps([Told(0, 0, costs_minor=0)]) is None
