"""An explanation tells what the stored traces say: to a partner without others' names, to a manager with all of them."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from factories import (
    NOW,
    make_click,
    make_commission,
    make_link,
    make_partner,
    make_plan,
    make_program,
    tell_origin,
)
from flask import Flask
from sqlalchemy.orm import Session

from affiliate import formats, ids
from affiliate.attribution.models import Attribution
from affiliate.attribution.policy import Model
from affiliate.attribution.policy import Policy as AttributionPolicy
from affiliate.attribution.rules import attribute
from affiliate.attribution.touches import NotNeeded, Step, Touch, TouchRefusal
from affiliate.attribution.trace import Sale
from affiliate.commissions.examples import as_plan
from affiliate.commissions.models import (
    AdjustmentSource,
    Commission,
    CommissionAdjustment,
    CommissionReason,
    CommissionStatus,
    OrderVerification,
)
from affiliate.commissions.rates import Order, Share, rate
from affiliate.fraud.models import FraudDecision, FraudVerdict
from affiliate.fraud.signals import Verdict
from affiliate.ingest.models import Conversion, ConversionRevision, Trust
from affiliate.ledger import postings
from affiliate.ledger import service as ledger
from affiliate.links.models import Link
from affiliate.money import Money
from affiliate.partners.models import Partner
from affiliate.programs.models import Program
from affiliate.reports import evidence, touches
from affiliate.reports.explanation import Explanation, explain
from affiliate.reports.touches import Audience, Reader

pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def english() -> Iterator[None]:
    """A page in English, without a database of its own."""
    app = Flask("words")
    app.secret_key = "only for this test"
    formats.init_app(app)
    with app.test_request_context():
        yield


class Story:
    """An order of 196.40 that Marta brought two days after Ewa, by a plan of 8 %, with a refund of 3.00."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.program: Program = make_program(session, name="Casa Ondera")
        self.marta: Partner = make_partner(session, program=self.program, name="Slow Kitchen")
        self.ewa: Partner = make_partner(session, program=self.program, name="Ewa's Pans")
        self.link: Link = make_link(session, program=self.program, partner=self.marta, name="Sunday ragù")
        self.theirs: Link = make_link(session, program=self.program, partner=self.ewa, name="Secret campaign")
        self.commission = self._commission()

    def _commission(self) -> Commission:
        plan = make_plan(self.session, program=self.program, rate_bps=800, name="Home 2026")
        order = Order(amount_minor=196_40, tax_minor=35_00, shipping_minor=4_90, currency="EUR")
        terms = as_plan(plan.id, plan.name, plan.terms)
        rated = rate(order=order, share=Share(), plan=terms, currency="EUR")
        commission = make_commission(
            self.session, program=self.program, partner=self.marta, link=self.link, order_id="10482",
            amount_minor=rated.amount_minor, base_minor=rated.base_minor, trace=rated.trace,
        )  # fmt: skip
        conversion = self.session.get_one(Conversion, commission.conversion_id)
        conversion.customer_id, conversion.email_hash = "customer-77", "e" * 64
        attribution = self.session.get_one(Attribution, commission.attribution_id)
        policy = AttributionPolicy(version=7)
        attribution.policy_version = 7
        attribution.trace = attribute(touches=self._touches(), policy=policy, sale=Sale(NOW)).trace
        amount = Money(rated.amount_minor, "EUR")
        mine = {"program_id": self.program.id, "partner_id": self.marta.id}
        ledger.post(self.session, postings=postings.accrue(**mine, commission_id=commission.id, amount=amount), now=NOW)
        return commission

    def _touches(self) -> list[Touch]:
        def click(days: int, partner: Partner, link: Link, step: Step) -> Touch:
            at = NOW - timedelta(days=days)
            return Touch("click", at, (step,), id=ids.new_at(at), partner_id=partner.id, link_id=link.id)

        return [
            click(45, self.ewa, self.theirs, Step.VISITOR),
            click(7, self.ewa, self.theirs, Step.VISITOR),
            click(2, self.marta, self.link, Step.CLICK_ID),
            Touch("coupon", NOW, (Step.COUPON,), code="WELCOME10", flaw=TouchRefusal.UNKNOWN_COUPON),
        ]

    def refund(self, amount_minor: int) -> None:
        """Take part of the commission back."""
        adjustment = CommissionAdjustment(
            id=ids.new(), program_id=self.program.id, partner_id=self.marta.id, commission_id=self.commission.id,
            source_kind=AdjustmentSource.REFUND, source_id=ids.new(), amount_minor=amount_minor, currency="EUR", created_at=NOW,
        )  # fmt: skip
        self.session.add(adjustment)
        self.commission.reversed_minor += amount_minor
        self.session.flush()
        mine: dict[str, Any] = {
            "program_id": self.program.id,
            "partner_id": self.marta.id,
            "adjustment_id": adjustment.id,
        }
        taken = postings.reverse(**mine, amount=Money(amount_minor, "EUR"), taken_from=postings.AccountName.PENDING)
        ledger.post(self.session, postings=taken, now=NOW)

    def told_to(self, audience: Audience, partner_id: UUID | None = None) -> Explanation:
        """The explanation for this reader."""
        self.session.flush()
        found = evidence.of_commission(
            self.session, program=self.program, commission_id=self.commission.id, partner_id=partner_id
        )
        assert found is not None
        return explain(found, audience=audience, now=NOW)


