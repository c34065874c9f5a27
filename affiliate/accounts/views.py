"""A person's own pages: where to go after the sign-in, name and language, sessions."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_security.utils import logout_user
from sqlalchemy.exc import SQLAlchemyError

from affiliate.accounts import access, again, queries, service, sessions, words
from affiliate.accounts.forms import ProfileForm
from affiliate.web import orm, request_now

blueprint = Blueprint("accounts", __name__)
blueprint.app_template_global()(again.sent_to)


@blueprint.app_context_processor
def who_is_here() -> dict[str, Any]:
    """What every page shows of the person who is signed in."""
    if not current_user.is_authenticated:
        return {"me": None}
    me = {"name": current_user.name, "initials": _initials(current_user.name), "role": _role()}
    try:
        home_url = _home()
    except SQLAlchemyError:  # this page tells of a failure, and shall not fail as well
        home_url = "/portal/"
    return {"me": me | {"url": url_for("accounts.settings"), "home_url": home_url}}


def _initials(name: str) -> str:
    words_of_name = name.split() or ["?"]
    return "".join(word[0] for word in (words_of_name[:1] + words_of_name[1:][-1:])).upper()


def _role() -> str:
    """What the person is on this page: the partner they act for, or their highest role in the program."""
    if (partner := g.get("partner")) is not None:
        return str(partner.name)
    roles = g.get("roles", frozenset())
    highest = next((role for role in reversed(words.ROLES) if role in roles), None)
    return str(words.ROLES[highest]) if highest else ""


@blueprint.get("/welcome")
@access.signed_in
def home() -> ResponseReturnValue:
    """To the console for those who have one, to the portal for everybody else."""
    return redirect(_home())


def _home() -> str:
    if "partner" in g:
        return "/portal/"
    has_console = "roles" in g or queries.granted_program_ids(orm.session, user_id=current_user.id)
    return "/console/" if has_console else "/portal/"


@blueprint.route("/account/", methods=["GET", "POST"])
@access.signed_in
def settings() -> ResponseReturnValue:
    """Name, language, time zone; the ways to password, second factor and sessions."""
    form = ProfileForm(obj=current_user)
    if form.validate_on_submit():
        values = {"locale": form.locale.data or None, "time_zone": form.time_zone.data or None}
        actor = access.actor()
        service.update_profile(
            orm.session, user_id=current_user.id, name=form.name.data, **values, actor=actor, now=request_now()
        )
        flash(_("Saved."), "success")
        return redirect(url_for("accounts.settings"))
    person = {
        "email": current_user.email,
        "has_second_factor": bool(current_user.tf_primary_method),
        "recovery_codes_left": len(current_user.mf_recovery_codes or []),
    }
    return render_template("accounts/settings.html", form=form, person=person, sessions=_own_sessions())


def _own_sessions() -> list[dict[str, Any]]:
    here = sessions.current_id()
    rows = queries.live_sessions(orm.session, user_id=current_user.id, now=request_now())
    return [
        {
            "id": row.id,
            "device": row.device or _("Unknown browser"),
            "started_at": row.created_at,
            "here": row.id == here,
        }
        for row in rows
    ]


@blueprint.post("/account/sessions/<uuid:session_id>/end")
@access.signed_in
def end_session(session_id: UUID) -> ResponseReturnValue:
    """Sign one other browser out."""
    ended = service.end_session(orm.session, session_id=session_id, user_id=current_user.id, now=request_now())
    if not ended:
        raise access.NotHere
    flash(_("This browser is signed out."), "success")
    return redirect(url_for("accounts.settings"))


@blueprint.post("/account/sessions/end")
@access.signed_in
def end_all_sessions() -> ResponseReturnValue:
    """Sign out everywhere, here too."""
    sessions.end_all(current_user.id)
    logout_user()
    flash(_("You are signed out everywhere."), "success")
    return redirect(url_for("security.login"))
