"""What a program is strong and weak at, and what changed since the days before: from figures to findings. Pure.

A `Reading` is one figure of the last whole days, with the same figure of the days before. The rule, topic by topic:

1. a figure that is not there, or of fewer things than its `volume_min`, is no finding: there is too little to tell (`unknown`);
2. a topic with a `level` is strong up to the one bound and weak from the other, both included; between them it is neither;
3. any other is held against the program's own middle (the median of at least `SPANS_MIN` earlier spans of as many days that had
   enough in them), else against the days before: strong when it is better by `CHANGE_PERCENT` and by the topic's `step` at
   least, weak when it is worse by as much, else neither; with nothing to compare with, neither;
4. what changed: better or worse than in the days before by the same measure, else the same; unknown where they had too little.

Figures are whole numbers in the topic's unit: things, minor units, basis points, or seconds.
"""

import enum
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from affiliate.money import divide_half_even

SPANS_MIN = 3
CHANGE_PERCENT = 10
SALES_MIN = 10
CLICKS_MIN = 100
PARTNERS_MIN = 5
_DAY_SECONDS = 86_400


class Topic(enum.StrEnum):
    """What is judged, in the order in which findings are told."""

    REVENUE = "revenue"
    SALES = "sales"
    CONVERSION_RATE = "conversion_rate"
    BASKET = "basket"
    ROI = "roi"
    NEW_CUSTOMERS = "new_customers"  # their share
    REVERSALS = "reversals"
    DOUBTFUL = "doubtful"
    ONE_PARTNER = "one_partner"
    ABANDONMENT = "abandonment"
    MOMENTUM = "momentum"  # the share of partners at risk
    APPROVAL = "approval"  # the middle time from order to approval, in seconds
    LATE = "late"  # decisions
    GOALS = "goals"  # those that are behind


class Side(enum.StrEnum):
    """How the program stands there."""

    STRONG = "strong"
    WEAK = "weak"
    NEITHER = "neither"


class Against(enum.StrEnum):
    """What a figure was held against."""

    MIDDLE = "middle"  # the program's own, of earlier spans
    BEFORE = "before"
    LEVEL = "level"
    NOTHING = "nothing"


class Change(enum.StrEnum):
    """What became of it since the days before."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Level:
    """Strong up to the one, weak from the other on; less is better."""

    strong: int
    weak: int


@dataclass(frozen=True, slots=True)
class Rule:
    """How a topic is judged. `step` is the least difference that is more than chance, `volume_min` of how many things a figure must be."""

    less_is_better: bool
    volume_min: int
    step: int = 0
    level: Level | None = None


RULES: Mapping[Topic, Rule] = {
    Topic.REVENUE: Rule(less_is_better=False, volume_min=SALES_MIN),
    Topic.SALES: Rule(less_is_better=False, volume_min=SALES_MIN, step=5),
    Topic.CONVERSION_RATE: Rule(less_is_better=False, volume_min=CLICKS_MIN, step=10),
    Topic.BASKET: Rule(less_is_better=False, volume_min=SALES_MIN),
    Topic.ROI: Rule(less_is_better=False, volume_min=SALES_MIN, step=100),
    Topic.NEW_CUSTOMERS: Rule(less_is_better=False, volume_min=SALES_MIN, step=300),
    Topic.REVERSALS: Rule(less_is_better=True, volume_min=SALES_MIN, step=100, level=Level(5_00, 15_00)),
    Topic.DOUBTFUL: Rule(less_is_better=True, volume_min=SALES_MIN, step=100, level=Level(1_00, 8_00)),
    Topic.ONE_PARTNER: Rule(less_is_better=True, volume_min=SALES_MIN, step=300, level=Level(25_00, 50_00)),
    Topic.ABANDONMENT: Rule(less_is_better=True, volume_min=CLICKS_MIN, step=300),
    Topic.MOMENTUM: Rule(less_is_better=True, volume_min=PARTNERS_MIN, level=Level(25_00, 50_00)),
    Topic.APPROVAL: Rule(less_is_better=True, volume_min=0, level=Level(30 * _DAY_SECONDS, 60 * _DAY_SECONDS)),
    Topic.LATE: Rule(less_is_better=True, volume_min=1, level=Level(0, 1)),
    Topic.GOALS: Rule(less_is_better=True, volume_min=1, level=Level(0, 1)),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of some days, null where nobody knows, and of how many things it is."""

    value: int | None
    of: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure of the last days; `earlier` are those of the spans before, the newest first, none where they are not kept."""

    topic: Topic
    now: Figure
    earlier: Sequence[Figure] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """How the program stands in one topic, what it was held against (of a level the bound that spoke), and what changed.

    `of` is of how many things the figure is, `spans` of how many earlier spans the middle was taken.
    """

    topic: Topic
    side: Side
    now: int
    of: int
    against: Against
    compared: int | None
    change: Change
    before: int | None
    spans: int = 0


def findings(readings: Iterable[Reading]) -> list[Finding]:
    """What can be told of these figures, in the order of the topics."""
    found = [
        _finding(one, one.now.value) for one in readings if one.now.value is not None and _is_enough(one.topic, one.now)
    ]
    return sorted(found, key=lambda one: list(Topic).index(one.topic))


def unknown(readings: Iterable[Reading]) -> list[Topic]:
    """The topics of which there is too little to tell, in order."""
    every = list(readings)
    told, asked = {one.topic for one in findings(every)}, {one.topic for one in every}
    return [topic for topic in Topic if topic in asked and topic not in told]


def _finding(reading: Reading, now: int) -> Finding:
    topic, earlier = reading.topic, reading.earlier
    known = [one.value for one in earlier if one.value is not None and _is_enough(topic, one)]
    before = earlier[0].value if earlier and _is_enough(topic, earlier[0]) else None
    change = Change.UNKNOWN if before is None else _changed(topic, now, before)
    side, against, compared = _judged(topic, now, known, before)
    spans = len(known) if against is Against.MIDDLE else 0
    return Finding(topic, side, now, reading.now.of, against, compared, change, before, spans)


def _judged(topic: Topic, now: int, known: Sequence[int], before: int | None) -> tuple[Side, Against, int | None]:
    level = RULES[topic].level
    if level is not None:
        side = Side.STRONG if now <= level.strong else Side.WEAK if now >= level.weak else Side.NEITHER
        return side, Against.LEVEL, level.strong if side is Side.STRONG else level.weak
    if len(known) >= SPANS_MIN:
        middle = _middle(known)
        return _side(_changed(topic, now, middle)), Against.MIDDLE, middle
    if before is not None:
        return _side(_changed(topic, now, before)), Against.BEFORE, before
    return Side.NEITHER, Against.NOTHING, None


def _middle(known: Sequence[int]) -> int:
    exact = statistics.median([Fraction(one) for one in known])
    return divide_half_even(exact.numerator, exact.denominator)


def _side(change: Change) -> Side:
    return {Change.BETTER: Side.STRONG, Change.WORSE: Side.WEAK}.get(change, Side.NEITHER)


def _changed(topic: Topic, now: int, then: int) -> Change:
    rule, apart = RULES[topic], abs(now - then)
    if not apart or apart < rule.step or apart * 100 < abs(then) * CHANGE_PERCENT:
        return Change.SAME
    return Change.BETTER if (now < then) is rule.less_is_better else Change.WORSE


def _is_enough(topic: Topic, figure: Figure) -> bool:
    return figure.of >= RULES[topic].volume_min
