"""What browsers call on a shop's pages: the pixel, the tag's script, its clicks and conversions. Anybody may call; nothing here is believed far."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, g, jsonify, make_response, render_template, request
from marshmallow import EXCLUDE, Schema

from affiliate import errors, ids, signing, web
from affiliate.accounts import access
from affiliate.links import hosts
from affiliate.tracking import events, rawlog, schemas, tagclick, tracker
from affiliate.tracking.body import BadFields, load, read_json
from affiliate.tracking.buffer import ConflictingBody, Outcome, Submission
from affiliate.tracking.codec import RejectedEvent, Trust
from affiliate.tracking.decide import known_visitor
from affiliate.tracking.events import Sender
from affiliate.tracking.facts import ProgramFacts
from affiliate.tracking.rawlog import RawRequest
from affiliate.tracking.subs import clean

blueprint = Blueprint("tracking", __name__)

GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
TAG_SECONDS = 3_600  # how long a browser keeps the script: a new version reaches every shop within the hour

_NAME_LENGTH_MAX = 60
_BEACON_TYPES = ("application/json", "text/plain")
_TWICE = {"query": ["A parameter stands twice in the address."]}
_PIXEL_FIELDS = (
    "program", "order_id", "amount", "currency", "kind", "click_id", "coupon", "customer_id", "email_sha256",
    "tax", "shipping", "discount", "test",
)  # fmt: skip
_PIXEL = schemas.NewConversionSchema(only=_PIXEL_FIELDS, unknown=EXCLUDE)
_TAG_CONVERSION = schemas.NewConversionSchema(exclude=("state", "occurred_at"))
_TAG_CLICK = schemas.TagClickSchema()


class UnknownLink(errors.NotFound):
    """No link has this code."""

    def __init__(self) -> None:
        super().__init__("There is no partner link with this code in the program.")


@blueprint.get("/r/<path:code>")
@access.public
def unknown_link(code: str) -> tuple[str, int]:  # noqa: ARG001 - the router's argument
    """A friendly page for a code that no link has: all others are answered before Flask is asked."""
    programs = list(tracker.current().directory.view.programs.values())
    shop_url = programs[0].shop_url if len(programs) == 1 else None
    return render_template("tracking/unknown_link.html", shop_url=shop_url), HTTPStatus.NOT_FOUND


@blueprint.get("/t/tag.js")
@access.public
def tag_script() -> Response:
    """The tag, the same for every shop."""
    response = Response(_tag(), content_type="text/javascript; charset=utf-8")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = f"public, max-age={TAG_SECONDS}"
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value] # it gives itself back


@blueprint.get("/t/pixel.gif")
@access.public
def pixel() -> Response:
    """Take the conversion in the address. Always an image: nothing on a checkout page may look broken."""
    response = Response(GIF, content_type="image/gif")
    if request.method == "GET":
        try:
            parameters = request.args.to_dict()
            _take_pixel(parameters, is_ambiguous=len(parameters) < len(list(request.args.items(multi=True))))
        except errors.Unavailable as error:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
            response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


@blueprint.post("/t/click")
@access.public
@web.reads_only
def click() -> Response:
    """Take an arrival that the tag saw; the answer is the click id that its conversions carry."""
    body = load(_TAG_CLICK, read_json(request, media_types=_BEACON_TYPES))
    program = _known_program(body["program"])
    view, now = tracker.current().directory.view, web.request_now()
    link = view.links.get(body["ref"].lower())
    if link is None or link.program_id != program.id:
        raise UnknownLink
    arrival = tagclick.Arrival(
        nonce=body["nonce"],
        page_url=body.get("url") or "",
        referrer=body.get("referrer") or "",
        address=request.remote_addr or "",
        user_agent=request.headers.get("User-Agent", ""),
        cookies=request.headers.get("Cookie", ""),
        has_opted_out=_has_opted_out(),
    )
    keys = tracker.current().keys
    try:
        event = tagclick.click(arrival, link, program, view, keys, now=now)
    except tagclick.BadNonce as error:
        raise BadFields({"nonce": ["This arrival is not of the last seven days."]}) from error
    tracker.current().buffer.click(event)
    token = signing.click_token(keys.click, program_id=program.id, click_id=event.click_id)
    return make_response(jsonify({"click_id": token}), HTTPStatus.ACCEPTED)


@blueprint.post("/t/conversion")
@access.public
@web.reads_only
def conversion() -> Response:
    """Take a conversion that the tag saw, at the lowest trust: a server or a manager has to confirm it."""
    sent = read_json(request, media_types=_BEACON_TYPES)
    program = _known_program(sent.get("program") if isinstance(sent, dict) else None)
    try:
        submission = _submission(sent, schema=_TAG_CONVERSION, program=program, source="tag", trust=Trust.OPEN)
    except BadFields as error:
        _reject(sent, source="tag", reason="bad_fields", status=422, program=program, error=error)
        raise
    outcome = tracker.current().buffer.submit([submission])[0]
    if outcome is Outcome.CONFLICT:
        raise ConflictingBody
    answer = {"id": submission.public_id, "status": outcome.name.lower()}
    return make_response(jsonify(answer), int(outcome))


@blueprint.after_request
def _open_to_shops(response: Response) -> Response:
    """Nothing here is kept by caches; scripts of the program's own hosts may read the answers."""
    response.headers.setdefault("Cache-Control", "no-store")
    origin = request.headers.get("Origin")
    if origin and "Access-Control-Allow-Origin" not in response.headers:
        response.vary.add("Origin")
        if hosts.landing_problem(f"{origin}/", _allowed_hosts()) is None:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Allow-Headers"] = "Content-Type"
            response.headers["Access-Control-Allow-Methods"] = "POST"
            response.headers["Access-Control-Max-Age"] = str(TAG_SECONDS)
    return response


