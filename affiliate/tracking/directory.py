"""What the tracker knows, kept in memory by polling: no SQL while a click is answered.

A background thread asks every second for rows that changed since the last time, with some overlap, because a row carries
the instant at which its transaction began and not the one at which others could see it. Each minute it reads everything
again. A new state is put in the old one's place at once; a database that is away leaves the old one standing, and a
snapshot on disk stands in for it at a start: a database that hangs holds nobody for longer than a moment.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import clock, db, errors, ids
from affiliate.links.models import LinkStatus
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs import secrets
from affiliate.programs.models import ProgramStatus
from affiliate.tracking import postback, queries
from affiliate.tracking.facts import KeyFacts, LinkFacts, ProgramFacts, View
from affiliate.tracking.network import Networks
from affiliate.tracking.snapshot import Snapshot

POLL_SECONDS = 1.0
START_SECONDS_MAX = 3.0
"""How long a start waits for the database before it takes the snapshot."""
SAVE_EVERY = timedelta(seconds=5)
OVERLAP = timedelta(seconds=10)
FULL_SCAN_EVERY = timedelta(minutes=1)
ROWS_MAX = 1_000_000
"""Of each kind in memory, the most recently changed ones: a limit against running full, far above any program."""
CHANGES_MAX = 10_000
"""More changed rows than this, and reading everything is the simpler way."""

_NO_SUBS: dict[str, str] = {}  # most links have none, and nobody changes facts
_log = logging.getLogger(__name__)
Key = TypeVar("Key")
Value = TypeVar("Value")
Change = tuple[Key, Value | None]


class DirectoryNotLoaded(errors.Unavailable):
    """The tracker does not know its links yet, and the database does not answer."""

    code = "starting"

    def __init__(self) -> None:
        super().__init__("The tracker is starting. Try again in a few seconds.")


@dataclass(frozen=True, slots=True)
class _Changes:
    """Rows as facts by their key; null for what is gone."""

    programs: list[Change[UUID, ProgramFacts]]
    links: list[Change[str, LinkFacts]]
    approved: list[Change[tuple[UUID, UUID], UUID]]
    keys: list[Change[str, KeyFacts]]
    sites: list[Change[tuple[UUID, str], str]]

    @property
    def are_many(self) -> bool:
        """Whether a limit may have cut some off."""
        return (
            max(len(self.programs), len(self.links), len(self.approved), len(self.keys), len(self.sites)) >= CHANGES_MAX
        )


class Directory:
    """The tracker's memory of programs, links, enrollments and API keys, for one process."""

    def __init__(
        self,
        *,
        secret_key: str,
        reading: Callable[[], AbstractContextManager[Session]] = db.reading,
        poll_seconds: float | None = POLL_SECONDS,
        networks: Networks | None = None,
        snapshot: Snapshot | None = None,
    ) -> None:
        """`poll_seconds` of null: nothing runs in the background, the owner calls `refresh`."""
        self._snapshot = snapshot
        self._secret_key = secret_key
        self._reading = reading
        self._poll_seconds = poll_seconds
        self._empty = View(networks=networks or Networks())
        self._view: View | None = None
        self._changed_at: datetime | None = None  # of what is not in the snapshot yet
        self._saved_at: datetime | None = None
        self._refreshed_at: datetime | None = None
        self._read_whole_at: datetime | None = None
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._tried = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def view(self) -> View:
        """What is known now. The first caller reads it from the database and starts the polling.

        Raises:
            DirectoryNotLoaded: nothing is known yet and the database does not answer.
        """
        return self._view or self.start()

    @property
    def is_loaded(self) -> bool:
        """Whether anything is known: by the database, whenever it answered last, or by the snapshot."""
        return self._view is not None

    def knows_links(self) -> bool:
        """Whether anything is known; where nothing is yet, the first who asks waits for a moment until it is read."""
        if self._view is None:
            try:
                self.start()
            except DirectoryNotLoaded:
                return False
        return True

    def start(self) -> View:
        """Begin to poll, once per process, and give what is known: by the database, or else by the snapshot.

        Raises:
            DirectoryNotLoaded: neither knows anything yet.
        """
        with self._starting:
            if self._poll_seconds is None:
                self._try_first()
            elif self._thread is None:
                self._thread = threading.Thread(target=self._poll, name="directory", daemon=True)
                self._thread.start()
                self._tried.wait(START_SECONDS_MAX)
            if self._view is None and self._snapshot is not None:
                kept = self._snapshot.load(networks=self._empty.networks)
                self._view = self._view or kept  # the database may have answered meanwhile
        if self._view is None:
            raise DirectoryNotLoaded
        return self._view

    def _try_first(self) -> None:
        with contextlib.suppress(sa.exc.SQLAlchemyError):
            self.refresh(now=clock.now())

    def stop(self) -> None:
        """End the polling."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def refresh(self, *, now: datetime) -> None:
        """Take up what has changed since the last refresh; everything, when a minute has passed since the last whole reading."""
        with self._lock:
            view = self._view
            if view is None or self._refreshed_at is None or self._is_full_scan_due(now):
                self._reload(now)
                return
            changes = self._read(since=self._refreshed_at - OVERLAP, limit=CHANGES_MAX)
            if changes.are_many:
                self._reload(now)
                return
            self._take(_changed(view, changes), now)
            self._refreshed_at = now

    def reload(self, *, now: datetime) -> None:
        """Read everything now."""
        with self._lock:
            self._reload(now)

    def _is_full_scan_due(self, now: datetime) -> bool:
        return self._read_whole_at is None or now - self._read_whole_at >= FULL_SCAN_EVERY

    def _reload(self, now: datetime) -> None:
        self._take(_changed(self._empty, self._read(since=None, limit=ROWS_MAX)), now)
        self._refreshed_at = self._read_whole_at = now

    def _take(self, view: View, now: datetime) -> None:
        """Put the new state in place; where nothing is new in it, the old one stays and the new one's memory is free."""
        if view != self._view:
            self._view, self._changed_at = view, self._changed_at or now

    def save(self, *, now: datetime) -> None:
        """Bring what has changed into the snapshot, unless another process did."""
        view, changed_at = self._view, self._changed_at
        if self._snapshot is None or view is None or changed_at is None or self._refreshed_at is None:
            return
        if self._saved_at is not None and now - self._saved_at < SAVE_EVERY:
            return
        kept = self._snapshot.as_of()
        try:
            if kept is None or kept < changed_at:
                self._snapshot.save(view, as_of=self._refreshed_at)
            self._changed_at, self._saved_at = None, now
        except OSError as error:
            _log.warning("the links could not be kept on disk: %s", error)

    def _read(self, *, since: datetime | None, limit: int) -> _Changes:
        shared: dict[UUID, UUID] = {}  # an id is one object, however many rows name it
        with self._reading() as session:
            return _Changes(
                programs=[self._program(row, shared) for row in queries.programs(session, since=since, limit=limit)],
                links=[_link(row, shared) for row in queries.links(session, since=since, limit=limit)],
                approved=[_approved(row, shared) for row in queries.enrollments(session, since=since, limit=limit)],
                keys=[_key(row) for row in queries.api_keys(session, since=since, limit=limit)],
                sites=[_site(row) for row in queries.sites(session, since=since, limit=limit)],
            )

    def _program(self, row: Any, shared: dict[UUID, UUID]) -> Change[UUID, ProgramFacts]:
        secret = secrets.derived_secret(
            program_id=row.id, version=row.pixel_secret_version, secret_key=self._secret_key
        )
        token = secrets.derived_postback_token(
            program_id=row.id, version=row.postback_token_version, secret_key=self._secret_key
        )
        program_id = shared.setdefault(row.id, row.id)
        return program_id, ProgramFacts(
            id=program_id,
            slug=row.slug,
            is_live=row.status is ProgramStatus.LIVE,
            currency=row.currency,
            shop_url=row.shop_url,
            allowed_hosts=tuple(row.allowed_hosts),
            fallback_url=row.fallback_url,
            click_parameter=row.click_parameter,
            cookie_by_default=row.cookie_by_default,
            cookie_name=ids.public("aff_v", row.id),
            attribution_window_days=row.attribution_window_days,
            pixel_secret=secret,
            postback_hash=postback.hash_of(token),
            channel_signs=tuple(row.channel_signs),
            landing_labels=tuple(row.landing_labels),
            is_archived=row.archived_at is not None,
            own_host=row.own_host,
        )

    def _poll(self) -> None:
        while not self._stopping.is_set():
            try:
                self.refresh(now=clock.now())
                self.save(now=clock.now())
            except sa.exc.SQLAlchemyError as error:
                _log.warning("links are as old as the last answer of the database: %s", type(error).__name__)
            self._tried.set()
            self._stopping.wait(self._poll_seconds)


