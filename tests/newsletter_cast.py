"""The cast of the tests of newsletters: issues that are ready, readers, and what stands in the tables."""

from datetime import datetime
from typing import Any

import factories
import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import User
from affiliate.newsletters import jobs, service
from affiliate.newsletters.content import Block, BlockKind, Draft, IssueKind
from affiliate.newsletters.models import DeliveryStatus, NewsletterDelivery, NewsletterIssue
from affiliate.newsletters.segments import Segment
from affiliate.partners.models import Partner
from affiliate.programs.models import Program
from affiliate.relations.care_models import PartnerSegment

LETTER = "Dear {first_name} of {partner_name}, here is [your link]({my_link})."


def make_reader(
    session: Session, *, program: Program, name: str = "Alice Example", **fields: Any
) -> tuple[User, Partner]:
    """A person with a partner of its own in the program."""
    person = factories.make_user(
        session, name=name, email=f"{name.split(maxsplit=1)[0].lower()}@example.test", **fields
    )
    return person, factories.make_partner(
        session, program=program, user=person, name=f"{name.split(maxsplit=1)[0]}'s kitchen"
    )


def a_draft(subject: str = "News for {first_name}", body: str = LETTER, *blocks: Block) -> Draft:
    """An issue in English with one block of text and whatever else is given."""
    texts = {"en": {"subject": subject, "preheader": "What is new"}}
    return Draft("en", texts, [Block("first", BlockKind.TEXT, {"en": {"body": body}}), *blocks])


def make_issue(
    session: Session, *, program: Program, now: datetime, draft: Draft | None = None, segment: Segment | None = None,
    kind: IssueKind = IssueKind.NEWS,
) -> NewsletterIssue:  # fmt: skip
    """A draft that can be sent."""
    made = service.create_issue(session, program_id=program.id, kind=kind, language="en", actor=SYSTEM, now=now)
    service.save(
        session, issue_id=made.id, program_id=program.id, draft=draft or a_draft(), segment=segment or Segment(),
        kind=kind, in_archive=True, seen_version=1, now=now,
    )  # fmt: skip
    return service.found(session, issue_id=made.id, program_id=program.id)


def make_choice(session: Session, *, program: Program, now: datetime, **filters: str) -> str:
    """A saved choice of partners; gives its id, as a segment names it."""
    saved = PartnerSegment(id=ids.new_at(now), program_id=program.id, name="Kept", filters=filters, created_at=now)
    session.add(saved)
    session.flush()
    return str(saved.id)


def order(session: Session, issue: NewsletterIssue, *, now: datetime, **when: Any) -> NewsletterIssue:
    """Order the sending of an issue: in ten minutes, without quiet hours, unless said otherwise."""
    values: dict[str, Any] = {"send_at": None, "send_wall": None, "keeps_quiet_hours": False} | when
    return service.schedule(
        session,
        issue_id=issue.id,
        program_id=issue.program_id,
        **values,
        seen_version=issue.version,
        actor=SYSTEM,
        now=now,
    )


def deliveries(issue: NewsletterIssue) -> dict[str, NewsletterDelivery]:
    """The deliveries of an issue as they stand, by address."""
    with db.reading() as session:
        found = sa.select(User.email, NewsletterDelivery).join(
            NewsletterDelivery, NewsletterDelivery.user_id == User.id
        )
        return {
            row.email: row.NewsletterDelivery
            for row in session.execute(found.where(NewsletterDelivery.issue_id == issue.id))
        }


def statuses(issue: NewsletterIssue) -> dict[str, DeliveryStatus]:
    """Where the deliveries of an issue stand, by address."""
    return {email: delivery.status for email, delivery in deliveries(issue).items()}


def issue_now(issue: NewsletterIssue) -> NewsletterIssue:
    """The issue as it stands."""
    with db.reading() as session:
        return session.get_one(NewsletterIssue, issue.id)


def work() -> None:
    """What the worker does until nothing is left to do now."""
    jobs.release()
    while jobs.send():
        pass
