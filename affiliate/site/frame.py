"""What every public page of a program stands on."""

from typing import Any

from flask import g, request, url_for
from flask_babel import gettext as _

from affiliate import errors
from affiliate.programs import branding
from affiliate.programs import queries as programs
from affiliate.programs.models import Program, ProgramStatus
from affiliate.web import orm

_ORIGIN = {"from": 120, "invite": 24}


class NoSuchProgram(errors.NotFound):
    """There is no open program of this name."""


def open_program(slug: str) -> Program:
    """The live program of this address; times on its pages are in its zone.

    Raises:
        NoSuchProgram: there is none.
    """
    found = programs.program_by_slug(orm.session, slug=slug)
    if found is None or found.status is not ProgramStatus.LIVE:
        raise NoSuchProgram(_("There is no open program at this address."))
    g.program = found
    return found


def origin() -> dict[str, Any]:
    """Through what the reader came (an invitation or a recruiting address, a word of a source): each link to the application carries it."""
    said = request.values.get
    return {name: said(name, "")[:longest] for name, longest in _ORIGIN.items() if said(name)}


def frame(found: Program) -> dict[str, Any]:
    """The program's name and colour, for the page around; the way back to its page keeps the reader's origin."""
    accent_url = url_for("site.accent", slug=found.slug, v=found.accent.removeprefix("#")) if found.accent else None
    logo_url = branding.logo_path(orm.session, program=found)
    brand = {"name": found.name, "url": url_for("site.program", slug=found.slug, **origin()), "logo_url": logo_url}
    return {"brand": brand, "accent_url": accent_url}
