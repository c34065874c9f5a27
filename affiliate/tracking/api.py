"""What shops write through the API: conversions, order events, refunds. Stored in the stream before the answer, without SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, TypeVar

from flask import Response, g, jsonify, make_response, request
from flask_smorest import Blueprint
from marshmallow import Schema
from werkzeug.exceptions import HTTPException

from affiliate import errors, ids, web
from affiliate.accounts import access
from affiliate.api import ErrorSchema
from affiliate.tracking import events, rawlog, schemas, tracker
from affiliate.tracking.body import BadFields, load, read_json
from affiliate.tracking.buffer import ConflictingBody, Outcome, Submission
from affiliate.tracking.codec import Trust
from affiliate.tracking.events import Sender
from affiliate.tracking.facts import ProgramFacts
from affiliate.tracking.rawlog import RawRequest

LIST_LENGTH_MAX = 1_000

blueprint = Blueprint(
    "tracking_api", __name__, url_prefix="/api/v1", description="Report orders and what became of them"
)
View = TypeVar("View", bound=Callable[..., Any])

_REASON_LENGTH_MAX = 200
_CONVERSION = schemas.NewConversionSchema()
_ORDER_EVENT = schemas.NewOrderEventSchema()
_REFUND = schemas.NewRefundSchema()
_ORDER_PATH = schemas.OrderPathSchema()
_REFUSALS = {400: "Not JSON", 401: "No key", 403: "Scope missing", 404: "Unknown program", 413: "Too large"} | {
    409: "Another body for the same id",
    415: "Not said to be JSON",
    422: "A wrong field",
    503: "Not stored; send it again",
}


def _documented(schema: type[Schema], *, or_list: bool = False) -> Callable[[View], View]:
    """Put body and answers into the OpenAPI document; the reading itself is stricter than the library's."""
    listed = {"type": "array", "items": schema, "maxItems": LIST_LENGTH_MAX}
    content = {"oneOf": [schema, listed]} if or_list else schema
    answer = {"oneOf": [schemas.AcceptedSchema, schemas.ListResultSchema]} if or_list else schemas.AcceptedSchema

    def decorate(view: View) -> View:
        body = {"required": True, "content": {"application/json": {"schema": content}}}
        view = blueprint.doc(requestBody=body)(view)
        for status, description in _REFUSALS.items():
            view = blueprint.alt_response(status, schema=ErrorSchema, description=description)(view)
        view = blueprint.alt_response(200, schema=schemas.AcceptedSchema, description="Known with the same body")(view)
        documented: View = blueprint.response(202, answer, description="Stored")(view)
        return documented

    return decorate


