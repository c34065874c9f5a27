"""The tag: its script, and the arrivals and conversions that it reports."""

import gzip
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Response, jsonify, make_response, request

from affiliate import errors, signing, web
from affiliate.accounts import access
from affiliate.tracking import reports, schemas, tagclick, tracker
from affiliate.tracking.body import BadFields, load, read_json
from affiliate.tracking.buffer import ConflictingBody
from affiliate.tracking.codec import Trust
from affiliate.tracking.reports import blueprint
from affiliate.tracking.submissions import Outcome

TAG_SECONDS = 3_600  # how long a browser keeps the script: a new version reaches every shop within the hour

_BEACON_TYPES = ("application/json", "text/plain")
_TAG_CONVERSION = schemas.NewConversionSchema(exclude=("state", "occurred_at"))
_TAG_CLICK = schemas.TagClickSchema()


class UnknownLink(errors.NotFound):
    """No link has this code."""

    def __init__(self) -> None:
        super().__init__("There is no partner link with this code in the program.")


@blueprint.get("/t/tag.js")
@access.public
def tag_script() -> Response:
    """The tag, the same for every shop."""
    zipped = request.accept_encodings.quality("gzip") > 0
    response = Response(_tag(zipped=zipped), content_type="text/javascript; charset=utf-8")
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = f"public, max-age={TAG_SECONDS}"
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value] # it gives itself back


@blueprint.post("/t/click")
@access.public
@web.reads_only
def click() -> Response:
    """Take an arrival that the tag saw: by a partner's code, from a partner's site, or by another paid channel.

    The answer is the click id that its orders carry, or nothing when the arrival is no partner's.
    """
    body = load(_TAG_CLICK, read_json(request, media_types=_BEACON_TYPES))
    program = reports.known_program(body["program"])
    view, keys, now = tracker.current().directory.view, tracker.current().keys, web.request_now()
    arrival, ref = _arrival(body), body.get("ref")
    link = tagclick.link_of(arrival, ref, program, view)
    if link is None and ref:
        raise UnknownLink
    try:
        if link is None:
            touch = tagclick.touch(arrival, body.get("click_id"), program, keys, now=now)
            if touch is not None:
                tracker.current().buffer.click(touch)
            return make_response(jsonify({}), HTTPStatus.ACCEPTED)
        event = tagclick.click(arrival, link, program, view, keys, source="tag" if ref else "site", now=now)
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
    program = reports.known_program(sent.get("program") if isinstance(sent, dict) else None)
    try:
        submission = reports.submission(sent, schema=_TAG_CONVERSION, program=program, source="tag", trust=Trust.OPEN)
    except BadFields as error:
        reports.reject(sent, source="tag", reason="bad_fields", status=422, program=program, error=error)
        raise
    outcome = tracker.current().buffer.submit([submission])[0]
    if outcome is Outcome.CONFLICT:
        raise ConflictingBody
    answer = {"id": submission.public_id, "status": outcome.name.lower()}
    return make_response(jsonify(answer), int(outcome))


def _arrival(body: dict[str, Any]) -> tagclick.Arrival:
    return tagclick.Arrival(
        nonce=body["nonce"],
        page_url=body.get("url") or "",
        referrer=body.get("referrer") or "",
        address=request.remote_addr or "",
        user_agent=request.headers.get("User-Agent", ""),
        cookies=request.headers.get("Cookie", ""),
        has_opted_out=reports.has_opted_out(),
        consent=body.get("consent"),
    )


@lru_cache(maxsize=2)
def _tag(*, zipped: bool) -> bytes:
    script = Path(__file__).with_name("tag.js").read_bytes()
    return gzip.compress(script, mtime=0) if zipped else script
