"""Another policy over a stored period: nothing changes without a change, every changed order is told in money, stop and go on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from event_cast import numbered
from factories import (
    make_click,
    make_conversion,
    make_link,
    make_order_event,
    make_partner,
    make_plan,
    make_program,
    make_refund,
)
from sqlalchemy.orm import Session

from affiliate import clock, db, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.attribution import publishing
from affiliate.attribution import service as attribution
from affiliate.attribution.models import Attribution
from affiliate.attribution.policy import Model, Policy
from affiliate.attribution.touches import Step
from affiliate.commissions import service as commissions
from affiliate.commissions import terms as plan_terms
from affiliate.commissions.models import Commission, CommissionPlan
from affiliate.currencies.models import ExchangeRate
from affiliate.errors import Invalid
from affiliate.ingest.models import Conversion, OrderEventType
from affiliate.money import Money
from affiliate.partners.models import Enrollment, EnrollmentStatus, PartnerTerms
from affiliate.programs.models import AttributionPolicy
from affiliate.replay import asking, compare, engine, jobs, pricing, queries, report, service
from affiliate.replay.engine import Question, Totals
from affiliate.replay.models import Replay, ReplayChange, ReplayStatus
from affiliate.settings import Settings

ORDERS = 12


class Month:
    """Orders of 100.00 at ten percent: each visitor clicked on Anna's link, then on Ben's."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session, self.now = session, now
        self.program = make_program(session)
        make_plan(session, program=self.program)
        self.anna, self.ben = (make_partner(session, program=self.program) for _ in range(2))
        links = [make_link(session, program=self.program, partner=partner) for partner in (self.anna, self.ben)]
        for number in range(ORDERS):
            at, visitor = now - timedelta(days=number), numbered(500 + number)
            for link, days in zip(links, (20, 5), strict=True):
                make_click(session, link=link, visitor_id=visitor, occurred_at=at - timedelta(days=days))
            make_conversion(session, program=self.program, visitor_id=visitor, occurred_at=at, received_at=at)
        self.work()

    def work(self) -> None:
        """Attribute and commission what waits."""
        self.session.flush()
        while attribution.attribute_waiting(self.session, limit=100, clicks_until=self.now, now=self.now):
            pass
        while commissions.commission_waiting(self.session, limit=100, now=self.now):
            pass
        self.session.commit()

    def question(self, policy: Policy | None = None, *, days: int = 100) -> Question:
        """The last so many days."""
        end = self.now + timedelta(seconds=1)
        return Question(self.program, policy, end - timedelta(days=days), end)

    def replayed(self, policy: Policy | None = None, *, days: int = 100) -> dict[str, Any]:
        """The whole replay."""

        @contextmanager
        def reading() -> Iterator[Session]:
            yield self.session

        return report.run(reading, question=self.question(policy, days=days))


@pytest.fixture
def month(session: Session, now: datetime) -> Month:
    return Month(session, now)


def test_without_a_change_nothing_changes_whatever_happened_since(month: Month) -> None:
    facts = month.replayed()
    assert (facts["conversions"], facts["changed_conversions"]) == (ORDERS, 0)
    assert facts["commission"]["today"] == facts["commission"]["tomorrow"] == "120.00"
    month.session.execute(
        sa.update(Enrollment).values(status=EnrollmentStatus.BANNED, decided_at=month.now - timedelta(days=99))
    )
    publishing.publish(
        month.session, program_id=month.program.id, policy=Policy(version=1, model=Model.FIRST_CLICK),
        effective_from=month.now - timedelta(days=50), actor=SYSTEM, now=month.now,
    )  # fmt: skip
    month.session.flush()
    assert month.replayed()["changed_conversions"] == 0


