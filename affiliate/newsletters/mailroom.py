"""From rows to messages: an issue is compiled once per language, then filled in and addressed for each reader."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, formataddr, parseaddr
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.newsletters import carrier, content, novelties, queries, rendering, service, tokens
from affiliate.newsletters.models import NewsletterIssue
from affiliate.newsletters.rendering import Compiled, Mail, Reader, Sender
from affiliate.newsletters.tokens import ReaderToken
from affiliate.programs.models import Program
from affiliate.settings import Settings

# The older policy of the standard library, whose values are text: three times as fast, and everything here is in one line already.
# No folds: one would break the long address of List-Unsubscribe.
_POLICY = compat32.clone(linesep="\r\n", max_line_length=None)
PREFIX = "nws"
"""Of the public id of an issue, which is also the label on the links that the issue hands out."""


def sender_of(program: Program) -> Sender:
    """Whose newsletter it is."""
    return Sender(program.name, program.shop_url)


def reader_of(
    to: Settings, *, issue: NewsletterIssue, program: Program, user_id: UUID, name: str, partner_name: str,
    link_code: str | None, delivery_id: UUID = tokens.NO_DELIVERY,
) -> Reader:  # fmt: skip
    """The values that one reader's mail is filled with."""
    token = tokens.write(to.secret_key, ReaderToken(user_id, program.id, delivery_id))
    portal = f"{to.base_url}/portal/{program.slug}"
    return Reader(
        name=name,
        partner_name=partner_name,
        link=f"{to.tracking_url}/r/{link_code}" if link_code else None,
        portal_link=f"{portal}/",
        new_link=f"{portal}/links/new",
        stop_link=f"{to.base_url}/mail/{token}",
        marker=ids.public(PREFIX, issue.id),
    )


def compile_issue(
    session: Session, *, issue: NewsletterIssue, program: Program, wanted: str | None, base_url: str = ""
) -> Compiled:
    """An issue as a reader of this language gets it: only stories with consent, in one language throughout.

    With `base_url` its addresses lead through ours, which count.
    """
    links = queries.links_of(session, issue_id=issue.id) if base_url else ()
    counted = {link.url: f"{base_url}/n/{ids.public(PREFIX, issue.id)}/{link.code}" for link in links}
    draft = service.shown(service.draft_of(issue), queries.consents(session, issue_id=issue.id))
    # As of the release, so that every batch of an issue says the same.
    draft = novelties.with_creatives(session, draft, program=program, at=issue.release_at or issue.updated_at)
    language = content.language_for(draft, wanted)
    return rendering.compiled(draft, language=language, sender=sender_of(program), counted=counted)


class Mailroom:
    """Everything that a batch of deliveries needs, read once."""

    def __init__(self, session: Session, rows: Sequence[Any], to: Settings) -> None:
        self._to = to
        issue_ids = list({row.NewsletterDelivery.issue_id for row in rows})
        found = queries.programs_and_issues(session, issue_ids=issue_ids)
        self._issues: Mapping[UUID, Any] = {row.NewsletterIssue.id: row for row in found}
        self._headers = {row.NewsletterIssue.id: _headers(row, to) for row in found}
        self._compiled: dict[tuple[UUID, str], Compiled] = {}
        self._codes = {row.Program.id: self._link_codes(session, row.Program.id, rows) for row in found}
        for row in rows:
            self._compile(session, row.NewsletterDelivery.issue_id, row.User.locale)
        self._dkim_key = Path(to.dkim_key_file).read_bytes() if to.dkim_key_file else None
        self.envelope_sender = to.bounce_address or parseaddr(to.mail_from)[1]

    def message(self, row: Any, *, now: datetime) -> bytes:
        """The message of one delivery, signed if we sign."""
        delivery, person = row.NewsletterDelivery, row.User
        found = self._issues[delivery.issue_id]
        reader = reader_of(
            self._to, issue=found.NewsletterIssue, program=found.Program, user_id=person.id, name=person.name,
            partner_name=row.partner_name, delivery_id=delivery.id,
            link_code=self._codes[found.Program.id].get(delivery.partner_id),
        )  # fmt: skip
        mail = self._compiled[delivery.issue_id, person.locale or ""].for_reader(reader)
        letter = _letter(mail, self._headers[delivery.issue_id], delivery.id)
        letter["To"] = str(Address(addr_spec=person.email))  # refuses what is no address
        letter["Date"] = format_datetime(now)
        letter["Message-ID"] = f"<{delivery.id}@{_domain(self._to)}>"
        one_click = reader.stop_link.replace("/mail/", "/hooks/unsubscribe/", 1)
        letter["List-Unsubscribe"] = f"<{one_click}>"
        message = letter.as_bytes(policy=_POLICY)
        if self._dkim_key is None:
            return message
        return carrier.signed(message, domain=_domain(self._to), selector=self._to.dkim_selector, key=self._dkim_key)

    def _link_codes(self, session: Session, program_id: UUID, rows: Sequence[Any]) -> Mapping[UUID, str]:
        partner_ids = list({row.NewsletterDelivery.partner_id for row in rows})
        return queries.link_codes(session, program_id=program_id, partner_ids=partner_ids)

    def _compile(self, session: Session, issue_id: UUID, locale: str | None) -> None:
        key = (issue_id, locale or "")
        if key not in self._compiled:
            found = self._issues[issue_id]
            self._compiled[key] = compile_issue(
                session, issue=found.NewsletterIssue, program=found.Program, wanted=locale, base_url=self._to.base_url
            )


def _domain(to: Settings) -> str:
    return parseaddr(to.mail_from)[1].partition("@")[2]


def _headers(found: Any, to: Settings) -> dict[str, str]:
    """What is the same for every reader of an issue."""
    return {
        "From": formataddr((" ".join(found.Program.name.split()), parseaddr(to.mail_from)[1])),
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"<{found.NewsletterIssue.kind.value}.{found.Program.slug}.{_domain(to)}>",
    }


def _letter(mail: Mail, headers: Mapping[str, str], delivery_id: UUID) -> MIMEMultipart:
    # A boundary of our own, which base64 cannot hold: the library would search all text for one that is free.
    letter = MIMEMultipart("alternative", boundary=f"=_{delivery_id.hex}", policy=_POLICY)
    for name, value in headers.items():
        letter[name] = value
    letter["Subject"] = mail.subject if mail.subject.isascii() else Header(mail.subject, "utf-8").encode(linesep="\r\n")
    letter.attach(MIMEText(mail.text, "plain", "utf-8", policy=_POLICY))
    letter.attach(MIMEText(mail.html, "html", "utf-8", policy=_POLICY))
    return letter
