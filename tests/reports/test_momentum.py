"""Momentum against histories made by hand: the first rule that fits decides."""

from fractions import Fraction

import pytest

from affiliate.reports.momentum import History, Momentum, Reason, Span, judge, usual_rate

ONE_IN_FIFTY = Fraction(1, 50)

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


@pytest.mark.parametrize(
    ("now", "before", "momentum", "reason"),
    [
        (Span(10_000, 1), Span(10_000, 1), Momentum.NEEDS_SUPPORT, Reason.FEW_SALES),
        (Span(10_000, 49), Span(10_000, 49), Momentum.NEEDS_SUPPORT, Reason.FEW_SALES),
        (Span(10_000, 50), Span(10_000, 50), Momentum.STEADY, Reason.SALES_CHANGED),
        (Span(10_000, 49), Span(5_000, 20), Momentum.NEEDS_SUPPORT, Reason.FEW_SALES),
        (Span(10_000, 40), Span(10_000, 60), Momentum.FADING, Reason.SALES_CHANGED),
        (Span(300, 1), Span(300, 1), Momentum.NEEDS_SUPPORT, Reason.FEW_SALES),
        (Span(250, 1), Span(250, 1), Momentum.STEADY, Reason.CLICKS_CHANGED),
        (Span(100, 0), Span(100, 0), Momentum.NEEDS_SUPPORT, Reason.CLICKS_WITHOUT_SALES),
    ],
)
def test_many_clicks_and_far_fewer_sales_than_usual_need_support(
    now: Span, before: Span, momentum: Momentum, reason: Reason
) -> None:
    verdict = judge(History(now, before, ever=True, days_in=90, usual_rate=ONE_IN_FIFTY))
    assert (verdict.momentum, verdict.reason) == (momentum, reason)


def test_few_clicks_tell_nothing_about_a_rate_however_high_the_usual_one_is() -> None:
    for clicks, momentum in ((99, Momentum.STEADY), (100, Momentum.NEEDS_SUPPORT)):
        history = History(Span(clicks, 1), Span(clicks, 1), ever=True, days_in=90, usual_rate=Fraction(1, 2))
        assert judge(history).momentum is momentum


def test_sales_are_told_beside_the_usual_ones() -> None:
    verdict = judge(History(Span(10_025, 3), Span(70, 3), ever=True, days_in=90, usual_rate=ONE_IN_FIFTY))
    assert (verdict.now, verdict.before) == (3, 200)  # half to even


def test_the_usual_rate_is_the_middle_one_of_those_with_enough_clicks() -> None:
    assert usual_rate([]) is None
    assert usual_rate([Span(99, 50), Span(0, 500)]) is None
    assert usual_rate([Span(100, 2)]) == ONE_IN_FIFTY
    assert usual_rate([Span(100_000, 0), Span(100, 2), Span(100, 100), Span(99, 99), Span(0, 500)]) == ONE_IN_FIFTY
    assert usual_rate([Span(100, 1), Span(100, 3)]) == ONE_IN_FIFTY