def test_nothing_changes_in_a_program_with_a_history(month: Month) -> None:
    """Two plans, two currencies, a policy from a day in the past, a click that came late, refunds, an order declined."""
    session, now = month.session, month.now
    make_plan(session, program=month.program, rate_bps=7_77, effective_from=now - timedelta(days=6), published_at=now)
    orders = session.scalars(sa.select(Conversion).order_by(Conversion.occurred_at)).all()
    for day in range(30):
        at = (now - timedelta(days=day)).date()
        session.add(ExchangeRate(day=at, source="ecb", currency="USD", per_euro="1.0837", stored_at=now))
    for order in orders[::3]:
        order.currency, order.amount_minor, order.revision = "USD", 33_37, order.revision + 1
    publishing.publish(
        session, program_id=month.program.id, policy=Policy(version=1, model=Model.POSITION_BASED),
        effective_from=now - timedelta(days=4), actor=SYSTEM, now=now,
    )  # fmt: skip
    publishing.apply_policies(session, limit=100, now=now)
    carla = make_partner(session, program=month.program)
    late = make_link(session, program=month.program, partner=carla)
    for order in orders[1:8:2]:
        make_click(session, link=late, visitor_id=order.visitor_id, occurred_at=order.occurred_at - timedelta(hours=1))
        attribution.ask_again(session, conversion_ids=[order.id])
    month.work()
    for order in orders[2:9:3]:
        make_refund(session, conversion=order, amount_minor=11_11)
    commissions.reverse_waiting(session, limit=100, now=now)
    declined = session.scalars(sa.select(Commission).where(Commission.is_live).order_by(Commission.id).limit(1)).one()
    whose = {"commission_id": declined.id, "program_id": month.program.id, "actor": SYSTEM, "now": now}
    commissions.decline(session, **whose, reason="Returned")
    session.commit()

    versions = session.scalars(sa.select(Attribution.version).where(Attribution.is_current)).all()
    assert (len(versions), max(versions) > 1) == (ORDERS, True)
    plans = session.scalars(sa.select(Commission.plan_id).where(Commission.is_live).distinct()).all()
    assert len(plans) == 2
    left = sa.func.sum(Commission.amount_minor - Commission.reversed_minor)
    paid = session.execute(
        sa.select(Commission.partner_id, left).where(Commission.is_live).group_by(Commission.partner_id)
    )
    facts = month.replayed()
    assert (facts["conversions"], facts["changed_conversions"], facts["changes"]) == (ORDERS, 0, [])
    assert facts["commission"]["today"] == facts["commission"]["tomorrow"]
    told = {line["id"]: (line["today"], line["tomorrow"]) for line in facts["partners"]}
    in_books = {ids.public("ptn", row[0]): Money(int(row[1]), "EUR").text() for row in paid}
    assert told == {partner: (money, money) for partner, money in in_books.items()}
    assert len(told) == 3


def test_a_credit_that_does_not_follow_from_its_trace_is_found(month: Month) -> None:
    one = month.session.scalars(sa.select(Attribution).limit(1)).one()
    month.session.execute(
        sa.text("UPDATE credits SET share_bps = 9000 WHERE attribution_id = :id").bindparams(
            sa.bindparam("id", one.id, sa.Uuid())
        )
    )
    assert month.replayed()["changed_conversions"] == 1


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        ({"model": Model.TIME_DECAY, "half_life_days": 3}, True),
        ({"weights": (2_500, 5_000, 2_500)}, True),
        ({"window_days": 29}, False),
        ({"ladder": (Step.CLICK_ID, Step.COUPON)}, False),
        ({"classes_outrank": True}, False),
    ],
)
def test_contacts_are_looked_for_again_only_for_a_policy_that_asks_otherwise(
    other: dict[str, Any], alike: bool
) -> None:
    assert compare.asks_alike(replace(Policy(version=1), version=2, **other), Policy(version=1)) is alike


def test_another_model_is_told_in_money_by_partner(month: Month) -> None:
    facts = month.replayed(Policy(version=2, model=Model.LINEAR))
    assert facts["changed_conversions"] == ORDERS
    assert facts["commission"] == {"today": "120.00", "tomorrow": "120.00", "currency": "EUR"}
    told = [(line["today"], line["tomorrow"]) for line in facts["partners"]]
    assert told == [("120.00", "60.00"), ("0.00", "60.00")]
    change = facts["changes"][0]
    assert (change["today"]["trace"]["model"], change["tomorrow"]["trace"]["model"]) == ("last_click", "linear")
    assert sorted(change["tomorrow"]["commission"].values()) == ["5.00", "5.00"]


