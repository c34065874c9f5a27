"""The way into the streams: an event is stored before anybody gets an answer, or the caller learns that it is not.

A script does three things for a conversion, order event or refund in one atomic step: it compares the fingerprint of the
body with the one kept for the same id at the same trust, appends the event if the id is new, and writes the request with its
answer into the program's log. A list goes in pieces, which leave the server time for others in between.

Redis has 200 ms and no second try: an append whose answer was cut may have happened.
Where Redis fails, the event goes into the spool on disk: it is accepted, and ingest decides about another body for its id.
A breaker spares everybody the waiting while Redis is away.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol
from uuid import UUID

import redis

from affiliate import errors, streams
from affiliate.tracking import known, lanes, metrics, rawlog
from affiliate.tracking.breaker import Breaker
from affiliate.tracking.codec import ClickEvent, RejectedEvent, StepEvent, TouchEvent, encode
from affiliate.tracking.rawlog import RawRequest
from affiliate.tracking.spool import Spool, SpoolUnavailable
from affiliate.tracking.submissions import OUTCOMES, SCRIPT, SCRIPT_SHA, Call, Outcome, Submission, call, pieces
from affiliate.tracking.wire import Entry, NotStored

_log = logging.getLogger(__name__)

Visit = ClickEvent | TouchEvent | StepEvent | RejectedEvent


class Append(Protocol):
    """Appends events to the streams, all or `NotStored`; `until` is a moment of the monotonic clock."""

    def __call__(self, entries: Sequence[Entry], *, until: float | None = None) -> None:
        """Append all of them."""
        ...


class BufferUnavailable(errors.Unavailable):
    """The event could not be stored. The same call may be made again: an id is counted once, however often it comes."""

    def __init__(self) -> None:
        super().__init__("The event could not be stored just now. Send the same request again in a few seconds.")


class ConflictingBody(errors.Conflict):
    """This id came before with another body; what was stored stays as it is."""

    code = "conflicting_body"

    def __init__(self) -> None:
        super().__init__(
            "This id was sent before with other content. What came first stands; amend or refund it instead."
        )


class Buffer:
    """The streams of one installation, as the tracker writes them, and the spool behind them."""

    def __init__(
        self,
        *,
        append: Append,
        spool: Spool,
        breaker: Breaker,
        connection: Callable[[], redis.Redis] = streams.client,
        lookup: known.Lookup = known.nothing_known,
    ) -> None:
        self._append = append
        self._spool = spool
        self._breaker = breaker
        self._connection = connection
        self._lookup = lookup

    def click(self, event: Visit) -> None:
        """Store a click, a touch of another channel, or a step of a visit.

        Raises:
            BufferUnavailable: neither Redis nor the disk took it.
        """
        self.clicks([event])

    def clicks(self, events: Sequence[Visit], *, until: float | None = None) -> None:
        """Store all of them in one write. Redis has until that moment of the monotonic clock, if they have waited already.

        Raises:
            BufferUnavailable: neither Redis nor the disk took all of them.
        """
        entries = [(lanes.stream_of(event), encode(event)) for event in events]
        if self._asks_redis():
            try:
                self._append(entries, until=until)
            except NotStored as error:
                self._note_failure(error)
            else:
                return self._note_success(len(entries))
        return self._keep_on_disk([payload for _, payload in entries])

    @property
    def has_failed(self) -> bool:
        """Whether Redis did not take what it was sent last."""
        return self._breaker.failures > 0

    def submit(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Store what is new and say of each what it is, in their order.

        Raises:
            BufferUnavailable: neither Redis nor the disk took all of them; sending all of them again is safe.
        """
        if not submissions:
            return []
        if self._asks_redis():
            try:
                outcomes = self._compared(submissions)
            except streams.ERRORS as error:
                self._note_failure(error)
            else:
                self._note_success(outcomes.count(Outcome.ACCEPTED))
                return outcomes
        return self._spooled(submissions)

    def reject(self, event: RejectedEvent, *, request: RawRequest) -> None:
        """Keep a delivery that was refused, for the manager, and show it to the shop's developer.

        Raises:
            BufferUnavailable: neither Redis nor the disk took it.
        """
        payload = encode(event)
        if self._asks_redis():
            try:
                pipeline = self._connection().pipeline(transaction=False)
                pipeline.xadd(lanes.stream_of(event), {streams.FIELD: payload})
                if event.program_id is not None:
                    rawlog.append(pipeline, replace(request, reason=event.reason), program_id=event.program_id)
                pipeline.execute()
            except streams.ERRORS as error:
                self._note_failure(error)
            else:
                return self._note_success(1)
        return self._keep_on_disk([payload])

    def log(self, requests: Sequence[RawRequest], *, program_id: UUID) -> None:
        """Show refused requests to the shop's developer; without Redis they are not shown."""
        if not self._asks_redis():
            return
        try:
            pipeline = self._connection().pipeline(transaction=False)
            for request in requests[: rawlog.LENGTH_MAX]:
                rawlog.append(pipeline, request, program_id=program_id)
            pipeline.execute()
        except streams.ERRORS as error:
            self._note_failure(error)
        else:
            self._note_success(0)

    def _asks_redis(self) -> bool:
        return self._breaker.allows(time.monotonic())

    def _note_success(self, accepted: int) -> None:
        self._breaker.succeeded()
        metrics.ACCEPTED.inc(accepted)

    def _note_failure(self, error: Exception) -> None:
        self._breaker.failed(time.monotonic())
        _log.warning("Redis did not take what it was sent: %s", error)

    def _keep_on_disk(self, payloads: Sequence[bytes]) -> None:
        try:
            self._spool.append(payloads)
        except SpoolUnavailable as error:
            metrics.REFUSED.inc(len(payloads))
            raise BufferUnavailable from error
        metrics.SPOOLED.inc(len(payloads))

    def _compared(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Store what is new, in Redis, each compared with what is kept for its id."""
        kept = streams.values(self._connection(), [submission.key for submission in submissions])
        remembered = self._remembered([s for s, value in zip(submissions, kept, strict=True) if value is None])
        parts = list(pieces(submissions))
        calls = [call([submissions[at] for at in part], remembered) for part in parts]
        outcomes = [Outcome.CONFLICT] * len(submissions)
        for part, answers in zip(parts, self._run(calls), strict=True):
            for at, answer in zip(part, answers, strict=True):
                outcomes[at] = OUTCOMES[answer]
        return outcomes

    def _spooled(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Keep on disk what SQL does not know already: what Redis remembers cannot be asked."""
        remembered = self._remembered(submissions)
        outcomes = [_outcome_by_sql(submission, remembered) for submission in submissions]
        new = [s for s, outcome in zip(submissions, outcomes, strict=True) if outcome is Outcome.ACCEPTED]
        if new:
            self._keep_on_disk([encode(submission.event) for submission in new])
        return outcomes

    def _run(self, calls: Sequence[Call]) -> list[list[int]]:
        """Run the script for each call in one round trip; a new server learns it first."""
        try:
            return self._execute(calls)
        except redis.exceptions.NoScriptError:
            self._connection().script_load(SCRIPT)
            return self._execute(calls)

    def _execute(self, calls: Sequence[Call]) -> list[list[int]]:
        connection = self._connection()
        if len(calls) == 1:
            return [connection.execute_command("EVALSHA", SCRIPT_SHA, *calls[0])]  # type: ignore[no-untyped-call]  # as below
        pipeline = connection.pipeline(transaction=False)
        for each in calls:
            pipeline.execute_command("EVALSHA", SCRIPT_SHA, *each)  # type: ignore[no-untyped-call]  # a cluster's pipeline has no `evalsha`
        return pipeline.execute()

    def _remembered(self, submissions: Sequence[Submission]) -> dict[str, str]:
        """The fingerprints that only SQL still knows, by key: at the same trust, for another one says nothing."""
        found: dict[str, str] = {}
        for kind in {submission.kind for submission in submissions}:
            of_kind = [submission for submission in submissions if submission.kind == kind]
            rows = self._lookup(kind, [submission.identifier for submission in of_kind])
            for submission in of_kind:
                row = rows.get(submission.identifier)
                if row is not None and row.trust == submission.trust:
                    found[submission.key] = row.fingerprint
        return found


def _outcome_by_sql(submission: Submission, remembered: dict[str, str]) -> Outcome:
    fingerprint = remembered.get(submission.key)
    if fingerprint is None:
        return Outcome.ACCEPTED
    return Outcome.KNOWN if fingerprint == submission.event.fingerprint else Outcome.CONFLICT
