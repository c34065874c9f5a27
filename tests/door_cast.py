"""Pages that no link leads to: behind the addresses of mails, and what a partner or a manager makes first.

Called where this process reads the settings of an installation with its demo: the rows are written into its database.
"""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import clock, db, ids, settings
from affiliate.accounts import queries as accounts
from affiliate.accounts import stops
from affiliate.accounts.actors import Actor
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.roles import MemberRole
from affiliate.joining import service as joining
from affiliate.joining import tokens as applicants
from affiliate.joining.models import DraftState
from affiliate.joining.service import Origin
from affiliate.joining.tokens import Purpose
from affiliate.newsletters import audiences, prospects, tokens
from affiliate.newsletters.models import NewsletterIssue
from affiliate.newsletters.prospects import SignUp
from affiliate.newsletters.tokens import NO_DELIVERY, ReaderToken
from affiliate.notifications import chat_service
from affiliate.notifications import service as postbacks
from affiliate.notifications.chats import ChatEvent, ChatKind, Message
from affiliate.notifications.models import ChatDelivery, DeliveryStatus
from affiliate.partners import queries as partners
from affiliate.partners import team
from affiliate.partners.models import MemberInvitation
from affiliate.programs import queries as programs
from affiliate.programs import sender
from affiliate.programs.models import ProgramSender
from affiliate.relations import service as relations
from affiliate.relations.claims import Claim
from affiliate.relations.models import CaseKind
from affiliate.reports import combining, stopping
from affiliate.reports.asked import By
from affiliate.reports.periods import Period

NOWHERE_PUBLIC = "https://127.0.0.1/postback?cid={sub1}"