@pytest.fixture
def story(session: Session) -> Story:
    return Story(session)


def test_a_partner_reads_who_what_how_much_and_what_the_books_say(story: Story) -> None:
    why = story.told_to(Audience.PARTNER)
    assert why.title == "Why you earn €12.52 on order 10482"
    assert (
        why.who_answer == "You did. Of 4 contacts before the order, the one of 14 Nov 2026 is the last one that counts."
    )
    assert [(station["text"], station["state"]) for station in why.thread] == [
        ("Click, another partner", "refused"),
        ("Click, another partner", "seen"),
        ("Click on your link Sunday ragù", "won"),
        ("A coupon of the shop", "refused"),
        ("Order 10482", "end"),
    ]
    assert why.thread[0]["reason"] == "Outside the window: 45 days before the order, 30 days count."
    assert why.thread[1]["verdict"]["word"] == "Valid, not needed"
    assert [rung["value"] for rung in why.ladder] == ["not found", "found", "not needed", "not needed", "not needed"]
    assert [row["amount"].text() for row in why.base.rows] == ["196.40", "-35.00", "-4.90"]
    assert (why.base.total, why.base.proved) == (Money(156_50, "EUR"), True)
    assert why.rate.rows[0]["detail"] == "€156.50 × 8\u00a0%"
    assert why.rate.note is None  # 12.52 is exact
    assert [line["account"] for line in why.books] == ["Casa Ondera, program expense", "Slow Kitchen, pending"]
    assert not why.books_total


def test_the_sub_ids_of_the_credited_click_are_shown(story: Story) -> None:
    click = make_click(story.session, link=story.link, subs={"sub2": "footer", "sub1": "june"})
    tell_origin(story.session, story.commission, click_id=click.id)
    facts = {fact["name"]: fact["value"] for fact in story.told_to(Audience.PARTNER).facts}
    assert facts["Its sub ids"] == "sub1=june, sub2=footer"


def test_a_shared_sale_tells_each_contact_its_part(story: Story) -> None:
    attribution = story.session.get_one(Attribution, story.commission.attribution_id)
    policy = AttributionPolicy(version=8, model=Model.LINEAR)
    attribution.trace = attribute(touches=story._touches(), policy=policy, sale=Sale(NOW)).trace
    why = story.told_to(Audience.PARTNER)
    assert why.who_answer == "You did. 2 contacts share the sale."
    assert [station["verdict"]["word"] for station in why.thread[1:3]] == ["Accepted, takes 50\u00a0%"] * 2
    assert why.thread[1]["text"] == "Click, another partner"
    assert why.rule_answer.startswith("Shared equally, 30 days.")


def test_a_partner_never_reads_of_others_or_of_the_customer(story: Story) -> None:
    told = str(asdict(story.told_to(Audience.PARTNER)))
    theirs = story.ewa
    for secret in (
        theirs.name,
        str(theirs.id),
        ids.public("ptn", theirs.id),
        "Secret campaign",
        story.theirs.code,
        "WELCOME10",
        "customer-77",
        "e" * 64,
    ):
        assert secret not in told
    own, others = [], []
    for station in story.told_to(Audience.PARTNER).thread:
        (own if "your link" in station["text"] else others).append(station.get("code"))
    assert own[0].startswith("clk_")
    assert not any(others)


def test_a_manager_reads_every_name(story: Story) -> None:
    why = story.told_to(Audience.MANAGER)
    assert why.title == "Why Slow Kitchen earns €12.52 on order 10482"
    assert [station["text"] for station in why.thread[:4]] == [
        "Click on Secret campaign, Ewa's Pans",
        "Click on Secret campaign, Ewa's Pans",
        "Click on Sunday ragù, Slow Kitchen",
        "Coupon WELCOME10 of the shop",
    ]


