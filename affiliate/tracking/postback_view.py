"""`/t/postback`: other trackers report an order and what became of it. Signed by a token, so believed like a signed pixel."""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import EXCLUDE

from affiliate import errors, ids, web
from affiliate.accounts import access
from affiliate.tracking import events, postback, rawlog, schemas, tracker
from affiliate.tracking.body import BadFields, load
from affiliate.tracking.codec import RejectedEvent, Trust
from affiliate.tracking.events import Sender
from affiliate.tracking.facts import ProgramFacts
from affiliate.tracking.postback import Postback, Verdict
from affiliate.tracking.rawlog import RawRequest
from affiliate.tracking.submissions import Outcome, Submission

blueprint = Blueprint("postback", __name__)

_SOURCE = "postback"
_STATE_PAID = "paid"
_REASON_LENGTH_MAX = 200
_CONVERSION = schemas.NewConversionSchema(
    only=("program", "order_id", "amount", "currency", "kind", "click_id", "coupon", "customer_id", "email_sha256", "test"),
    unknown=EXCLUDE,
)  # fmt: skip
_ORDER_EVENT = schemas.NewOrderEventSchema(only=("program", "event_id", "type", "kind", "test"))
_REFUND = schemas.NewRefundSchema(only=("program", "order_id", "refund_id", "kind", "test"))


@blueprint.route("/t/postback", methods=["GET", "POST"])
@access.public
@web.reads_only
def receive() -> Response:
    """Store the order, or what became of it. 200 and `OK` is what trackers take for success; all else they show as an error."""
    if request.method == "HEAD":  # a preview, not a postback
        return _answer("", HTTPStatus.OK)
    told = postback.read([*request.args.items(multi=True), *request.form.items(multi=True)])
    program = _program_named(told.token)
    raw = RawRequest(
        received_at=web.request_now(),
        source=_SOURCE,
        what=told.verdict or "conversion",
        summary=rawlog.summary_of({"order_id": told.order_id} | told.facts),
    )
    if program is None or not postback.is_token(told.token, expected_hash=program.postback_hash):
        return _refuse_token(program, raw)
    try:
        outcomes = tracker.current().buffer.submit(_submissions(told, program, raw))
    except BadFields as error:
        return _refuse(error, program, raw)
    except errors.Unavailable as error:
        answer = _answer(str(error), HTTPStatus.SERVICE_UNAVAILABLE)
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
        return answer
    if Outcome.CONFLICT in outcomes:
        return _answer(
            "This order was reported before with other content. What came first stands.", HTTPStatus.CONFLICT
        )
    return _answer("OK", HTTPStatus.OK)


def _program_named(token: str) -> ProgramFacts | None:
    """The program that this token says to be of, whether it is or not."""
    try:
        program_id = ids.parse("prg", postback.program_named(token))
    except ids.BadPublicId:
        return None
    return tracker.current().directory.view.programs.get(program_id)


def _refuse_token(program: ProgramFacts | None, raw: RawRequest) -> Response:
    """Show the refusal to the shop's developer: after a replacement this is how a tracker with the old token is found."""
    status = HTTPStatus.FORBIDDEN
    if program is not None:
        tracker.current().buffer.log([replace(raw, status=int(status), reason="wrong_token")], program_id=program.id)
    return _answer("The token is wrong.", status)


def _submissions(told: Postback, program: ProgramFacts, raw: RawRequest) -> list[Submission]:
    """The events of a postback. A rejection or a refund says nothing about the order itself, which may come later.

    Raises:
        BadFields: what is wrong, in the names of our own fields.
    """
    if told.verdict is None:
        raise BadFields({"status": ["Write approved, pending, paid, rejected or refunded."]})
    sender = Sender(source=_SOURCE, trust=Trust.SIGNED, is_test=told.is_test)
    named: dict[str, Any] = {"program": program.slug, "test": told.is_test}
    if kind := told.facts.get("kind"):
        named["kind"] = kind
    now, keys = web.request_now(), tracker.current().keys
    if told.verdict is Verdict.REFUNDED:
        body = load(_REFUND, named | {"order_id": told.order_id, "refund_id": _SOURCE})
        return [Submission.of(events.refund(body, program=program, sender=sender, now=now), raw)]
    if told.verdict is Verdict.REJECTED:
        body = load(_ORDER_EVENT, named | {"event_id": "state cancelled", "type": "cancelled"})
        order = load(schemas.OrderPathSchema(), {"order_id": told.order_id})["order_id"]
        return [Submission.of(events.order_stage(body, order_id=order, program=program, sender=sender, now=now), raw)]
    facts = {"currency": program.currency} | told.facts | named | {"order_id": told.order_id}
    event = events.conversion(load(_CONVERSION, facts), program=program, sender=sender, keys=keys, now=now)
    stage = events.stage_of_conversion(event, _STATE_PAID if told.verdict is Verdict.PAID else None)
    return [Submission.of(each, raw) for each in (event, stage) if each is not None]


def _refuse(error: BadFields, program: ProgramFacts, raw: RawRequest) -> Response:
    """Keep what was refused: the manager sees it, and the tracker's log says why."""
    event = RejectedEvent(
        delivery_id=ids.new_at(web.request_now()),
        program_id=program.id,
        kind="conversion",
        reason="bad_fields",
        payload={**raw.summary, "program": program.slug, "source": _SOURCE, "errors": dict(error.errors)},
        received_at=web.request_now(),
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    tracker.current().buffer.reject(event, request=replace(raw, status=int(status)))
    sentences = "; ".join(f"{field}: {' '.join(messages)}" for field, messages in error.errors.items())
    return _answer(sentences[:_REASON_LENGTH_MAX], status)


def _answer(text: str, status: HTTPStatus) -> Response:
    response = Response(text, status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response
