"""Waiting until one transaction waits for another, for tests of two at once."""

import time

import sqlalchemy as sa
from sqlalchemy.engine import Engine


def until_somebody_waits(engine: Engine) -> None:
    """Return as soon as some transaction of this PostgreSQL waits for a lock.

    Raises:
        TimeoutError: half a minute went by.
    """
    waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    for _ in range(600):
        with engine.connect() as connection:
            if connection.scalar(waiting):
                return
        time.sleep(0.05)
    raise TimeoutError("nobody waits")
