"""After an application was sent: the mailbox is proved, its state is shown, questions are answered; and invitations."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from affiliate.accounts import access
from affiliate.errors import Conflict, Invalid
from affiliate.joining import inviting, queries, service, standing, tokens
from affiliate.joining.models import DraftState
from affiliate.joining.tokens import Purpose
from affiliate.partners.models import Application, Enrollment
from affiliate.programs.models import Program
from affiliate.site import joining
from affiliate.site.frame import frame, open_program
from affiliate.site.joining import blueprint
from affiliate.web import orm, request_now


@blueprint.get("/apply/<slug>/status/<token>")
@access.public
def status(slug: str, token: str) -> ResponseReturnValue:
    """How an application stands, for whoever has its address: no account is needed."""
    program = open_program(slug)
    application_id = tokens.read(joining.secret(), Purpose.DRAFT, token)
    found = queries.draft(orm.session, draft_id=application_id, program_id=program.id)
    if found is not None and found.state is DraftState.OPEN:
        return redirect(joining.address("joining.draft", program, found))
    if found is not None and found.state is DraftState.SENT:
        return _status_page(program, standing.of_sent(found), token)
    return _status_page(program, _standing_of(program, application_id, has_draft=found is not None), token)


@blueprint.post("/apply/<slug>/status/<token>")
@access.public
def answer(slug: str, token: str) -> ResponseReturnValue:
    """Answer a question of the program."""
    program = open_program(slug)
    application_id = tokens.read(joining.secret(), Purpose.DRAFT, token)
    row = _application(program, application_id)
    if row is None:
        raise service.NoSuchDraft(_("There is no such application."))
    text = request.form.get("text", "")
    try:
        service.answer(
            orm.session, program=program, application=row[0], enrollment=row[1], text=text, now=request_now()
        )
    except (Invalid, Conflict) as refusal:
        orm.session.rollback()
        wrong = refusal.errors["text"][0] if isinstance(refusal, Invalid) else str(refusal)
        shown = _standing_of(program, application_id, has_draft=True)
        return _status_page(program, shown, token, text=text, wrong=_(wrong)), 422
    flash(_("It is with the program."), "success")
    return redirect(url_for("joining.status", slug=slug, token=token), 303)


@blueprint.get("/apply/<slug>/confirm/<token>")
@access.public
def confirmation(slug: str, token: str) -> ResponseReturnValue:
    """Asks whether the application is theirs. Opening it changes nothing: scanners of mail open every link."""
    program = open_program(slug)
    found = joining.draft(program, Purpose.MAILBOX, token)
    if found.state is not DraftState.SENT:
        return redirect(joining.address("joining.status", program, found))
    return render_template(
        "site/confirm.html", **frame(program), name=program.name, who=found.who, days=program.application_answer_days
    )


@blueprint.post("/apply/<slug>/confirm/<token>")
@access.public
def confirm(slug: str, token: str) -> ResponseReturnValue:
    """The address is theirs: the program gets the application."""
    program = open_program(slug)
    found = joining.draft(program, Purpose.MAILBOX, token)
    service.confirm(orm.session, program=program, draft=found, now=request_now())
    flash(_("Your address is confirmed."), "success")
    return redirect(joining.address("joining.status", program, found), 303)


@blueprint.get("/join/<code>")
@access.public
def join(code: str) -> ResponseReturnValue:
    """An invitation, or a partner's recruiting address: leads to the program, and the source goes with it."""
    found = queries.invitation_by_code(orm.session, code=code.lower())
    if found is None or not inviting.is_good(found[0], now=request_now()):
        return render_template("site/invitation_over.html"), 404
    invitation, program = found
    return redirect(url_for("site.program", slug=program.slug, invite=invitation.code))


def _status_page(program: Program, shown: dict[str, Any], token: str, *, text: str = "", wrong: str = "") -> str:
    return render_template(
        "site/status.html",
        **frame(program),
        name=program.name,
        status=shown,
        may_apply=shown.get("again") is not None and shown["again"] <= request_now(),
        apply_url=url_for("joining.apply", slug=program.slug),
        text=text,
        wrong=wrong,
        status_url=joining.base_url(program) + url_for("joining.status", slug=program.slug, token=token),
        portal_url=f"/portal/{program.slug}/",
    )


def _application(program: Program, application_id: UUID) -> tuple[Application, Enrollment] | None:
    row = queries.application(orm.session, application_id=application_id)
    return row if row is not None and row[1].program_id == program.id else None


def _standing_of(program: Program, application_id: UUID, *, has_draft: bool) -> dict[str, Any]:
    """How an application stands that was received; a draft without one is of somebody who took part already."""
    row = _application(program, application_id)
    if row is not None:
        return standing.of_application(orm.session, program, *row)
    if not has_draft:
        raise service.NoSuchDraft(_("There is no such application. Unfinished ones are deleted after 30 days."))
    return standing.member()
