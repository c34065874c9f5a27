"""The newsletters of the demo: one that went out ten days ago, and one that is being written."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.newsletters import delivering, openings, queries, service
from affiliate.newsletters.carrier import Answer, Verdict
from affiliate.newsletters.content import Block, BlockKind, Draft, IssueKind
from affiliate.newsletters.models import NewsletterIssue
from affiliate.newsletters.segments import Segment

_SENT_AGO = timedelta(days=10)
_READERS_MAX = 1_000
_AGREED = "Tell the program when I open its newsletters"
_AUTUMN = Draft(
    "en",
    {
        "en": {"subject": "{first_name}, the autumn pans are here", "preheader": "And a link to each of them"},
        "it": {"subject": "{first_name}, sono arrivate le padelle d'autunno", "preheader": "E un link per ognuna"},
    },
    [
        Block("hello", BlockKind.TEXT, {
            "en": {"body": "Dear {first_name},\n\nthe **new cast iron** is in the shop. Your readers ask for it from October on."},
            "it": {"body": "Cara lettrice, caro lettore,\n\nla **nuova ghisa** è in negozio. Da ottobre la cercano tutti."},
        }),
        Block("offer", BlockKind.OFFER, {
            "en": {"title": "Link to the very pan", "body": "A link to one product sells more than one to the front page."},
            "it": {"title": "Un link alla padella giusta", "body": "Il link a un prodotto vende più di quello alla prima pagina."},
        }),
    ],
)  # fmt: skip
_ADVENT = Draft(
    "en",
    {"en": {"subject": "What to cook with in Advent", "preheader": ""}},
    [Block("hello", BlockKind.TEXT, {"en": {"body": "Dear {first_name},\n\nAdvent starts next week."}})],
)


def write(session: Session, *, program_id: UUID, manager: Actor, now: datetime) -> None:
    """Both newsletters; the older one with a delivery to each partner, as if a mail server had taken it.

    Every other reader has agreed to tell of openings, and most of these have opened it.
    """
    sent_at = now - _SENT_AGO
    issue = _draft(session, _AUTUMN, program_id=program_id, manager=manager, now=sent_at)
    service.schedule(
        session, issue_id=issue.id, program_id=program_id, send_at=None, send_wall=None, keeps_quiet_hours=False,
        seen_version=issue.version, actor=manager, now=sent_at,
    )  # fmt: skip
    due_at = sent_at + timedelta(minutes=10)
    while delivering.release(
        session, issue=service.found(session, issue_id=issue.id, program_id=program_id), now=due_at
    ):
        session.flush()
    for row in queries.due(session, limit=_READERS_MAX, now=due_at)[::2]:
        openings.agree(
            session, user_id=row.reader_id, program_id=program_id, consent_text=_AGREED, source="account", now=sent_at
        )
    for number, row in enumerate(queries.due(session, limit=_READERS_MAX, now=due_at)):
        delivery = row.NewsletterDelivery
        delivering.claim(session, delivery=delivery, now=due_at)
        if openings.expect(session, delivery_id=delivery.id, consent_id=row.consent_id) and number % 3:
            openings.record(session, delivery_id=delivery.id)
        delivering.settle(session, delivery=delivery, answer=Answer(Verdict.TAKEN), claimed_at=due_at, now=due_at)
    delivering.tidy(session, now=due_at)
    _draft(session, _ADVENT, program_id=program_id, manager=manager, now=now - timedelta(hours=2))


def _draft(session: Session, draft: Draft, *, program_id: UUID, manager: Actor, now: datetime) -> NewsletterIssue:
    made = service.create_issue(
        session, program_id=program_id, kind=IssueKind.NEWS, language="en", actor=manager, now=now
    )
    service.save(
        session, issue_id=made.id, program_id=program_id, draft=draft, segment=Segment(), kind=IssueKind.NEWS,
        in_archive=True, seen_version=made.version, now=now,
    )  # fmt: skip
    return service.found(session, issue_id=made.id, program_id=program_id)