def _shows_refusals(what: str) -> Callable[[View], View]:
    """Write a refused request into the program's log, where the shop's developer looks for the mistake."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(*arguments: Any, **named: Any) -> Any:
            try:
                return view(*arguments, **named)
            except (errors.Unavailable, ConflictingBody):
                raise  # without Redis there is no log; a conflict was logged where it was found
            except (errors.DomainError, HTTPException) as error:
                refused = _refused(what, g.get("sent"), error)
                tracker.current().buffer.log([refused], program_id=g.api_key.program_id)
                raise

        return wrapper  # type: ignore[return-value]

    return decorate


@blueprint.post("/conversions")
@access.key("conversions:write", from_memory=True)
@web.reads_only
@_documented(schemas.NewConversionSchema, or_list=True)
@_shows_refusals("conversion")
def conversions() -> Response:
    """Report a sale, or a list of up to 1,000. An id counts once, however often it is sent."""
    body = _body()
    if isinstance(body, list):
        return make_response(jsonify({"results": _results(body)}), 202)
    report = _conversion(body)
    return _answer(report.submission, _stored([report])[0])


@blueprint.post("/orders/<path:order_id>/events")
@access.key("conversions:write", from_memory=True)
@web.reads_only
@_documented(schemas.NewOrderEventSchema)
@blueprint.doc(parameters=[schemas.ORDER_IN_PATH])
@_shows_refusals("order event")
def order_events(order_id: str) -> Response:
    """Report what became of an order: paid, shipped, delivered, cancelled, or amended with new totals."""
    body = load(_ORDER_EVENT, _body())
    order = load(_ORDER_PATH, {"order_id": order_id})["order_id"]
    event = events.order_stage(body, order_id=order, program=_program(body), sender=_sender(), now=web.request_now())
    submission = Submission.of(event, _request("order event", body | {"order_id": order}))
    return _answer(submission, tracker.current().buffer.submit([submission])[0])


@blueprint.post("/refunds")
@access.key("conversions:write", from_memory=True)
@web.reads_only
@_documented(schemas.NewRefundSchema)
@_shows_refusals("refund")
def refunds() -> Response:
    """Report money given back to a customer; any number of partial refunds, or all that is left."""
    body = load(_REFUND, _body())
    event = events.refund(body, program=_program(body), sender=_sender(), now=web.request_now())
    submission = Submission.of(event, _request("refund", body))
    return _answer(submission, tracker.current().buffer.submit([submission])[0])


@dataclass(frozen=True, slots=True)
class _Report:
    """A conversion to be stored, and the order event that its `state` stands for."""

    submission: Submission
    stage: Submission | None


def _body() -> Any:
    g.sent = read_json(request)
    return g.sent


def _program(body: Mapping[str, Any]) -> ProgramFacts:
    """The program of the key, if the body names it: another one is not found, whether or not it exists."""
    program = tracker.current().program_of_key(g.api_key.program_id, now=web.request_now())
    if body["program"] != program.slug and body["program"] != ids.public("prg", program.id):
        raise tracker.NoSuchProgram
    return program


def _sender() -> Sender:
    return Sender(source="api", trust=Trust.SERVER, is_test=g.api_key.is_test)


def _conversion(body: Any) -> _Report:
    loaded = load(_CONVERSION, body)
    keys, now = tracker.current().keys, web.request_now()
    event = events.conversion(loaded, program=_program(loaded), sender=_sender(), keys=keys, now=now)
    stage = events.stage_of_conversion(event, loaded.get("state"))
    return _Report(
        Submission.of(event, _request("conversion", body)),
        Submission.of(stage, _request("order event", {"order_id": stage.order_id, "type": stage.type}))
        if stage
        else None,
    )


def _stored(reports: Sequence[_Report]) -> list[Outcome]:
    """Store conversions, then the order events of those that did not conflict."""
    buffer = tracker.current().buffer
    outcomes = buffer.submit([report.submission for report in reports])
    answered = zip(reports, outcomes, strict=True)
    buffer.submit([report.stage for report, outcome in answered if report.stage and outcome is not Outcome.CONFLICT])
    return outcomes


def _results(bodies: Sequence[Any]) -> list[dict[str, Any]]:
    """The result of each item of a list. One that is wrong does not keep the others from being stored."""
    if len(bodies) > LIST_LENGTH_MAX:
        raise BadFields({"body": [f"Send at most {LIST_LENGTH_MAX} conversions in one list."]})
    read = [_conversion_or_refusal(body) for body in bodies]
    outcomes = iter(_stored([report for report in read if isinstance(report, _Report)]))
    refused = [
        _refused("conversion", body, found)
        for body, found in zip(bodies, read, strict=True)
        if not isinstance(found, _Report)
    ]
    tracker.current().buffer.log(refused, program_id=g.api_key.program_id)
    return [
        {"index": index}
        | (_item(found.submission, next(outcomes)) if isinstance(found, _Report) else _refused_item(found))
        for index, found in enumerate(read)
    ]


def _conversion_or_refusal(body: Any) -> _Report | errors.DomainError:
    try:
        return _conversion(body)
    except (errors.Invalid, errors.NotFound) as error:
        return error


def _item(submission: Submission, outcome: Outcome) -> dict[str, Any]:
    if outcome is Outcome.CONFLICT:
        return _refused_item(ConflictingBody())
    return {"status": outcome.name.lower(), "id": submission.public_id}


def _refused_item(error: errors.DomainError) -> dict[str, Any]:
    wrong = {"errors": error.errors} if isinstance(error, errors.Invalid) else {}
    return {"status": "refused", "code": error.code, "message": str(error)} | wrong


def _answer(submission: Submission, outcome: Outcome) -> Response:
    if outcome is Outcome.CONFLICT:
        raise ConflictingBody
    return make_response(jsonify(_item(submission, outcome)), int(outcome))


def _request(what: str, body: Any) -> RawRequest:
    summary = rawlog.summary_of(body) if isinstance(body, dict) else {}
    return RawRequest(received_at=web.request_now(), source="api", what=what, summary=summary)


def _refused(what: str, body: Any, error: errors.DomainError | HTTPException) -> RawRequest:
    """The line of a refused request: its status, and the first thing that is wrong."""
    if isinstance(error, errors.Invalid):
        reason = "; ".join(f"{field}: {' '.join(messages)}" for field, messages in error.errors.items())
    else:
        reason = str(error) if isinstance(error, errors.DomainError) else error.description or error.name
    status = web.status_of(error) if isinstance(error, errors.DomainError) else error.code or 400
    return replace(_request(what, body), status=int(status), reason=reason[:_REASON_LENGTH_MAX])