def _allowed_hosts() -> list[str]:
    """The hosts of the request's program; where it is not known (a preflight), those of all of them."""
    program: ProgramFacts | None = g.get("tracked_program")
    programs = [program] if program else tracker.current().directory.view.programs.values()
    return [host for known in programs for host in known.allowed_hosts]


def _known_program(name: Any) -> ProgramFacts:
    g.tracked_program = tracker.current().program(name if isinstance(name, str) else "")
    program: ProgramFacts = g.tracked_program
    return program


def _take_pixel(parameters: Mapping[str, str], *, is_ambiguous: bool) -> None:
    """Store the conversion of a pixel, or keep its refusal with the reason."""
    try:
        program = _known_program(parameters.get("program"))
    except tracker.NoSuchProgram:
        return _reject(parameters, source="pixel", reason="unknown_program", status=200)
    trust = _pixel_trust(program, parameters)
    if trust is None:
        return _reject(parameters, source="pixel", reason="bad_signature", status=200, program=program)
    sent: dict[str, Any] = {name: value for name, value in parameters.items() if value}
    if "test" in sent:
        sent["test"] = sent["test"] in {"1", "true"}
    try:
        if is_ambiguous:
            raise BadFields(_TWICE)  # noqa: TRY301 - refused like a wrong field
        submission = _submission(sent, schema=_PIXEL, program=program, source="pixel", trust=trust)
    except BadFields as error:
        return _reject(parameters, source="pixel", reason="bad_fields", status=200, program=program, error=error)
    tracker.current().buffer.submit([submission])
    return None


def _pixel_trust(program: ProgramFacts, parameters: Mapping[str, str]) -> Trust | None:
    """How far a pixel is believed; null when it claims a signature that the program's secret did not make."""
    if "sig" not in parameters:
        return Trust.OPEN
    expected = signing.pixel_signature(program.pixel_secret, parameters)
    return Trust.SIGNED if signing.same(parameters["sig"].lower(), expected) else None


def _submission(sent: Any, *, schema: Schema, program: ProgramFacts, source: str, trust: Trust) -> Submission:
    keys = tracker.current().keys
    visitor_id = None if _has_opted_out() else known_visitor(request.headers.get("Cookie", ""), program, keys)
    event = events.conversion(
        load(schema, sent),
        program=program,
        sender=Sender(source=source, trust=trust, visitor_id=visitor_id),
        keys=keys,
        now=web.request_now(),
    )
    return Submission.of(event, _raw(sent, source))


def _reject(
    sent: Mapping[str, Any],
    *,
    source: str,
    reason: str,
    status: int,
    program: ProgramFacts | None = None,
    error: BadFields | None = None,
) -> None:
    """Keep a refused delivery: the manager sees it, and the shop's developer finds the reason."""
    raw = _raw(sent, source)
    named = {"program": clean(str(sent.get("program", "")), _NAME_LENGTH_MAX), "source": source}
    wrong = {clean(field, _NAME_LENGTH_MAX): messages for field, messages in error.errors.items()} if error else {}
    event = RejectedEvent(
        delivery_id=ids.new_at(web.request_now()),
        program_id=program.id if program else None,
        kind="conversion",
        reason=reason,
        payload={**raw.summary, **named, "errors": wrong},
        received_at=web.request_now(),
    )
    tracker.current().buffer.reject(event, request=replace(raw, status=status))


def _raw(sent: Mapping[str, Any], source: str) -> RawRequest:
    return RawRequest(received_at=web.request_now(), source=source, what="conversion", summary=rawlog.summary_of(sent))


def _has_opted_out() -> bool:
    return request.headers.get("Sec-GPC") == "1"


@lru_cache(maxsize=1)
def _tag() -> bytes:
    return Path(__file__).with_name("tag.js").read_bytes()
