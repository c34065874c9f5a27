"""The adapter of `steps` in the web application."""

from flask import Response, g, request

from affiliate import web
from affiliate.accounts import access
from affiliate.tracking import reports, steps, tracker
from affiliate.tracking.buffer import BufferUnavailable
from affiliate.tracking.directory import DirectoryNotLoaded
from affiliate.tracking.reports import blueprint
from affiliate.tracking.steps import StepAnswer, StepRequest


@blueprint.post(steps.PATH)
@access.public
@web.reads_only
def step() -> Response:
    """Take a step of a visit that a page of the shop tells: nobody is paid for it, and no sale comes of it."""
    found = _stored(_decided())
    g.tracked_program = found.program
    response = Response(found.body(), status=found.status, content_type="application/json")
    if found.status == steps.unavailable(None).status:
        response.headers["Retry-After"] = str(steps.RETRY_AFTER_SECONDS)
    return response


def _decided() -> StepAnswer:
    too_long = (request.content_length or 0) > steps.BYTES_MAX
    payload = None if too_long else request.get_data(cache=False)
    asked = StepRequest(payload, reports.has_opted_out(), web.request_now())
    try:
        return steps.decide(asked, tracker.current().directory.view, tracker.current().keys)
    except DirectoryNotLoaded:
        return steps.unavailable(None)


def _stored(found: StepAnswer) -> StepAnswer:
    """The answer, once its event is in a durable place; another one where no place took it."""
    if found.event is None:
        return found
    try:
        tracker.current().buffer.click(found.event)
    except BufferUnavailable:
        return steps.unavailable(found.program)
    return found
