"""The people of a partner: who they are, what they may do, and the page on which the invited accept."""

from typing import Any
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import EmailField, Field, Form, PasswordField, RadioField, StringField
from wtforms.validators import DataRequired, Length, StopValidation

from affiliate import formats
from affiliate.accounts import access, role_words, typed, words
from affiliate.accounts.roles import OWNER, MemberRole
from affiliate.accounts.service import EmailTaken, PasswordRefused
from affiliate.errors import Conflict
from affiliate.partners import team as service
from affiliate.partners import team_queries as queries
from affiliate.partners.team_queries import Invited, Person
from affiliate.portal.blueprint import blueprint, refused, show
from affiliate.web import orm, request_now


def _is_email(_form: Form, field: Field) -> None:
    try:
        field.data = validate_email(field.data, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise StopValidation(_("This is not an e-mail address. Write it like name@example.com.")) from error


class InvitationForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """Whom to invite, and as what."""

    email = EmailField(
        _l("E-mail address"),
        filters=[lambda text: (text or "").strip()],
        validators=[DataRequired(_l("Type the address of the person.")), Length(max=255), _is_email],
        render_kw={"autocomplete": "off"},
    )
    role = RadioField(_l("Role"), coerce=MemberRole, default=MemberRole.MARKETER)


class JoinForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A new account for the invited address."""

    name = StringField(
        _l("Name"),
        filters=[lambda text: " ".join((text or "").split())],
        validators=[DataRequired(_l("Type the name that others shall see.")), Length(max=120)],
        render_kw={"autocomplete": "name"},
    )
    password = PasswordField(_l("Password"), validators=[DataRequired(_l("Type the password."))])


@blueprint.get("/<slug>/team")
@access.partner
def team() -> str:
    """Who works for the partner, and who is invited."""
    people = [_line(each) for each in queries.people(orm.session, partner_id=g.partner.id)]
    waiting = queries.open_invitations(orm.session, partner_id=g.partner.id, now=request_now())
    invited = [
        {"id": each.id, "email": each.email, "role": role_words.role(each.role), "expires_at": each.expires_at}
        for each in waiting
    ]
    return show("team.html", people=people, invited=invited, roles=_roles(), form=_form())


@blueprint.post("/<slug>/team")
@access.fresh(access.partner_with(OWNER), keeps=("email", "role"))
def invite() -> ResponseReturnValue:
    """Write an invitation; a refused form comes back with what was typed."""
    form = _form()
    if not form.validate():
        return show("team_invite.html", form=form), 422
    try:
        service.invite(
            orm.session, program=g.program, partner=g.partner, email=form.email.data, role=form.role.data,
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Conflict as refusal:
        orm.session.rollback()
        form.email.errors = [_(str(refusal))]
        return show("team_invite.html", form=form), 409
    flash(_("The invitation is on its way."), "success")
    return redirect(url_for("portal.team"), 303)


@blueprint.get("/<slug>/team/invite")
@access.fresh(access.partner_with(OWNER))
def invite_form() -> str:
    """The form. Only an owner sees it, after the password: it opens doors."""
    return show("team_invite.html", form=_form(typed.take(url_for("portal.invite"))))


@blueprint.post("/<slug>/team/invitations/<uuid:invitation_id>/withdraw")
@access.partner_with(OWNER)
def withdraw_invitation(invitation_id: UUID) -> ResponseReturnValue:
    """Take an invitation back."""
    service.withdraw(
        orm.session, partner_id=g.partner.id, invitation_id=invitation_id, actor=access.actor(), now=request_now()
    )
    flash(_("The invitation is withdrawn."), "success")
    return redirect(url_for("portal.team"), 303)


@blueprint.post("/<slug>/team/<uuid:member_id>/role")
@access.fresh(access.partner_with(OWNER))
def change_member_role(member_id: UUID) -> ResponseReturnValue:
    """Give a person another role."""
    wanted = request.form.get("role", "")
    if wanted not in set(MemberRole):
        raise service.NoSuchMember
    try:
        service.change_role(
            orm.session, partner_id=g.partner.id, member_id=member_id, role=MemberRole(wanted), actor=access.actor(),
            now=request_now(),
        )  # fmt: skip
    except service.LastOwner as refusal:
        return refused(url_for("portal.team"), refusal)
    flash(_("Saved. The person signs in again to work in the new role."), "success")
    return redirect(url_for("portal.team"), 303)


@blueprint.post("/<slug>/team/<uuid:member_id>/remove")
@access.fresh(access.partner_with(OWNER))
def remove_member(member_id: UUID) -> ResponseReturnValue:
    """Let a person go."""
    try:
        service.remove(
            orm.session, partner_id=g.partner.id, member_id=member_id, actor=access.actor(), now=request_now()
        )
    except service.LastOwner as refusal:
        return refused(url_for("portal.team"), refusal)
    flash(_("The person is no longer in your team."), "success")
    return redirect(url_for("portal.team"), 303)


@blueprint.get("/join/<token>")
@access.public
def invitation(token: str) -> ResponseReturnValue:
    """What the invited sees: accept as who is signed in, sign in, or make an account."""
    return _join_page(token, JoinForm())


@blueprint.post("/join/<token>")
@access.public
def accept_invitation(token: str) -> ResponseReturnValue:
    """Join the team; with a new account if there is none for the address yet."""
    invited = service.invitation(orm.session, token=token, now=request_now())
    if current_user.is_authenticated:
        service.join(orm.session, invited=invited, user_id=current_user.id, now=request_now())
        flash(_("Welcome to the team of %(partner)s.", partner=invited.partner.name), "success")
        return redirect("/portal/", 303)
    form = JoinForm()
    if not form.validate():
        return _join_page(token, form), 422
    try:
        user_id = service.register(
            orm.session, invited=invited, name=form.name.data, password=form.password.data, locale=formats.locale(),
            now=request_now(),
        )  # fmt: skip
    except PasswordRefused as refusal:
        form.password.errors = [words.password_message(refusal.problem)]
        return _join_page(token, form), 422
    except EmailTaken:
        return redirect(url_for("security.login", next=request.path), 303)
    service.join(orm.session, invited=invited, user_id=user_id, now=request_now())
    flash(_("Your account is ready. Sign in with it."), "success")
    return redirect(url_for("security.login"), 303)


def _join_page(token: str, form: JoinForm) -> str:
    invited = service.invitation(orm.session, token=token, now=request_now())
    has_account = service.has_account(orm.session, email=invited.invitation.email)
    return render_template(
        "portal/join.html", token=token, form=form, has_account=has_account, **_shown(invited),
        is_me=current_user.is_authenticated and current_user.email == invited.invitation.email,
        signed_in_as=current_user.email if current_user.is_authenticated else None,
    )  # fmt: skip


def _shown(invited: Invited) -> dict[str, Any]:
    role = invited.invitation.role
    return {
        "partner_name": invited.partner.name,
        "inviter": invited.inviter,
        "email": invited.invitation.email,
        "role": role_words.role(role),
        "role_text": role_words.explained(role),
    }


def _form(kept: MultiDict[str, str] | None = None) -> InvitationForm:
    form = InvitationForm(kept) if kept else InvitationForm()
    form.role.choices = [(each.value, f"{role_words.role(each)}: {role_words.explained(each)}") for each in MemberRole]
    return form


def _roles() -> list[dict[str, str]]:
    return [
        {"value": each.value, "name": role_words.role(each), "text": role_words.explained(each)} for each in MemberRole
    ]


def _line(person: Person) -> dict[str, Any]:
    return {
        "id": person.member_id,
        "name": person.name,
        "email": person.email,
        "role": person.role.value,
        "role_name": role_words.role(person.role),
        "is_me": person.user_id == current_user.id,
        "has_second_factor": person.has_second_factor,
        "since": person.since,
    }
