"""Where a commission stands after something was taken from it."""

from uuid import UUID

import pytest

from affiliate.commissions.life import (
    AdjustmentSource,
    CommissionReason,
    CommissionStatus,
    Taking,
    Worth,
    after,
)

REFUND, EVENT = AdjustmentSource.REFUND, AdjustmentSource.ORDER_EVENT


def worth(status: CommissionStatus, reversed_minor: int = 0, amount_minor: int = 10_00) -> Worth:
    return Worth(status, None, amount_minor, reversed_minor)


def taking(source: AdjustmentSource, amount_minor: int) -> Taking:
    return Taking(source, UUID(int=1), amount_minor)


S, R = CommissionStatus, CommissionReason


@pytest.mark.parametrize(
    ("before", "source", "amount_minor", "status", "reason"),
    [
        (worth(S.PENDING), REFUND, 4_00, S.PENDING, None),
        (worth(S.PENDING), REFUND, 10_00, S.REVERSED, R.REFUNDED),
        (worth(S.APPROVED, 6_00), EVENT, 4_00, S.REVERSED, R.ORDER_CANCELLED),
        (worth(S.APPROVED), AdjustmentSource.ATTRIBUTION, 10_00, S.REVERSED, R.SUPERSEDED),
        (worth(S.PENDING), AdjustmentSource.MANAGER, 10_00, S.DECLINED, R.DECLINED_BY_MANAGER),
        (worth(S.UNVERIFIED), REFUND, 10_00, S.UNVERIFIED, R.REFUNDED),
        (worth(S.TEST), AdjustmentSource.ATTRIBUTION, 10_00, S.TEST, R.SUPERSEDED),
        (worth(S.IN_PAYOUT), REFUND, 10_00, S.IN_PAYOUT, R.REFUNDED),
        (worth(S.PAID), EVENT, 10_00, S.PAID, R.ORDER_CANCELLED),
        (worth(S.REVERSED, 10_00), REFUND, 0, S.REVERSED, None),  # keeps the reason for which it ended
        (worth(S.DECLINED, 10_00), AdjustmentSource.ATTRIBUTION, 0, S.DECLINED, None),
        (worth(S.PENDING, 0, 0), REFUND, 0, S.PENDING, None),  # nothing from the start: the reason stays
        (worth(S.PENDING, 0, 0), AdjustmentSource.ATTRIBUTION, 0, S.REVERSED, R.SUPERSEDED),
        (worth(S.PENDING, 0, 0), AdjustmentSource.MANAGER, 0, S.DECLINED, R.DECLINED_BY_MANAGER),
        (worth(S.DECLINED, 0, 0), AdjustmentSource.ATTRIBUTION, 0, S.DECLINED, None),
        (worth(S.APPROVED), AdjustmentSource.VALIDATION, 10_00, S.REVERSED, R.REFUNDED),
    ],
)
def test_a_commission_ends_when_nothing_is_left_unless_a_payout_holds_it(
    before: Worth, source: AdjustmentSource, amount_minor: int, status: S, reason: R | None
) -> None:
    result = after(before, taking(source, amount_minor))
    assert (result.status, result.reason) == (status, reason)
    assert result.reversed_minor == before.reversed_minor + amount_minor
