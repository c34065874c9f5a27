"""What can be said of a partner's service, or of the program's, beside what is tracked: measures with their unit. Pure.

A number is stored as a whole one: hours and grades in hundredths, shares in basis points, things as they are.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from affiliate.money import divide_half_even

N_ = str  # marks a sentence for the translators

HUNDREDTHS = 100
GRADE_MIN, GRADE_MAX = 1 * HUNDREDTHS, 5 * HUNDREDTHS
_WHOLE_BPS = 100_00
_NUMBER_MAX = 10_000_000
_OUT_OF_RANGE = N_("Write a number of zero or more that is not this large.")
_NO_SHARE = N_("Write a share from 0 to 100 %.")
_NO_GRADE = N_("Write a grade from 1 to 5; 5 is best.")


class ServiceUnit(enum.StrEnum):
    """How a number is written and printed."""

    HOURS = "hours"
    SHARE = "share"
    COUNT = "count"
    GRADE = "grade"  # 1 to 5, 5 is best


class ServiceMeasure(enum.StrEnum):
    """What is measured."""

    ANSWER_TIME = "answer_time"
    ON_TIME = "on_time"
    DAMAGED = "damaged"
    COMPLAINTS = "complaints"
    FEEDBACK = "feedback"
    RESULTS = "results"
    ADAPTABILITY = "adaptability"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a measure says: English sources for gettext, its unit, and whether less is better."""

    label: str
    help_text: str
    unit: ServiceUnit
    less_is_better: bool = False


MEASURES = {
    ServiceMeasure.ANSWER_TIME: Meaning(
        N_("Answer time"), N_("Hours until customers get an answer."), ServiceUnit.HOURS, less_is_better=True
    ),
    ServiceMeasure.ON_TIME: Meaning(
        N_("Delivered on time"), N_("The share of orders that came when they were promised."), ServiceUnit.SHARE
    ),
    ServiceMeasure.DAMAGED: Meaning(
        N_("Damaged or wrong"),
        N_("The share of orders that came broken, or were not what was ordered."),
        ServiceUnit.SHARE,
        less_is_better=True,
    ),
    ServiceMeasure.COMPLAINTS: Meaning(
        N_("Complaints"), N_("How many customers complained."), ServiceUnit.COUNT, less_is_better=True
    ),
    ServiceMeasure.FEEDBACK: Meaning(N_("Feedback"), N_("What customers say, as a grade."), ServiceUnit.GRADE),
    ServiceMeasure.RESULTS: Meaning(
        N_("Results"), N_("Whether what was agreed was reached, as a grade."), ServiceUnit.GRADE
    ),
    ServiceMeasure.ADAPTABILITY: Meaning(
        N_("Adaptability"), N_("How well changes are met, as a grade."), ServiceUnit.GRADE
    ),
}
"""Every measure, in the order of pages."""

GRADED = tuple(measure for measure, meaning in MEASURES.items() if meaning.unit is ServiceUnit.GRADE)
"""What a rating is made of."""


def problem(measure: ServiceMeasure, number: int) -> str | None:
    """Why a stored number cannot be one of this measure; null if it can."""
    unit = MEASURES[measure].unit
    if unit is ServiceUnit.GRADE:
        return None if GRADE_MIN <= number <= GRADE_MAX else _NO_GRADE
    if unit is ServiceUnit.SHARE:
        return None if 0 <= number <= _WHOLE_BPS else _NO_SHARE
    return None if 0 <= number <= _NUMBER_MAX else _OUT_OF_RANGE


def rating(grades: Iterable[int]) -> int | None:
    """The mean of grades in hundredths, each weighing the same; null without any."""
    found = list(grades)
    return divide_half_even(sum(found), len(found)) if found else None