def test_money_is_what_is_left_after_refunds_on_both_sides(month: Month) -> None:
    """A full refund, a half one and a cancellation: whoever had these orders would have lost as much."""
    first, second, third = month.session.scalars(sa.select(Conversion).order_by(Conversion.occurred_at).limit(3))
    make_refund(month.session, conversion=first, amount_minor=None)
    make_refund(month.session, conversion=second, amount_minor=50_00)
    make_order_event(month.session, conversion=third, type=OrderEventType.CANCELLED)
    commissions.reverse_waiting(month.session, limit=100, now=month.now)
    month.session.flush()
    facts = month.replayed(Policy(version=2, model=Model.FIRST_CLICK))
    assert facts["commission"] == {"today": "95.00", "tomorrow": "95.00", "currency": "EUR"}
    assert [(line["today"], line["tomorrow"]) for line in facts["partners"]] == [("95.00", "0.00"), ("0.00", "95.00")]
    assert month.replayed()["commission"]["tomorrow"] == "95.00"


def test_todays_policy_pays_what_production_paid_to_the_cent(month: Month) -> None:
    """Odd amounts, shared sales, refunds in parts, a group with a rate of its own: each order by itself."""
    month.session.execute(sa.update(AttributionPolicy).values(terms={"window_days": 30, "model": "linear"}))
    rules = [{"rate_bps": 7_77}, {"rate_bps": 3_33, "fixed_minor": 1_11, "when": {"group": "gold"}}]
    month.session.execute(sa.update(CommissionPlan).values(terms={"rules": rules}))
    gold = {"program_id": month.program.id, "partner_id": month.ben.id, "group_name": "gold", "updated_at": month.now}
    month.session.add(PartnerTerms(**gold))
    for number, order in enumerate(month.session.scalars(sa.select(Conversion).order_by(Conversion.id))):
        order.amount_minor = 33_37 * (number + 1)
        order.revision += 1
        if number % 3 == 0:
            make_refund(month.session, conversion=order, amount_minor=11_11)
            make_refund(month.session, conversion=order, amount_minor=7)
    month.work()
    commissions.reverse_waiting(month.session, limit=100, now=month.now)
    month.session.flush()
    attributions = month.session.scalars(sa.select(Attribution).where(Attribution.is_current)).all()
    policy = Policy(version=1, model=Model.LINEAR)
    wanted = [
        pricing.Wanted(
            one.conversion_id, compare.decide_again(compare.Then(one.trace, {}), policy=policy).credits, None
        )
        for one in attributions
    ]
    priced = pricing.price(month.session, program=month.program, wanted=wanted)
    assert priced == queries.earned(month.session, conversion_ids=priced)
    assert {len(earned) for earned in priced.values()} == {2}


def test_what_was_declined_for_a_partner_stays_declined_for_it_and_recruiters_are_counted(month: Month) -> None:
    recruiter = make_partner(month.session, program=month.program)
    month.session.add_all(
        PartnerTerms(program_id=month.program.id, partner_id=one.id, recruiter_id=recruiter.id, updated_at=month.now)
        for one in (month.anna, month.ben)
    )
    document = plan_terms.simple(rate_bps=10_00) | {"recruiter_bps": 10_00}
    month.session.execute(sa.update(CommissionPlan).values(terms=document))
    month.session.flush()
    found = month.session.scalars(sa.select(Commission).order_by(Commission.earned_at).limit(1)).one()
    commissions.decline(
        month.session,
        commission_id=found.id,
        program_id=month.program.id,
        reason="Returned",
        actor=SYSTEM,
        now=month.now,
    )
    month.session.flush()
    facts = month.replayed(Policy(version=2, model=Model.LINEAR))
    # Ben's half of the declined order stays declined; Anna would have hers, and the recruiter a tenth of it all.
    assert {line["tomorrow"] for line in facts["partners"]} == {"55.00", "60.00", "12.00"}


