"""The decision about a step that a shop's page tells: product, cart, checkout. A body in; an answer and an event out. Pure.

Two adapters carry the bytes, `edge_steps` and `step_view`, so that both answer alike. A step belongs to the visit that a partner's
click began, and click and step are its id: however often a page tells it, it counts once, and no browser has to make one up.

It is kept with consent only, and says nothing about anybody: neither visitor nor product, neither address nor browser.
"""

import typing
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson

from affiliate import errors, ids, signing
from affiliate.tracking import consent as consents
from affiliate.tracking.codec import RejectedEvent, Step, StepEvent
from affiliate.tracking.facts import ProgramFacts, View
from affiliate.tracking.keys import Keys

PATH = "/t/event"
BYTES_MAX = 4_096
STEPS: tuple[Step, ...] = typing.get_args(Step)
RETRY_AFTER_SECONDS = errors.Unavailable.retry_after_seconds

_TEXT_LENGTH_MAX = 100
_FIELDS = {"program", "step", "click_id", "consent", "test"}


@dataclass(frozen=True, slots=True)
class StepRequest:
    """What is read of a request. A payload of null is larger than anybody needs; `now` is its moment."""

    payload: bytes | None
    has_opted_out: bool  # Sec-GPC
    now: datetime


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """A status and a document, and what is to be stored before they go out. `program` is the one that was named, if there is one."""

    status: int
    document: dict[str, Any]
    event: StepEvent | RejectedEvent | None = None
    program: ProgramFacts | None = None

    def body(self) -> bytes:
        """The document as both adapters write it."""
        return orjson.dumps(self.document, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def decide(request: StepRequest, view: View, keys: Keys) -> StepAnswer:
    """What to answer and to store.

    A click id that is not ours is answered 202 and kept as refused: whoever sends it learns nothing else.
    """
    if request.payload is None:
        return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_entity_too_large", "The body is too large.")
    try:
        body = orjson.loads(request.payload)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        return _refusal(HTTPStatus.BAD_REQUEST, errors.Malformed.code, "The body is not a JSON object.")
    program = _program(body.get("program"), view)
    if program is None:
        return _refusal(HTTPStatus.NOT_FOUND, errors.NotFound.code, "There is no such program.")
    wrong = _wrong(body)
    if wrong:
        document = {"code": errors.Invalid.code, "message": "Some fields are wrong.", "errors": wrong}
        return StepAnswer(HTTPStatus.UNPROCESSABLE_ENTITY, document, program=program)
    return _taken(body, request, program, keys)


def unavailable(program: ProgramFacts | None) -> StepAnswer:
    """The answer where no place took the event, or nothing is known yet: the page tells it again with its next step."""
    document = {"code": errors.Unavailable.code, "message": "The event could not be stored just now. Send it again."}
    return StepAnswer(HTTPStatus.SERVICE_UNAVAILABLE, document, program=program)


def up_to(step: Step) -> tuple[Step, ...]:
    """The step, and those before it: whoever pays has had something in the cart."""
    return STEPS[: STEPS.index(step) + 1]


def _taken(body: dict[str, Any], request: StepRequest, program: ProgramFacts, keys: Keys) -> StepAnswer:
    told = {} if body.get("consent") is None else {"cons": str(int(body["consent"]))}
    consent = consents.state(told, has_opted_out=request.has_opted_out, default=program.cookie_by_default)
    if not consents.allows(consent):
        return StepAnswer(HTTPStatus.ACCEPTED, {"status": "no_consent"}, program=program)
    try:
        click_id = signing.read_click_token(keys.click, body["click_id"], program_id=program.id)
    except signing.BadToken:
        event = _tampered(body["step"], program, request.now)
        return StepAnswer(HTTPStatus.ACCEPTED, {"status": "tampered_click_id"}, event, program)
    step = StepEvent(click_id, program.id, body["step"], bool(body.get("test")), request.now)
    return StepAnswer(HTTPStatus.ACCEPTED, {"status": "test" if step.is_test else "accepted"}, step, program)


def _tampered(step: Step, program: ProgramFacts, now: datetime) -> RejectedEvent:
    return RejectedEvent(
        delivery_id=ids.new_at(now),
        program_id=program.id,
        kind="step",
        reason="bad_signature",
        payload={"step": step},
        received_at=now,
    )


def _program(name: Any, view: View) -> ProgramFacts | None:
    """The program with this short name or public id."""
    if not isinstance(name, str):
        return None
    try:
        identifier: UUID | None = ids.parse("prg", name)
    except ids.BadPublicId:
        identifier = view.program_ids.get(name)
    return None if identifier is None else view.programs.get(identifier)


def _wrong(body: dict[str, Any]) -> dict[str, list[str]]:
    """What is wrong with each field."""
    found = {name[:_TEXT_LENGTH_MAX]: ["There is no such field."] for name in body.keys() - _FIELDS}
    if body.get("step") not in STEPS:
        found["step"] = ["Write product, cart or checkout."]
    click_id = body.get("click_id")
    if not isinstance(click_id, str) or not 0 < len(click_id) <= _TEXT_LENGTH_MAX:
        found["click_id"] = ["Write the click id that the cookie aff_track holds."]
    for name in ("consent", "test"):
        if body.get(name) is not None and type(body[name]) is not bool:
            found[name] = ["Write true or false."]
    return found


def _refusal(status: HTTPStatus, code: str, message: str) -> StepAnswer:
    return StepAnswer(status, {"code": code, "message": message})
