"""Random histories in currencies with 0, 2 and 3 decimals: promises 8 and 9 hold after every step.

Orders, refunds, amendments, plans, entries by hand, write-offs, decisions, taxes, papers, payouts and their failures.

The machine knows nothing of the code but its services. Beside the proof it keeps a model of its own: what each partner
has earned in the end follows from the orders, refunds and decisions alone, whatever the way there. It draws its acts by itself: Hypothesis prefers
small and equal values, and of ten histories one ever paid anything. `came_to` counts how far they come.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from random import Random, SystemRandom
from typing import Any, cast

import pytest
import sqlalchemy as sa
from factories import NOW, make_order_event, make_partner, make_plan, make_refund
from money_cast import Books, open_books
from sqlalchemy.orm import Session
from tax_cast import make_buyer, make_profile, make_rule

from affiliate import db
from affiliate.commissions import service as commissions
from affiliate.commissions.life import WITH_US, AdjustmentSource, Loss
from affiliate.commissions.models import Commission, CommissionAdjustment, CommissionStatus
from affiliate.commissions.reversals import Part, due
from affiliate.errors import DomainError
from affiliate.ingest.models import Conversion, Trust
from affiliate.ledger import ddl
from affiliate.money import Money, divide_half_even
from affiliate.papers import issuing
from affiliate.papers.models import Paper
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.payouts import adjusting, causes, proof, service, waiting
from affiliate.payouts.models import (
    Adjustment,
    AdjustmentKind,
    AdjustmentStatus,
    PaperState,
    Payout,
    PayoutRun,
    PayoutStatus,
)
from affiliate.tables import metadata
from affiliate.taxes.figures import Figures, PaperKind

RATE_BPS = 7_77  # leaves something to round nearly always
OPEN = {PayoutStatus.PROPOSED, PayoutStatus.APPROVED}
OUTSIDE = [*["order"] * 7, "odd_order", *["refund"] * 4, "refund_all", "cancel", "amend", "amend"]
JOBS = ["job", "work", "work"]
PEOPLE = [
    "approve",
    "decline",
    "propose",
    "approve_run",
    "mark_paid",
    "cancel_run",
    *["payday"] * 5,
    *["goes_wrong"] * 3,
]
MONEY = ["mark_failed", "take_out", "pay_one", "enter", "enter", "decide", "decide", "leave_or_return", "write_off", "plan"]  # fmt: skip
TAXES = ["profile", "accept", "set_aside", "issue", "issue"]
ACTS = OUTSIDE + JOBS + PEOPLE + MONEY + TAXES
STEPS = 60
CURRENCIES = ["EUR", "JPY", "KWD"]
SEEDS = [("EUR", 8), ("JPY", 2), ("KWD", 2)]  # of their first fifteen histories those that come far
FAR = ("paid", "taken back", "netted")  # a history without these proves little
NEVER = sa.false()
PAPERS = (PaperKind.SELF_BILLING, PaperKind.SELF_BILLING, PaperKind.OWN_INVOICE, PaperKind.RECEIPT)
STAGES = (commissions.commission_waiting, commissions.reverse_waiting, commissions.approve_due)


@lru_cache(maxsize=1)
def empty_database() -> bytes:
    """All tables and triggers, as the bytes of an SQLite database in memory."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        for table in ("ledger_transfers", "audit_events"):
            for statement in ddl.append_only("sqlite", table):
                connection.execute(sa.text(statement))
        raw = cast("sqlite3.Connection", connection.connection.driver_connection)
        return raw.serialize()


@lru_cache(maxsize=1)
def one_engine() -> sa.Engine:
    """One for all histories, because an engine remembers its statements; each begins with the empty database anew."""
    return db.make_engine("sqlite://")


