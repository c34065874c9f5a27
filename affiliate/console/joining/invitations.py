"""Invitations and recruiting addresses: made, sent by mail, withdrawn; and through what applicants came."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms import BooleanField, EmailField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from affiliate import amounts, formats
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import acted, blueprint, cursor, is_manager, pager, refused, settings, show
from affiliate.console.forms import say, say_all
from affiliate.console.joining.applications import came_by
from affiliate.console.queries import lists
from affiliate.errors import Conflict, Invalid
from affiliate.fields import DayField
from affiliate.joining import inviting, queries
from affiliate.joining.models import Invitation
from affiliate.programs import addresses
from affiliate.reports import periods
from affiliate.web import orm, request_now

Answer = str | tuple[str, int] | BaseResponse


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class InvitationForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """An address to hand out, or a mail to one person."""

    name = StringField(
        _l("Where it stands, or whom it is for"),
        filters=[_stripped],
        description=_l("Kept with each application that comes by it, for example: Fair of May."),
    )
    email = EmailField(
        _l("Send it to"), filters=[_stripped], description=_l("Left empty, you get an address to hand out yourself.")
    )
    locale = SelectField(
        _l("Language of the mail"),
        choices=lambda: [SelectChoice(code, name) for code, name in formats.LANGUAGES.items()],
    )
    text = TextAreaField(_l("What the mail says"), filters=[_stripped])
    uses_max = StringField(
        _l("How many may come by it"), filters=[_stripped], description=_l("Left empty, as many as like.")
    )
    last_on = DayField(_l("Last day"), validators=[Optional()])
    lets_in = BooleanField(
        _l("Let them in at once"), description=_l("They still fill in the form; nobody has to approve it.")
    )

    def terms(self) -> inviting.Terms | None:
        """What was typed; nothing when a number cannot be read."""
        try:
            uses = amounts.read_count(self.uses_max.data) if self.uses_max.data else None
        except amounts.BadNumber as wrong:
            say(self.uses_max, str(wrong))
            return None
        return inviting.Terms(self.name.data, self.lets_in.data, uses, _end_of(self.last_on.data))


@blueprint.get("/<slug>/invitations")
@access.console(*roles.MARKETING)
def invitations() -> str:
    """The addresses that were made, how many came by each, and all sources of applications."""
    return _page(InvitationForm(locale=formats.locale()))


@blueprint.post("/<slug>/invitations")
@access.console(*roles.MARKETING)
def add_invitation() -> Answer:
    """Make one; a refused form comes back with what was typed."""
    form = InvitationForm()
    terms = form.terms() if form.validate() else None
    if terms is None:
        return _page(form), 422
    if terms.lets_in and not is_manager():  # who is let in is for managers to decide
        raise access.NotHere
    try:
        made = inviting.invite(
            orm.session, program=g.program, terms=terms, email=form.email.data or None, text=form.text.data,
            locale=form.locale.data, actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        orm.session.rollback()
        say_all(form, refusal.errors)
        return _page(form), 422
    except Conflict as refusal:
        return refused(url_for("console.invitations"), refusal)
    flash(_("Invited. The mail is on its way.") if made.email else _("Made. Copy the address below."), "success")
    return redirect(url_for("console.invitations"), 303)


@blueprint.post("/<slug>/invitations/<uuid:invitation_id>/withdraw")
@access.console(*roles.MARKETING)
def withdraw_invitation(invitation_id: UUID) -> BaseResponse:
    """Close one."""

    def act() -> str:
        inviting.withdraw(
            orm.session, program_id=g.program.id, invitation_id=invitation_id, actor=access.actor(), now=request_now()
        )
        return str(_("Withdrawn. Nobody can come by it any more."))

    return acted(url_for("console.invitations"), act)


def _end_of(last_on: date | None) -> Any:
    return periods.end_of_day(last_on, zone=g.program.time_zone) if last_on else None


def _page(form: InvitationForm) -> str:
    page = lists.invitations(orm.session, program_id=g.program.id, cursor=cursor())
    return show(
        "joining/invitations.html",
        form=form,
        rows=[_row(one.Invitation, one.recruiter) for one in page.rows],
        **pager(page),
        sources=[
            {"name": came_by(source), "count": count}
            for source, count in queries.came_by(orm.session, program_id=g.program.id).items()
        ],
        public_url=f"{addresses.pages(g.program.own_host, settings())}/p/{g.program.slug}?from=",
    )


def _row(one: Invitation, recruiter: str | None) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "email": one.email,
        "recruiter": recruiter,
        "address": f"{addresses.pages(g.program.own_host, settings())}/join/{one.code}",
        "uses": one.uses,
        "uses_max": one.uses_max,
        "lets_in": one.lets_in,
        "expires_at": one.expires_at,
        "is_good": inviting.is_good(one, now=request_now()),
        "is_withdrawn": one.withdrawn_at is not None,
        "made_at": one.created_at,
    }
