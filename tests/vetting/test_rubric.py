"""The weighing of applications: marks by facts and reviewers, the score, and why something is suggested."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from affiliate.partners.facts import ApplicationFacts, Channel, ChannelKind
from affiliate.vetting import rubric
from affiliate.vetting.rubric import USUAL, Advice, Because, Criterion, Rubric

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
FACTS = ApplicationFacts(
    application_id=UUID(int=1), enrollment_id=UUID(int=2), partner_id=UUID(int=3), submitted_at=NOW, confirmed_at=NOW,
    country="PL", website="https://blog.example", channels=(Channel(ChannelKind.BLOG, "https://blog.example", 30_000),),
    audience="Families who cook.", experience=" ".join(["word"] * 30), references=" ".join(["word"] * 12), offers="",
    conflicts="", why="", asked=8, answered=6, files=1, source="", recruiter_id=None,
)  # fmt: skip
ALL_FOUR = dict.fromkeys(Criterion, 4)


def test_facts_give_marks_where_they_tell_something() -> None:
    assert rubric.marks_of(FACTS) == {
        Criterion.REACH: 3, Criterion.EXPERIENCE: 3, Criterion.REPUTATION: 3, Criterion.NO_CONFLICT: 4,
    }  # fmt: skip


def test_the_score_is_the_weighted_mean_of_what_is_known() -> None:
    found = rubric.weigh(USUAL, FACTS, [], twins=0)
    # (20·3 + 15·3 + 10·3 + 5·4) of (20 + 15 + 10 + 5)·4
    assert found.score == 78
    assert [part.criterion for part in found.parts if part.mark_hundredths is None] == [
        Criterion.TARGET_GROUP, Criterion.VALUES, Criterion.SKILLS,
    ]  # fmt: skip


def test_the_mean_of_reviewers_takes_the_place_of_the_facts() -> None:
    reviews = [{Criterion.REACH: 0, Criterion.VALUES: 4}, {Criterion.REACH: 1}]
    parts = {part.criterion: part for part in rubric.weigh(USUAL, FACTS, reviews, twins=0).parts}
    assert (parts[Criterion.REACH].mark_hundredths, parts[Criterion.REACH].by_reviewers) == (50, True)
    assert (parts[Criterion.VALUES].mark_hundredths, parts[Criterion.EXPERIENCE].by_reviewers) == (400, False)


@pytest.mark.parametrize(
    ("marks", "changes", "twins", "advice", "because"),
    [
        (4, {}, 0, Advice.ACCEPT, (Because.SCORE_HIGH,)),
        (2, {}, 0, Advice.ASK, (Because.SCORE_BETWEEN,)),
        (1, {}, 0, Advice.REFUSE, (Because.SCORE_LOW,)),
        (4, {}, 1, Advice.ASK, (Because.DUPLICATE, Because.SCORE_HIGH)),
        (4, {"conflicts": "We sell pans."}, 0, Advice.ASK, (Because.CONFLICT, Because.SCORE_HIGH)),
        (4, {"confirmed_at": None}, 0, Advice.ASK, (Because.UNCONFIRMED, Because.SCORE_HIGH)),
        (4, {"confirmed_at": None, "source": "invitation:x"}, 0, Advice.ACCEPT, (Because.SCORE_HIGH,)),
        (4, {"website": "", "channels": ()}, 0, Advice.ASK, (Because.NO_EVIDENCE, Because.SCORE_HIGH)),
        (1, {}, 1, Advice.REFUSE, (Because.SCORE_LOW, Because.DUPLICATE)),
    ],
)
def test_the_suggestion_says_why(
    marks: int, changes: dict[str, object], twins: int, advice: Advice, because: tuple[Because, ...]
) -> None:
    facts = replace(FACTS, **changes)  # type: ignore[arg-type] # fields of several kinds
    found = rubric.weigh(USUAL, facts, [dict.fromkeys(Criterion, marks)], twins=twins)
    assert (found.advice, found.because) == (advice, because)


def test_a_mailbox_that_is_thrown_away_makes_the_rules_ask() -> None:
    everything = [dict.fromkeys(Criterion, 4)]
    found = rubric.weigh(USUAL, FACTS, everything, twins=0, is_disposable=True)
    assert (found.advice, found.because) == (Advice.ASK, (Because.DISPOSABLE, Because.SCORE_HIGH))


def test_where_nothing_is_known_one_asks() -> None:
    silent = replace(FACTS, channels=(), experience="", references="", files=0, asked=0)
    found = rubric.weigh(USUAL, silent, [], twins=0)
    assert (found.score, found.advice, found.because) == (None, Advice.ASK, (Because.NOTHING_KNOWN,))


def test_other_facts_have_another_name_and_a_confirmation_alone_has_not() -> None:
    assert rubric.digest(replace(FACTS, confirmed_at=None)) == rubric.digest(FACTS)
    assert rubric.digest(replace(FACTS, experience="none")) != rubric.digest(FACTS)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Rubric(ALL_FOUR | {Criterion.VALUES: 101}), "values"),
        (Rubric(dict.fromkeys(Criterion, 0)), "reach"),
        (Rubric(ALL_FOUR, accept_from=30, refuse_below=30), "accept_from"),
        (Rubric(ALL_FOUR, accept_from=101), "accept_from"),
    ],
)
def test_a_rubric_that_cannot_be_is_refused(wanted: Rubric, field: str) -> None:
    assert set(rubric.problems(wanted)) == {field}
    assert rubric.problems(USUAL) == {}
