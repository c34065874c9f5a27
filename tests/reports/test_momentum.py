"""Momentum against histories made by hand: the first rule that fits decides."""

import pytest

from affiliate.reports.momentum import History, Momentum, Reason, Span, judge

HAND_MADE = [
    (History(Span(), Span(), ever=False, days_in=13), Momentum.STEADY, Reason.JUST_BEGUN),
    (History(Span(), Span(), ever=False, days_in=14), Momentum.NEEDS_SUPPORT, Reason.NEVER_STARTED),
    (History(Span(), Span(300, 9), ever=True, days_in=200), Momentum.DORMANT, Reason.SILENT),
    (History(Span(), Span(), ever=True, days_in=200), Momentum.DORMANT, Reason.SILENT),
    (History(Span(100, 0), Span(90, 4), ever=True, days_in=90), Momentum.NEEDS_SUPPORT, Reason.CLICKS_WITHOUT_SALES),
    (History(Span(99, 0), Span(0, 0), ever=True, days_in=90), Momentum.STEADY, Reason.TOO_LITTLE),
    (History(Span(100, 25), Span(900, 20), ever=True, days_in=90), Momentum.RISING, Reason.SALES_CHANGED),
    (History(Span(100, 24), Span(50, 20), ever=True, days_in=90), Momentum.STEADY, Reason.SALES_CHANGED),
    (History(Span(400, 15), Span(100, 20), ever=True, days_in=90), Momentum.FADING, Reason.SALES_CHANGED),
    (History(Span(100, 5), Span(100, 9), ever=True, days_in=90), Momentum.STEADY, Reason.SALES_CHANGED),
    (History(Span(0, 5), Span(0, 5), ever=True, days_in=90), Momentum.STEADY, Reason.SALES_CHANGED),
    (History(Span(90, 1), Span(60, 1), ever=True, days_in=90), Momentum.RISING, Reason.CLICKS_CHANGED),
    (History(Span(60, 1), Span(85, 1), ever=True, days_in=90), Momentum.FADING, Reason.CLICKS_CHANGED),
    (History(Span(3, 2), Span(80, 7), ever=True, days_in=90), Momentum.STEADY, Reason.TOO_LITTLE),
]


@pytest.mark.parametrize(("history", "momentum", "reason"), HAND_MADE)
def test_each_history_has_its_momentum_and_its_reason(history: History, momentum: Momentum, reason: Reason) -> None:
    verdict = judge(history)
    assert (verdict.momentum, verdict.reason) == (momentum, reason)


def test_the_numbers_that_were_compared_are_told() -> None:
    verdict = judge(History(Span(400, 15), Span(100, 20), ever=True, days_in=90))
    assert (verdict.now, verdict.before) == (15, 20)
