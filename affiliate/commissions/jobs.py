"""The jobs of this stage. Each opens a transaction, makes one bounded call, and gives how many rows it did."""

from collections.abc import Callable

from affiliate import clock, db
from affiliate.commissions import service, set_aside, simulating, validating, waiting_rates
from affiliate.currencies import jobs as currencies

BATCH = 1_000
BATCHES = 10
"""How many batches of a simulation or a validation one job does."""


def commission() -> int:
    """Turn attributions into commissions."""
    with db.transaction() as session:
        return service.commission_waiting(session, limit=BATCH, now=clock.now())


def reverse() -> int:
    """Take refunds and cancellations from commissions."""
    with db.transaction() as session:
        return service.reverse_waiting(session, limit=BATCH, now=clock.now())


def approve_due() -> int:
    """Approve commissions whose validation period is over; first let those begin it that awaited something."""
    with db.transaction() as session:
        service.release_awaiting(session, limit=BATCH)
        return service.approve_due(session, limit=BATCH, now=clock.now())


def refresh_rates() -> int:
    """Store new exchange rates, and look again at the orders and refunds that wait for one; how many rates are new.

    Also where none is new: whoever stored the last ones may have been killed before looking.
    """
    stored = currencies.refresh()
    look_again_for_rates()
    return stored


def look_again_for_rates() -> None:
    """Let every order and refund go on that waited for an exchange rate which is known now."""
    with db.transaction() as session:
        waiting_rates.look_again(session, limit=BATCH)
        set_aside.look_again(session, limit=BATCH)


def simulate() -> int:
    """Go on with the simulation of a plan."""
    return _in_batches(simulating.advance, limit=BATCH)


def validate() -> int:
    """Go on with files of the month's validation: look at their lines, and do those that were confirmed."""
    return _in_batches(validating.advance, limit=validating.BATCH)


def _in_batches(advance: Callable[..., int], *, limit: int) -> int:
    """Some batches, each a transaction: a killed job loses at most one, and mail on the same queue does not wait."""
    done = 0
    for _ in range(BATCHES):
        with db.transaction() as session:
            step = advance(session, limit=limit, now=clock.now())
        done += step
        if not step:
            break
    return done
