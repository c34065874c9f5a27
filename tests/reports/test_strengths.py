"""Strengths and weaknesses against figures made by hand: what is told, what it is held against, and what changed."""

import pytest

from affiliate.reports.strengths import RULES, Against, Change, Figure, Finding, Reading, Side, Topic, findings, unknown

DAY = 86_400
ENOUGH = 1_000


def told(topic: Topic, now: int, *earlier: int) -> Finding:
    """The finding of a figure with enough behind it, now and in the spans before."""
    [found] = findings([Reading(topic, Figure(now, ENOUGH), [Figure(one, ENOUGH) for one in earlier])])
    return found


LEVELS = [
    (Topic.REVERSALS, 5_00, Side.STRONG, 5_00),
    (Topic.REVERSALS, 5_01, Side.NEITHER, 15_00),
    (Topic.REVERSALS, 14_99, Side.NEITHER, 15_00),
    (Topic.REVERSALS, 15_00, Side.WEAK, 15_00),
    (Topic.DOUBTFUL, 1_00, Side.STRONG, 1_00),
    (Topic.DOUBTFUL, 8_00, Side.WEAK, 8_00),
    (Topic.ONE_PARTNER, 25_00, Side.STRONG, 25_00),
    (Topic.ONE_PARTNER, 50_00, Side.WEAK, 50_00),
    (Topic.MOMENTUM, 25_00, Side.STRONG, 25_00),
    (Topic.MOMENTUM, 50_00, Side.WEAK, 50_00),
    (Topic.APPROVAL, 30 * DAY, Side.STRONG, 30 * DAY),
    (Topic.APPROVAL, 30 * DAY + 1, Side.NEITHER, 60 * DAY),
    (Topic.APPROVAL, 60 * DAY, Side.WEAK, 60 * DAY),
    (Topic.LATE, 0, Side.STRONG, 0),
    (Topic.LATE, 1, Side.WEAK, 1),
    (Topic.GOALS, 0, Side.STRONG, 0),
    (Topic.GOALS, 2, Side.WEAK, 1),
]


@pytest.mark.parametrize(("topic", "now", "side", "bound"), LEVELS)
def test_a_topic_with_a_level_is_held_against_its_bounds(topic: Topic, now: int, side: Side, bound: int) -> None:
    found = told(topic, now)
    assert (found.side, found.against, found.compared) == (side, Against.LEVEL, bound)


MIDDLES = [
    (Topic.SALES, 110, (50, 100, 400), Side.STRONG, 100),  # the middle, whatever the days before were
    (Topic.SALES, 109, (50, 100, 400), Side.NEITHER, 100),
    (Topic.SALES, 90, (50, 100, 400), Side.WEAK, 100),
    (Topic.SALES, 91, (50, 100, 400), Side.NEITHER, 100),
    (Topic.SALES, 24, (20, 20, 20), Side.NEITHER, 20),  # a fifth more, and four sales: chance
    (Topic.SALES, 25, (20, 20, 20), Side.STRONG, 20),
    (Topic.REVENUE, 1_100, (900, 1_000, 1_000, 1_300), Side.STRONG, 1_000),
    (Topic.CONVERSION_RATE, 2_20, (2_00, 2_00, 2_00), Side.STRONG, 2_00),
    (Topic.CONVERSION_RATE, 40, (49, 49, 49), Side.NEITHER, 49),  # nine hundredths of a point
    (Topic.ROI, -51_50, (-50_00, -50_00, -50_00), Side.NEITHER, -50_00),  # a point and a half, of fifty
    (Topic.ROI, -90_00, (-50_00, -50_00, -50_00), Side.WEAK, -50_00),
    (Topic.BASKET, 89_00, (100_00, 100_00, 100_00, 100_01), Side.WEAK, 100_00),
    (Topic.NEW_CUSTOMERS, 47_00, (50_00, 50_00, 50_00), Side.NEITHER, 50_00),  # three points, less than a tenth
    (Topic.NEW_CUSTOMERS, 45_00, (50_00, 50_00, 50_00), Side.WEAK, 50_00),
    (Topic.ABANDONMENT, 45_00, (50_00, 50_00, 50_00), Side.STRONG, 50_00),  # less of it is better
]


@pytest.mark.parametrize(("topic", "now", "earlier", "side", "middle"), MIDDLES)
def test_any_other_is_held_against_the_programs_own_middle(
    topic: Topic, now: int, earlier: tuple[int, ...], side: Side, middle: int
) -> None:
    found = told(topic, now, *earlier)
    assert (found.side, found.against, found.compared) == (side, Against.MIDDLE, middle)
    assert found.spans == len(earlier)


def test_two_earlier_spans_are_no_middle_and_none_is_nothing_to_compare_with() -> None:
    few, alone = told(Topic.SALES, 100, 50, 400), told(Topic.SALES, 100)
    assert (few.side, few.against, few.compared, few.spans) == (Side.STRONG, Against.BEFORE, 50, 0)
    assert (alone.side, alone.against, alone.compared) == (Side.NEITHER, Against.NOTHING, None)


def test_an_earlier_span_with_too_little_in_it_is_not_in_the_middle() -> None:
    thin = [Figure(1, 9), *(Figure(100, 10) for _ in range(3))]
    [found] = findings([Reading(Topic.SALES, Figure(100, 100), thin)])
    assert (found.compared, found.spans) == (100, 3)
    assert (found.change, found.before) == (Change.UNKNOWN, None)


@pytest.mark.parametrize(
    ("topic", "now", "before", "change"),
    [
        (Topic.SALES, 110, 100, Change.BETTER),
        (Topic.SALES, 90, 100, Change.WORSE),
        (Topic.SALES, 104, 100, Change.SAME),
        (Topic.REVERSALS, 8_00, 10_00, Change.BETTER),
        (Topic.REVERSALS, 12_00, 10_00, Change.WORSE),
        (Topic.REVERSALS, 2_99, 2_00, Change.SAME),  # less than a point
        (Topic.ONE_PARTNER, 30_00, 30_00, Change.SAME),
        (Topic.ONE_PARTNER, 0, 30_00, Change.BETTER),
        (Topic.REVENUE, 0, 0, Change.SAME),
    ],
)
def test_what_changed_since_the_days_before_is_told_whatever_the_side(
    topic: Topic, now: int, before: int, change: Change
) -> None:
    found = told(topic, now, before)
    assert (found.change, found.before) == (change, before)


def test_a_weak_figure_can_have_become_better() -> None:
    found = told(Topic.REVERSALS, 20_00, 30_00)
    assert (found.side, found.change) == (Side.WEAK, Change.BETTER)


@pytest.mark.parametrize("topic", [topic for topic in Topic if RULES[topic].volume_min])
def test_a_figure_of_too_few_things_says_nothing(topic: Topic) -> None:
    least = RULES[topic].volume_min
    assert not findings([Reading(topic, Figure(1, least - 1))])
    assert findings([Reading(topic, Figure(1, least))])


def test_what_nobody_knows_is_named_and_findings_come_in_the_order_of_topics() -> None:
    readings = [
        Reading(Topic.GOALS, Figure(0, 2)),
        Reading(Topic.APPROVAL, Figure(None)),
        Reading(Topic.REVENUE, Figure(100, ENOUGH)),
        Reading(Topic.SALES, Figure(3, 3)),
    ]
    assert [one.topic for one in findings(readings)] == [Topic.REVENUE, Topic.GOALS]
    assert unknown(readings) == [Topic.SALES, Topic.APPROVAL]
    assert unknown(iter(readings)) == [Topic.SALES, Topic.APPROVAL]
