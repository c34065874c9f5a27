"""Who gets a sale: the ladder, the window, the refusals, the classes, other channels, and a trace that gives the winner again."""

from datetime import timedelta
from typing import Any

import pytest
from event_cast import NOW, numbered
from hypothesis import given, settings
from hypothesis import strategies as st
from journey_cast import (
    ANNA,
    BEN,
    CARLA,
    EVERY_STEP,
    bond,
    by_hand,
    channel,
    click,
    coupon,
    decide,
    judged,
    ladder,
    shares,
    winners,
)  # fmt: skip

from affiliate.attribution import rules
from affiliate.attribution.policy import Binding, ChannelRule, Model, Policy
from affiliate.attribution.touches import FLAWS, NotNeeded, Step, Touch, TouchRefusal, Unattributed
from affiliate.partners.classes import PartnerClass

WINDOW = timedelta(days=30)


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
    assert ladder(outcome) == {
        "manual": "not_found",
        "click_id": "found",
        "coupon": "not_needed",
        "visitor": "not_needed",
        "site": "not_needed",
    }


def test_a_coupon_goes_before_the_visitors_click() -> None:
    outcome = decide(coupon(partner=BEN), click(2, partner=CARLA))
    assert winners(outcome) == [BEN]
    assert [ladder(outcome)[step] for step in ("click_id", "coupon", "visitor")] == ["not_found", "found", "not_needed"]


def test_a_refused_touch_on_a_higher_step_lets_the_next_step_decide() -> None:
    outcome = decide(click(1, step=Step.CLICK_ID, flaw=TouchRefusal.NOT_VALID), click(2, partner=BEN, days=2))
    assert winners(outcome) == [BEN]
    assert [ladder(outcome)[step] for step in ("click_id", "coupon", "visitor")] == ["not_found", "not_found", "found"]


def test_the_ladder_of_the_program_decides_and_a_step_that_is_off_recognises_nobody() -> None:
    both = (click(1, step=Step.CLICK_ID), coupon(partner=BEN))
    outcome = decide(*both, ladder=(Step.COUPON, Step.CLICK_ID))
    assert winners(outcome) == [BEN]
    assert list(ladder(outcome)) == ["coupon", "click_id"]
    outcome = decide(*both, ladder=(Step.VISITOR, Step.COUPON))
    assert judged(outcome) == [("refused", "step_off"), ("credited", None)]


def test_a_named_click_whose_step_is_off_still_counts_as_the_visitors() -> None:
    both = click(1, steps=(Step.CLICK_ID, Step.VISITOR))
    assert decide(both, ladder=(Step.VISITOR,)).trace["touches"][0]["recognised_by"] == "visitor"
    assert decide(both).trace["touches"][0]["recognised_by"] == "click_id"


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


@pytest.mark.parametrize("flaw", sorted(FLAWS))
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
    assert {name: trace[name] for name in ("model", "policy_version", "window_days", "converted_at", "kind")} == {
        "model": "last_click",
        "policy_version": 3,
        "window_days": 30,
        "converted_at": NOW.isoformat(),
        "kind": "sale",
    }
    assert trace["policy"] == Policy(version=3).terms
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
            "share_bps": 10_000,
        }
    ]


def test_an_enrollments_window_goes_before_the_kinds_and_the_kinds_before_the_programs() -> None:
    old, promised = click(1, days=20), click(2, days=25, partner=BEN, window_days=26)
    assert winners(decide(old, promised, kind_windows={"lead": 10})) == [ANNA]
    assert winners(decide(old, promised, kind_windows={"lead": 10}, kind="lead")) == [BEN]
    assert winners(decide(click(1, days=20, window_days=7))) == []


def test_of_partners_of_different_class_only_the_best_present_compete_where_classes_outrank() -> None:
    preferred = click(1, days=9, partner=ANNA, partner_class=PartnerClass.PREFERRED)
    standard = click(2, days=5, partner=BEN, step=Step.CLICK_ID)
    low = coupon(partner=CARLA, partner_class=PartnerClass.LOW)
    assert winners(decide(preferred, standard, low)) == [BEN]
    outcome = decide(preferred, standard, low, classes_outrank=True)
    assert winners(outcome) == [ANNA]
    assert judged(outcome) == [("credited", None), ("valid", "lower_class"), ("valid", "lower_class")]
    assert ladder(outcome) == {
        "manual": "not_found",
        "click_id": "outranked",
        "coupon": "outranked",
        "visitor": "found",
        "site": "not_needed",
    }