def test_what_was_taken_back_leads_to_what_is_left(story: Story) -> None:
    story.refund(3_00)
    why = story.told_to(Audience.PARTNER)
    assert why.left == Money(9_52, "EUR")
    assert why.way is not None
    assert [row["amount"].text() for row in why.way.rows] == ["12.52", "-3.00"]
    assert (why.way.total, why.way.proved) == (Money(9_52, "EUR"), True)
    assert len(why.books) == 4
    assert not why.books_total


def test_a_sum_that_does_not_add_up_is_not_closed(story: Story) -> None:
    story.commission.reversed_minor = 1_00  # without the adjustment that would explain it
    assert story.told_to(Audience.PARTNER).way is None
    story.refund(2_00)
    way = story.told_to(Audience.PARTNER).way
    assert way is not None
    assert way.proved is False


def test_rounding_is_told_when_it_happened(story: Story) -> None:
    story.commission.trace = story.commission.trace | {"exact": "12.5168"}
    assert story.told_to(Audience.PARTNER).rate.note == "12.5168 is rounded to €12.52, half to even."


def judged(story: Story, verdict: Verdict, **facts: Any) -> None:
    commission = story.commission
    findings = [{"rule": "machine_network", "action": "flag", "evidence": {"network": "tor"}}]
    story.session.add(
        FraudVerdict(
            id=ids.new(), program_id=story.program.id, conversion_id=commission.conversion_id, judged_at=NOW,
            attribution_id=commission.attribution_id, partner_id=story.marta.id, verdict=verdict, findings=findings,
            **{"reason": "machine_network", "settings_version": 3} | facts,
        )
    )  # fmt: skip


def test_a_flag_is_told_to_both_and_its_numbers_to_the_manager_alone(story: Story) -> None:
    assert story.told_to(Audience.PARTNER).check.answer == "It was not checked: test orders never are."
    judged(story, Verdict.FLAG, answer_by=NOW + timedelta(days=14))
    mine, theirs = story.told_to(Audience.PARTNER).check, story.told_to(Audience.MANAGER).check
    assert mine.answer == (
        "It is under review. The click came out of a data centre or the Tor network. "
        "The program answers by 30 Nov 2026. Until then it is neither approved nor paid."
    )
    assert (mine.findings, mine.note) == ([], None)
    assert theirs.answer == mine.answer
    assert theirs.findings[0]["numbers"] == [{"name": "Network", "value": "tor"}]
    assert theirs.note == "Judged by version 3 of the fraud rules."


def test_a_managers_word_over_the_rules_is_told_with_its_note(story: Story) -> None:
    decision = FraudDecision(
        id=ids.new(), program_id=story.program.id, conversion_id=story.commission.conversion_id, number=1,
        partner_id=story.marta.id, verdict=Verdict.PASS, note="A journalist.", decided_at=NOW,
    )  # fmt: skip
    story.session.add(decision)
    story.session.flush()
    judged(story, Verdict.PASS, reason=None, decision_id=decision.id)
    told = story.told_to(Audience.PARTNER).check
    assert told.answer == "A manager looked at it and let it pass. “A journalist.”"


def history_of(story: Story) -> list[tuple[str, str]]:
    return [(one["text"], one["state"]) for one in story.told_to(Audience.PARTNER).history]


def test_the_history_goes_on_with_what_is_to_come(story: Story) -> None:
    assert history_of(story) == [
        ("Sale recorded", "won"),
        ("Validation period ends, approved", "next"),
        ("Paid", "next"),
    ]


def test_an_approval_and_a_payment_stay_in_the_history_of_what_was_taken_back(story: Story) -> None:
    found = story.commission
    found.approved_at, found.paid_at = NOW + timedelta(days=30), NOW + timedelta(days=40)
    story.refund(3_00)
    story.refund(found.amount_minor - found.reversed_minor)
    first, last = story.session.scalars(sa.select(CommissionAdjustment).order_by(CommissionAdjustment.id))
    first.created_at, last.created_at = NOW + timedelta(days=3), NOW + timedelta(days=50)
    last.is_clawback = True
    found.status, found.reason = CommissionStatus.REVERSED, CommissionReason.REFUNDED
    assert history_of(story) == [
        ("Sale recorded", "won"),
        ("€3.00 of commission reversed", "refused"),
        ("Approved", "won"),
        ("Paid", "won"),
        ("€9.52 taken back: it was on its way already", "refused"),
    ]
    last_station = story.told_to(Audience.PARTNER).history[-1]
    assert last_station["verdict"]["word"] == "Reversed"
    assert last_station["reason"] == "Refund to the customer"


