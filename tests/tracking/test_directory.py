"""The tracker's memory: what it takes up, when, and what it does while the database is away."""

import contextlib
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from factories import make_link, make_partner, make_program, make_user
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import keys
from affiliate.accounts.models import ApiKey
from affiliate.links.models import Link, LinkStatus
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.programs import secrets
from affiliate.programs.models import Program, ProgramStatus
from affiliate.tracking import directory as directories
from affiliate.tracking.directory import Directory, DirectoryNotLoaded
from affiliate.tracking.eventtypes import LinkState
from affiliate.tracking.facts import View
from affiliate.tracking.snapshot import Snapshot

SECRET_KEY = "a-secret-that-only-tests-know-0123456789"
Reading = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def reading(engine: Engine) -> Reading:
    """Reading transactions on the test's database."""

    @contextlib.contextmanager
    def begin() -> Iterator[Session]:
        with db.read_only(), Session(engine) as session, session.begin():
            yield session

    return begin


@pytest.fixture
def directory(reading: Reading) -> Directory:
    """A directory that is refreshed by hand."""
    return Directory(secret_key=SECRET_KEY, reading=reading, poll_seconds=None)


def make_key(session: Session, *, program: Program, now: datetime, **fields: Any) -> ApiKey:
    """A key that may write conversions."""
    values: dict[str, Any] = {
        "id": ids.new(),
        "program_id": program.id,
        "name": "shop",
        "prefix": "aff_live_",
        "secret_hash": keys.fingerprint("the secret of the key"),
        "scopes": ["conversions:write"],
        "is_test": False,
        "created_by_id": make_user(session).id,
        "created_at": now,
        "updated_at": now,
    }
    key = ApiKey(**values | fields)
    session.add(key)
    session.flush()
    return key


def state_of_anna(view: View, *, now: datetime) -> LinkState:
    """What a click on her link would be recorded as."""
    link = view.links["anna"]
    return view.state_of(link, view.programs[link.program_id], now=now)


def test_it_knows_programs_links_partners_and_keys_from_the_first_question(
    session: Session, directory: Directory, now: datetime
) -> None:
    program = make_program(session, slug="ondera", fallback_url="https://www.shop.example/over")
    partner = make_partner(session, program=program)
    link = make_link(session, program=program, partner=partner, code="anna", subs={"sub1": "x"})
    key = make_key(session, program=program, now=now)
    session.commit()

    view = directory.view
    facts = view.program("ondera")
    assert facts is not None
    assert facts.id == program.id
    assert facts.is_live
    assert facts.allowed_hosts == ("www.shop.example",)
    assert facts.pixel_secret == secrets.pixel_secret(program, SECRET_KEY)
    assert facts.pixel_secret not in repr(view)
    assert view.links["anna"].id == link.id
    assert view.links["anna"].subs == {"sub1": "x"}
    assert state_of_anna(view, now=now) == "active"
    assert view.keys[key.secret_hash].scopes == {"conversions:write"}


def test_a_new_link_is_known_after_the_next_poll_and_not_before(
    session: Session, directory: Directory, now: datetime
) -> None:
    program = make_program(session)
    partner = make_partner(session, program=program)
    session.commit()
    directory.refresh(now=now)
    make_link(session, program=program, partner=partner, code="new", updated_at=now)
    session.commit()

    assert "new" not in directory.view.links
    directory.refresh(now=now + timedelta(seconds=1))
    assert "new" in directory.view.links


def test_each_change_of_state_arrives_with_the_next_poll(session: Session, directory: Directory, now: datetime) -> None:
    program = make_program(session)
    partner = make_partner(session, program=program)
    link = make_link(session, program=program, partner=partner, code="anna")
    key = make_key(session, program=program, now=now)
    session.commit()
    directory.refresh(now=now)
    later = now + timedelta(seconds=1)

    link.status, link.updated_at = LinkStatus.PAUSED, later
    session.commit()
    directory.refresh(now=later)
    assert state_of_anna(directory.view, now=later) == "link_paused"

    enrollment = session.scalars(sa.select(Enrollment)).one()
    enrollment.status, enrollment.updated_at = EnrollmentStatus.BANNED, later
    session.commit()
    directory.refresh(now=later)
    assert state_of_anna(directory.view, now=later) == "partner_inactive"

    program.status, program.updated_at = ProgramStatus.PAUSED, later
    session.commit()
    directory.refresh(now=later)
    assert state_of_anna(directory.view, now=later) == "program_inactive"

    key.revoked_at = key.updated_at = later
    session.commit()
    directory.refresh(now=later)
    assert directory.view.keys == {}