def test_a_managers_word_has_no_class_and_no_channel_overrules_it() -> None:
    best = click(1, partner=ANNA, partner_class=PartnerClass.PREFERRED)
    overruling = {"other_channels": ChannelRule.OVERRULES, "classes_outrank": True}
    assert winners(decide(best, by_hand(BEN), channel(days=0), **overruling)) == [BEN]


@pytest.mark.parametrize(
    ("binding", "days", "winner", "verdicts"),
    [
        (Binding.FIRST, None, ANNA, [("credited", None), ("valid", "later_click")]),
        (Binding.LAST, None, BEN, [("valid", "earlier_click"), ("credited", None)]),
        (Binding.FIRST, 200, BEN, [("refused", "binding_ended"), ("credited", None)]),
        (Binding.FIRST, 201, ANNA, [("credited", None), ("valid", "later_click")]),
    ],
)
def test_a_known_customer_belongs_to_the_first_or_last_partner_for_a_term(
    binding: Binding, days: int | None, winner: Any, verdicts: list[Any]
) -> None:
    bonds = (bond(1, partner=ANNA, days=200), bond(2, partner=BEN, days=90))
    outcome = decide(*bonds, ladder=(Step.CUSTOMER,), binding=binding, binding_days=days)
    assert winners(outcome) == [winner]
    assert judged(outcome) == verdicts


def test_a_bound_customer_stands_where_the_ladder_puts_it() -> None:
    seen, bound = click(1, partner=BEN), bond(2, partner=ANNA, step=Step.EMAIL)
    assert winners(decide(seen, bound, ladder=(Step.EMAIL, Step.VISITOR))) == [ANNA]
    assert winners(decide(seen, bound, ladder=(Step.VISITOR, Step.EMAIL))) == [BEN]


@pytest.mark.parametrize(
    ("rule", "days", "winner", "partners", "channels"),
    [
        (ChannelRule.OVERRULES, 1, [], ("valid", "other_channel"), ("credited", None)),
        (ChannelRule.OVERRULES, 2, [], ("valid", "other_channel"), ("credited", None)),
        (ChannelRule.OVERRULES, 3, [ANNA], ("credited", None), ("valid", "earlier_channel")),
        (ChannelRule.OVERRULES, 30, [ANNA], ("credited", None), ("refused", "outside_window")),
        (ChannelRule.OVERRULES, -1, [ANNA], ("credited", None), ("refused", "after_conversion")),
        (ChannelRule.YIELDS, 1, [ANNA], ("credited", None), ("valid", "channel_yields")),
        (ChannelRule.IGNORED, 1, [ANNA], ("credited", None), ("valid", "channel_ignored")),
    ],
)
def test_another_channel_takes_the_sale_only_if_it_overrules_and_came_last(
    rule: ChannelRule, days: int, winner: list[Any], partners: Any, channels: Any
) -> None:
    outcome = decide(click(1, days=2), channel("Google", days=days), channels={"google": rule})
    assert winners(outcome) == winner
    assert outcome.reason == (None if winner else Unattributed.OTHER_CHANNEL)
    assert sorted(judged(outcome), key=str) == sorted([partners, channels], key=str)


def test_a_channel_alone_takes_nothing_from_anybody() -> None:
    assert decide(channel(), other_channels=ChannelRule.OVERRULES).reason is Unattributed.NO_TOUCH
    refused = click(1, flaw=TouchRefusal.NOT_VALID)
    assert decide(refused, channel(), other_channels=ChannelRule.OVERRULES).reason is Unattributed.ALL_REFUSED


def test_a_share_of_two_partners_goes_to_the_channel_that_came_after_both() -> None:
    journey = (click(1, days=5), click(2, partner=BEN, days=3), channel(days=1))
    outcome = decide(*journey, model=Model.LINEAR, other_channels=ChannelRule.OVERRULES)
    assert judged(outcome) == [("valid", "other_channel"), ("valid", "other_channel"), ("credited", None)]
    assert ladder(outcome)["visitor"] == "overruled"


def test_models_divide_between_contacts_of_every_step_but_a_claim_above_them_takes_all() -> None:
    journey = (click(1, days=5), click(2, partner=BEN, days=3, step=Step.CLICK_ID))
    assert shares(decide(*journey, coupon(partner=CARLA), model=Model.LINEAR)) == {"Anna": 5000, "Ben": 5000}
    above = (Step.COUPON, Step.CLICK_ID, Step.VISITOR)
    assert shares(decide(*journey, coupon(partner=CARLA), model=Model.LINEAR, ladder=above)) == {"Carla": 10_000}


