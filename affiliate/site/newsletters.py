"""What newsletters a person gets: by the link in a mail, signed out; by the button of a mail provider; by the account.

Opening an address never changes anything: providers open links to look at them. The provider's button posts (RFC 8058).
"""

import contextlib
from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import refresh
from flask_login import current_user
from sqlalchemy.orm import Session

from affiliate import db, web
from affiliate.accounts import access
from affiliate.errors import Malformed, NotFound
from affiliate.ingest import bots
from affiliate.newsletters import audiences, counting, labels, openings, preferences, queries, tokens
from affiliate.newsletters.content import IssueKind
from affiliate.newsletters.tokens import ReaderToken
from affiliate.partners import queries as partners
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs import queries as programs
from affiliate.programs.models import Program
from affiliate.settings import Settings
from affiliate.site import news
from affiliate.web import orm, request_now


class NoSuchAddress(NotFound):
    """No issue leads there."""


blueprint = Blueprint("mail", __name__)
_CLOSED = (EnrollmentStatus.REJECTED, EnrollmentStatus.BANNED)


@blueprint.post("/hooks/unsubscribe/<token>")
@access.public
def one_click(token: str) -> ResponseReturnValue:
    """A mail provider's “unsubscribe” button: stops every newsletter of this program, without a page or a redirect."""
    reader = tokens.read(_secret(), token)
    if request.form.get("List-Unsubscribe") != "One-Click":
        raise Malformed("Post List-Unsubscribe=One-Click, as RFC 8058 says.")
    preferences.unsubscribe(orm.session, token=reader, source="one_click", now=request_now())
    return "", 200


web.csrf.exempt(one_click)  # a provider has no session of ours; the token in the address speaks for the reader


@blueprint.get("/hooks/unsubscribe/<token>")
@access.public
def opened(token: str) -> ResponseReturnValue:
    """The same address in a browser: leads to the page with the choice, and changes nothing."""
    return redirect(url_for("mail.choice", token=token))


@blueprint.get('/n/<public("nws"):issue_id>/<code>')
@access.public
def follow(issue_id: UUID, code: str) -> ResponseReturnValue:
    """An address in a mail: leads on, and counts. While the database cannot be written to, it leads on all the same."""
    url = queries.address_behind(orm.session, issue_id=issue_id, code=code)
    if url is None:
        raise NoSuchAddress(_("There is nothing at this address."))
    orm.session.rollback()  # its reading transaction ends before the writing one begins
    if request.method == "GET" and not bots.is_bot(request.headers.get("User-Agent", "")):
        with (
            contextlib.suppress(sa.exc.OperationalError),
            db.read_only(on=False),
            Session(orm.engine) as session,
            session.begin(),
        ):
            counting.count(session, issue_id=issue_id, code=code)
    answer = redirect(url)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/mail/<token>")
@access.public
def choice(token: str) -> str:
    """What this reader gets from this program."""
    reader, program = _reader(token)
    if reader.is_prospect:
        return news.stop_page(reader, program, token)
    kinds = _kinds(program.id, audiences.refused_kinds(orm.session, user_id=reader.reader_id))
    brand = {"name": program.name, "url": url_for("site.program", slug=program.slug)}
    told = audiences.told_of_openings(orm.session, user_id=reader.reader_id)
    return render_template(
        "site/mail_choice.html", brand=brand, program=program.name, kinds=kinds, token=token,
        openings=_openings(program.name, program.id, told),
    )  # fmt: skip


@blueprint.post("/mail/<token>")
@access.public
def choose(token: str) -> ResponseReturnValue:
    """Keep what the reader chose."""
    reader, program = _reader(token)
    if reader.is_prospect:
        return _choose_as_prospect(reader, program, token)
    wanted = _wanted("kind")
    preferences.choose(
        orm.session, user_id=reader.reader_id, program_id=program.id, wanted=wanted, source="page", now=request_now()
    )
    flash(_said(program.name, wanted), "success")
    if wanted:
        _tell_of_openings(reader.reader_id, program.id, program.name, agrees=_agrees(), source="page")
    else:
        preferences.note_unsubscribed(orm.session, token=reader, now=request_now())
    return redirect(url_for("mail.choice", token=token), 303)