def test_a_row_that_became_visible_late_is_still_found(session: Session, directory: Directory, now: datetime) -> None:
    program = make_program(session)
    partner = make_partner(session, program=program)
    session.commit()
    directory.refresh(now=now)
    directory.refresh(now=now + timedelta(seconds=8))
    make_link(session, program=program, partner=partner, code="slow", updated_at=now)
    session.commit()
    directory.refresh(now=now + timedelta(seconds=9))
    assert "slow" in directory.view.links


def test_the_scan_of_each_minute_finds_what_polling_missed(
    session: Session, directory: Directory, now: datetime
) -> None:
    program = make_program(session)
    partner = make_partner(session, program=program)
    session.commit()
    directory.refresh(now=now)
    make_link(session, program=program, partner=partner, code="skewed", updated_at=now - timedelta(hours=1))
    session.commit()
    directory.refresh(now=now + timedelta(seconds=59))
    assert "skewed" not in directory.view.links
    directory.refresh(now=now + timedelta(seconds=60))
    assert "skewed" in directory.view.links


def test_a_poll_without_a_change_keeps_the_very_same_objects(
    session: Session, directory: Directory, now: datetime
) -> None:
    program = make_program(session)
    make_link(session, program=program, partner=make_partner(session, program=program))
    session.commit()
    directory.refresh(now=now)
    before = directory.view
    directory.refresh(now=now + timedelta(seconds=1))
    assert directory.view.links is before.links
    assert directory.view.programs is before.programs


def test_a_poll_reads_only_what_changed(
    session: Session, directory: Directory, now: datetime, count_queries: Any
) -> None:
    directory.refresh(now=now)
    with count_queries() as counter:
        directory.refresh(now=now + timedelta(seconds=1))
    selects = [statement for statement in counter.statements if statement.startswith("SELECT")]
    assert len(selects) == 5
    assert all("updated_at >= " in statement for statement in selects)