def test_a_shorter_window_leaves_sales_to_nobody_and_a_longer_one_finds_clicks_again(month: Month) -> None:
    short = month.replayed(Policy(version=2, window_days=3))
    assert short["commission"]["tomorrow"] == "0.00"
    publishing.publish(
        month.session, program_id=month.program.id, policy=Policy(version=1, window_days=2),
        effective_from=month.now - timedelta(days=99), actor=SYSTEM, now=month.now,
    )  # fmt: skip
    publishing.apply_policies(month.session, limit=100, now=month.now)
    month.work()
    assert month.replayed()["commission"] == {"today": "0.00", "tomorrow": "0.00", "currency": "EUR"}
    assert month.replayed(Policy(version=3, window_days=30))["commission"]["tomorrow"] == "120.00"


def test_the_period_is_half_open(month: Month) -> None:
    assert month.replayed(days=3)["conversions"] == 3


def test_the_price_of_the_credits_of_today_is_what_production_pays_to_the_cent(month: Month) -> None:
    session = month.session
    prices = iter((1, 33_33, 99_99, 100_01, 7_77, 12_345_67, 5, 49_90, 19_99, 3_33, 66_67, 1_01))
    for conversion in session.scalars(sa.select(Conversion).order_by(Conversion.occurred_at)):
        conversion.amount_minor = next(prices)
        conversion.revision += 1
    publishing.publish(
        session, program_id=month.program.id, policy=Policy(version=1, model=Model.TIME_DECAY),
        effective_from=month.now - timedelta(days=99), actor=SYSTEM, now=month.now,
    )  # fmt: skip
    month.work()
    question = month.question(replace(Policy(version=2, model=Model.TIME_DECAY)))
    batch = queries.decided(
        session,
        program_id=month.program.id,
        starts_at=question.starts_at,
        ends_at=question.ends_at,
        after=None,
        limit=100,
    )
    again = engine._decide(session, question, batch)
    assert not any(one.changed for one in again)
    wanted = [engine._wanted(one, new) for one, new in zip(batch, again, strict=True)]
    priced = pricing.price(session, program=month.program, wanted=wanted)
    paid = session.execute(
        sa.select(Commission.conversion_id, Commission.partner_id, Commission.amount_minor).where(Commission.is_live)
    ).all()
    assert {(row[0], row[1]): row[2] for row in paid} == {
        (conversion_id, partner_id): minor for conversion_id, by in priced.items() for partner_id, minor in by.items()
    }
    assert len(paid) == 2 * ORDERS


def test_batches_add_up_to_the_whole(month: Month) -> None:
    question, totals, after, steps = month.question(Policy(version=2, model=Model.LINEAR)), Totals(), None, 0
    while steps == 0 or after is not None:
        step = engine.step(month.session, question=question, totals=totals, after=after, limit=5)
        after, steps = step.cursor, steps + 1
        totals = Totals.of(totals.to_json())
    assert (totals.orders, totals.changed, steps) == (ORDERS, ORDERS, 3)
    assert sum(totals.tomorrow.values()) == 120_00


# --- the job


@pytest.fixture
def stored(settings: Settings) -> Month:
    with db.transaction() as session:
        month = Month(session, clock.now())
    return month


def start(month: Month, policy: Policy | None) -> Any:
    with db.transaction() as session:
        return service.start(
            session, program_id=month.program.id, policy=policy, starts_at=month.now - timedelta(days=100),
            ends_at=month.now + timedelta(days=1), actor=SYSTEM, now=month.now,
        ).id  # fmt: skip


