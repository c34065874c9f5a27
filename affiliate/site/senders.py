"""The page on which the reader of a mailbox agrees that a program's mails leave under its address."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from affiliate.accounts import access
from affiliate.programs import sender
from affiliate.web import orm, request_now

blueprint = Blueprint("senders", __name__)


@blueprint.get("/sender/<token>")
@access.public
def ask(token: str) -> ResponseReturnValue:
    """What is asked. Opening it changes nothing: scanners of mail open every link."""
    program, address = sender.asked(orm.session, secret_key=_secret(), token=token, now=request_now())
    return render_template("site/sender.html", name=program.name, address=address)


@blueprint.post("/sender/<token>")
@access.public
def agree(token: str) -> ResponseReturnValue:
    """Yes: mails of the program leave under this address from now on."""
    program = sender.prove(orm.session, secret_key=_secret(), token=token, now=request_now())
    return render_template("site/sender.html", name=program.name, address=None)


def _secret() -> str:
    return str(current_app.extensions["affiliate_settings"].secret_key)
