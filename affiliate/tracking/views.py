"""What browsers of strangers call beside the tag: unknown links, the pixel, the mark of the own team. Nothing here is believed far."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response, g, make_response, render_template, request
from marshmallow import EXCLUDE

from affiliate import errors, signing, web
from affiliate.accounts import access
from affiliate.tracking import cors, reports, schemas, step_view, tag_views, tracker
from affiliate.tracking.body import BadFields
from affiliate.tracking.codec import Trust
from affiliate.tracking.directory import DirectoryNotLoaded
from affiliate.tracking.facts import ProgramFacts
from affiliate.tracking.keys import is_fresh_stamp, team_cookie
from affiliate.tracking.reports import blueprint

__all__ = ["GIF", "blueprint", "step_view", "tag_views"]

GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
TEAM_SECONDS = 400 * 86_400  # longer than browsers keep it

_TWICE = {"query": ["A parameter stands twice in the address."]}
_PIXEL_FIELDS = (
    "program", "order_id", "amount", "currency", "kind", "click_id", "coupon", "customer_id", "email_sha256",
    "tax", "shipping", "discount", "test",
)  # fmt: skip
_PIXEL = schemas.NewConversionSchema(only=_PIXEL_FIELDS, unknown=EXCLUDE)


class StaleStamp(errors.Forbidden):
    """The address was made for somebody else, or some time ago."""

    code = "stale_address"

    def __init__(self) -> None:
        super().__init__("This address is no longer good. Go back to the console and try again.")


@blueprint.get("/r/<path:code>")
@access.public
def unknown_link(code: str) -> tuple[str, int]:  # noqa: ARG001 - the router's argument
    """A friendly page for a code that no link has: all others are answered before Flask is asked."""
    programs = list(tracker.current().directory.view.programs.values())
    shop_url = programs[0].shop_url if len(programs) == 1 else None
    return render_template("tracking/unknown_link.html", shop_url=shop_url), HTTPStatus.NOT_FOUND


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


@blueprint.get("/t/team")
@access.public
def join_team() -> tuple[Response, int]:
    """Mark this browser as one of the program's team, whose clicks do not count, or take the mark away.

    The console leads here with a fresh stamp: the mark is a cookie of the tracking host, which no other host can set.
    """
    program, keys = reports.known_program(request.args.get("program")), tracker.current().keys
    stamp = request.args.get("stamp", "")
    if not is_fresh_stamp(keys.team, stamp, program_id=program.id, now=web.request_now()):
        raise StaleStamp
    leaves = request.args.get("leave") == "1"
    response = make_response(render_template("tracking/team.html", leaves=leaves, slug=program.slug))
    name, value = team_cookie(program, keys)
    age = 0 if leaves else TEAM_SECONDS
    response.set_cookie(name, value, max_age=age, httponly=True, samesite="Lax", secure=request.is_secure)
    return response, HTTPStatus.OK


@blueprint.after_request
def _open_to_shops(response: Response) -> Response:
    """Nothing here is kept by caches; scripts of the program's own hosts may read the answers."""
    response.headers.setdefault("Cache-Control", "no-store")
    origin = request.headers.get("Origin")
    if origin and "Access-Control-Allow-Origin" not in response.headers:
        response.vary.add("Origin")
        response.headers.update(cors.headers(origin, _allowed_hosts()))
    return response


def _allowed_hosts() -> list[str]:
    """The hosts of the request's program; where it is not known (a preflight), those of all of them."""
    program: ProgramFacts | None = g.get("tracked_program")
    try:
        programs = [program] if program else tracker.current().directory.view.programs.values()
    except DirectoryNotLoaded:
        return []
    return [host for known in programs for host in known.allowed_hosts]


def _take_pixel(parameters: Mapping[str, str], *, is_ambiguous: bool) -> None:
    """Store the conversion of a pixel, or keep its refusal with the reason."""
    try:
        program = reports.known_program(parameters.get("program"))
    except tracker.NoSuchProgram:
        return reports.reject(parameters, source="pixel", reason="unknown_program", status=200)
    trust = _pixel_trust(program, parameters)
    if trust is None:
        return reports.reject(parameters, source="pixel", reason="bad_signature", status=200, program=program)
    sent: dict[str, Any] = {name: value for name, value in parameters.items() if value}
    if "test" in sent:
        sent["test"] = sent["test"] in {"1", "true"}
    try:
        if is_ambiguous:
            raise BadFields(_TWICE)  # noqa: TRY301 - refused like a wrong field
        submission = reports.submission(sent, schema=_PIXEL, program=program, source="pixel", trust=trust)
    except BadFields as error:
        return reports.reject(parameters, source="pixel", reason="bad_fields", status=200, program=program, error=error)
    tracker.current().buffer.submit([submission])
    return None


def _pixel_trust(program: ProgramFacts, parameters: Mapping[str, str]) -> Trust | None:
    """How far a pixel is believed; null when it claims a signature that the program's secret did not make."""
    if "sig" not in parameters:
        return Trust.OPEN
    expected = signing.pixel_signature(program.pixel_secret, parameters)
    return Trust.SIGNED if signing.same(parameters["sig"].lower(), expected) else None