class History:
    """One program in one currency, two partners, any history. A seed gives the same acts; rows of one moment may come in another order."""

    def __init__(self, *, currency: str, seed: int) -> None:
        self.currency, self.chance = currency, Random(f"{currency} {seed}")
        self.connection = one_engine().connect()
        self.database = cast("sqlite3.Connection", self.connection.connection.driver_connection)
        self.database.deserialize(empty_database())
        self.session = Session(self.connection, expire_on_commit=False)
        self.now = NOW
        self.orders: list[Conversion] = []
        self.runs: list[PayoutRun] = []
        self.owners: dict[Conversion, Partner] = {}
        self.losses: dict[Conversion, list[Loss]] = {}
        self.declined: set[tuple[Any, Any]] = set()
        self.paid_in: dict[Any, Any] = {}
        self.rates = [(NOW - timedelta(days=1), RATE_BPS)]
        self.looked_at = 0
        facts = {"payout_min_minor": seed % 2 * 10_00, "validation_days": 10, "currency": currency}
        self.books: Books = open_books(self.session, **facts)
        make_plan(self.session, program=self.books.program, rate_bps=RATE_BPS, effective_from=self.rates[0][0])
        make_buyer(self.session, self.books.program)
        make_rule(self.session, self.books.program, stamp_minor=2_00, stamp_above_minor=20_00)
        self.partners = [self.books.partner, make_partner(self.session, program=self.books.program)]

    def close(self) -> None:
        """Roll back now: later it would be what the next history does on the same connection."""
        self.session.close()
        self.connection.close()

    def live(self, steps: int) -> None:
        """So many steps, each followed by a look at all promises, and the end."""
        for _ in range(steps):
            getattr(self, f"_{self.chance.choice(ACTS)}")(self.chance.randint(0, 1_000), self.chance.randint(0, 500_00))
            self.the_promises_hold()
        self.the_books_say_what_the_orders_are_worth()

    # --- what happens outside

    def _order(self, which: int, amount: int, **facts: Any) -> None:
        partner = self.partners[which % 2]
        conversion = self.books.order(
            partner=partner, amount_minor=amount, tax_minor=which, occurred_at=self.now, currency=self.currency, **facts
        )
        self.orders.append(conversion)
        self.owners[conversion], self.losses[conversion] = partner, []

    def _odd_order(self, which: int, amount: int) -> None:
        self._order(which, amount, is_test=which % 3 == 0, trust=Trust.OPEN)

    def _refund(self, which: int, amount: int | None) -> None:
        if self.orders:
            conversion = self._any(self.orders, which)
            part = None if amount is None else amount % (conversion.amount_minor + 10)
            row = make_refund(self.session, conversion=conversion, amount_minor=part)
            self.losses[conversion].append(Loss(AdjustmentSource.REFUND, row.id, part))

    def _refund_all(self, which: int, _: int) -> None:
        self._refund(which, None)

    def _cancel(self, which: int, _: int) -> None:
        if self.orders:
            conversion = self._any(self.orders, which)
            row = make_order_event(self.session, conversion=conversion)
            self.losses[conversion].append(Loss(AdjustmentSource.ORDER_EVENT, row.id, None))

    def _amend(self, which: int, amount: int) -> None:
        """Another amount, another partner, and believed from now on: amendments and confirmations alike."""
        if self.orders:
            conversion, partner = self._any(self.orders, which), self.partners[amount % 2]
            self.books.amend(conversion, partner=partner, amount_minor=amount, trust=Trust.SERVER)
            self.owners[conversion] = partner

    # --- the jobs, in any order and with any limit

    def _job(self, which: int, amount: int) -> None:
        STAGES[which % 3](self.session, limit=1 + amount % 3, now=self.now)

    def _work(self, which: int, _: int) -> None:
        self.now += timedelta(days=(0, 5, 11)[which % 3])
        self.books.work(now=self.now)

    # --- people

    def _approve(self, which: int, _: int) -> None:
        self._judge(commissions.approve, {CommissionStatus.PENDING}, which)

    def _decline(self, which: int, _: int) -> None:
        declined = self._judge(commissions.decline, WITH_US, which, reason="No.")
        if declined:
            self.declined.add((declined.conversion_id, declined.partner_id))

    def _propose(self, which: int, amount: int) -> None:
        self._work(which, amount)
        self.now += timedelta(seconds=1)  # papers are written in the order of proposals
        facts = {"program_id": self.books.program.id, "actor": self.books.alice, "now": self.now}
        try:
            self.runs.append(service.propose(self.session, **facts))
        except service.NothingToPay:
            return

    def _payday(self, which: int, amount: int) -> None:
        """A whole run up to some step of it, with all invoices: left to chance alone, few would ever be paid."""
        self.now += timedelta(days=11)
        before = len(self.runs)
        self._propose(which, amount)
        if len(self.runs) == before:
            return
        for payout in self._all(Payout):
            waiting.accept_paper(self.session, payout_id=payout.id)
        for act, ends in ((self._approve_run, which % 6 == 0), (self._mark_paid, which % 4 == 0)):
            self.the_promises_hold()
            if ends:
                return
            act(before, amount)

    def _goes_wrong(self, which: int, amount: int) -> None:
        """An order inside an open payout is refunded, and then the run is taken back."""
        held = sa.select(Commission.conversion_id, Payout.run_id).join(Payout, Payout.id == Commission.payout_id)
        found = self.session.execute(held.where(Payout.status.in_(OPEN)).order_by(Commission.id)).all()
        if not found:
            self._payday(which, amount)
            return
        conversion_id, run_id = self._any(list(found), which)
        self._refund([order.id for order in self.orders].index(conversion_id), amount if which % 2 else None)
        self.books.work(now=self.now)
        self.the_promises_hold()
        self._cancel_run([run.id for run in self.runs].index(run_id), amount)

    def _approve_run(self, which: int, _: int) -> None:
        waits = sa.and_(Payout.status == PayoutStatus.PROPOSED, Payout.paper == PaperState.AWAITED)
        self._move(service.approve_run, {PayoutStatus.PROPOSED}, which, unless=waits)

    def _mark_paid(self, which: int, _: int) -> None:
        self._move(service.mark_paid, {PayoutStatus.APPROVED}, which)

    def _cancel_run(self, which: int, _: int) -> None:
        arrived = Payout.status == PayoutStatus.PAID
        self._move(service.cancel_run, OPEN, which, unless=arrived, reason="Stop.")

    def _mark_failed(self, which: int, _: int) -> None:
        self._settle_one(service.mark_failed, PayoutStatus.APPROVED, which, reason="Closed.")

    def _pay_one(self, which: int, _: int) -> None:
        self._settle_one(service.mark_paid, PayoutStatus.APPROVED, which)

    def _take_out(self, which: int, _: int) -> None:
        self._settle_one(service.take_out, PayoutStatus.PROPOSED, which, reason="Closed.")

    def _settle_one(self, act: Any, allowed: PayoutStatus, which: int, **facts: Any) -> None:
        """One payout of a run arrives, comes back, or is taken out."""
        payouts = self._all(Payout)
        if payouts:
            payout = self._any(payouts, which)
            whose = {"run_id": payout.run_id, "program_id": payout.program_id}
            one = {"payout_id": payout.id} if act is service.take_out else {"only": [payout.id]}
            self._try(act, payout.status is allowed, **whose, **one, **facts)

    def _profile(self, which: int, amount: int) -> None:
        """The partner's next payouts need another paper."""
        make_profile(
            self.session, self.books.program, self.partners[which % 2].id, paper=self._any(list(PAPERS), amount)
        )

    def _accept(self, which: int, _: int) -> None:
        """The partner's invoice for a payout is right, if one is awaited."""
        payouts = self._all(Payout)
        if payouts:
            payout = self._any(payouts, which)
            awaited = (PayoutStatus.PROPOSED, PaperState.AWAITED)
            accepted = waiting.accept_paper(self.session, payout_id=payout.id)
            assert accepted == ((payout.status, payout.paper) == awaited)

    def _set_aside(self, which: int, _: int) -> None:
        if self.runs:
            run = self._any(self.runs, which)
            facts = {"run_id": run.id, "program_id": run.program_id, "actor": self.books.bob, "now": self.now}
            with suppress(DomainError):
                self.runs.append(waiting.set_aside(self.session, **facts))

    def _issue(self, _: int, amount: int) -> None:
        issuing.issue_due(self.session, limit=1 + amount % 3, now=self.now)
        issuing.take_back(self.session, limit=1 + amount % 3, now=self.now)

    def _plan(self, which: int, _: int) -> None:
        """From now on another rate; orders before keep theirs."""
        self.now += timedelta(hours=1)
        self.rates.append((self.now, RATE_BPS + which))
        make_plan(self.session, program=self.books.program, rate_bps=RATE_BPS + which, effective_from=self.now)

    def _enter(self, which: int, amount: int) -> None:
        partner, minor = self.partners[which % 2], amount - 250_00 if which % 3 else amount
        kind = AdjustmentKind.CORRECTION if minor < 0 else AdjustmentKind.BONUS
        facts = {"partner_id": partner.id, "kind": kind, "amount": Money(minor, self.currency)}
        self._try(adjusting.enter, minor != 0, **self._whose(), **facts, reason="By hand.")

    def _decide(self, which: int, amount: int) -> None:
        """Alice approves or declines what Bob entered; a write-off may have become too large."""
        entries = self._all(Adjustment)
        if entries:
            entry = self._any(entries, which)
            act = adjusting.decline if amount % 4 == 0 else adjusting.approve
            facts = {"adjustment_id": entry.id, "actor": self.books.alice, "now": self.now}
            waits = entry.status is AdjustmentStatus.PROPOSED
            try:
                act(self.session, **self._whose(), **facts)
            except DomainError:
                assert not waits or entry.kind is AdjustmentKind.WRITE_OFF
            else:
                assert waits

    def _leave_or_return(self, which: int, _: int) -> None:
        mine = sa.update(Enrollment).where(Enrollment.partner_id == self.partners[which % 2].id)
        status = EnrollmentStatus.APPROVED if which % 4 else EnrollmentStatus.PAUSED
        self.session.execute(mine.values(status=status))

    def _write_off(self, which: int, amount: int) -> None:
        """All that a partner owes, or a part of it."""
        whose = self._whose() | {"partner_id": self.partners[which % 2].id}
        debt = adjusting.debt_of(self.session, **whose)
        if debt is None or amount % 2:
            self._try(adjusting.write_off, debt is not None, **whose, reason="Left.")
        else:
            facts = {"kind": AdjustmentKind.WRITE_OFF, "amount": Money(1 + amount % debt.amount_minor, self.currency)}
            self._try(adjusting.enter, True, **whose, **facts, reason="Left.")

    def _whose(self) -> dict[str, Any]:
        return {"program_id": self.books.program.id}

    def _all(self, table: Any) -> list[Any]:
        self.session.expire_all()
        return list(self.session.scalars(sa.select(table).order_by(table.id)))

    def _any(self, rows: list[Any], which: int) -> Any:
        return rows[which % len(rows)]

    def _judge(self, act: Any, allowed: AbstractSet[CommissionStatus], which: int, **facts: Any) -> Commission | None:
        """The decision is taken from the right status and refused from any other; gives the commission decided."""
        self.session.expire_all()
        live = sa.select(Commission).where(Commission.is_live).order_by(Commission.id)
        found = list(self.session.scalars(live))
        if not found:
            return None
        commission = self._any(found, which)
        facts |= {"commission_id": commission.id, "program_id": commission.program_id}
        return commission if self._try(act, commission.status in allowed, **facts) else None

    def _move(
        self, act: Any, allowed: set[PayoutStatus], which: int, unless: sa.ColumnElement[bool] = NEVER, **facts: Any
    ) -> None:
        """A step of a run, allowed from some statuses unless one of its payouts stands in the way."""
        if self.runs:
            run = self._any(self.runs, which)
            self.session.refresh(run)
            hindered = self.session.scalar(sa.select(sa.exists().where(Payout.run_id == run.id, unless)))
            is_allowed = run.status in allowed and not hindered
            self._try(act, is_allowed, run_id=run.id, program_id=run.program_id, **facts)

    def _try(self, act: Any, allowed: bool, **facts: Any) -> bool:
        """Whether the act was done, which must be exactly when it was allowed."""
        try:
            act(self.session, **facts, actor=self.books.bob, now=self.now)
        except DomainError:
            done = False
        else:
            done = True
        assert done == allowed
        return done

    # --- what always holds

    def the_promises_hold(self) -> None:
        self.session.flush()
        if self.database.total_changes != self.looked_at:  # else the act was refused, or had nothing to do
            self.looked_at = self.database.total_changes
            assert proof.verify(self.session).findings == []
            self.no_commission_is_paid_twice()
            self.what_was_paid_is_what_the_payouts_say()
            self.papers_say_what_is_paid_and_none_less_than_nothing()

    def no_commission_is_paid_twice(self) -> None:
        held = sa.select(Commission.id, Commission.payout_id).where(Commission.status == CommissionStatus.PAID)
        for commission_id, payout_id in self.session.execute(held):
            assert self.paid_in.setdefault(commission_id, payout_id) == payout_id

    def what_was_paid_is_what_the_payouts_say(self) -> None:
        paid = Counter[Any]()
        sent = Payout.amount_minor - Payout.withheld_minor
        for partner_id, minor in self.session.execute(
            sa.select(Payout.partner_id, sent).where(Payout.status == PayoutStatus.PAID)
        ):
            paid[partner_id] += minor
        for partner in self.partners:
            assert self.books.balances(partner).get("paid", 0) == paid[partner.id]

    def papers_say_what_is_paid_and_none_less_than_nothing(self) -> None:
        said, left, numbers = (
            defaultdict[Any, Figures](lambda: Figures(0)),
            Counter[Any](),
            defaultdict[Any, list[int]](list),
        )
        for paper in self._all(Paper):
            said[paper.payout_id] += Figures(
                paper.taxable_minor, paper.vat_minor, paper.stamp_minor, paper.withheld_minor
            )
            left[paper.corrects_id or paper.id] += paper.taxable_minor
            numbers[paper.series, paper.year].append(paper.number)
        assert all(minor >= 0 for minor in left.values())
        assert all(sorted(found) == list(range(1, len(found) + 1)) for found in numbers.values())
        for payout in self._all(Payout):
            if payout.paper is PaperState.ISSUED and payout.status in causes.SENT:
                taxable = payout.earned_minor - payout.clawed_back_minor
                due = Figures(taxable, payout.vat_minor, payout.stamp_minor, payout.withheld_minor)
                assert said[payout.id] == due
                assert 0 <= payout.notice["invoice"]["taxable_minor"] <= payout.earned_minor
            if payout.paper is PaperState.CANCELLED:
                assert said[payout.id] == Figures(0)

    def the_books_say_what_the_orders_are_worth(self) -> None:
        """In the end every partner has what its orders are worth, whatever the way there."""
        self.books.work(now=self.now)
        self.the_promises_hold()
        worth = Counter[Any]()
        for conversion, partner in self.owners.items():
            worth[partner.id] += self._worth(conversion, partner)
        for entry in self.session.scalars(sa.select(Adjustment).where(Adjustment.status == AdjustmentStatus.POSTED)):
            worth[entry.partner_id] += entry.amount_minor
        for payout in self.session.scalars(sa.select(Payout).where(Payout.status.in_(causes.SENT))):
            worth[payout.partner_id] += payout.vat_minor + payout.stamp_minor
        for partner in self.partners:
            assert sum(self.books.balances(partner).values()) == worth[partner.id]

    def came_to(self) -> Counter[str]:
        """How far it came: payouts paid, and what was taken back from them and netted by later ones."""
        paid = sa.select(Payout.id).where(Payout.status == PayoutStatus.PAID)
        taken = sa.select(CommissionAdjustment.id).where(CommissionAdjustment.is_clawback)
        netted = taken.where(CommissionAdjustment.payout_id.in_(paid))
        counts = {"paid": paid, "taken back": taken, "netted": netted}
        return Counter({name: len(self.session.execute(rows).all()) for name, rows in counts.items()})

    def _worth(self, conversion: Conversion, partner: Partner) -> int:
        counts = conversion.trust >= Trust.SIGNED and not conversion.is_test
        if not counts or (conversion.id, partner.id) in self.declined:
            return 0
        base = max(0, conversion.amount_minor - conversion.tax_minor)
        (rate_bps, *_) = [rate for since, rate in reversed(self.rates) if since <= conversion.occurred_at]
        amount = divide_half_even(base * rate_bps, 10_000)
        losses = self.losses[conversion]
        return amount - due([Part(amount, conversion.amount_minor)], losses)


def lived(currency: str, seed: int, *, steps: int) -> Counter[str]:
    """A history, lived to its end; gives how far it came."""
    history = History(currency=currency, seed=seed)
    try:
        history.live(steps)
        return history.came_to()
    except AssertionError as broken:
        broken.add_note(f"currency {currency}, seed {seed}")
        raise
    finally:
        history.close()


@pytest.mark.parametrize(("currency", "seed"), SEEDS)
def test_the_promises_hold_after_every_step(currency: str, seed: int) -> None:
    came_to = lived(currency, seed, steps=STEPS)
    assert min(came_to[name] for name in FAR) > 0, came_to


@pytest.mark.faults
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("currency", CURRENCIES)
def test_the_promises_hold_in_histories_that_nobody_has_seen(currency: str) -> None:
    seeds = [SystemRandom().getrandbits(32) for _ in range(30)]
    came_to = sum((lived(currency, seed, steps=STEPS) for seed in seeds), Counter[str]())
    assert min(came_to[name] for name in FAR) > 0, came_to