def test_contacts_of_one_partner_are_one_credit_told_by_the_strongest() -> None:
    journey = (click(1, days=5), click(2, partner=BEN, days=4), click(3, days=3), click(4, days=2))
    outcome = decide(*journey, model=Model.POSITION_BASED)
    assert shares(outcome) == {"Anna": 9000, "Ben": 1000}
    assert outcome.credits[0].touch.id == numbered(4)


flaws = st.none() | st.sampled_from(sorted(FLAWS))
ages = st.integers(-2, 40).map(lambda days: timedelta(days=days)) | st.just(WINDOW)
partners = st.sampled_from([ANNA, BEN, CARLA])
of_partner = {
    "partner_id": partners,
    "flaw": flaws,
    "partner_class": st.sampled_from(PartnerClass),
    "window_days": st.none() | st.integers(1, 60),
    "at": ages.map(lambda age: NOW - age),
}
clicks = st.builds(
    Touch,
    kind=st.just("click"),
    id=st.integers(1, 40).map(numbered),
    steps=st.sampled_from([(Step.CLICK_ID,), (Step.VISITOR,), (Step.CLICK_ID, Step.VISITOR)]),
    **of_partner,
)
claims = st.builds(
    Touch,
    kind=st.just("binding"),
    id=st.integers(41, 60).map(numbered),
    steps=st.sampled_from(
        [(Step.CUSTOMER,), (Step.EMAIL,), (Step.CUSTOMER, Step.EMAIL), (Step.MANUAL,), (Step.COUPON,)]
    ),
    **of_partner,
)
channels = st.builds(channel, st.sampled_from(["google", "meta", "mail"]), at=ages.map(lambda age: NOW - age))
journeys = st.lists(clicks | claims | channels, max_size=12, unique_by=lambda touch: touch.order)
policies = st.builds(
    Policy,
    version=st.just(1),
    model=st.sampled_from(Model),
    weights=st.sampled_from([(4000, 2000, 4000), (3000, 4000, 3000), (0, 0, 10_000), (10_000, 0, 0)]),
    half_life_days=st.integers(1, 30),
    ladder=st.permutations(EVERY_STEP).flatmap(
        lambda all_: st.integers(1, len(EVERY_STEP)).map(lambda n: tuple(all_[:n]))
    ),
    kind_windows=st.sampled_from([{}, {"sale": 10}]),
    classes_outrank=st.booleans(),
    channels=st.dictionaries(st.sampled_from(["google", "meta"]), st.sampled_from(ChannelRule)),
    other_channels=st.sampled_from(ChannelRule),
    binding=st.sampled_from(Binding),
    binding_days=st.none() | st.integers(1, 40),
)


@settings(max_examples=300)
@given(journeys, policies)
def test_the_trace_gives_the_credits_again(journey: list[Touch], policy: Policy) -> None:
    outcome = decide(*journey, policy=policy)
    assert rules.rederive(outcome.trace) == outcome.trace["credits"]


@given(journeys, policies)
def test_shares_add_up_to_the_whole_or_there_is_a_reason(journey: list[Touch], policy: Policy) -> None:
    outcome = decide(*journey, policy=policy)
    told = outcome.trace["touches"]
    assert sum(credit.share_bps for credit in outcome.credits) == (0 if outcome.reason else 10_000)
    assert sum(touch.get("share_bps", 0) for touch in told) == (0 if outcome.reason else 10_000)
    assert len(told) == len(journey)
    assert len({credit.partner_id for credit in outcome.credits}) == len(outcome.credits)


@given(journeys, policies, st.randoms())
def test_the_order_in_which_touches_are_given_does_not_matter(
    journey: list[Touch], policy: Policy, random: Any
) -> None:
    assert decide(*random.sample(journey, len(journey)), policy=policy) == decide(*journey, policy=policy)


@given(journeys, policies, clicks, st.sampled_from(sorted(FLAWS)))
def test_a_refused_touch_changes_nobodys_credit(
    journey: list[Touch], policy: Policy, added: Touch, flaw: TouchRefusal
) -> None:
    refused = click(99, at=added.at, steps=added.steps, flaw=flaw)
    with_it, without = decide(*journey, refused, policy=policy), decide(*journey, policy=policy)
    assert with_it.credits == without.credits
    assert with_it.trace["ladder"] == without.trace["ladder"]


@given(journeys, policies)
def test_every_touch_but_a_credited_one_has_its_reason_from_a_closed_list(journey: list[Touch], policy: Policy) -> None:
    for touch in decide(*journey, policy=policy).trace["touches"]:
        if touch["outcome"] == "refused":
            assert touch["reason"] in set(TouchRefusal)
        elif touch["outcome"] == "credited":
            assert touch["reason"] is None
        else:
            assert touch["reason"] in set(NotNeeded)