def _link(row: Any, shared: dict[UUID, UUID]) -> Change[str, LinkFacts]:
    return row.code, LinkFacts(
        id=row.id,
        program_id=shared.setdefault(row.program_id, row.program_id),
        partner_id=shared.setdefault(row.partner_id, row.partner_id),
        landing_url=row.landing_url,
        subs=row.subs or _NO_SUBS,
        is_paused=row.status is not LinkStatus.ACTIVE,
        expires_at=row.expires_at,
    )


def _approved(row: Any, shared: dict[UUID, UUID]) -> Change[tuple[UUID, UUID], UUID]:
    program_id, partner_id = (shared.setdefault(each, each) for each in (row.program_id, row.partner_id))
    return (program_id, partner_id), (row.id if row.status is EnrollmentStatus.APPROVED else None)


def _site(row: Any) -> Change[tuple[UUID, str], str]:
    return (row.program_id, row.host), (row.code if row.withdrawn_at is None else None)


def _key(row: Any) -> Change[str, KeyFacts]:
    if row.revoked_at is not None:
        return row.secret_hash, None
    return row.secret_hash, KeyFacts(
        id=row.id,
        program_id=row.program_id,
        is_test=row.is_test,
        scopes=frozenset(row.scopes),
        last_used_at=row.last_used_at,
    )


def _changed(view: View, changes: _Changes) -> View:
    """The view with the changes in it; parts without a change are shared with the old view, not copied."""
    programs = _merged(view.programs, changes.programs)
    return View(
        programs=programs,
        links=_merged(view.links, changes.links),
        approved=_merged(view.approved, changes.approved),
        keys=_merged(view.keys, changes.keys),
        program_ids={program.slug: program.id for program in programs.values()},
        hosts={program.own_host: program.id for program in programs.values() if program.own_host},
        sites=_merged(view.sites, changes.sites),
        networks=view.networks,
    )


def _merged(known: Mapping[Key, Value], changes: Iterable[Change[Key, Value]]) -> Mapping[Key, Value]:
    """The mapping with the changes in it: the same object when nothing is new in them."""
    new = {key: value for key, value in changes if known.get(key) != value}
    if not new:
        return known
    merged: dict[Key, Value | None] = {**known, **new}
    return {key: value for key, value in merged.items() if value is not None}
