"""Who uses a creative is told of its end a week before, once, whoever sets it and whoever dies meanwhile."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from creative_cast import make_creative
from factories import NOW, make_clicks, make_link, make_partner, make_program, make_user
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import SYSTEM
from affiliate.creatives import mails, queries, service
from affiliate.creatives.facts import Facts
from affiliate.creatives.models import Creative
from affiliate.mailer import OutboxMail
from affiliate.programs.models import Program
from affiliate.relations import endings

END = NOW + timedelta(days=30)
SOON = END - endings.TOLD_BEFORE


@pytest.fixture
def program(session: Session) -> Program:
    return make_program(session, slug="casa", name="Casa Ondera", time_zone="Europe/Rome")


@pytest.fixture
def creative(session: Session, program: Program) -> Creative:
    """A banner with an end; Marta had a click by it, Ewa had none."""
    made = make_creative(session, program=program, now=NOW, title="Advent pans", ends_at=END)
    for name, clicks in (("marta", 1), ("ewa", 0)):
        person = make_user(session, email=f"{name}@example.test", name=name)
        partner = make_partner(session, program=program, user=person)
        if clicks:
            link = make_link(session, program=program, partner=partner)
            make_clicks(session, link=link, hour=NOW, clicks=clicks, creative=ids.public("crv", made.id))
    return made


def tell_all(session: Session, now: datetime) -> None:
    """What the job does, more often than there is something."""
    for _ in range(3):
        endings.tell_next(session, now=now)


def letters(session: Session) -> list[tuple[str, str]]:
    found = session.scalars(sa.select(OutboxMail).order_by(OutboxMail.created_at))
    return [(mail.recipient, mail.subject) for mail in found]


TOLD = [("marta@example.test", "It ends: Advent pans")]


def test_an_end_that_was_set_at_the_upload_is_told_a_week_before_and_once(session: Session, creative: Creative) -> None:
    tell_all(session, SOON - timedelta(seconds=1))
    assert letters(session) == []
    for _twice in range(2):
        tell_all(session, SOON)
        assert letters(session) == TOLD
    tell_all(session, END)
    assert letters(session) == TOLD


def test_the_letter_names_the_last_day_on_which_it_is_offered(session: Session, program: Program) -> None:
    midnight = datetime.fromisoformat("2026-12-01T00:00:00+01:00")
    person = make_user(session, email="marta@example.test")
    made = make_creative(session, program=program, now=NOW, ends_at=midnight)
    link = make_link(session, program=program, partner=make_partner(session, program=program, user=person))
    make_clicks(session, link=link, hour=NOW, clicks=1, creative=ids.public("crv", made.id))
    tell_all(session, midnight - timedelta(hours=1))
    assert "ends on 30 Nov 2026" in session.scalars(sa.select(OutboxMail.body_text)).one()


def test_another_end_is_told_anew(session: Session, program: Program, creative: Creative) -> None:
    tell_all(session, SOON)
    later = END + timedelta(days=40)
    who: dict[str, Any] = {"program": program, "creative_id": creative.id, "actor": SYSTEM, "now": SOON}
    service.change(session, facts=Facts("Advent pans", ends_at=later), **who)
    tell_all(session, SOON)
    assert letters(session) == TOLD
    tell_all(session, later - endings.TOLD_BEFORE)
    assert letters(session) == TOLD * 2
    service.change(session, facts=Facts("Advent pans", ends_at=SOON + timedelta(days=2)), **who)
    tell_all(session, SOON)  # less than a week is left: at once
    assert letters(session) == TOLD * 3


def _archive(program: Program, _creative: Creative) -> None:
    program.archived_at = NOW


def _take_back(_program: Program, creative: Creative) -> None:
    creative.ends_at = None


@pytest.mark.parametrize("gone", [_archive, _take_back])
def test_what_does_not_end_and_what_is_over_is_not_told(
    session: Session, program: Program, creative: Creative, gone: Callable[[Program, Creative], None]
) -> None:
    gone(program, creative)
    session.flush()
    tell_all(session, SOON)
    assert letters(session) == []


def test_who_retires_tells_at_once_and_nobody_is_told_again(
    session: Session, program: Program, creative: Creative
) -> None:
    service.retire(
        session, program=program, creative_id=creative.id, ends_at=END, note="", tell=[], actor=SYSTEM, now=NOW
    )
    tell_all(session, SOON)
    assert letters(session) == []


def test_of_two_jobs_at_once_one_tells(session: Session, creative: Creative) -> None:
    [seen] = queries.ending(session, now=SOON, until=END, limit=9)
    tell_all(session, SOON)
    assert not service.tell_end(session, creative=seen, tell=[], now=SOON)
    assert letters(session) == TOLD


def test_a_job_that_dies_between_the_mails_and_the_note_told_nobody(
    session: Session, creative: Creative, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.commit()
    tell_retired = mails.tell_retired

    def die(*args: Any, **rest: Any) -> None:
        tell_retired(*args, **rest)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(mails, "tell_retired", die)
        with pytest.raises(KeyboardInterrupt):
            endings.tell_next(session, now=SOON)
    session.rollback()
    assert letters(session) == []
    tell_all(session, SOON)
    assert letters(session) == TOLD
