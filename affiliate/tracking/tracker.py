"""The tracker of this process: its keys, its memory and its way into the streams, made once per application."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Flask, current_app

from affiliate import errors, ids
from affiliate.accounts.bearer import BearerKey
from affiliate.settings import Settings
from affiliate.tracking import known
from affiliate.tracking.breaker import Breaker, State
from affiliate.tracking.buffer import Buffer
from affiliate.tracking.directory import Directory, DirectoryNotLoaded
from affiliate.tracking.facts import ProgramFacts
from affiliate.tracking.keys import Keys
from affiliate.tracking.parts import Parts
from affiliate.tracking.replay import Replay
from affiliate.tracking.spool import Spool
from affiliate.tracking.wsgi import ClickMiddleware

_EXTENSION = "affiliate_tracker"
_log = logging.getLogger(__name__)


class NoSuchProgram(errors.NotFound):
    """No program of this name, or one of somebody else."""

    def __init__(self) -> None:
        super().__init__("There is no such program. Use the program's short name, as the console shows it.")


@dataclass(frozen=True, slots=True)
class Tracker:
    """What the tracker's views and adapters share."""

    keys: Keys
    directory: Directory
    buffer: Buffer
    replay: Replay
    breaker: Breaker
    spool: Spool

    def breaker_state(self) -> State:
        """Whether this process asks Redis, or goes on without."""
        return self.breaker.state(time.monotonic())

    def program(self, name: str) -> ProgramFacts:
        """The program with this slug or public id.

        Raises:
            NoSuchProgram: there is none.
        """
        view = self.directory.view
        try:
            found = view.programs.get(ids.parse("prg", name))
        except ids.BadPublicId:
            found = view.program(name)
        if found is None:
            raise NoSuchProgram
        return found

    def program_of_key(self, program_id: UUID, *, now: datetime) -> ProgramFacts:
        """The program of a key that was let in: a program made a moment ago is looked for in the database once more."""
        if program_id not in self.directory.view.programs:
            self.directory.reload(now=now)
        return self.directory.view.programs[program_id]

    def key_in_memory(self, *, fingerprint: str) -> BearerKey | None:
        """The key with this SHA-256, as the directory knows it."""
        found = self.directory.view.keys.get(fingerprint)
        if found is None:
            return None
        return BearerKey(found.id, found.program_id, found.is_test, found.scopes, found.last_used_at)


def init_app(app: Flask, settings: Settings, *, lookup: known.Lookup = known.nothing_known) -> Tracker:
    """Give the app a tracker, and put the answering of clicks in front of it.

    `lookup` asks SQL for known events; in tests nothing runs in the background, `directory.refresh` brings news.
    """
    parts = Parts.of(settings)
    is_file = settings.database_url.startswith("sqlite")
    looks_up = known.patiently(lookup) if is_file else known.LookupWithDeadline(lookup)
    buffer = Buffer(append=parts.append, spool=parts.spool, breaker=parts.breaker, lookup=looks_up)
    tracker = Tracker(
        keys=parts.keys,
        directory=parts.directory,
        buffer=buffer,
        replay=parts.replay,
        breaker=parts.breaker,
        spool=parts.spool,
    )
    app.extensions[_EXTENSION] = tracker
    app.wsgi_app = ClickMiddleware(  # type: ignore[method-assign]
        app.wsgi_app,
        keys=tracker.keys,
        directory=tracker.directory,
        buffer=tracker.buffer,
        trusted_proxies=settings.trusted_proxies,
    )
    return tracker


def warm_up(app: Flask) -> None:
    """Read the links before the first click comes, and look for events that wait on disk. While the database is away, the first click tries again."""
    tracker: Tracker = app.extensions[_EXTENSION]
    tracker.replay.start()
    try:
        tracker.directory.start()
    except DirectoryNotLoaded:
        _log.warning("the database does not answer: links will be read with the first click")


def current() -> Tracker:
    """The tracker of this request's app."""
    tracker: Tracker = current_app.extensions[_EXTENSION]
    return tracker
