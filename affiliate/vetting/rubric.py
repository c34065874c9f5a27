"""How an application is weighed: criteria with weights, marks, the score with its parts, and what the rules suggest. Pure.

A mark is a whole number from 0 to `MARK_MAX`. Reviewers' marks count where there are any, as their mean; else the mark that
the facts give; a criterion that neither knows is left out, and its weight with it. The score is the weighted mean of the
marks in whole percent, half-even.
"""

import enum
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import orjson

from affiliate.money import divide_half_even
from affiliate.partners.facts import ApplicationFacts

MARK_MAX = 4
WEIGHT_MAX = 100
SCORE_MAX = 100
_REACH_STEPS = (500, 5_000, 25_000, 100_000)
_WORDS_STEPS = (3, 12, 30, 60)
N_ = str  # marks a sentence for the translators


class Criterion(enum.StrEnum):
    """What an applicant is judged by."""

    REACH = "reach"
    TARGET_GROUP = "target_group"
    REPUTATION = "reputation"
    EXPERIENCE = "experience"
    VALUES = "values"
    SKILLS = "skills"
    NO_CONFLICT = "no_conflict"


class Advice(enum.StrEnum):
    """What the rules suggest."""

    ACCEPT = "accept"
    ASK = "ask"
    REFUSE = "refuse"


class Because(enum.StrEnum):
    """Why the rules suggest it."""

    SCORE_HIGH = "score_high"
    SCORE_LOW = "score_low"
    SCORE_BETWEEN = "score_between"
    CONFLICT = "conflict"
    DUPLICATE = "duplicate"
    NOTHING_KNOWN = "nothing_known"
    NO_EVIDENCE = "no_evidence"
    UNCONFIRMED = "unconfirmed"
    DISPOSABLE = "disposable"


DEFAULT_WEIGHTS = {
    Criterion.REACH: 20,
    Criterion.TARGET_GROUP: 25,
    Criterion.REPUTATION: 15,
    Criterion.EXPERIENCE: 10,
    Criterion.VALUES: 15,
    Criterion.SKILLS: 10,
    Criterion.NO_CONFLICT: 5,
}


@dataclass(frozen=True, slots=True)
class Rubric:
    """The weights of a program's criteria, and from which score on what is suggested, in percent."""

    weights: Mapping[Criterion, int]
    accept_from: int = 65
    refuse_below: int = 30


USUAL = Rubric(DEFAULT_WEIGHTS)


@dataclass(frozen=True, slots=True)
class Part:
    """One criterion of a score: its mark in hundredths, null if nobody knows; whether reviewers gave it; its weight."""

    criterion: Criterion
    weight: int
    mark_hundredths: int | None
    by_reviewers: bool


@dataclass(frozen=True, slots=True)
class Weighed:
    """The score in percent (null when nothing is known), its parts, what is suggested and why, the first reason deciding."""

    score: int | None
    parts: tuple[Part, ...]
    advice: Advice
    because: tuple[Because, ...]


def read(document: Mapping[str, int], *, accept_from: int, refuse_below: int) -> Rubric:
    """A rubric as it is stored."""
    return Rubric(
        {criterion: int(document.get(criterion.value, 0)) for criterion in Criterion}, accept_from, refuse_below
    )


def problems(rubric: Rubric) -> dict[str, str]:
    """One sentence for each wrong part of a rubric."""
    found = {}
    for criterion, weight in rubric.weights.items():
        if not 0 <= weight <= WEIGHT_MAX:
            found[criterion.value] = N_("Choose from 0 to 100.")
    if not any(rubric.weights.values()):
        found[Criterion.REACH.value] = N_("At least one criterion needs a weight.")
    if not 0 <= rubric.refuse_below < rubric.accept_from <= SCORE_MAX:
        found["accept_from"] = N_("Accepting needs a higher score than refusing, both from 0 to 100.")
    return found


