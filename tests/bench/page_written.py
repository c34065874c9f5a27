"""What managers of a site of pages have written: material, letters, campaigns, goals, notes, reports; and what they tried.

A few of each, whatever the size of the program, so made as the product makes them.
"""

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.attribution.policy import Policy
from affiliate.attribution.touches import Step
from affiliate.commissions import jobs as commissions
from affiliate.commissions import simulating
from affiliate.creatives.kinds import CreativeKind
from affiliate.newsletters.models import IssueStatus, NewsletterIssue, NewsletterLink
from affiliate.programs import service as programs
from affiliate.programs.models import GoalMetric, Program
from affiliate.replay import jobs as replays
from affiliate.replay import service as replay
from affiliate.reports import campaigning, margins, remarks
from affiliate.reports.campaign_facts import WHOLE, Parts
from affiliate.reports.campaigning import Draft
from affiliate.reports.models import SavedReport
from affiliate.steering import service as steering
from affiliate.steering.thresholds import Side

sys.path.insert(0, str(Path(__file__).parent.parent))  # the helpers of the tests

import creative_cast
import factories
import newsletter_cast

CAMPAIGNS, GOALS, ISSUES, NOTES, REPORTS = 20, 8, 50, 30, 10
_KINDS = (CreativeKind.BANNER, CreativeKind.TEXT, CreativeKind.POST, CreativeKind.HTML)
_WATCHED = ("clicks_valid", "conversions", "conversion_rate", "revenue", "roi")
_DELIVERED = """INSERT INTO newsletter_deliveries (id, issue_id, user_id, partner_id, status, attempts, due_at, claimed_at, settled_at)
    SELECT pg_temp.of(member.partner_id, 'issue' || issue.n), issue.id, member.user_id, member.partner_id, 'sent', 1, :at, :at, :at
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM newsletter_issues WHERE program_id = :program) AS issue,
        (SELECT user_id, partner_id, row_number() OVER (ORDER BY partner_id) AS n FROM members) AS member
    WHERE (member.n + issue.n) % 10 = 1"""


def make_creatives(session: Session, *, program: Program, number: int, now: datetime) -> list[UUID]:
    """So many pieces of material of several kinds, of a month ago."""
    since = now - timedelta(days=60)
    return [
        creative_cast.make_creative(
            session, program=program, kind=_KINDS[place % len(_KINDS)], now=since, title=f"Pan {place}"
        ).id
        for place in range(number)
    ]


def make_issues(session: Session, *, program: Program, now: datetime) -> UUID:
    """Newsletters, the last of them a draft and all others sent, each to every tenth person; gives one that was sent."""
    made = [newsletter_cast.make_issue(session, program=program, now=now - timedelta(days=ISSUES - place)) for place in range(ISSUES)]  # fmt: skip
    for issue in made[:-1]:
        at = issue.created_at
        sent = {"status": IssueStatus.SENT, "release_at": at, "released_at": at, "finished_at": at}
        session.execute(sa.update(NewsletterIssue).where(NewsletterIssue.id == issue.id).values(sent))
        session.add(NewsletterLink(issue_id=issue.id, code="shop", url=program.shop_url, clicks=12))
    session.flush()
    return made[0].id


def deliver(session: Session, *, program_id: UUID, now: datetime) -> None:
    """The letters of all newsletters, each to every tenth person of the partners."""
    session.execute(sa.text(_DELIVERED), {"program": program_id, "at": now - timedelta(days=1)})


def write_down(
    session: Session, *, program: Program, user_id: UUID, partners: Sequence[UUID], links: Sequence[UUID], now: datetime
) -> UUID:  # fmt: skip
    """Campaigns of the whole program, of partners and of links; goals, watches, notes, margins and kept reports; gives a campaign."""
    own: dict[str, Any] = {"program_id": program.id}
    who: dict[str, Any] = {"actor": SYSTEM, "now": now}
    today = now.date()
    for place, metric in zip(range(GOALS), GoalMetric, strict=False):
        programs.add_goal(session, **own, metric=metric, target=5_000, starts_on=today - timedelta(days=20 + place), ends_on=today + timedelta(days=10), **who)  # fmt: skip
    for key in _WATCHED:
        steering.add_watch(session, **own, key=key, side=Side.BELOW, threshold=100, look_back_days=7, volume_min=10, **who)  # fmt: skip
    for place in range(NOTES):
        remarks.note(session, **own, day=today - timedelta(days=place), text=f"What happened on day {place}", **who)
    margins.set_margins(session, **own, margins={f"G{place}": 4_000 for place in range(12)}, **who)
    for place in range(REPORTS):
        asked: dict[str, Any] = {"by": ("partner", "day", "country", "product")[place % 4]}
        session.add(SavedReport(id=ids.new_at(now), **own, user_id=user_id, name=f"Report {place}", arguments=asked, time_zone="Europe/Rome", created_at=now))  # fmt: skip
    begun = [
        campaigning.begin(session, **own, currency="EUR", draft=_campaign(place, partners, links, now), **who).id
        for place in range(CAMPAIGNS)
    ]
    session.flush()
    return begun[1]


def _campaign(place: int, partners: Sequence[UUID], links: Sequence[UUID], now: datetime) -> Draft:
    several = slice(place, place + 5)
    parts = (WHOLE, Parts(partners=frozenset(partners[several])), Parts(links=frozenset(links[several])))[place % 3]
    first = now.date() - timedelta(days=2 * place + 10)
    return Draft(f"Campaign {place}", "Pans for the spring", first, first + timedelta(days=9), 100_00, parts)


def try_out(program: Program, *, now: datetime) -> tuple[UUID, UUID]:
    """A replay of yesterday's orders under a policy by which coupons alone count, and a simulation of a better plan for them, both done."""
    days = {"starts_at": now - timedelta(days=2), "ends_at": now - timedelta(days=1)}
    who: dict[str, Any] = {"actor": SYSTEM, "now": now}
    with db.transaction() as session:
        policy = Policy(version=1, ladder=(Step.COUPON,))
        replay_id = replay.start(session, program_id=program.id, policy=policy, **days, **who).id
        plan = factories.make_plan(session, program=program, name="Better", rate_bps=12_00, effective_from=None, published_at=None)  # fmt: skip
        simulation_id = simulating.start(session, plan=plan, **days, **who).id
    for work in (replays.advance, commissions.simulate):
        while work():
            pass
    return replay_id, simulation_id