def test_more_changes_than_a_poll_takes_lead_to_reading_everything(
    session: Session, directory: Directory, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("affiliate.tracking.directory.CHANGES_MAX", 3)
    program = make_program(session)
    partner = make_partner(session, program=program)
    session.commit()
    directory.refresh(now=now)
    for number in range(5):
        make_link(session, program=program, partner=partner, code=f"many{number}", updated_at=now)
    session.commit()
    directory.refresh(now=now + timedelta(seconds=1))
    assert len(directory.view.links) == 5


def test_no_more_rows_than_the_limit_are_held_and_the_newest_are_kept(
    session: Session, directory: Directory, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("affiliate.tracking.directory.ROWS_MAX", 2)
    program = make_program(session)
    partner = make_partner(session, program=program)
    for number in range(3):
        make_link(
            session, program=program, partner=partner, code=f"l{number}", updated_at=now + timedelta(seconds=number)
        )
    session.commit()
    directory.refresh(now=now)
    assert set(directory.view.links) == {"l1", "l2"}


@contextlib.contextmanager
def _refusing() -> Iterator[Session]:
    raise sa.exc.OperationalError("SELECT", {}, Exception("the database is away"))
    yield


def test_before_the_first_answer_of_the_database_it_says_that_it_is_starting() -> None:
    with pytest.raises(DirectoryNotLoaded):
        _ = Directory(secret_key=SECRET_KEY, reading=_refusing, poll_seconds=None).view


@contextlib.contextmanager
def _hanging(released: threading.Event) -> Iterator[Session]:
    """A database that took the question and does not answer until the test is over."""
    released.wait(60)
    raise sa.exc.OperationalError("SELECT", {}, Exception("the connection is cut"))
    yield


@pytest.fixture
def kept(reading: Reading, session: Session, tmp_path: Path, now: datetime) -> Snapshot:
    """A snapshot with the link `kept`, as a process left it."""
    program = make_program(session)
    make_link(session, program=program, partner=make_partner(session, program=program), code="kept")
    session.commit()
    snapshot = Snapshot(tmp_path / "data", secret_key=SECRET_KEY)
    leaving = Directory(secret_key=SECRET_KEY, reading=reading, poll_seconds=None, snapshot=snapshot)
    leaving.refresh(now=now)
    leaving.save(now=now)
    return snapshot


@pytest.mark.timeout(60)
@pytest.mark.parametrize("is_hanging", [False, True])
def test_it_starts_with_the_snapshot_while_the_database_refuses_or_hangs(
    kept: Snapshot, monkeypatch: pytest.MonkeyPatch, is_hanging: bool
) -> None:
    monkeypatch.setattr(directories, "START_SECONDS_MAX", 0.1)
    released = threading.Event()
    reading = (lambda: _hanging(released)) if is_hanging else _refusing
    directory = Directory(secret_key=SECRET_KEY, reading=reading, poll_seconds=0.01, snapshot=kept)
    try:
        assert set(directory.start().links) == {"kept"}
    finally:
        released.set()
        directory.stop()


@pytest.mark.timeout(60)
def test_a_hanging_database_is_waited_for_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directories, "START_SECONDS_MAX", 0.1)
    released, waited = threading.Event(), []
    directory = Directory(secret_key=SECRET_KEY, reading=lambda: _hanging(released), poll_seconds=0.01)
    wait = directory._tried.wait
    monkeypatch.setattr(directory._tried, "wait", lambda seconds: waited.append(seconds) or wait(seconds))
    try:
        for _ in range(3):
            with pytest.raises(DirectoryNotLoaded):
                directory.start()
    finally:
        released.set()
        directory.stop()
    assert len(waited) == 1


def test_the_database_takes_over_from_the_snapshot(
    session: Session, reading: Reading, kept: Snapshot, now: datetime
) -> None:
    switch: dict[str, Reading] = {"reading": _refusing}

    def switchable() -> AbstractContextManager[Session]:
        return switch["reading"]()

    directory = Directory(secret_key=SECRET_KEY, reading=switchable, poll_seconds=None, snapshot=kept)
    assert set(directory.view.links) == {"kept"}
    session.execute(sa.delete(Link))
    session.commit()
    switch["reading"] = reading
    directory.refresh(now=now)
    assert directory.view.links == {}


def test_only_what_has_changed_is_saved_and_by_one_process(
    session: Session, reading: Reading, kept: Snapshot, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[datetime] = []
    save = kept.save
    monkeypatch.setattr(kept, "save", lambda view, *, as_of: saved.append(as_of) or save(view, as_of=as_of))
    here, there = (
        Directory(secret_key=SECRET_KEY, reading=reading, poll_seconds=None, snapshot=kept) for _ in range(2)
    )
    moments = [now + timedelta(minutes=number) for number in range(1, 4)]
    for moment in moments:
        for directory in (here, there):
            directory.refresh(now=moment)
            directory.save(now=moment)
    assert saved == moments[:1]
    session.execute(sa.update(Link).values(status=LinkStatus.PAUSED, updated_at=moments[-1]))
    session.commit()
    last = moments[-1] + timedelta(minutes=1)
    for directory in (here, there):
        directory.refresh(now=last)
        directory.save(now=last)
    assert saved == [moments[0], last]


def wait_for_polls(polled: threading.Semaphore) -> None:
    """Until a poll that began after this call has ended."""
    while polled.acquire(blocking=False):
        pass
    for _ in range(3):
        assert polled.acquire(timeout=30)


def test_it_polls_by_itself_and_keeps_what_it_knows_while_the_database_is_away(
    session: Session, reading: Reading
) -> None:
    switch = {"reading": reading}
    polled = threading.Semaphore(0)

    @contextlib.contextmanager
    def switchable() -> Iterator[Session]:
        try:
            with switch["reading"]() as inner:
                yield inner
        finally:
            polled.release()

    program = make_program(session)
    partner = make_partner(session, program=program)
    make_link(session, program=program, partner=partner, code="before")
    session.commit()
    directory = Directory(secret_key=SECRET_KEY, reading=switchable, poll_seconds=0.01)
    try:
        assert set(directory.view.links) == {"before"}
        switch["reading"] = _refusing
        wait_for_polls(polled)
        assert set(directory.view.links) == {"before"}

        make_link(session, program=program, partner=partner, code="after", updated_at=datetime.now().astimezone())
        session.commit()
        switch["reading"] = reading
        wait_for_polls(polled)
        assert set(directory.view.links) == {"before", "after"}
    finally:
        directory.stop()


def test_a_hundred_thousand_links_would_fit_into_120_megabytes(
    session: Session, directory: Directory, now: datetime
) -> None:
    count = 5_000
    program = make_program(session)
    partner = make_partner(session, program=program)
    row = {
        column.name: getattr(make_link(session, program=program, partner=partner), column.name)
        for column in Link.__table__.columns
    }
    session.execute(
        sa.insert(Link),
        [
            row
            | {"id": ids.new(), "code": f"code-{number:05}", "landing_url": f"https://www.shop.example/p/{number:060}"}
            for number in range(count)
        ],
    )
    session.commit()
    session.expunge_all()
    tracemalloc.start()
    directory.refresh(now=now)
    grown, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(directory.view.links) > count
    assert grown / count * 100_000 < 120 * 1024 * 1024