def _choose_as_prospect(reader: ReaderToken, program: Program, token: str) -> ResponseReturnValue:
    """Whoever unticks everything stops everything."""
    wanted = _wanted("kind")
    if "choose" in request.form and wanted:
        flash(_said(program.name, wanted), "success")
        if news.choose(reader, program, wanted, agrees=_agrees()):
            flash(_forgotten(), "success")
    else:
        flash(news.stop(reader, program, forget="forget" in request.form), "success")
    return redirect(url_for("mail.choice", token=token), 303)


@blueprint.get("/account/mail")
@access.signed_in
def account() -> str:
    """What the signed-in person gets from each of their programs."""
    refused = audiences.refused_kinds(orm.session, user_id=current_user.id)
    told = audiences.told_of_openings(orm.session, user_id=current_user.id)
    rows = [
        {
            "name": row.program_name,
            "id": row.program_id.hex,
            "kinds": _kinds(row.program_id, refused),
            "openings": _openings(row.program_name, row.program_id, told),
        }
        for row in _mine()
    ]
    return render_template("site/account_mail.html", programs=rows)


@blueprint.post("/account/mail")
@access.signed_in
def choose_account() -> ResponseReturnValue:
    """Keep what the signed-in person chose, for all of their programs."""
    flash(_("Saved."), "success")
    for row in _mine():
        wanted, agrees = _wanted(row.program_id.hex), row.program_id.hex in request.form.getlist("openings")
        preferences.choose(
            orm.session, user_id=current_user.id, program_id=row.program_id, wanted=wanted, source="account",
            now=request_now(),
        )  # fmt: skip
        if wanted:
            _tell_of_openings(current_user.id, row.program_id, row.program_name, agrees=agrees, source="account")
    return redirect(url_for("mail.account"), 303)


def _secret() -> str:
    found: Settings = current_app.extensions["affiliate_settings"]
    return found.secret_key


def _mine() -> list[Any]:
    found = partners.memberships_of(orm.session, user_id=current_user.id)
    return list({row.program_id: row for row in found if row.status not in _CLOSED}.values())


def _wanted(name: str) -> list[IssueKind]:
    return [kind for kind in IssueKind if kind.value in request.form.getlist(name)]


def _kinds(program_id: UUID, refused: Collection[tuple[UUID, IssueKind]]) -> list[dict[str, Any]]:
    return [
        {"value": kind.value, "name": labels.kind(kind), "wanted": (program_id, kind) not in refused}
        for kind in IssueKind
    ]


def _openings(program: str, program_id: UUID, told: Collection[UUID]) -> dict[str, Any]:
    return {"label": labels.openings(program), "value": program_id.hex, "agrees": program_id in told}


def _agrees() -> bool:
    """Whether the box is ticked on a page about one program."""
    return "openings" in request.form


def _tell_of_openings(user_id: UUID, program_id: UUID, program: str, *, agrees: bool, source: str) -> None:
    """Keep whether a person lets a program know when it opens newsletters."""
    if agrees:
        openings.agree(
            orm.session, user_id=user_id, program_id=program_id, consent_text=labels.openings(program), source=source,
            now=request_now(),
        )  # fmt: skip
    elif openings.withdraw(orm.session, user_id=user_id, program_id=program_id):
        flash(_forgotten(), "success")


def _forgotten() -> str:
    return str(_("Nothing is recorded any more when you open newsletters, and what was is forgotten."))


def _said(program: str, wanted: Collection[IssueKind]) -> str:
    if not wanted:
        return str(_("You get no more newsletters from %(program)s.", program=program))
    return str(_("Saved. From now on you get: %(kinds)s.", kinds=", ".join(map(labels.kind, wanted))))


def _reader(token: str) -> tuple[ReaderToken, Program]:
    """Who reads, and of which program; the page is in their language, whoever is signed in on this browser."""
    reader = tokens.read(_secret(), token)
    program = programs.program_by_id(orm.session, program_id=reader.program_id)
    if program is None:
        raise tokens.BadToken
    if reader.is_prospect:
        return reader, program
    person = queries.person(orm.session, user_id=reader.reader_id)
    if person is None:
        raise tokens.BadToken
    if person.locale:
        g.user_locale = person.locale
        refresh()
    return reader, program
