"""What a shop's server sends by API, from the value in a body to the answer. It knows no request: two adapters call it.

`api` is the whole way, through Flask; `shortcut` stands in front of it for a call that has nothing wrong with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson
from werkzeug.exceptions import HTTPException

from affiliate import errors, ids, web
from affiliate.accounts.bearer import BearerKey
from affiliate.tracking import events, rawlog, schemas
from affiliate.tracking.body import BadFields, load
from affiliate.tracking.buffer import ConflictingBody
from affiliate.tracking.codec import Trust
from affiliate.tracking.events import Sender
from affiliate.tracking.facts import ProgramFacts
from affiliate.tracking.rawlog import RawRequest
from affiliate.tracking.submissions import Outcome, Submission
from affiliate.tracking.tracker import NoSuchProgram, Tracker

LIST_LENGTH_MAX = 1_000

_SOURCE = "api"
_REASON_LENGTH_MAX = 200
_CONVERSION = schemas.NewConversionSchema()
_ORDER_EVENT = schemas.NewOrderEventSchema()
_ORDER_PATH = schemas.OrderPathSchema()
_REFUND = schemas.NewRefundSchema()


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and the document of the body."""

    status: int
    document: dict[str, Any]

    def body(self) -> bytes:
        """The document as both adapters write it."""
        return orjson.dumps(self.document, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, slots=True)
class _Report:
    """A conversion to be stored, and the order event that its `state` stands for."""

    submission: Submission
    stage: Submission | None


class Intake:
    """What one key may send at one moment. What is the same for all orders of a list is found once."""

    def __init__(self, tracker: Tracker, key: BearerKey, *, now: datetime) -> None:
        self._buffer = tracker.buffer
        self._keys = tracker.keys
        self._now = now
        self._program = tracker.program_of_key(key.program_id, now=now)
        self._names = (self._program.slug, ids.public("prg", self._program.id))
        self._sender = Sender(source=_SOURCE, trust=Trust.SERVER, is_test=key.is_test)

    def conversions(self, body: Any) -> Answer:
        """Store a sale, or a list of them: an answer for each.

        Raises:
            BadFields, NoSuchProgram: nothing of a single sale, or of a list that is too long, was stored.
            ConflictingBody: a single sale came before with another body.
            BufferUnavailable: there is no durable place left.
        """
        if isinstance(body, list):
            return Answer(HTTPStatus.ACCEPTED, {"results": self._results(body)})
        report = self._conversion(body, shown=True)
        return _answer(report.submission, self._stored([report])[0])

    def order_event(self, body: Any, *, order_id: str) -> Answer:
        """Store what became of an order.

        Raises:
            BadFields, NoSuchProgram, ConflictingBody, BufferUnavailable: as above.
        """
        loaded = load(_ORDER_EVENT, body)
        order = load(_ORDER_PATH, {"order_id": order_id})["order_id"]
        program = self._named(loaded)
        event = events.order_stage(loaded, order_id=order, program=program, sender=self._sender, now=self._now)
        return self._store(Submission.of(event, line("order event", loaded | {"order_id": order}, now=self._now)))

    def refund(self, body: Any) -> Answer:
        """Store money given back.

        Raises:
            BadFields, NoSuchProgram, ConflictingBody, BufferUnavailable: as above.
        """
        loaded = load(_REFUND, body)
        event = events.refund(loaded, program=self._named(loaded), sender=self._sender, now=self._now)
        return self._store(Submission.of(event, line("refund", loaded, now=self._now)))

    def _store(self, submission: Submission) -> Answer:
        return _answer(submission, self._buffer.submit([submission])[0])

    def _named(self, body: Mapping[str, Any]) -> ProgramFacts:
        """The program of the key, if the body names it: another one is not found, whether or not it exists."""
        if body["program"] not in self._names:
            raise NoSuchProgram
        return self._program

    def _conversion(self, body: Any, *, shown: bool) -> _Report:
        loaded = load(_CONVERSION, body)
        program = self._named(loaded)
        event = events.conversion(loaded, program=program, sender=self._sender, keys=self._keys, now=self._now)
        submission = Submission.of(event, line("conversion", body, now=self._now) if shown else None)
        stage = events.stage_of_conversion(event, loaded.get("state"))
        if stage is None:
            return _Report(submission, None)
        said = {"order_id": stage.order_id, "type": stage.type}
        return _Report(submission, Submission.of(stage, line("order event", said, now=self._now) if shown else None))

    def _stored(self, reports: Sequence[_Report]) -> list[Outcome]:
        """Store conversions, then the order events of those that did not conflict."""
        outcomes = self._buffer.submit([report.submission for report in reports])
        answered = zip(reports, outcomes, strict=True)
        stages = [report.stage for report, outcome in answered if report.stage and outcome is not Outcome.CONFLICT]
        self._buffer.submit(stages)
        return outcomes

    def _results(self, bodies: Sequence[Any]) -> list[dict[str, Any]]:
        """The result of each item of a list. One that is wrong does not keep the others from being stored."""
        if len(bodies) > LIST_LENGTH_MAX:
            raise BadFields({"body": [f"Send at most {LIST_LENGTH_MAX} conversions in one list."]})
        shown_from = len(bodies) - rawlog.LENGTH_MAX  # the log holds no more
        read = [self._read(body, shown=at >= shown_from) for at, body in enumerate(bodies)]
        outcomes = iter(self._stored([report for report in read if isinstance(report, _Report)]))
        lines = [
            refused("conversion", body, found, now=self._now)
            for body, found in zip(bodies, read, strict=True)
            if not isinstance(found, _Report)
        ]
        self._buffer.log(lines, program_id=self._program.id)
        return [
            _item(found.submission, next(outcomes), index=index)
            if isinstance(found, _Report)
            else _refused_item(found, index=index)
            for index, found in enumerate(read)
        ]

    def _read(self, body: Any, *, shown: bool) -> _Report | errors.DomainError:
        try:
            return self._conversion(body, shown=shown)
        except (errors.Invalid, errors.NotFound) as error:
            return error


