"""The page of what went between program and partner: every contact in the order of time, the creatives it uses, what was done."""

from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _

from affiliate import formats, ids
from affiliate.accounts import access
from affiliate.accounts.mail_kinds import MailKind
from affiliate.console import presenters, roles
from affiliate.console.blueprint import blueprint, can, cursor, is_manager, pager, show
from affiliate.console.money import book_sheets
from affiliate.console.partners import partner_care
from affiliate.console.queries import contacts, trail
from affiliate.console.queries import partners as queries
from affiliate.console.queries.contacts import Contact
from affiliate.reports import dimensions
from affiliate.reports.asked import By
from affiliate.reports.dimensions import Scope
from affiliate.reports.tables import Line
from affiliate.web import orm

CREATIVES_SHOWN = 10
EVENTS_SHOWN = 20


@blueprint.get('/<slug>/partners/<public("ptn"):partner_id>/contacts')
@access.console(*roles.CARE)
def partner_contacts(partner_id: UUID) -> str:
    """What was said and sent, newest first, what the partner shows, and who did what about it."""
    row = queries.of_one(orm.session, program_id=g.program.id, partner_id=partner_id)
    if row is None:
        raise access.NotHere
    here: dict[str, Any] = {"program_id": g.program.id, "partner_id": partner_id}
    page = contacts.of_partner(orm.session, **here, kinds=_kinds_shown(), notices=_notices_shown(), cursor=cursor())
    public_id = ids.public("ptn", partner_id)
    days = presenters.span()
    return show(
        "partners/partner_contacts.html",
        partner={"name": row.Partner.name, "url": url_for("console.partner", partner_id=partner_id)},
        partner_uuid=partner_id,
        tabs=partner_care.tabs(partner_id, "partner_contacts", applied=row.Application is not None),
        contacts=[_contact(one, partner_id) for one in page.rows],
        pager=pager(page),
        span_chips=presenters.span_chips(),
        creatives=_creatives(partner_id, days),
        creatives_url=url_for("console.performance", partner=public_id, by=By.CREATIVE.value),
        happened=_happened(partner_id) if can("trail") else None,
        history_url=url_for("console.trail", partner=public_id),
    )


def _kinds_shown() -> set[Contact]:
    """What this person may read: notes are the managers' own, and the rest is read by who may open where it was said."""
    may_read = {Contact.NOTE: is_manager(), Contact.CASE: can("case"), Contact.APPLICATION: can("application_file")}
    return {kind for kind in Contact if may_read.get(kind, True)}


def _notices_shown() -> set[MailKind]:
    """What this person may read of what the partner was told: of money as far as the pages of it are open."""
    hidden = set() if can("payouts") else {MailKind.PAID, MailKind.INVOICES}
    if not can("payment"):
        hidden.add(MailKind.PAYMENT_DETAILS)
    return {*MailKind} - hidden


def _happened(partner_id: UUID) -> list[dict[str, Any]]:
    found = trail.events(orm.session, program_id=g.program.id, partner_id=partner_id, cursor=None, size=EVENTS_SHOWN)
    return book_sheets.events(found.rows)


def _contact(row: Any, partner_id: UUID) -> dict[str, Any]:
    kind = Contact(row.kind)
    side = None if row.of_program is None else _("The program") if row.of_program else _("The partner")
    icon, word = _kinds()[kind]
    return {
        "icon": icon,
        "word": word,
        "text": row.text if row.texts is None else _title(kind, row.texts, row.language),
        "who": row.by or side or formats.UNKNOWN,
        "at": row.at,
        "url": _page_of(kind, row.about, partner_id),
    }


def _kinds() -> dict[Contact, tuple[str, str]]:
    """The icon of each kind, and its word."""
    return {
        Contact.NOTE: ("file-text", _("Note")),
        Contact.CASE: ("messages", _("Case")),
        Contact.APPLICATION: ("help-circle", _("Application")),
        Contact.GOAL: ("target", _("Shared goal")),
        Contact.NOTICE: ("bell", _("Mail")),
        Contact.NEWSLETTER: ("mail", _("Newsletter")),
    }


def _title(kind: Contact, texts: dict[str, Any], language: str) -> str:
    """What a mail is called, in the reader's language where it was written in it."""
    text = texts.get(formats.locale()) or texts.get(language) or {}
    return str(text.get("subject" if kind is Contact.NEWSLETTER else "title") or _("Without a subject"))


def _page_of(kind: Contact, about: UUID | None, partner_id: UUID) -> str | None:
    """Where one reads on; a note stands here whole, and a mail is kept nowhere else."""
    if kind is Contact.CASE:
        return url_for("console.case", case_id=about)
    if kind is Contact.NEWSLETTER:
        return url_for("console.newsletter", issue_id=about) if can("newsletter") else None
    if kind is Contact.APPLICATION:
        return url_for("console.partner", partner_id=partner_id) + "#said"
    return url_for("console.partner_care", partner_id=partner_id) + "#shared" if kind is Contact.GOAL else None


def _creatives(partner_id: UUID, days: int) -> list[dict[str, Any]]:
    """The creatives that the partner showed in these days, the one that earned most first; what came by none stands in the report."""
    scope = Scope(g.program, partner_id, is_inside=True)
    found = dimensions.lines(orm.session, scope, By.CREATIVE, presenters.period(days))
    named = [line for line in found if line.id is not None]
    named.sort(key=lambda line: (-line.facts.earned_minor, -line.facts.clicks_valid, line.key))
    return [_creative(line) for line in named[:CREATIVES_SHOWN]]


def _creative(line: Line) -> dict[str, Any]:
    url = url_for("console.creative", creative_id=line.id) if can("creative") else None
    return presenters.figures(line.facts) | {"name": line.name, "url": url}