def marks_of(facts: ApplicationFacts) -> dict[Criterion, int]:
    """What the facts alone tell, as marks. What only a person can judge is missing: values, and how well the audience fits."""
    found: dict[Criterion, int] = {}
    if facts.reach:
        found[Criterion.REACH] = _steps(facts.reach, _REACH_STEPS)
    if facts.experience:
        found[Criterion.EXPERIENCE] = _steps(len(facts.experience.split()), _WORDS_STEPS)
    if facts.references or facts.files:
        proofs = _steps(len(facts.references.split()), _WORDS_STEPS)
        found[Criterion.REPUTATION] = min(proofs + facts.files, MARK_MAX)
    if facts.offers:
        found[Criterion.SKILLS] = _steps(len(facts.offers.split()), _WORDS_STEPS)
    if facts.asked:
        found[Criterion.NO_CONFLICT] = 0 if facts.conflicts else MARK_MAX
    return found


def weigh(
    rubric: Rubric,
    facts: ApplicationFacts,
    reviews: Sequence[Mapping[Criterion, int]],
    *,
    twins: int,
    is_disposable: bool = False,
) -> Weighed:
    """The score of an application and what the rules suggest.

    `twins` are other partners that look like the same person; `is_disposable`, whether its mailbox is thrown away after use.
    """
    by_facts = marks_of(facts)
    parts = tuple(_part(criterion, rubric.weights[criterion], by_facts, reviews) for criterion in Criterion)
    known = [(part.weight, part.mark_hundredths) for part in parts if part.mark_hundredths is not None and part.weight]
    weight = sum(each for each, _mark in known)
    total = sum(each * mark for each, mark in known)
    score = divide_half_even(total, weight * MARK_MAX) if weight else None
    because = _because(rubric, facts, score, twins=twins, is_disposable=is_disposable)
    return Weighed(score, parts, _ADVICE[because[0]], because)


def digest(facts: ApplicationFacts) -> str:
    """A short name for these facts: a review made on others is marked."""
    stable = asdict(facts) | {"submitted_at": None, "confirmed_at": None}
    return hashlib.sha256(orjson.dumps(stable, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


_ADVICE = {
    Because.SCORE_HIGH: Advice.ACCEPT,
    Because.SCORE_LOW: Advice.REFUSE,
    Because.SCORE_BETWEEN: Advice.ASK,
    Because.CONFLICT: Advice.ASK,
    Because.DUPLICATE: Advice.ASK,
    Because.NOTHING_KNOWN: Advice.ASK,
    Because.NO_EVIDENCE: Advice.ASK,
    Because.UNCONFIRMED: Advice.ASK,
    Because.DISPOSABLE: Advice.ASK,
}


def _because(
    rubric: Rubric, facts: ApplicationFacts, score: int | None, *, twins: int, is_disposable: bool
) -> tuple[Because, ...]:
    """Everything that speaks, the deciding reason first."""
    doubts = [
        because
        for because, speaks in (
            (Because.DUPLICATE, twins > 0),
            (Because.DISPOSABLE, is_disposable),
            (Because.CONFLICT, bool(facts.conflicts)),
            (Because.UNCONFIRMED, facts.confirmed_at is None and not facts.is_invited),
            (Because.NO_EVIDENCE, not facts.reach and not facts.website and not facts.channels),
        )
        if speaks
    ]
    if score is None:
        return (Because.NOTHING_KNOWN, *doubts)
    if score < rubric.refuse_below:
        return (Because.SCORE_LOW, *doubts)
    by_score = Because.SCORE_HIGH if score >= rubric.accept_from else Because.SCORE_BETWEEN
    return (*doubts, by_score)


def _part(
    criterion: Criterion, weight: int, by_facts: Mapping[Criterion, int], reviews: Sequence[Mapping[Criterion, int]]
) -> Part:
    given = [review[criterion] for review in reviews if criterion in review]
    if given:
        return Part(criterion, weight, divide_half_even(sum(given) * 100, len(given)), by_reviewers=True)
    mark = by_facts.get(criterion)
    return Part(criterion, weight, None if mark is None else mark * 100, by_reviewers=False)


def _steps(value: int, bounds: Sequence[int]) -> int:
    return sum(value >= bound for bound in bounds)