def line(what: str, body: Any, *, now: datetime) -> RawRequest:
    """The line of a request in the program's log."""
    summary = rawlog.summary_of(body) if isinstance(body, dict) else {}
    return RawRequest(received_at=now, source=_SOURCE, what=what, summary=summary)


def refused(what: str, body: Any, error: errors.DomainError | HTTPException, *, now: datetime) -> RawRequest:
    """The line of a refused request: its status, and the first thing that is wrong."""
    if isinstance(error, errors.Invalid):
        reason = "; ".join(f"{field}: {' '.join(messages)}" for field, messages in error.errors.items())
    else:
        reason = str(error) if isinstance(error, errors.DomainError) else error.description or error.name
    status = web.status_of(error) if isinstance(error, errors.DomainError) else error.code or 400
    return replace(line(what, body, now=now), status=int(status), reason=reason[:_REASON_LENGTH_MAX])


def _answer(submission: Submission, outcome: Outcome) -> Answer:
    if outcome is Outcome.CONFLICT:
        raise ConflictingBody
    return Answer(int(outcome), {"id": submission.public_id, "status": _WORDS[outcome]})


_WORDS = {outcome: outcome.name.lower() for outcome in Outcome}


def _item(submission: Submission, outcome: Outcome, *, index: int) -> dict[str, Any]:
    if outcome is Outcome.CONFLICT:
        return _refused_item(ConflictingBody(), index=index)
    return {"index": index, "status": _WORDS[outcome], "id": submission.public_id}


def _refused_item(error: errors.DomainError, *, index: int) -> dict[str, Any]:
    wrong = {"errors": error.errors} if isinstance(error, errors.Invalid) else {}
    return {"index": index, "status": "refused", "code": error.code, "message": str(error)} | wrong
