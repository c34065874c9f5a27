"""The first steps: which comes next, and when help is offered."""

from datetime import timedelta

import pytest
from factories import NOW

from affiliate.joining.steps import STUCK_AFTER, Done, StepKind, first_steps

NOTHING = Done(has_profile=False, can_be_paid=False, links_since=None, has_creative=False, has_click=False)
ALL = Done(has_profile=True, can_be_paid=True, links_since=NOW, has_creative=True, has_click=True, has_taxes=True)


def test_nothing_is_listed_once_all_is_done() -> None:
    assert first_steps(ALL, now=NOW) == ()


@pytest.mark.parametrize(
    ("missing", "ahead"),
    [
        ({"has_profile": False, "has_click": False}, StepKind.PROFILE),
        ({"links_since": None, "has_click": False}, StepKind.LINK),
        ({"has_creative": False}, StepKind.CREATIVE),
        ({"can_be_paid": False}, StepKind.PAYOUT),
        ({"has_taxes": False}, StepKind.TAXES),
    ],
)
def test_the_first_that_is_missing_comes_next(missing: dict[str, object], ahead: StepKind) -> None:
    done = Done(**{name: getattr(ALL, name) for name in Done.__slots__} | missing)
    assert [step.kind for step in first_steps(done, now=NOW) if step.is_next] == [ahead]


def test_taxes_are_no_step_where_the_program_asks_for_none() -> None:
    done = Done(has_profile=True, can_be_paid=False, links_since=NOW, has_creative=True, has_click=True)
    assert StepKind.TAXES not in {step.kind for step in first_steps(done, now=NOW)}


_JUST_BEFORE = STUCK_AFTER - timedelta(seconds=1)
_AT_ONCE = {StepKind.PROFILE, StepKind.LINK, StepKind.PAYOUT, StepKind.TAXES}


@pytest.mark.parametrize(
    ("since", "after", "stuck"),
    [
        ({}, 100 * STUCK_AFTER, set()),
        ({"joined_at": NOW}, _JUST_BEFORE, set()),
        ({"joined_at": NOW}, STUCK_AFTER, _AT_ONCE),
        ({"links_since": NOW}, _JUST_BEFORE, set()),
        ({"links_since": NOW}, STUCK_AFTER, {StepKind.CREATIVE, StepKind.CLICK}),
        ({"links_since": NOW, "has_creative": True}, STUCK_AFTER, {StepKind.CLICK}),
    ],
)
def test_help_comes_for_what_could_have_been_done_for_long(
    since: dict[str, object], after: timedelta, stuck: set[StepKind]
) -> None:
    done = Done(**{name: getattr(NOTHING, name) for name in Done.__slots__} | {"has_taxes": False} | since)
    assert {step.kind for step in first_steps(done, now=NOW + after) if step.is_stuck} == stuck
