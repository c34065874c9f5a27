"""What the reports of browsers have in common: their program, their events, and how a refused one is kept."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, g, request
from marshmallow import Schema

from affiliate import ids, web
from affiliate.tracking import events, rawlog, tracker
from affiliate.tracking.body import BadFields, load
from affiliate.tracking.codec import RejectedEvent, Trust
from affiliate.tracking.decide import known_visitor
from affiliate.tracking.events import Sender
from affiliate.tracking.facts import ProgramFacts
from affiliate.tracking.rawlog import RawRequest
from affiliate.tracking.submissions import Submission
from affiliate.tracking.subs import clean

blueprint = Blueprint("tracking", __name__)

_NAME_LENGTH_MAX = 60


def known_program(name: Any) -> ProgramFacts:
    """The program of this request, by its short name or public id.

    Raises:
        NoSuchProgram: there is none.
    """
    g.tracked_program = tracker.current().program(name if isinstance(name, str) else "")
    program: ProgramFacts = g.tracked_program
    return program


def submission(sent: Any, *, schema: Schema, program: ProgramFacts, source: str, trust: Trust) -> Submission:
    """The conversion in what a browser sent.

    Raises:
        BadFields: names what is wrong.
    """
    keys = tracker.current().keys
    visitor_id = None if has_opted_out() else known_visitor(request.headers.get("Cookie", ""), program, keys)
    event = events.conversion(
        load(schema, sent),
        program=program,
        sender=Sender(source=source, trust=trust, visitor_id=visitor_id),
        keys=keys,
        now=web.request_now(),
    )
    return Submission.of(event, raw(sent, source))


def reject(
    sent: Mapping[str, Any],
    *,
    source: str,
    reason: str,
    status: int,
    program: ProgramFacts | None = None,
    error: BadFields | None = None,
) -> None:
    """Keep a refused delivery: the manager sees it, and the shop's developer finds the reason."""
    line = raw(sent, source)
    named = {"program": clean(str(sent.get("program", "")), _NAME_LENGTH_MAX), "source": source}
    wrong = {clean(field, _NAME_LENGTH_MAX): messages for field, messages in error.errors.items()} if error else {}
    event = RejectedEvent(
        delivery_id=ids.new_at(web.request_now()),
        program_id=program.id if program else None,
        kind="conversion",
        reason=reason,
        payload={**line.summary, **named, "errors": wrong},
        received_at=web.request_now(),
    )
    tracker.current().buffer.reject(event, request=replace(line, status=status))


def raw(sent: Mapping[str, Any], source: str) -> RawRequest:
    """The line of a conversion in the program's log."""
    return RawRequest(received_at=web.request_now(), source=source, what="conversion", summary=rawlog.summary_of(sent))


def has_opted_out() -> bool:
    """Whether the browser asks not to be followed (Sec-GPC)."""
    return request.headers.get("Sec-GPC") == "1"
