"""What a partner's people are told in the portal: the page with all of it, and what is read."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers.response import Response

from affiliate import formats
from affiliate.accounts import access
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.mail_views import label
from affiliate.accounts.roles import EVERYBODY
from affiliate.errors import NotFound
from affiliate.partners import notices as kept
from affiliate.partners import noticing
from affiliate.partners.models import PartnerNotice
from affiliate.portal.blueprint import blueprint, reader, show
from affiliate.web import is_own_path, orm, request_now

_ICONS = {
    MailKind.PAYMENT_DETAILS: "building-bank",
    MailKind.INVOICES: "file-invoice",
    MailKind.PAID: "coin",
    MailKind.CASES: "messages",
    MailKind.AGREED: "target",
    MailKind.CREATIVES: "photo",
    MailKind.STORIES: "news",
    MailKind.POSTBACKS: "webhook",
}


class NoSuchNotice(NotFound):
    """It is somebody else's, or older than we keep them."""

    def __init__(self) -> None:
        super().__init__(_("There is no such notice any more."))


@blueprint.get("/<slug>/notices")
@access.partner
def notices() -> str:
    """The notices, the newest first."""
    found = kept.of_reader(orm.session, reader=reader(), now=request_now())
    return show(
        "notices.html",
        notices=[told(notice) | {"is_new": not is_read} for notice, is_read in found],
        days=kept.KEPT_DAYS,
    )


@blueprint.post('/<slug>/notices/<public("not"):notice_id>')
@access.partner_with(EVERYBODY)
def open_notice(notice_id: UUID) -> Response:
    """It is read; on to what it is about."""
    found = kept.one(orm.session, notice_id=notice_id, reader=reader(), now=request_now())
    if found is None:
        raise NoSuchNotice
    noticing.read(orm.session, notice_id=found.id, user_id=current_user.id)
    return redirect(found.path if is_own_path(found.path) else url_for("portal.notices"), 303)


@blueprint.post("/<slug>/notices/read")
@access.partner_with(EVERYBODY)
def read_notices() -> Response:
    """All of them are read."""
    noticing.read_all(orm.session, reader=reader(), now=request_now())
    flash(_("All are read."), "success")
    return redirect(url_for("portal.notices"), 303)


def told(notice: PartnerNotice) -> dict[str, Any]:
    """A notice in the language of this request; a press at `url` makes it read, and leads on."""
    text = notice.texts.get(formats.locale()) or notice.texts["en"]
    return {
        "url": url_for("portal.open_notice", notice_id=notice.id),
        "title": text["title"],
        "lines": text["lines"],
        "act": text["act"] or _("Mark as read"),
        "leads_on": bool(notice.path),
        "icon": _ICONS.get(notice.kind, "bell"),
        "kind": label(notice.kind),
        "at": notice.created_at,
    }
