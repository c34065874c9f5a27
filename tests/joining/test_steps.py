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


@pytest.mark.parametrize(("after", "is_stuck"), [(timedelta(0), False), (STUCK_AFTER, True)])
def test_help_comes_for_a_link_that_nobody_clicks(after: timedelta, is_stuck: bool) -> None:
    done = Done(**{name: getattr(NOTHING, name) for name in Done.__slots__} | {"links_since": NOW})
    [click] = [step for step in first_steps(done, now=NOW + after) if step.kind is StepKind.CLICK]
    assert click.is_stuck is is_stuck
