"""The door of the console: the programs that a person may work in."""

from flask import redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate.accounts import access
from affiliate.accounts import queries as accounts
from affiliate.console import roles, words
from affiliate.console.blueprint import blueprint, manages_all
from affiliate.programs import queries
from affiliate.programs.models import Program
from affiliate.web import orm


@blueprint.get("/")
@access.signed_in
def choose() -> str | BaseResponse:
    """The programs of the person; straight on when there is one, unless all are asked for."""
    granted = accounts.granted_program_ids(orm.session, user_id=current_user.id)
    if not granted:
        raise access.NotHere
    chosen = [program_id for program_id in granted if program_id is not None]
    found = (
        queries.programs(orm.session) if None in granted else queries.programs_of_ids(orm.session, program_ids=chosen)
    )
    if len(found) == 1 and "all" not in request.args:
        return redirect(_start(found[0]))
    rows = [
        {
            "name": program.name,
            "sign": words.standing(program),
            "url": _start(program),
        }
        for program in found
    ]
    return render_template("console/choose.html", rows=rows, may_make=manages_all())


def _start(program: Program) -> str:
    held = accounts.roles_in(orm.session, user_id=current_user.id, program_id=program.id)
    return url_for(roles.start(held), slug=program.slug)
