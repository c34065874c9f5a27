"""What the partner in the middle has is told when enough stand behind it, and never to the last digit."""

from decimal import Decimal

import pytest

from affiliate.money import Money
from affiliate.reports import medians
from affiliate.reports.metrics import Facts


def _facts(valid: int, sales: int = 1, earned: int = 1_000) -> Facts:
    return Facts(
        "EUR", clicks_raw=valid, clicks_valid=valid, conversions=sales, revenue_minor=sales * 50_00, earned_minor=earned
    )


@pytest.mark.parametrize(("partners", "told"), [(9, False), (10, True)])
def test_too_few_partners_have_no_median(partners: int, told: bool) -> None:
    found = medians.medians([_facts(100 + number) for number in range(partners)] + [Facts("EUR")] * 50)
    assert ("clicks_valid" in found) is told


def test_a_metric_that_too_few_know_is_left_out() -> None:
    found = medians.medians([_facts(100, sales=0, earned=0)] * 12)
    assert "aov" not in found
    assert found["conversion_rate"] == "0"


def test_nobodys_own_figure_is_told() -> None:
    found = medians.medians([_facts(1_000 + 7 * number, earned=3_333) for number in range(11)])
    assert found["clicks_valid"] == "1000"  # the middle one has 1,035
    assert found["aov"] == "5000"
    assert medians.value("aov", "5000", currency="EUR") == Money(50_00, "EUR")
    assert medians.value("epc", found["epc"], currency="EUR") == Decimal("0.032")
    assert medians.value("clicks_valid", "1000", currency="EUR") == 1_000
