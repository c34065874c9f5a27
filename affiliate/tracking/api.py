"""What shops write through the API: conversions, order events, refunds. Stored in the stream before the answer, without SQL."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, Response, g, request
from flask.sansio.blueprints import BlueprintSetupState
from flask_smorest import Blueprint
from marshmallow import Schema
from werkzeug.exceptions import HTTPException

from affiliate import errors, web
from affiliate.accounts import access
from affiliate.api import ErrorSchema
from affiliate.tracking import intake, schemas, tracker
from affiliate.tracking.body import read_json
from affiliate.tracking.buffer import ConflictingBody
from affiliate.tracking.intake import LIST_LENGTH_MAX, Answer, Intake
from affiliate.tracking.shortcut import Shortcut

blueprint = Blueprint(
    "tracking_api", __name__, url_prefix="/api/v1", description="Report orders and what became of them"
)
View = TypeVar("View", bound=Callable[..., Any])

SCOPE = "conversions:write"
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
                refused = intake.refused(what, g.get("sent"), error, now=web.request_now())
                tracker.current().buffer.log([refused], program_id=g.api_key.program_id)
                raise

        return wrapper  # type: ignore[return-value]

    return decorate


@blueprint.record_once
def _take_the_short_way(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    with app.app_context():
        known = tracker.current()
    app.wsgi_app = Shortcut(  # type: ignore[method-assign]
        app.wsgi_app,
        tracker=known,
        key_at_hand=lambda sent, now: access.key_at_hand(app, sent, scope=SCOPE, now=now),
    )


@blueprint.post("/conversions")
@access.key(SCOPE, from_memory=True)
@web.reads_only
@_documented(schemas.NewConversionSchema, or_list=True)
@_shows_refusals("conversion")
def conversions() -> Response:
    """Report a sale, or a list of up to 1,000. An id counts once, however often it is sent."""
    return _response(_intake().conversions(_body()))


@blueprint.post("/orders/<path:order_id>/events")
@access.key(SCOPE, from_memory=True)
@web.reads_only
@_documented(schemas.NewOrderEventSchema)
@blueprint.doc(parameters=[schemas.ORDER_IN_PATH])
@_shows_refusals("order event")
def order_events(order_id: str) -> Response:
    """Report what became of an order: paid, shipped, delivered, cancelled, or amended with new totals."""
    return _response(_intake().order_event(_body(), order_id=order_id))


@blueprint.post("/refunds")
@access.key(SCOPE, from_memory=True)
@web.reads_only
@_documented(schemas.NewRefundSchema)
@_shows_refusals("refund")
def refunds() -> Response:
    """Report money given back to a customer; any number of partial refunds, or all that is left."""
    return _response(_intake().refund(_body()))


def _body() -> Any:
    g.sent = read_json(request)
    return g.sent


def _intake() -> Intake:
    return Intake(tracker.current(), g.api_key, now=web.request_now())


def _response(answer: Answer) -> Response:
    return Response(answer.body(), answer.status, content_type="application/json")
