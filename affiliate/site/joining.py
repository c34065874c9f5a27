"""What the pages of an application share: their blueprint, the addresses with their tokens, the draft behind one."""

from flask import Blueprint, current_app, url_for
from flask_babel import gettext as _

from affiliate.joining import queries, service, tokens
from affiliate.joining.models import ApplicationDraft
from affiliate.joining.tokens import Purpose
from affiliate.programs import addresses
from affiliate.programs.models import Program
from affiliate.web import orm

blueprint = Blueprint("joining", __name__)


def draft(program: Program, purpose: Purpose, text: str) -> ApplicationDraft:
    """The draft that a token names.

    Raises:
        BadToken: it names none. NoSuchDraft: it is gone.
    """
    found = queries.draft(orm.session, draft_id=tokens.read(secret(), purpose, text), program_id=program.id)
    if found is None:
        raise service.NoSuchDraft(_("There is no such application. Unfinished ones are deleted after 30 days."))
    return found


def token(found: ApplicationDraft) -> str:
    """What opens a draft, and later the state of the application."""
    return tokens.write(secret(), Purpose.DRAFT, found.id)


def address(endpoint: str, program: Program, found: ApplicationDraft) -> str:
    """The path of one of its pages."""
    return url_for(endpoint, slug=program.slug, token=token(found))


def secret() -> str:
    """The installation's secret."""
    return str(current_app.extensions["affiliate_settings"].secret_key)


def base_url(program: Program) -> str:
    """Where the program's pages are, for addresses that are kept."""
    return addresses.pages(program.own_host, current_app.extensions["affiliate_settings"])
