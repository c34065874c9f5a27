"""What is missing of a test order is said by the first thing that did not arrive."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from affiliate import ids
from affiliate.programs.arrival import Missing, Sight, TestOrder, missing

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)
NOTHING = Sight(None, None, None)
CLICKED = Sight(ids.new_at(AT), AT, None)
ARRIVED = TestOrder("T-1", LATER, True, False, True, None, True, 800)


def sight(**changes: object) -> Sight:
    """A click, and a test order that went the whole way but for the changes."""
    return replace(CLICKED, order=replace(ARRIVED, **changes))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (NOTHING, Missing.CLICK),
        (CLICKED, Missing.ORDER),
        (replace(CLICKED, refused_at=LATER), Missing.FINE_REQUEST),
        (replace(CLICKED, refused_at=AT - timedelta(minutes=1)), Missing.ORDER),
        (replace(CLICKED, counted_at=LATER), Missing.TEST_MARK),
        (replace(sight(), counted_at=AT), Missing.NOTHING),
        (replace(sight(), refused_at=AT), Missing.NOTHING),
        (sight(has_commission=False, is_attributed=False), Missing.ATTRIBUTION),
        (sight(has_commission=False, is_attributed=False, is_tampered=True), Missing.OWN_CLICK_ID),
        (sight(has_commission=False, reason="no_touch", has_touch=False), Missing.CLICK_ID),
        (sight(has_commission=False, reason="all_refused"), Missing.CREDIT),
        (sight(has_commission=False), Missing.COMMISSION),
        (sight(amount_minor=0), Missing.PLAN),
        (sight(), Missing.NOTHING),
    ],
)
def test_the_first_missing_thing_is_named(seen: Sight, expected: Missing) -> None:
    assert missing(seen) is expected
