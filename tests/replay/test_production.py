"""Whatever the policy, the plan, the prices and the refunds: a replay of today's policy gives what production paid, to the cent; so does an example."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from event_cast import numbered
from factories import make_click, make_conversion, make_link, make_partner, make_plan, make_program, make_refund
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.attribution import service as attribution
from affiliate.attribution.models import Attribution
from affiliate.attribution.policy import Model, Policy
from affiliate.commissions import examples
from affiliate.commissions import service as commissions
from affiliate.commissions.examples import Checked
from affiliate.commissions.models import Commission, CommissionPlan
from affiliate.currencies.convert import Rates
from affiliate.ingest.models import Conversion
from affiliate.ledger import queries as ledger
from affiliate.partners.models import Partner, PartnerTerms
from affiliate.payouts import proof
from affiliate.programs.models import AttributionPolicy, Program
from affiliate.replay import compare, pricing, queries, report
from affiliate.replay.engine import Question

LIMIT = 100
PLANS: list[dict[str, Any]] = [
    {"rules": [{"rate_bps": 7_77}]},
    {"rules": [{"rate_bps": 3_33, "fixed_minor": 1_11}], "recruiter_bps": 12_50},
    {"rules": [{"rate_bps": 5_00}, {"rate_bps": 20_00, "when": {"customer_months_max": 1}}]},
    {"rules": [{"rate_bps": 8_00}, {"rate_bps": 12_34, "when": {"categories": ["pans"]}}], "caps": {"order_minor": 9_99}},
]  # fmt: skip
first_weights = st.integers(1, 9_999).map(lambda first: [first, (10_000 - first) // 2, (10_001 - first) // 2])
policies = st.fixed_dictionaries(
    {"model": st.sampled_from([model.value for model in Model]), "weights": first_weights, "half_life_days": st.integers(1, 60)}
)  # fmt: skip
orders = st.lists(
    st.tuples(st.integers(1, 10**7), st.integers(0, 100), st.lists(st.integers(1, 10**6), max_size=3)),
    min_size=2,
    max_size=4,
)
"""What was paid, how many percent of it for pans, and what was given back since."""


class Shop:
    """One customer who clicks on Anna's link, then on Ben's, and orders, every forty days."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session, self.now = session, now
        self.program: Program = make_program(session)
        make_plan(session, program=self.program)
        anna, ben, carla = (make_partner(session, program=self.program) for _ in range(3))
        self.links = [make_link(session, program=self.program, partner=partner) for partner in (anna, ben)]
        recruited = {"program_id": self.program.id, "recruiter_id": carla.id, "updated_at": now}
        session.add_all(PartnerTerms(partner_id=one.id, **recruited) for one in (anna, ben))
        session.flush()

    def sell(self, number: int, amount: int, percent: int) -> Conversion:
        at, visitor = self.now - timedelta(days=40 * number), numbered(700 + number)
        for link, days in zip(self.links, (20, 5), strict=True):
            make_click(self.session, link=link, visitor_id=visitor, occurred_at=at - timedelta(days=days))
        items = [{"sku": "p", "group": "pans", "amount_minor": amount * percent // 100}]
        when = {"occurred_at": at, "received_at": at}
        return make_conversion(
            self.session, program=self.program, visitor_id=visitor, customer_id="c", amount_minor=amount, items=items, **when
        )  # fmt: skip

    def work(self) -> None:
        attribution.attribute_waiting(self.session, limit=LIMIT, clicks_until=self.now, now=self.now)
        commissions.commission_waiting(self.session, limit=LIMIT, now=self.now)
        commissions.reverse_waiting(self.session, limit=LIMIT, now=self.now)

    def replayed(self) -> dict[str, Any]:
        @contextmanager
        def reading() -> Iterator[Session]:
            yield self.session

        ends_at = self.now + timedelta(days=1)
        return report.run(reading, question=Question(self.program, None, ends_at - timedelta(days=999), ends_at))

    def priced(self, policy: Policy) -> dict[UUID, dict[UUID, int]]:
        """Every order decided and priced as if nobody had it yet."""
        wanted = []
        for one in self.session.scalars(sa.select(Attribution).where(Attribution.is_current)):
            again = compare.decide_again(compare.Then(one.trace, {}), policy=policy)
            wanted.append(pricing.Wanted(one.conversion_id, again.credits, one.is_new_customer))
        return pricing.price(self.session, program=self.program, wanted=wanted)

    def pinned(self, order: Conversion) -> Checked:
        """An order of a new customer as an example of its plan, with what it really earned its partners."""
        mine = (Commission.conversion_id == order.id, Commission.is_live, Commission.level == 1)
        earned = self.session.scalars(sa.select(sa.func.sum(Commission.amount_minor)).where(*mine)).one()
        facts = {"amount_minor": order.amount_minor, "items": order.items}
        example = SimpleNamespace(id=order.id, name="", order=facts, expected_minor=int(earned))
        row = self.session.scalars(sa.select(CommissionPlan)).one()
        plan = examples.as_plan(row.id, row.name, row.terms)
        (checked,) = examples.check([example], plan=plan, currency="EUR", known=Rates(), at=self.now)
        return checked

    def balances(self) -> list[int]:
        found = []
        for one in self.session.scalars(sa.select(Partner.id)).all():
            accounts = ledger.balances_of(self.session, program_id=self.program.id, partner_id=one)
            found += [minor for minor in accounts.values() if minor]
        return found


@pytest.fixture
def shop(sqlite_url: str, now: datetime) -> Iterator[Shop]:
    engine = db.make_engine(sqlite_url)
    with Session(engine, expire_on_commit=False) as session:
        yield Shop(session, now)
    engine.dispose()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(terms=policies, plan=st.sampled_from(PLANS), sold=orders)
def test_todays_policy_gives_what_production_paid_and_a_full_reversal_restores_the_books(
    shop: Shop, terms: dict[str, Any], plan: dict[str, Any], sold: list[tuple[int, int, list[int]]]
) -> None:
    passing = shop.session.begin_nested()
    try:
        _hold(shop, terms={"window_days": 30} | terms, plan=plan, sold=sold)
    finally:
        passing.rollback()
        shop.session.expire_all()


def _hold(shop: Shop, *, terms: dict[str, Any], plan: dict[str, Any], sold: list[tuple[int, int, list[int]]]) -> None:
    session = shop.session
    session.execute(sa.update(AttributionPolicy).values(terms=terms))
    session.execute(sa.update(CommissionPlan).values(terms=plan))
    placed = [shop.sell(number, amount, percent) for number, (amount, percent, _) in enumerate(sold)]
    for order, (_, _, back) in zip(placed, sold, strict=True):
        for amount in back:
            make_refund(session, conversion=order, amount_minor=amount)
    shop.work()

    told, paid = shop.replayed(), queries.earned(session, conversion_ids=[order.id for order in placed])
    assert (told["conversions"], told["changed_conversions"]) == (len(sold), 0)
    assert shop.priced(Policy.of(1, terms)) == paid
    assert sum(minor for earned in paid.values() for minor in earned.values()) == sum(shop.balances())
    assert shop.pinned(placed[-1]).holds

    for order in placed:
        make_refund(session, conversion=order, amount_minor=None)
    shop.work()
    assert shop.balances() == []
    assert proof.verify(session).findings == []
