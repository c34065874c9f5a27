"""Lines of the work list about what did not arrive, and the presses by which it is tried again."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import mailer
from affiliate.accounts import access, audit
from affiliate.console.blueprint import acted, blueprint, manages_all
from affiliate.console.queries import undelivered as queries
from affiliate.console.relations import newsletter_sheets
from affiliate.console.work.work_list import TODAY, Act, Item
from affiliate.mailer import OutboxMail
from affiliate.newsletters import delivering
from affiliate.notifications import chat_queries, chat_service
from affiliate.notifications import service as postbacks
from affiliate.web import orm, request_now

LOOKED_BACK = timedelta(days=7)


def asked(there: queries.Lost, since: datetime) -> dict[str, sa.Select[*tuple[Any, ...]]]:
    """The lists of what did not arrive since then, of which there is something, to be asked beside others."""
    lists = {
        "newsletters": (there.newsletters, queries.newsletters(g.program.id, since=since)),
        "postbacks": (there.postbacks, queries.postbacks(g.program.id, since=since)),
        "chats": (there.chats, queries.chats(g.program.id, since=since)),
        "letters": (there.letters, queries.letters(letters_of(), since=since)),
    }
    return {name: rows for name, (is_some, rows) in lists.items() if is_some}


def letters_of() -> UUID | None:
    """The program whose letters the person looks after; none for who manages all, and with them those of the installation."""
    found: UUID = g.program.id
    return None if manages_all() else found


def items(rows: Mapping[str, Sequence[Any]]) -> list[Item]:
    """What did not arrive in the last days, each with the press that tries it again."""
    told = (("newsletters", _newsletter), ("postbacks", _postback), ("chats", _chat))
    found = [line(row) for name, line in told for row in rows.get(name, ())]
    letters = rows.get("letters", ())
    return found + (_letters(letters[0].count, [row.OutboxMail for row in letters]) if letters else [])


def _newsletter(row: Any) -> Item:
    issue = row.NewsletterIssue
    told = []
    if row.uncertain:
        told.append(
            ngettext("%(num)d mail may have arrived or not.", "%(num)d mails may have arrived or not.", row.uncertain)
        )
    if row.failed:
        told.append(
            ngettext("%(num)d mail was put off too often.", "%(num)d mails were put off too often.", row.failed)
        )
    again = url_for("console.retry_newsletter", issue_id=issue.id)
    return Item(
        "delivery", TODAY, "mail", _("Newsletter “%(subject)s” did not reach everybody", subject=newsletter_sheets.subject(issue)),
        " ".join(told), url_for("console.newsletter", issue_id=issue.id), _("Open"), row.at,
        acts=[Act(_("Send again"), "refresh", again)] if row.failed else [],
    )  # fmt: skip


def _postback(row: Any) -> Item:
    told = ngettext(
        "%(num)d call to %(host)s was given up.",
        "%(num)d calls to %(host)s were given up.",
        row.count,
        host=urlsplit(row.url).hostname or "–",
    )
    return Item(
        "delivery", TODAY, "webhook", _("A postback of %(partner)s fails", partner=row.name), told,
        url_for("console.partner", partner_id=row.partner_id), _("Open"), row.at,
        acts=[Act(_("Try again"), "refresh", url_for("console.retry_postbacks", address_id=row.id))],
    )  # fmt: skip


def _chat(row: Any) -> Item:
    told = ngettext("%(num)d message was given up.", "%(num)d messages were given up.", row.count)
    return Item(
        "delivery", TODAY, "messages", _("The chat “%(name)s” cannot be reached", name=row.name), told,
        url_for("console.chat", hook_id=row.id), _("Open"), row.at,
        acts=[Act(_("Try again"), "refresh", url_for("console.retry_chat", hook_id=row.id))],
    )  # fmt: skip


def _letters(count: int, newest: Sequence[OutboxMail]) -> list[Item]:
    """One line for all: what ails the mail server is mended for all together."""
    title = ngettext("%(num)d letter could not be delivered", "%(num)d letters could not be delivered", count)
    told = "; ".join(f"{mail.recipient}: {mail.error}" for mail in newest[:3])
    again = Act(_("Try again"), "refresh", url_for("console.retry_letters"))
    at = newest[0].created_at if newest else None
    return [Item("delivery", TODAY, "mail", title, told, "", "", at, acts=[again])]


@blueprint.post('/<slug>/today/newsletters/<public("nws"):issue_id>')
@access.console("manager")
def retry_newsletter(issue_id: UUID) -> BaseResponse:
    """Send the mails of an issue again that were put off too often."""
    facts: dict[str, Any] = {"program_id": g.program.id, "actor": access.actor(), "now": request_now()}
    return _again(lambda: delivering.resend_failed(orm.session, issue_id=issue_id, **facts))


@blueprint.post('/<slug>/today/postbacks/<public("pba"):address_id>')
@access.console("manager")
def retry_postbacks(address_id: UUID) -> BaseResponse:
    """Make calls to a partner's address again that were given up."""
    here: dict[str, Any] = {"program_id": g.program.id, "since": request_now() - LOOKED_BACK}
    facts: dict[str, Any] = {"actor": access.actor(), "now": request_now()}
    return _again(lambda: postbacks.retry_all(orm.session, address_id=address_id, **here, **facts))


@blueprint.post('/<slug>/today/chats/<public("cht"):hook_id>')
@access.console("manager")
def retry_chat(hook_id: UUID) -> BaseResponse:
    """Send messages to a chat again that were given up."""
    hook = chat_queries.hook_in(orm.session, hook_id=hook_id, program_id=g.program.id)
    if hook is None:
        raise chat_service.NoSuchHook
    return _again(lambda: chat_service.retry(orm.session, hook=hook, actor=access.actor(), now=request_now()))


@blueprint.post("/<slug>/today/letters")
@access.console("manager")
def retry_letters() -> BaseResponse:
    """Send letters again that were given up."""
    here: dict[str, Any] = {"program_id": letters_of(), "since": request_now() - LOOKED_BACK, "now": request_now()}

    def retried() -> int:
        count = mailer.retry(orm.session, **here)
        if count:  # the outbox knows no people: who pressed it stands here
            audit.record(
                orm.session, actor=access.actor(), action="mail.retry", subject_kind="program", subject_id=g.program.id,
                program_id=g.program.id, details={"count": count}, now=request_now(),
            )  # fmt: skip
        return count

    return _again(retried)


def _again(retry: Callable[[], int]) -> BaseResponse:
    def act() -> str:
        count = retry()
        return ngettext("%(num)d is tried again now.", "%(num)d are tried again now.", count)

    return acted(url_for("console.today"), act)
