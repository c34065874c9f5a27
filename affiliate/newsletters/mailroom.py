"""From rows to messages: an issue is compiled once per language, then filled in and addressed for each reader."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import ids, senders
from affiliate.creatives import queries as creatives
from affiliate.newsletters import content, letters, novelties, queries, rendering, segments, service, tokens
from affiliate.newsletters.content import Draft
from affiliate.newsletters.letters import Envelope
from affiliate.newsletters.models import NewsletterIssue
from affiliate.newsletters.rendering import Compiled, Reader, Sender
from affiliate.newsletters.tokens import ReaderToken
from affiliate.programs import addresses, sender
from affiliate.programs.models import Program
from affiliate.senders import Sender as MailSender
from affiliate.settings import Settings

if TYPE_CHECKING:
    from affiliate.newsletters.signatures import Signer

PREFIX = "nws"
"""Of the public id of an issue, which is also the label on the links that the issue hands out."""


def sender_of(program: Program) -> Sender:
    """Whose newsletter it is."""
    return Sender(program.name, program.shop_url)


def reader_of(
    to: Settings, *, issue: NewsletterIssue, program: Program, reader_id: UUID, name: str, partner_name: str,
    link_code: str | None, delivery_id: UUID = tokens.NO_DELIVERY, is_prospect: bool = False, tells: bool = False,
) -> Reader:  # fmt: skip
    """The values that one reader's mail is filled with. A prospect has no portal: its addresses lead to the program's pages.

    `tells`: the reader agreed that the program learns when the mail is opened.
    """
    token = tokens.write(to.secret_key, ReaderToken(reader_id, program.id, delivery_id, is_prospect))
    base = addresses.pages(program.own_host, to)
    portal = f"{base}/portal/{program.slug}"
    return Reader(
        name=name,
        partner_name=name if is_prospect else partner_name,
        link=f"{addresses.links(program.own_host, to)}/r/{link_code}" if link_code else None,
        portal_link=f"{base}/p/{program.slug}" if is_prospect else f"{portal}/",
        new_link=f"{base}/apply/{program.slug}" if is_prospect else f"{portal}/links/new",
        stop_link=f"{to.base_url}/mail/{token}",  # ours: it works when the program's host is long gone
        marker=ids.public(PREFIX, issue.id),
        picture=f"{base}/n/opened/{tokens.write_opening(to.secret_key, delivery_id)}" if tells else "",
    )


def as_sent(
    session: Session, *, issue: NewsletterIssue, program: Program, group: str | None = None, for_prospects: bool = False
) -> Draft:
    """What an issue says to partners of a group or to prospects, the same for every batch.

    Of its stories those with consent, and what was new in the library at its release.
    """
    draft = service.shown(service.draft_of(issue), queries.consents(session, issue_id=issue.id))
    return novelties.with_creatives(
        session, draft, program=program, at=_library_at(issue), group=group, for_prospects=for_prospects
    )


def addresses_in(session: Session, *, issue: NewsletterIssue, program: Program) -> list[str]:
    """The web addresses that an issue leads any of its readers to, each once."""
    groups = sorted(_groups_told(session, issue))
    here: dict[str, Any] = {"issue": issue, "program": program}
    drafts = [as_sent(session, **here, group=group) for group in (None, *groups)]
    if segments.read(issue.segment).prospects:
        drafts.append(as_sent(session, **here, for_prospects=True))
    return list(dict.fromkeys(address for draft in drafts for address in content.addresses(draft)))


def _library_at(issue: NewsletterIssue) -> datetime:
    return issue.release_at or issue.updated_at


def _groups_told(session: Session, issue: NewsletterIssue) -> set[str]:
    """The groups to which an issue says something else than to everybody."""
    if not novelties.has_list(service.draft_of(issue)):
        return set()
    return creatives.groups_with_new(session, program_id=issue.program_id, now=_library_at(issue))


def compile_issue(
    session: Session, *, issue: NewsletterIssue, program: Program, wanted: str | None, base_url: str = "",
    group: str | None = None, for_prospects: bool = False,
) -> Compiled:  # fmt: skip
    """An issue as a reader of this language and group gets it: only stories with consent, in one language throughout.

    With `base_url` its addresses lead through ours, which count.
    """
    links = queries.links_of(session, issue_id=issue.id) if base_url else ()
    counted = {link.url: f"{base_url}/n/{ids.public(PREFIX, issue.id)}/{link.code}" for link in links}
    draft = as_sent(session, issue=issue, program=program, group=group, for_prospects=for_prospects)
    language = content.language_for(draft, wanted)
    return rendering.compiled(
        draft, language=language, sender=sender_of(program), counted=counted, for_prospects=for_prospects
    )


class _Kind(NamedTuple):
    """What readers share who get the same words: issue, language, whether they are prospects, and a group with words of its own."""

    issue_id: UUID
    locale: str
    for_prospects: bool
    group: str | None


class Mailroom:
    """Everything that a batch of deliveries needs, read once."""

    def __init__(self, session: Session, rows: Sequence[Any], to: Settings, *, now: datetime) -> None:
        self._to = to
        issue_ids = list({row.NewsletterDelivery.issue_id for row in rows})
        found = queries.programs_and_issues(session, issue_ids=issue_ids)
        self._issues: Mapping[UUID, Any] = {row.NewsletterIssue.id: row for row in found}
        own = sender.of_programs(session, {row.Program.id for row in found})
        self._envelopes = {row.NewsletterIssue.id: _envelope(row, own[row.Program.id], to) for row in found}
        self._heads = {issue_id: envelope.head() for issue_id, envelope in self._envelopes.items()}
        self._compiled: dict[_Kind, Compiled] = {}
        self._groups = {row.NewsletterIssue.id: self._groups_of(session, row.NewsletterIssue, rows) for row in found}
        self._codes = {row.Program.id: self._link_codes(session, row.Program.id, rows, now) for row in found}
        for row in rows:
            self._compile(session, self._kind(row))
        self._signer = _signer(to) if to.dkim_key_file else None
        self.envelope_sender = to.bounce_address or parseaddr(to.mail_from)[1]

    def has_words_for(self, row: Any) -> bool:
        """Whether the mail of this delivery says anything; false if the last story in it lost its consent before it was read here."""
        return not self._compiled[self._kind(row)].is_empty

    def message(self, row: Any, *, now: datetime, may_ask: bool = True) -> bytes:
        """The message of one delivery, signed if we sign. `may_ask`: whether it asks a reader who agreed to tell of the opening.

        Raises:
            ValueError: the reader's address is none.
        """
        delivery = row.NewsletterDelivery
        found = self._issues[delivery.issue_id]
        reader = reader_of(
            self._to, issue=found.NewsletterIssue, program=found.Program, reader_id=row.reader_id, name=row.name,
            partner_name=row.partner_name, delivery_id=delivery.id, is_prospect=delivery.prospect_id is not None,
            link_code=self._codes[found.Program.id].get(delivery.partner_id),
            tells=may_ask and row.consent_id is not None,
        )  # fmt: skip
        message = letters.written(
            self._compiled[self._kind(row)].for_reader(reader), head=self._heads[delivery.issue_id],
            domain=self._envelopes[delivery.issue_id].domain, delivery_id=delivery.id, recipient=row.email,
            one_click=reader.stop_link.replace("/mail/", "/hooks/unsubscribe/", 1), now=now,
        )  # fmt: skip
        if self._signer is None:
            return message
        address = self._envelopes[delivery.issue_id].sender_address
        return self._signer.signed(message, domains=senders.signing_domains(self._to.mail_from, address), now=now)

    def _link_codes(self, session: Session, program_id: UUID, rows: Sequence[Any], now: datetime) -> Mapping[UUID, str]:
        partner_ids = {row.NewsletterDelivery.partner_id for row in rows} - {None}
        return queries.link_codes(session, program_id=program_id, partner_ids=list(partner_ids), now=now)

    def _groups_of(self, session: Session, issue: NewsletterIssue, rows: Sequence[Any]) -> Mapping[UUID, str]:
        """The groups of readers to which an issue says something of their own, by partner."""
        told = _groups_told(session, issue)
        partner_ids = {row.NewsletterDelivery.partner_id for row in rows} - {None} if told else set()
        if not partner_ids:
            return {}
        found = queries.groups_of(session, program_id=issue.program_id, partner_ids=list(partner_ids))
        return {partner_id: group for partner_id, group in found.items() if group in told}

    def _kind(self, row: Any) -> _Kind:
        delivery = row.NewsletterDelivery
        group = self._groups[delivery.issue_id].get(delivery.partner_id)
        return _Kind(delivery.issue_id, row.locale or "", delivery.prospect_id is not None, group)

    def _compile(self, session: Session, kind: _Kind) -> None:
        if kind in self._compiled:
            return
        found = self._issues[kind.issue_id]
        self._compiled[kind] = compile_issue(
            session, issue=found.NewsletterIssue, program=found.Program, wanted=kind.locale or None,
            base_url=addresses.pages(found.Program.own_host, self._to), for_prospects=kind.for_prospects, group=kind.group,
        )  # fmt: skip


def _signer(to: Settings) -> "Signer":
    from affiliate.newsletters.signatures import Signer  # here: few installations sign by themselves

    return Signer(selector=to.dkim_selector, pem=Path(to.dkim_key_file).read_bytes())


def _envelope(found: Any, own: MailSender, to: Settings) -> Envelope:
    list_id = f"{found.NewsletterIssue.kind.value}.{found.Program.slug}.{senders.domain_of(to.mail_from)}"
    return Envelope(own.name, own.address or parseaddr(to.mail_from)[1], list_id, own.reply_to)
