"""A mail provider tells of mails that came back: verified over the raw body, taken down by the rule of the mailbox for bounces."""

from typing import Any

from flask import Blueprint, current_app, request

from affiliate import errors, web
from affiliate.accounts import access
from affiliate.newsletters import bounce_hooks, preferences
from affiliate.settings import Settings
from affiliate.web import orm, request_now

blueprint = Blueprint("bounces", __name__)


class NotListening(errors.NotFound):
    """This provider's calls are not asked for: no key of it is set."""

    def __init__(self) -> None:
        super().__init__("No key is set for this provider.")


class NotGenuine(errors.Forbidden):
    """The signature is not one of the key that is set, or it is old."""

    code = "not_genuine"

    def __init__(self) -> None:
        super().__init__("The signature does not fit this body and our key, or it is older than it may be.")


@blueprint.post("/hooks/bounces/<provider>")
@access.public
def take(provider: str) -> dict[str, Any]:
    """Take down what came back. What is no mail of ours is left alone; telling it twice changes nothing."""
    settings: Settings = current_app.extensions["affiliate_settings"]
    known = bounce_hooks.configured(settings.bounce_webhook)
    if known is None or known[0] != provider:
        raise NotListening
    body, headers = request.get_data(), {name.lower(): value for name, value in request.headers.items()}
    if not bounce_hooks.is_genuine(known[0], key=known[1], headers=headers, body=body, now=request_now()):
        raise NotGenuine
    try:
        notices = bounce_hooks.read(known[0], body)
    except bounce_hooks.Unreadable as error:
        raise errors.Malformed("This is not what the provider sends.") from error
    taken = [preferences.take_notice(orm.session, notice=notice, now=request_now()) for notice in notices]
    return {"taken": sum(taken)}


web.csrf.exempt(take)  # the signature speaks for the provider
