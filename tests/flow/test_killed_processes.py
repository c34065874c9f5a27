"""The same job with `kill -9` of ingest and of the worker in its middle: the same money at the end, and nobody had to help."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from installation import Installation
from processes import eventually
from sqlalchemy.orm import Session

from affiliate import clock, db
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import User
from affiliate.commissions import service as commissions
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.fraud import service as fraud
from affiliate.fraud.policy import Policy
from affiliate.fraud.rules import AUTOMATIC, RuleSetting, usual
from affiliate.fraud.signals import Action
from affiliate.ingest.models import Conversion
from affiliate.payouts import service as payouts
from affiliate.programs import queries as programs

HEAL_SECONDS_MAX = 150  # the promise is two minutes
ORDERS = [f"KILL-{number}" for number in range(12)]
INGEST, WORKER = "ingest", "worker stages"

pytestmark = [pytest.mark.timeout(900)]


def report(installation: Installation, order: str) -> None:
    """A click on a partner's link, and an order with its click id."""
    body = {"program": installation.demo["program"], "order_id": order, "amount": "49.90", "currency": "EUR"}
    body |= {"tax": "9.00", "shipping": "4.90", "click_id": installation.click(installation.demo["links"][0]["code"])}
    assert installation.call("POST", "/conversions", body).status_code == 202


def give_back(installation: Installation, order: str) -> None:
    """A refund of a part, sent twice as a careful shop does."""
    body = {"program": installation.demo["program"], "order_id": order, "refund_id": "r-1", "amount": "20.00"}
    assert [installation.call("POST", "/refunds", body).status_code for _ in range(2)] == [202, 200]


def commissions_of(session: Session) -> list[Commission]:
    mine = sa.select(Commission).join(Conversion, Conversion.id == Commission.conversion_id)
    return list(session.scalars(mine.where(Conversion.order_id.in_(ORDERS))))


def amounts() -> list[tuple[int, int]]:
    """What each commission was and what was taken back."""
    with db.reading() as session:
        return [(row.amount_minor, row.reversed_minor) for row in commissions_of(session)]


def person(session: Session, installation: Installation, role: str) -> Actor:
    email = next(one["email"] for one in installation.demo["people"] if one["role"] == role)
    return Actor(kind="user", id=session.scalars(sa.select(User.id).where(User.email == email)).one())


def switch_off_fraud_rules(installation: Installation) -> None:
    with db.transaction() as session:
        program = programs.program_by_slug(session, slug=installation.demo["program"])
        assert program is not None
        off = {rule.name: RuleSetting(Action.OFF, usual(rule).limits) for rule in AUTOMATIC}
        manager = person(session, installation, "manager")
        fraud.save_settings(
            session, program_id=program.id, wanted=Policy(rules=off), seen=0, actor=manager, now=clock.now()
        )


def interrupted(orders: list[str], act: Callable[[str], None], kill: Callable[[str], None]) -> None:
    """Do it for every order, and kill ingest and the worker while they are at it."""
    for number, order in enumerate(orders):
        act(order)
        if number in {2, 8}:
            kill(INGEST)
        if number in {5, 8}:
            kill(WORKER)


@pytest.mark.usefixtures("inside")
def test_the_same_money_comes_out_though_ingest_and_worker_are_killed(installation: Installation) -> None:
    def kill(command: str) -> None:
        installation.require_running(command)
        installation.kill(command)

    switch_off_fraud_rules(
        installation
    )  # a dozen orders a moment after their clicks are suspicious, and not what is tried
    # 49.90 less tax and shipping is 36.00; ten percent of it is 3.60; 20.00 of 49.90 given back takes 1.44 of that.
    interrupted(ORDERS, lambda order: report(installation, order), kill)
    eventually(lambda: amounts() == [(3_60, 0)] * len(ORDERS), "a commission for each order", seconds=HEAL_SECONDS_MAX)
    installation.require_balance()
    interrupted(ORDERS, lambda order: give_back(installation, order), kill)
    eventually(lambda: amounts() == [(3_60, 1_44)] * len(ORDERS), "what each refund takes", seconds=HEAL_SECONDS_MAX)
    installation.require_balance()

    with db.transaction() as session:
        program = programs.program_by_slug(session, slug=installation.demo["program"])
        assert program is not None
        manager, finance = (person(session, installation, role) for role in ("manager", "finance"))
        for row in commissions_of(session):
            commissions.approve(session, commission_id=row.id, program_id=program.id, actor=manager, now=clock.now())
        run = payouts.propose(session, program_id=program.id, actor=manager, now=clock.now())
        steps = {"run_id": run.id, "program_id": program.id, "actor": finance}
    installation.kill(WORKER)
    with db.transaction() as session:
        payouts.approve_run(session, **steps, now=clock.now())
    installation.require_balance()
    with db.transaction() as session:
        payouts.mark_paid(session, **steps, now=clock.now())
    installation.require_balance()

    with db.reading() as session:
        rows = commissions_of(session)
        assert {row.status for row in rows} == {CommissionStatus.PAID}
        assert len({row.conversion_id for row in rows}) == len(rows) == len(ORDERS)
        assert len({row.payout_id for row in rows}) == 1
    installation.require_running(INGEST)
    installation.require_running(WORKER)