def test_a_review_stands_in_the_history_with_its_end(story: Story) -> None:
    story.commission.status = CommissionStatus.UNDER_REVIEW
    judged(story, Verdict.FLAG, answer_by=NOW + timedelta(days=14))
    assert history_of(story) == [("Sale recorded", "won"), ("Review began", "seen"), ("The program decides", "next")]
    facts: dict[str, Any] = {"program_id": story.program.id, "conversion_id": story.commission.conversion_id}
    decision = FraudDecision(
        id=ids.new(), **facts, number=1, partner_id=story.marta.id, verdict=Verdict.PASS, note="A journalist.",
        decided_at=NOW + timedelta(days=2),
    )  # fmt: skip
    story.session.add(decision)
    story.commission.status = CommissionStatus.PENDING
    assert history_of(story)[1:3] == [("Review began", "seen"), ("Review by a manager: Passed", "won")]
    assert story.told_to(Audience.PARTNER).history[2]["reason"] == "“A journalist.”"


def test_the_confirmation_of_an_order_stands_in_its_history(story: Story) -> None:
    conversion = story.session.get_one(Conversion, story.commission.conversion_id)
    revision = ConversionRevision(
        id=ids.new(), conversion_id=conversion.id, delivery_id=ids.new(), revision=1, trust=int(Trust.OPEN), facts={},
        differences={}, replaced_at=NOW + timedelta(hours=1),
    )  # fmt: skip
    story.session.add(revision)
    conversion.revision = 2
    assert ("Confirmed by the shop's server", "won") in history_of(story)
    conversion.trust = int(Trust.OPEN)
    assert ("Confirmed by the shop's server", "won") not in history_of(story)
    verification = OrderVerification(
        conversion_id=conversion.id, program_id=story.program.id, amount_minor=1, note="Secret word.", verified_at=NOW
    )
    story.session.add(verification)
    assert ("Confirmed by a manager", "won") in history_of(story)


def test_what_was_declined_without_an_amount_still_ends_in_its_history(story: Story) -> None:
    story.commission.status, story.commission.reason = CommissionStatus.DECLINED, CommissionReason.REJECTED
    assert history_of(story) == [("Sale recorded", "won"), ("Declined", "refused")]
    story.commission.turn, story.commission.status = 1, CommissionStatus.PENDING
    assert ("Counts again", "won") in history_of(story)


def test_another_partner_gets_no_explanation(story: Story) -> None:
    found = evidence.of_commission(
        story.session, program=story.program, commission_id=story.commission.id, partner_id=story.ewa.id
    )
    assert found is None
    elsewhere = make_program(story.session)
    assert evidence.of_commission(story.session, program=elsewhere, commission_id=story.commission.id) is None


def test_every_status_and_reason_has_its_words(story: Story) -> None:
    found = evidence.of_commission(story.session, program=story.program, commission_id=story.commission.id)
    assert found is not None
    story.session.expunge(found.commission)
    for status, reason in product(CommissionStatus, [None, *CommissionReason]):
        found.commission.status, found.commission.reason = status, reason
        why = explain(found, audience=Audience.PARTNER, now=NOW)
        assert why.status.word
        assert why.history


@pytest.mark.parametrize("reason", [*TouchRefusal, *NotNeeded])
@pytest.mark.parametrize("audience", list(Audience))
def test_every_reason_of_a_touch_has_a_sentence_of_its_own(reason: str, audience: Audience) -> None:
    def told(text: str | None) -> Any:
        raw = {"kind": "click", "id": None, "code": None, "at": NOW.isoformat(), "partner_id": None, "link_id": None}
        raw |= {"recognised_by": "click_id", "outcome": "refused", "reason": text}
        [touch] = touches.read({"touches": [raw]})
        reader = Reader(audience, ids.new(), {}, {})
        return touches.station(touch, reader, converted_at=NOW, window_days=30)["reason"]

    assert told(reason) != told("something new")


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=19), "19 minutes"),
        (timedelta(hours=3, minutes=59), "3 hours"),
        (timedelta(days=2, hours=12, minutes=19), "2 days and 12 hours"),
        (timedelta(days=7), "7 days"),
        (timedelta(days=45, hours=11), "45 days"),
    ],
)
def test_a_length_of_time_is_cut_not_rounded(length: timedelta, words: str) -> None:
    assert touches.span(length) == words
