"""A newsletter as a reader gets it: the page with the choice, the frame, and a test to one's own address."""

from typing import Any
from uuid import UUID

from flask import Response, flash, g, request
from flask_babel import gettext as _
from flask_login import current_user

from affiliate import formats
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import blueprint, settings, show
from affiliate.console.relations import newsletter_sheets as sheets
from affiliate.newsletters import (
    audiences,
    content,
    mailroom,
    mails,
    novelties,
    queries,
    rendering,
    segments,
    service,
)
from affiliate.newsletters.frames import framed
from affiliate.newsletters.models import IssueStatus, NewsletterIssue
from affiliate.newsletters.rendering import Mail
from affiliate.partners import queries as partners
from affiliate.web import orm, request_now

VIEWS = ("wide", "narrow", "text")


@blueprint.get('/<slug>/newsletters/<public("nws"):issue_id>/preview')
@access.console(*roles.SEES_MARKETING)
def preview_newsletter(issue_id: UUID) -> str:
    """The issue as any partner gets it: in three languages, wide, narrow, as text."""
    issue = service.found(orm.session, issue_id=issue_id, program_id=g.program.id)
    view = request.args.get("view") if request.args.get("view") in VIEWS else "wide"
    chosen: dict[str, Any] = {
        "language": _language(issue),
        "reader": request.args.get("reader", "").strip()[:120],
        "view": view,
        "for_prospects": "prospect" in request.args,
    }
    mail, reader_name = _mail(issue, **{name: chosen[name] for name in ("language", "reader", "for_prospects")})
    return show(
        "relations/newsletter_preview.html", subject=sheets.subject(issue), issue={"id": issue.id}, mail_subject=mail.subject,
        text=mail.text, reader_name=reader_name, languages=formats.LANGUAGES, **chosen,
        names=[row.name for row in queries.partners_by_name(orm.session, program_id=g.program.id)],
        complete=content.is_complete(service.draft_of(issue), chosen["language"]),
        is_left_out=not chosen["for_prospects"] and _is_left_out(issue, chosen["reader"]),
    )  # fmt: skip


def _is_left_out(issue: NewsletterIssue, reader: str) -> bool:
    """Whether nobody of the partner that is shown gets the issue as things stand; once it leaves, its readers are written down."""
    found = queries.partners_by_name(orm.session, program_id=g.program.id, name=reader, limit=1)
    if not found or issue.status not in {IssueStatus.DRAFT, IssueStatus.SCHEDULED}:
        return False
    here: dict[str, Any] = {"segment": segments.read(issue.segment), "partner_id": found[0].id, "now": request_now()}
    return not audiences.has_readers_of(orm.session, issue=issue, **here)


@blueprint.get('/<slug>/newsletters/<public("nws"):issue_id>/mail')
@access.console(*roles.SEES_MARKETING)
@framed
def newsletter_mail(issue_id: UUID) -> Response:
    """The mail itself, for the frame."""
    issue = service.found(orm.session, issue_id=issue_id, program_id=g.program.id)
    reader, for_prospects = request.args.get("reader", "")[:120], "prospect" in request.args
    mail, _name = _mail(issue, language=_language(issue), reader=reader, for_prospects=for_prospects)
    return Response(mail.html, mimetype="text/html")


def send_test(issue: NewsletterIssue, language: str) -> None:
    """Send an issue as it is stored to oneself, and say so."""
    mail, _name = _mail(issue, language=language, reader="")
    mails.post_test(orm.session, program=g.program, recipient=current_user.email, mail=mail, now=request_now())
    flash(_("A test is on its way to %(email)s.", email=current_user.email), "success")


def _language(issue: NewsletterIssue) -> str:
    wanted = request.values.get("language", "")
    return wanted if wanted in content.LANGUAGES else issue.language


def _mail(issue: NewsletterIssue, *, language: str, reader: str, for_prospects: bool = False) -> tuple[Mail, str]:
    """The mail in exactly this language, as the first partner gets it whose name holds the text, or as a prospect does; and who that is.

    Stories are shown that wait for their consent: who previews has written them.
    """
    values = _values() | ({"is_prospect": True} if for_prospects else _of_partner(reader))
    draft = novelties.with_creatives(
        orm.session, service.draft_of(issue), program=g.program, at=request_now(), group=values.pop("group", None),
        for_prospects=for_prospects,
    )  # fmt: skip
    compiled = rendering.compiled(
        draft, language=language, sender=mailroom.sender_of(g.program), for_prospects=for_prospects
    )
    mail = compiled.for_reader(mailroom.reader_of(settings(), issue=issue, program=g.program, **values))
    return mail, str(values["partner_name"])


def _values() -> dict[str, Any]:
    """Whoever looks is the reader, where nobody else is."""
    name = current_user.name
    return {"reader_id": current_user.id, "name": name, "partner_name": name, "link_code": None}


def _of_partner(name: str) -> dict[str, Any]:
    found = queries.partners_by_name(orm.session, program_id=g.program.id, name=name, limit=1)
    if not found:
        return {}
    partner = found[0]
    people = partners.members_of(orm.session, partner_id=partner.id)
    here: dict[str, Any] = {"program_id": g.program.id, "partner_ids": [partner.id]}
    codes = queries.link_codes(orm.session, **here, now=request_now())
    group = queries.groups_of(orm.session, **here).get(partner.id)
    person = people[0].name if people else partner.name
    return {"name": person, "partner_name": partner.name, "link_code": codes.get(partner.id), "group": group}
