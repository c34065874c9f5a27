"""Which mails a person gets: by the account, by the link in a mail, and by the button of a mail provider (RFC 8058).

Opening an address never changes anything: providers open links to look at them.
"""

from collections.abc import Collection

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from affiliate import web
from affiliate.accounts import access, choices, queries, stops
from affiliate.accounts.mail_kinds import OPTIONAL, REQUIRED, TO_MANAGERS, MailKind
from affiliate.accounts.models import GrantRole
from affiliate.errors import Malformed
from affiliate.settings import Settings
from affiliate.web import orm, request_now

blueprint = Blueprint("mails", __name__)
_MANAGING = frozenset({GrantRole.MANAGER, GrantRole.ADMIN})


def label(kind: MailKind) -> str:
    """What a kind of mail is about."""
    return {
        MailKind.MEMBERSHIP: _("The answer to your application"),
        MailKind.PAYMENT_DETAILS: _("Your payment details were changed"),
        MailKind.INVOICES: _("An invoice is wanted, or needs a change"),
        MailKind.PAID: _("You were paid"),
        MailKind.DAY: _("Each morning: yesterday’s sales, and what was approved or taken back"),
        MailKind.CASES: _("News in your cases"),
        MailKind.AGREED: _("Tasks and goals that you agreed on with a program"),
        MailKind.CREATIVES: _("Your material was decided on, or material that you use ends"),
        MailKind.STORIES: _("A program would like to tell your story"),
        MailKind.POSTBACKS: _("A postback address fails"),
        MailKind.LATE: _("Each morning: what is late in your program"),
        MailKind.ALARMS: _("A figure crossed its limit"),
        MailKind.COMPLAINTS: _("A partner’s case waits for an answer"),
        MailKind.ANSWERS: _("An applicant answered your question"),
        MailKind.DUTIES: _("Tasks and goals that were agreed on with partners"),
    }[kind]


@blueprint.get("/account/mails")
@access.signed_in
def chosen() -> str:
    """What the signed-in person gets."""
    refused = queries.refused_mails(orm.session, user_id=current_user.id)
    kinds = [{"value": kind.value, "name": label(kind), "wanted": kind not in refused} for kind in _offered()]
    always = [label(kind) for kind in MailKind if kind in REQUIRED] if _is_partners(_roles()) else []
    return render_template("accounts/mails.html", kinds=kinds, always=always)


@blueprint.post("/account/mails")
@access.signed_in
def choose() -> ResponseReturnValue:
    """Keep what the person chose."""
    offered = _offered()
    wanted = [kind for kind in offered if kind.value in request.form.getlist("kind")]
    choices.choose(orm.session, user_id=current_user.id, offered=offered, wanted=wanted, now=request_now())
    flash(_("Saved."), "success")
    return redirect(url_for("mails.chosen"), 303)


def _offered() -> list[MailKind]:
    """The kinds that this person may get and may refuse: those to managers, those to a partner's people, or both."""
    roles = _roles()
    return [
        kind for kind in OPTIONAL if (not _MANAGING.isdisjoint(roles) if kind in TO_MANAGERS else _is_partners(roles))
    ]


def _roles() -> frozenset[GrantRole]:
    return queries.roles_anywhere(orm.session, user_id=current_user.id)


def _is_partners(roles: Collection[GrantRole]) -> bool:
    return GrantRole.PARTNER in roles or not roles


@blueprint.post(f"{stops.PATH}/<token>")
@access.public
def one_click(token: str) -> ResponseReturnValue:
    """A mail provider's “unsubscribe” button: no page, no redirect, no sign-in."""
    user_id, kind = stops.read(_secret(), token)
    if request.form.get("List-Unsubscribe") != "One-Click":
        raise Malformed("Post List-Unsubscribe=One-Click, as RFC 8058 says.")
    choices.stop(orm.session, user_id=user_id, kind=kind, now=request_now())
    return "", 200


web.csrf.exempt(one_click)  # a provider has no session of ours; the token in the address speaks for the reader


@blueprint.get(f"{stops.PATH}/<token>")
@access.public
def opened(token: str) -> ResponseReturnValue:
    """The same address in a browser: leads to the page with the button, and changes nothing."""
    return redirect(url_for("mails.ask", token=token))


@blueprint.get("/mails/<token>")
@access.public
def ask(token: str) -> str:
    """Whether mails of this kind shall stop."""
    _user_id, kind = stops.read(_secret(), token)
    return render_template("accounts/stop_mails.html", kind=label(kind), token=token, is_done=False, place=_place(kind))


@blueprint.post("/mails/<token>")
@access.public
def stop(token: str) -> str:
    """No more mails of this kind."""
    user_id, kind = stops.read(_secret(), token)
    choices.stop(orm.session, user_id=user_id, kind=kind, now=request_now())
    return render_template("accounts/stop_mails.html", kind=label(kind), token=token, is_done=True, place=_place(kind))


def _place(kind: MailKind) -> str:
    """Where everything stands that such a mail tells."""
    return (
        _("Everything still stands in the console.")
        if kind in TO_MANAGERS
        else _("Everything still stands in your portal.")
    )


def _secret() -> str:
    found: Settings = current_app.extensions["affiliate_settings"]
    return found.secret_key
