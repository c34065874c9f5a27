"""Sessions as rows: the cookie names a row, and a request whose row ended, expired or never was is signed out.

A signed cookie alone would survive its own sign-out. The row starts with the sign-in, ends with the sign-out, and all
rows of a person end with a new password, a new right, or at the person's wish.
"""

from typing import Any
from uuid import UUID

from flask import Flask, g, request, session
from flask_babel import refresh
from flask_login import user_logged_in, user_logged_out
from flask_security import password_changed, password_reset, tf_disabled, tf_profile_changed
from flask_security.utils import set_request_attr
from sqlalchemy.exc import DBAPIError

from affiliate import web
from affiliate.accounts import audit, devices, queries, service
from affiliate.accounts.actors import Actor
from affiliate.accounts.people import SignInUser

_COOKIE_KEY = "sid"


def init_app(app: Flask) -> None:
    """Tie rows to the sign-ins of this app; call it after Flask-Security's own set-up."""
    app.config.update(PERMANENT_SESSION_LIFETIME=service.SESSION_TERM, SESSION_REFRESH_EACH_REQUEST=False)
    manager = app.extensions["security"].login_manager
    manager.user_loader(load)
    manager.request_loader(_nobody)  # no sign-in by token: it would pass the rows by
    user_logged_in.connect(_start, app)
    user_logged_out.connect(_end, app)
    password_changed.connect(_password_changed, app)
    password_reset.connect(_password_reset, app)
    tf_profile_changed.connect(_second_factor_changed, app)
    tf_disabled.connect(_second_factor_disabled, app)


def load(uniquifier: str) -> SignInUser | None:
    """The person whom the cookie names, if its row lives; and from here on the page is in their language and zone."""
    session_id = current_id()
    if session_id is None or "people_unknown" in g:
        return None
    try:
        person = queries.signed_in(
            web.orm.session, person=SignInUser, uniquifier=uniquifier, session_id=session_id, now=web.request_now()
        )
    except DBAPIError:
        g.people_unknown = True  # the page that tells of it asks again, and shall not fail as well
        raise
    if person is not None:
        set_request_attr("fs_authn_via", "session")
        set_request_attr("fs_paa", session.get("fs_paa", 0))
        g.user_locale, g.user_time_zone = person.locale, person.time_zone
        refresh()
    return person


def current_id() -> UUID | None:
    """The session id in this request's cookie."""
    try:
        return UUID(str(session.get(_COOKIE_KEY)))
    except ValueError:
        return None


def end_all(user_id: UUID) -> None:
    """Sign the person out everywhere, here too."""
    service.end_sessions(web.orm.session, user_id=user_id, now=web.request_now())


def _nobody(_request: Any) -> None:
    return None


def _start(_app: Flask, user: SignInUser, **_: Any) -> None:
    if (before := current_id()) is not None:  # a password change signs in again on the same browser
        service.end_session(web.orm.session, session_id=before, user_id=user.id, now=web.request_now())
    device = devices.describe(request.user_agent.string)
    started = service.start_session(web.orm.session, user_id=user.id, device=device, now=web.request_now())
    session[_COOKIE_KEY] = str(started)
    session.permanent = True


def _end(_app: Flask, user: Any, **_: Any) -> None:
    ending = current_id()
    session.pop(_COOKIE_KEY, None)
    if ending is not None and isinstance(user, SignInUser):
        service.end_session(web.orm.session, session_id=ending, user_id=user.id, now=web.request_now())


def _password_changed(_app: Flask, user: Any, **_: Any) -> None:
    _end_others(user, "user.change_password")


def _password_reset(_app: Flask, user: Any, **_: Any) -> None:
    end_all(user.id)
    record(user, "user.reset_password")


def _second_factor_changed(_app: Flask, user: Any, **_: Any) -> None:
    _end_others(user, "user.set_second_factor")


def _second_factor_disabled(_app: Flask, user: Any, **_: Any) -> None:
    _end_others(user, "user.disable_second_factor")


def _end_others(user: Any, action: str) -> None:
    service.end_sessions(web.orm.session, user_id=user.id, keep=current_id(), now=web.request_now())
    record(user, action)


def record(user: Any, action: str) -> None:
    """Write down what a person did to their own account."""
    actor = Actor(kind="user", id=user.id)
    now = web.request_now()
    audit.record(web.orm.session, actor=actor, action=action, subject_kind="user", subject_id=user.id, now=now)
