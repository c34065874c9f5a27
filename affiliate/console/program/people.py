"""Who works on this program, and in which role: people are added with a preset, and lose roles one by one."""

from itertools import groupby
from typing import Any
from uuid import UUID

from flask import g, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import ids
from affiliate.accounts import access, people_service, presets, queries, typed
from affiliate.accounts.models import Grant, GrantRole, User
from affiliate.accounts.presets import Preset
from affiliate.accounts.words import ROLES
from affiliate.console import presenters
from affiliate.console.blueprint import acted, blueprint, show
from affiliate.web import orm, request_now


@blueprint.get("/<slug>/people")
@access.fresh(access.console("manager"))
def people() -> str:
    """Everybody with a role here or in all programs."""
    rows = queries.people_in(orm.session, program_id=g.program.id)
    found = [list(held) for _key, held in groupby(rows, key=lambda row: row[0].id)]
    offered = [each for each in Preset if all(presets.may_give(g.roles, role) for role in presets.ROLES[each])]
    return show(
        "program/people.html",
        people=[_person(held) for held in found],
        kept=typed.take(url_for("console.add_person")) or {},
        presets=[{"value": each.value, "word": _word(each), "told": _told(each)} for each in offered],
    )


@blueprint.post("/<slug>/people")
@access.fresh(access.console("manager"), keeps=("email", "name", "preset"))
def add_person() -> BaseResponse:
    """Give somebody the roles of a preset; a refused form comes back with what was typed."""

    def act() -> str:
        person = people_service.add(
            orm.session, email=request.form.get("email", ""), name=request.form.get("name", ""),
            preset=presenters.chosen_in_form(Preset, "preset", Preset.READER), program_id=g.program.id,
            program_name=g.program.name, held=g.roles, actor=access.actor(), now=request_now(),
        )  # fmt: skip
        return str(_("%(name)s can work on this program. A mail says so.", name=person.name))

    return acted(url_for("console.people"), act)


@blueprint.post('/<slug>/people/<public("usr"):user_id>/<role>/take')
@access.fresh(access.console("manager"))
def take_role(user_id: UUID, role: str) -> BaseResponse:
    """Take a role from somebody."""
    if role not in set(GrantRole):
        raise access.NotHere

    def act() -> str:
        people_service.take(
            orm.session, user_id=user_id, role=GrantRole(role), program_id=g.program.id, held=g.roles,
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
        return str(_("The role is taken, and the person is signed out."))

    return acted(url_for("console.people"), act)


def _person(held: list[tuple[User, Grant]]) -> dict[str, Any]:
    user = held[0][0]
    return {
        "id": ids.public("usr", user.id),
        "name": user.name,
        "email": user.email,
        "is_me": user.id == current_user.id,
        "roles": [_role(user, grant) for _user, grant in held],
    }


def _role(user: User, grant: Grant) -> dict[str, Any]:
    here = grant.program_id is not None and user.id != current_user.id
    url = url_for("console.take_role", user_id=user.id, role=grant.role.value)
    return {
        "key": grant.role.value,
        "word": ROLES[grant.role],
        "is_everywhere": grant.program_id is None,
        "url": url if here and presets.may_give(g.roles, grant.role) else None,
    }


def _word(preset: Preset) -> str:
    if preset is Preset.ALL:
        return _("One person for everything")
    return ", ".join(str(ROLES[role]) for role in presets.ROLES[preset])


def _told(preset: Preset) -> str:
    return {
        Preset.READER: _(
            "sees figures, books, partners, terms and settings, and changes nothing. Keys, payment details, papers and the team stay closed."
        ),
        Preset.LOGISTICS: _("sees orders and what comes back, answers cases."),
        Preset.TECH: _("looks after tracking and what did not arrive."),
        Preset.MARKETING: _("makes creatives, newsletters and invitations."),
        Preset.FINANCE: _("sees the books, proposes and approves payouts."),
        Preset.MANAGER: _("decides on partners, terms and settings."),
        Preset.ALL: _("manager and finance at once: for small companies."),
    }[preset]
