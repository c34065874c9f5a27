"""Who gets a sale: the ladder, the window, the refusals, and a trace that gives the winner again."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from event_cast import NOW, numbered
from hypothesis import given
from hypothesis import strategies as st

from affiliate.attribution import rules
from affiliate.attribution.rules import Outcome, Policy, Step, Touch, TouchRefusal, Unattributed

ANNA, BEN, CARLA = numbered(101), numbered(102), numbered(103)
WINDOW = timedelta(days=30)
POLICY = Policy(version=3, window=WINDOW)


def click(number: int, *, partner: UUID = ANNA, days: float = 1, step: Step = Step.VISITOR, **changes: Any) -> Touch:
    values = {"id": numbered(number), "partner_id": partner, "link_id": numbered(50), "recognised_by": step}
    return Touch(**{"kind": "click", "at": NOW - timedelta(days=days)} | values | changes)


def coupon(*, partner: UUID | None = ANNA, **changes: Any) -> Touch:
    values = {"id": numbered(60), "code": "ANNA10", "partner_id": partner, "recognised_by": Step.COUPON}
    return Touch(**{"kind": "coupon", "at": NOW} | values | changes)


def decide(*touches: Touch, policy: Policy = POLICY, converted_at: datetime = NOW) -> Outcome:
    return rules.attribute(touches=touches, policy=policy, converted_at=converted_at)


def judged(outcome: Outcome) -> list[tuple[str, str | None]]:
    """Outcome and reason of each touch, oldest first."""
    return [(touch["outcome"], touch["reason"]) for touch in outcome.trace["touches"]]


def ladder(outcome: Outcome) -> dict[str, str]:
    return {rung["step"]: rung["outcome"] for rung in outcome.trace["ladder"]}


def winners(outcome: Outcome) -> list[UUID]:
    return [credit.partner_id for credit in outcome.credits]


def test_the_last_click_takes_the_sale() -> None:
    outcome = decide(click(1, partner=ANNA, days=2), click(2, partner=BEN, days=1))
    assert winners(outcome) == [BEN]
    assert judged(outcome) == [("valid", "earlier_click"), ("credited", None)]


def test_of_two_clicks_of_one_instant_the_later_id_takes_the_sale() -> None:
    assert winners(decide(click(2, partner=BEN), click(1, partner=ANNA))) == [BEN]


def test_the_named_click_goes_before_a_coupon_and_a_later_click_of_the_visitor() -> None:
    outcome = decide(
        click(1, partner=ANNA, days=9, step=Step.CLICK_ID), coupon(partner=BEN), click(2, partner=CARLA, days=1)
    )
    assert winners(outcome) == [ANNA]
    assert judged(outcome) == [("credited", None), ("valid", "lower_step"), ("valid", "lower_step")]
    assert ladder(outcome) == {"click_id": "found", "coupon": "not_needed", "visitor": "not_needed"}


def test_a_coupon_goes_before_the_visitors_click() -> None:
    outcome = decide(coupon(partner=BEN), click(2, partner=CARLA))
    assert winners(outcome) == [BEN]
    assert ladder(outcome) == {"click_id": "not_found", "coupon": "found", "visitor": "not_needed"}


def test_a_refused_touch_on_a_higher_step_lets_the_next_step_decide() -> None:
    outcome = decide(click(1, step=Step.CLICK_ID, flaw=TouchRefusal.NOT_VALID), click(2, partner=BEN, days=2))
    assert winners(outcome) == [BEN]
    assert ladder(outcome) == {"click_id": "not_found", "coupon": "not_found", "visitor": "found"}


def test_the_ladder_of_the_program_decides() -> None:
    policy = Policy(version=1, window=WINDOW, ladder=(Step.COUPON, Step.CLICK_ID))
    outcome = decide(click(1, step=Step.CLICK_ID), coupon(partner=BEN), policy=policy)
    assert winners(outcome) == [BEN]
    assert list(ladder(outcome)) == ["coupon", "click_id"]


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (WINDOW, "outside_window"),
        (WINDOW - timedelta(microseconds=1), None),
        (timedelta(0), None),
        (timedelta(microseconds=-1), "after_conversion"),
    ],
)
def test_the_window_is_half_open(age: timedelta, reason: str | None) -> None:
    outcome = decide(click(1, at=NOW - age))
    assert judged(outcome) == [("refused", reason)] if reason else [("credited", None)]


def test_the_window_holds_for_a_named_click_too() -> None:
    outcome = decide(click(1, days=31, step=Step.CLICK_ID))
    assert (outcome.credits, outcome.reason) == ((), Unattributed.ALL_REFUSED)


@pytest.mark.parametrize("flaw", sorted(rules._FLAWS))
def test_a_flawed_touch_never_wins_and_its_flaw_is_the_reason(flaw: TouchRefusal) -> None:
    outcome = decide(click(1, flaw=flaw))
    assert (outcome.credits, outcome.reason) == ((), Unattributed.ALL_REFUSED)
    assert judged(outcome) == [("refused", flaw.value)]


def test_without_touches_nobody_gets_the_sale() -> None:
    outcome = decide()
    assert (outcome.credits, outcome.reason) == ((), Unattributed.NO_TOUCH)
    assert set(ladder(outcome).values()) == {"not_found"}


def test_the_trace_names_the_policy_the_order_and_the_credits() -> None:
    trace = decide(coupon()).trace
    assert {name: trace[name] for name in ("model", "policy_version", "window_days", "converted_at")} == {
        "model": "last_click",
        "policy_version": 3,
        "window_days": 30,
        "converted_at": NOW.isoformat(),
    }
    assert trace["credits"] == [{"partner_id": str(ANNA), "share_bps": 10_000}]
    assert trace["touches"] == [
        {
            "kind": "coupon",
            "id": str(numbered(60)),
            "code": "ANNA10",
            "at": NOW.isoformat(),
            "partner_id": str(ANNA),
            "link_id": None,
            "recognised_by": "coupon",
            "outcome": "credited",
            "reason": None,
        }
    ]


flaws = st.none() | st.sampled_from(sorted(rules._FLAWS))
ages = st.integers(-2, 40).map(lambda days: timedelta(days=days)) | st.just(WINDOW)
partners = st.sampled_from([ANNA, BEN, CARLA])
clicks = st.builds(
    lambda number, partner, age, step, flaw: click(number, partner=partner, at=NOW - age, step=step, flaw=flaw),
    *(st.integers(1, 40), partners, ages, st.sampled_from([Step.CLICK_ID, Step.VISITOR]), flaws),
)
coupons = st.builds(lambda partner, flaw: coupon(partner=partner, flaw=flaw), partners, flaws)
journeys = st.lists(clicks | coupons, max_size=12, unique_by=lambda touch: touch.id)
ladders = st.permutations(list(Step)).map(tuple)


@given(journeys, ladders)
def test_the_trace_gives_the_credits_again(journey: list[Touch], steps: tuple[Step, ...]) -> None:
    outcome = decide(*journey, policy=Policy(version=1, window=WINDOW, ladder=steps))
    assert rules.rederive(outcome.trace) == outcome.trace["credits"]


@given(journeys)
def test_shares_add_up_to_the_whole_or_there_is_a_reason(journey: list[Touch]) -> None:
    outcome = decide(*journey)
    assert sum(credit.share_bps for credit in outcome.credits) == (0 if outcome.reason else 10_000)
    assert len(outcome.trace["touches"]) == len(journey)
    assert [touch["outcome"] for touch in outcome.trace["touches"]].count("credited") == len(outcome.credits)


@given(journeys, st.randoms())
def test_the_order_in_which_touches_are_given_does_not_matter(journey: list[Touch], random: Any) -> None:
    assert decide(*random.sample(journey, len(journey))) == decide(*journey)


@given(journeys, clicks, st.sampled_from(sorted(rules._FLAWS)))
def test_a_refused_touch_changes_nobodys_credit(journey: list[Touch], added: Touch, flaw: TouchRefusal) -> None:
    refused = click(99, at=added.at, step=added.recognised_by, flaw=flaw)
    with_it, without = decide(*journey, refused), decide(*journey)
    assert with_it.credits == without.credits
    assert with_it.trace["ladder"] == without.trace["ladder"]


@given(journeys)
def test_a_refused_touch_has_its_reason_and_a_credited_one_none(journey: list[Touch]) -> None:
    for touch in decide(*journey).trace["touches"]:
        if touch["outcome"] == "refused":
            assert touch["reason"] in set(TouchRefusal)
        elif touch["outcome"] == "credited":
            assert touch["reason"] is None
        else:
            assert touch["reason"] in set(rules.NotNeeded)
