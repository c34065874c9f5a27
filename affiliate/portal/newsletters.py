"""The newsletters of a program to read again, and stories about the partner that wait for its word."""

from typing import Any
from uuid import UUID

from flask import Response, flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from affiliate import formats
from affiliate.accounts import access
from affiliate.newsletters import labels, mailroom, queries, service
from affiliate.newsletters.frames import framed
from affiliate.newsletters.models import ConsentStatus, NewsletterIssue, StoryConsent
from affiliate.newsletters.rendering import Mail, first_name
from affiliate.portal.blueprint import PAGE_SIZE, blueprint, page_number, pager, settings, show
from affiliate.reports.words import Sign
from affiliate.web import orm, request_now


@blueprint.get("/<slug>/newsletters")
@access.partner
def newsletters() -> str:
    """All newsletters that this person may read, newest first, and before the first of them the questions about stories."""
    mine: dict[str, Any] = {"program_id": g.program.id, "user_id": current_user.id}
    number = page_number()
    found = queries.archive(orm.session, **mine, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE)
    asked = queries.consents_of(orm.session, program_id=g.program.id, partner_id=g.partner.id) if number == 1 else []
    return show(
        "newsletters.html",
        rows=[_line(issue) for issue in found],
        stories=[_story(consent) for consent in asked],
        pager=pager(total=queries.archive_size(orm.session, **mine), shown=len(found)),
    )


@blueprint.get('/<slug>/newsletters/<public("nws"):issue_id>')
@access.partner
def newsletter(issue_id: UUID) -> str:
    """One newsletter as it came by mail."""
    issue = _found(issue_id)
    return show("newsletter.html", issue=_line(issue) | {"id": issue.id}, subject=_mail(issue).subject)


@blueprint.get('/<slug>/newsletters/<public("nws"):issue_id>/mail')
@access.partner
@framed
def newsletter_mail(issue_id: UUID) -> Response:
    """The mail itself, for the frame."""
    return Response(_mail(_found(issue_id)).html, mimetype="text/html")


@blueprint.post("/<slug>/newsletters/stories/<uuid:consent_id>/<any(agree, decline):answer>")
@access.partner
def answer_story(consent_id: UUID, answer: str) -> ResponseReturnValue:
    """Say yes or no to a story about the partner."""
    service.answer_consent(
        orm.session, consent_id=consent_id, program_id=g.program.id, partner_id=g.partner.id,
        is_given=answer == "agree", actor=access.actor(), now=request_now(),
    )  # fmt: skip
    told = {"agree": _("Thank you. It may be told in these words."), "decline": _("It will not be told.")}
    flash(told[answer], "success")
    return redirect(url_for("portal.newsletters"), 303)


def _found(issue_id: UUID) -> NewsletterIssue:
    issue = queries.archived(orm.session, issue_id=issue_id, program_id=g.program.id, user_id=current_user.id)
    if issue is None:
        raise access.NotHere
    return issue


def _mail(issue: NewsletterIssue) -> Mail:
    """The mail with this person's own values, in the language of the page."""
    here: dict[str, Any] = {"program_id": g.program.id, "partner_ids": [g.partner.id]}
    codes = queries.link_codes(orm.session, **here, now=request_now())
    group = queries.groups_of(orm.session, **here).get(g.partner.id)
    compiled = mailroom.compile_issue(orm.session, issue=issue, program=g.program, wanted=formats.locale(), group=group)
    reader = mailroom.reader_of(
        settings(), issue=issue, program=g.program, reader_id=current_user.id, name=current_user.name,
        partner_name=g.partner.name, link_code=codes.get(g.partner.id),
    )  # fmt: skip
    return compiled.for_reader(reader)


def _line(issue: NewsletterIssue) -> dict[str, Any]:
    return {
        "subject": subject(issue),
        "kind": labels.kind(issue.kind),
        "at": issue.release_at,
        "url": url_for("portal.newsletter", issue_id=issue.id),
    }


def subject(issue: NewsletterIssue) -> str:
    """The subject in a list: with this person's values, without the rest of the mail."""
    names = {"first_name": first_name(current_user.name), "name": current_user.name}
    names |= {"partner_name": g.partner.name, "program_name": g.program.name}
    return service.subject_for(issue, formats.locale(), names)


def _story(consent: StoryConsent) -> dict[str, Any]:
    signs = {
        ConsentStatus.ASKED: Sign("wait", _("Waits for your word")),
        ConsentStatus.GIVEN: Sign("good", _("You agreed")),
        ConsentStatus.DECLINED: Sign("bad", _("You declined")),
    }
    texts = [
        {
            "language": code,
            "name": name,
            **{part: consent.story.get(code, {}).get(part, "") for part in ("title", "body")},
        }
        for code, name in formats.LANGUAGES.items()
        if consent.story.get(code, {}).get("body")
    ]
    answers = {
        answer: url_for("portal.answer_story", consent_id=consent.id, answer=answer) for answer in ("agree", "decline")
    }
    return {
        "texts": texts, "sign": signs[consent.status], "at": consent.answered_at or consent.asked_at, "urls": answers,
        "may_agree": consent.status is not ConsentStatus.GIVEN, "may_decline": consent.status is not ConsentStatus.DECLINED,
    }  # fmt: skip