class Doors:
    """The ways in, for the first partner of the demo and its program."""

    def __init__(self, session: Session, *, slug: str, email: str) -> None:
        program, person = programs.program_by_slug(session, slug=slug), accounts.user_by_email(session, email=email)
        assert program is not None
        assert person is not None
        partner = partners.owned_partner(session, user_id=person.id)
        assert partner is not None
        self.session, self.program, self.person, self.partner = session, program, person, partner
        self.actor, self.now, self.secret = Actor("user", person.id), clock.now(), settings.current().secret_key
        self.mark = secrets.token_hex(4)

    def of_mails(self, language: str) -> Iterator[str]:
        """Addresses that stand in mails, and work signed out. Somebody who asked for news in a language is answered in it."""
        yield f"/mail/{tokens.write(self.secret, ReaderToken(self.person.id, self.program.id, NO_DELIVERY))}"
        stop = stops.address(settings.current(), user_id=self.person.id, kind=MailKind.DAY)
        yield f"/mails/{str(stop).rpartition('/')[2]}"
        yield f"/mail/report/{stopping.write(self.secret, ids.new())}"
        yield f"/p/{self.program.slug}/news"
        yield self._news(language)
        yield self._invitation()
        yield self._sender()
        yield from self._applications(language)

    def _news(self, language: str) -> str:
        typed = SignUp(f"news-{self.mark}@example.com", "Nora", language, "Yes, send me news.")
        prospects.sign_up(self.session, program=self.program, typed=typed, now=self.now)
        asked = audiences.prospect_by_email(self.session, program_id=self.program.id, email=typed.email)
        assert asked is not None
        return f"/news/{tokens.write_confirmation(self.secret, asked.id)}"

    def _invitation(self) -> str:
        token, email = secrets.token_urlsafe(32), f"sara-{self.mark}@example.com"
        row = MemberInvitation(id=ids.new(), partner_id=self.partner.id, email=email, role=MemberRole.FINANCE)
        row.token_hash, row.invited_by_id = team.hashed(token), self.person.id
        row.created_at, row.expires_at = self.now, self.now + timedelta(days=7)
        self.session.add(row)
        return f"/portal/join/{token}"

    def _sender(self) -> str:
        asked = ProgramSender(program_id=self.program.id, asked_address="news@casa-ondera.example", asked_at=self.now)
        asked.updated_at = self.now
        self.session.merge(asked)
        return f"/sender/{sender._token(self.secret, self.program.id, self.now)}"

    def _applications(self, language: str) -> Iterator[str]:
        """One that is begun, and one that waits for its mailbox, by both of its addresses."""
        for state in (DraftState.OPEN, DraftState.SENT):
            draft = joining.begin(
                self.session, program=self.program, origin=Origin(), user_id=None, locale=language, now=self.now
            )
            draft.state, draft.typed = state, {"name": ["Rosa Test"]}
            token = applicants.write(self.secret, Purpose.DRAFT, draft.id)
            if state is DraftState.OPEN:
                yield f"/apply/{self.program.slug}/draft/{token}"
                continue
            draft.who, draft.sent_at = {"email": f"rosa-{self.mark}@example.com", "name": "Rosa Test"}, self.now
            yield f"/apply/{self.program.slug}/status/{token}"
            yield f"/apply/{self.program.slug}/confirm/{applicants.write(self.secret, Purpose.MAILBOX, draft.id)}"

    def of_partner(self) -> Iterator[str]:
        """What a partner makes: a postback address with a call, a chat with a message, a combined report, a case."""
        portal = f"/portal/{self.program.slug}"
        postback = self._postback()
        yield f"{portal}/postbacks/{postback}"
        yield f"{portal}/postbacks/{postback}/change"
        yield f"{portal}/settings/chats/{self._chat(self.partner.id)}"
        yield f"{portal}/statistics/combined/{self._combined(self.partner.id)}"
        yield f"{portal}/cases/{self._case()}"

    def of_manager(self) -> Iterator[str]:
        """What a manager makes of these, and the case from the program's side."""
        console = f"/console/{self.program.slug}"
        yield f"{console}/settings/chats/{self._chat(None)}"
        yield f"{console}/performance/combined/{self._combined(None)}"
        yield f"{console}/cases/{self._case()}"
        yield f"{console}/settings/application-form/look"
        yield f"{console}/newsletters/{self._newsletter()}/preview"

    def _newsletter(self) -> str:
        mine = sa.select(NewsletterIssue.id).where(NewsletterIssue.program_id == self.program.id)
        return ids.public("nws", self.session.scalars(mine.order_by(NewsletterIssue.id.desc()).limit(1)).one())

    def _postback(self) -> str:
        """Switched off, so that the sales of other tests call nobody; its test is called all the same."""
        mine: dict[str, Any] = {"actor": self.actor, "now": self.now}
        address = postbacks.add(
            self.session, program=self.program, partner_id=self.partner.id, url=NOWHERE_PUBLIC,
            events=postbacks.CHOICES, is_signed=True, **mine,
        )  # fmt: skip
        postbacks.test(self.session, address=address, now=self.now)
        postbacks.switch_off(self.session, address=address, **mine)
        return ids.public("pba", address.id)

    def _chat(self, partner_id: UUID | None) -> str:
        """Switched off as well, with a message that was given up."""
        mine: dict[str, Any] = {"actor": self.actor, "now": self.now}
        hook = chat_service.add(
            self.session, program=self.program, kind=ChatKind.JSON, name=f"Kitchen {self.mark}", locale="en",
            url="https://chat.example/hook", events=[ChatEvent.LATE, MailKind.PAID], partner_id=partner_id, **mine,
        )  # fmt: skip
        chat_service.move(self.session, hook=hook, is_live=False, **mine)
        said = Message("A test", ["It arrives."], "https://chat.example/", "Look")
        row = chat_service._row(hook, self.program.slug, (ChatEvent.TEST, f"test:{self.mark}"), said, self.now)
        given_up = {"status": DeliveryStatus.GIVEN_UP, "attempts": 1, "error": "it took too long"}
        db.insert_new(self.session, ChatDelivery, [row | given_up])
        return ids.public("cht", hook.id)

    def _combined(self, partner_id: UUID | None) -> str:
        today = self.now.date()
        asked = combining.start(
            self.session, program_id=self.program.id, partner_id=partner_id, dimensions=(By.LINK, By.DEVICE),
            period=Period(today - timedelta(days=3), today, "UTC"), asked_by_id=self.person.id, now=self.now,
        )  # fmt: skip
        return ids.public("cmb", asked.id)

    def _case(self) -> str:
        claim = Claim(CaseKind.MISSING_SALE, "My sister ordered by my link.", order_id=f"CO-{secrets.token_hex(4)}")
        case = relations.open_case(
            self.session, program=self.program, partner_id=self.partner.id, claim=claim, actor=self.actor, now=self.now
        )
        return ids.public("cas", case.id)