def test_the_job_works_in_batches_is_stopped_goes_on_and_counts_nothing_twice(
    stored: Month, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BATCH", 5)
    replay_id = start(stored, Policy(version=1, model=Model.FIRST_CLICK))
    mine = {"replay_id": replay_id, "program_id": stored.program.id, "actor": SYSTEM, "now": stored.now}
    assert jobs._batch() == 5
    with db.transaction() as session:
        service.stop(session, **mine)
    assert jobs.advance() == 0
    with db.transaction() as session:
        with pytest.raises(service.WrongStatus):
            service.stop(session, **mine)
        service.resume(session, **mine)
    assert jobs.advance() == 7
    with db.reading() as session:
        replay = session.get_one(Replay, replay_id)
        assert (replay.status, replay.orders, replay.totals["orders"]) == (ReplayStatus.DONE, ORDERS, ORDERS)
        assert replay.totals["tomorrow"] == {str(stored.anna.id): 120_00}
        assert session.query(ReplayChange).filter_by(replay_id=replay_id).count() == ORDERS


def test_a_batch_that_another_worker_saved_is_not_saved_again(stored: Month, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BATCH", 5)
    replay_id = start(stored, None)
    with db.reading() as session:
        replay = queries.running(session)
        assert replay is not None
        totals = Totals()
        step = engine.step(
            session, question=service.question_of(session, replay), totals=totals, after=None, limit=jobs.BATCH
        )
    saved = []
    for _worker in range(2):
        with db.transaction() as session:
            saved.append(
                service.save(session, replay_id=replay_id, before=None, step=step, totals=totals, now=stored.now)
            )
    assert saved == [True, False]


class Killed(BaseException):
    """Nothing of the job goes on after it."""


def test_a_job_killed_while_it_saves_counts_nothing_and_two_at_once_count_each_order_once(
    stored: Month, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)
    replay_id, save = start(stored, Policy(version=1, model=Model.FIRST_CLICK)), service.save

    def killed(*arguments: Any, **named: Any) -> bool:
        save(*arguments, **named)
        raise Killed

    assert jobs._batch() == 2
    with monkeypatch.context() as half_way:
        half_way.setattr(service, "save", killed)
        with pytest.raises(Killed):
            jobs._batch()
    with ThreadPoolExecutor(2) as pool:
        for worker in [pool.submit(jobs.advance) for _ in range(2)]:
            worker.result(60)
    with db.reading() as session:
        replay = session.get_one(Replay, replay_id)
        assert (replay.status, replay.totals["orders"]) == (ReplayStatus.DONE, ORDERS)
        assert replay.totals["tomorrow"] == {str(stored.anna.id): 120_00}
        assert session.query(ReplayChange).filter_by(replay_id=replay_id).count() == ORDERS


def test_a_replay_that_fails_says_so_and_does_not_run_for_ever(stored: Month) -> None:
    replay_id = start(stored, Policy(version=1))
    with db.transaction() as session:
        session.execute(sa.update(Replay).values(terms={"model": "no such model"}))
    jobs.advance()
    with db.reading() as session:
        replay = session.get_one(Replay, replay_id)
        assert (replay.status, replay.error is not None) == (ReplayStatus.FAILED, True)


def test_one_replay_of_a_program_at_a_time(stored: Month) -> None:
    start(stored, None)
    with pytest.raises(service.ReplayRuns):
        start(stored, None)


# --- the command line's words


def test_what_is_asked_at_the_command_line(month: Month) -> None:
    def asked(**terms: Any) -> Question:
        first, until = terms.pop("first", None), terms.pop("until", None)
        return asking.question(
            month.session, program=month.program, terms=terms, first=first, until=until, now=month.now
        )

    assert asked(model=None).policy is None
    found = asked(model="linear", window_days=7, ladder="coupon,visitor", first="2026-11-01", until="2026-11-03")
    assert found.policy is not None
    assert (found.policy.version, found.policy.model, found.policy.window_days) == (2, Model.LINEAR, 7)
    assert found.policy.ladder == (Step.COUPON, Step.VISITOR)
    assert found.ends_at - found.starts_at == timedelta(days=2)
    for wrong in ({"model": "best"}, {"ladder": "luck"}, {"first": "soon"}, {"window_days": 0}):
        with pytest.raises(Invalid):
            asked(**wrong)
