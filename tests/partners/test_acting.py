"""Acting for a partner begun twice at once, as a button pressed twice does: the later press counts, nothing breaks."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW, make_partner, make_program, make_user
from processes import eventually
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import UserSession
from affiliate.partners import acting
from affiliate.partners.models import ActingTerm


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # on SQLite one writer waits for the other
def test_pressed_twice_it_begins_once_more(engine: Engine, session: Session) -> None:
    program = make_program(session)
    partner, manager = make_partner(session, program=program), make_user(session)
    here = UserSession(id=ids.new(), user_id=manager.id, created_at=NOW, expires_at=NOW, ended_at=None)
    session.add(here)
    session.commit()
    facts: dict[str, Any] = {
        "user_id": manager.id, "session_id": here.id, "program_id": program.id, "partner_id": partner.id,
        "actor": Actor("user", manager.id), "now": NOW,
    }  # fmt: skip
    acting.start(session, reason="First press", **facts)
    done = []

    def press_again() -> None:
        with Session(engine) as other:
            acting.start(other, reason="Second press", **facts)
            other.commit()
            done.append(True)

    second = threading.Thread(target=press_again)
    second.start()
    waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as beside:
        eventually(lambda: bool(beside.scalar(waits)), "the second press waits for the first")
    session.commit()
    second.join(60)
    assert done == [True]
    open_here = session.scalars(sa.select(ActingTerm.reason).where(ActingTerm.ended_at.is_(None))).all()
    assert open_here == ["Second press"]
