"""The demo program: made by the services that a real program uses, with the clock of its own story."""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import errors
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.accounts.models import GrantRole, User
from affiliate.attribution import service as attribution
from affiliate.commissions import service as commissions
from affiliate.commissions.models import PlanKind
from affiliate.demo import cast, story
from affiliate.ingest import service as ingest
from affiliate.links import service as links
from affiliate.links.models import Link
from affiliate.partners import service as partners
from affiliate.partners.models import EnrollmentStatus, MemberRole
from affiliate.payouts import service as payouts
from affiliate.programs import service as programs
from affiliate.programs.models import GoalMetric, Program
from affiliate.settings import Settings

_BATCH = 1_000
_PAYOUT_DAY = 25
_VALIDATION_DAYS = 14
_PAYOUT_MIN_MINOR = 25_00
_PASSWORD_ENVIRONMENT = "AFFILIATE_DEMO_PASSWORD"  # noqa: S105 - the name of a variable
_KEY_SCOPES = ("conversions:write", "conversions:read", "links:read", "partners:read", "payouts:read", "reports:read")


class DemoRefused(errors.Conflict):
    """The demo would stand beside real data, or where others can reach it."""


class Transaction(Protocol):
    """`db.transaction`: one writing transaction."""

    def __call__(self) -> AbstractContextManager[Session]:
        """Open it."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """Who acts in the story."""

    program_id: UUID
    manager: Actor
    finance: Actor
    links: Sequence[story.StoryLink]


def refuse_unless_safe(session: Session, settings: Settings) -> None:
    """The demo belongs on an empty database of a machine that only its owner reaches.

    Raises:
        DemoRefused: says which of the three does not hold.
    """
    if settings.env == "production":
        raise DemoRefused("The demo is not for production: its people and passwords are public.")
    if not settings.on_loopback:
        raise DemoRefused(
            f"The demo runs on this machine only, and HOST is {settings.host}. Set AFFILIATE_HOST to 127.0.0.1."
        )
    if session.scalar(sa.select(sa.exists().where(User.id.is_not(None)))) or has_programs(session):
        raise DemoRefused("This database is not empty: the demo is loaded into an empty one only.")


def has_programs(session: Session) -> bool:
    """Whether anybody has begun to use this database."""
    return bool(session.scalar(sa.select(sa.exists().where(Program.id.is_not(None)))))


def load(*, settings: Settings, transaction: Transaction, now: datetime) -> Path:
    """Make the demo program with ninety days of history and write `demo.json`, whose path is given back.

    The history goes in day by day, each in a transaction, through the services of the stages.

    Raises:
        DemoRefused: see `refuse_unless_safe`.
    """
    begun_at = now - timedelta(days=story.DAYS + 1)
    with transaction() as session:
        refuse_unless_safe(session, settings)
        password = os.environ.get(_PASSWORD_ENVIRONMENT) or secrets.token_urlsafe(12)
        stage, written = _set_up(session, settings=settings, password=password, now=begun_at)
    paid_months: set[tuple[int, int]] = set()
    for end, events in story.tell(program_id=stage.program_id, links=stage.links, until=now):
        with transaction() as session:
            _work_off(session, events=events, now=end)
            if end.day >= _PAYOUT_DAY and (end.year, end.month) not in paid_months and _pay(session, stage, now=end):
                paid_months.add((end.year, end.month))
    return _write(settings.data_dir / "demo.json", written)


def _work_off(session: Session, *, events: Sequence[Any], now: datetime) -> None:
    """One day through all stages, in the pipeline's order."""
    ingest.store_batch(session, events=events, now=now)
    _drain(attribution.attribute_waiting, session, clicks_until=now, now=now)
    _drain(commissions.commission_waiting, session, now=now)
    _drain(commissions.reverse_waiting, session, now=now)
    _drain(commissions.approve_due, session, now=now)


def _drain(step: Any, session: Session, **arguments: Any) -> None:
    while step(session, limit=_BATCH, **arguments):
        session.flush()


def _pay(session: Session, stage: _Stage, *, now: datetime) -> bool:
    """The monthly payout: proposed by the manager, approved and paid by finance. False when nobody is due yet."""
    try:
        run = payouts.propose(session, program_id=stage.program_id, actor=stage.manager, now=now)
    except payouts.NothingToPay:
        return False
    arguments = {"run_id": run.id, "program_id": stage.program_id, "actor": stage.finance}
    payouts.approve_run(session, **arguments, now=now + timedelta(hours=1))
    payouts.mark_paid(session, **arguments, now=now + timedelta(hours=26))
    return True


def _set_up(session: Session, *, settings: Settings, password: str, now: datetime) -> tuple[_Stage, dict[str, Any]]:
    staff = {
        person.role: accounts.create_user(
            session, email=person.email, name=person.name, password=password, locale=None, now=now
        )
        for person in cast.STAFF
    }
    actors = {role: Actor(kind="user", id=user.id) for role, user in staff.items()}
    program = _make_program(session, settings=settings, actor=actors["admin"], now=now)
    for role, user in staff.items():
        scope = None if role == "admin" else program.id
        accounts.grant(session, user_id=user.id, role=GrantRole(role), program_id=scope, actor=SYSTEM, now=now)
    _make_plan(session, program, actor=actors["manager"], now=now)
    _make_goal(session, program, owner_id=staff["manager"].id, actor=actors["manager"], now=now)
    programs.go_live(session, program_id=program.id, actor=actors["manager"], now=now)
    told = [
        entry
        for promoter in cast.PROMOTERS
        for entry in _make_partner(session, program, promoter, password=password, now=now)
    ]
    for applicant in cast.APPLICANTS:
        _make_applicant(session, program, applicant, now=now + timedelta(days=story.DAYS))
    key_fields = {"name": "Demo shop", "scopes": list(_KEY_SCOPES), "actor": actors["admin"]}
    _key, secret = accounts.create_api_key(session, program_id=program.id, **key_fields, now=now)
    stage = _Stage(program.id, actors["manager"], actors["finance"], told)
    return stage, _sheet(settings, links=told, session=session, password=password, api_key=secret)


def _make_program(session: Session, *, settings: Settings, actor: Actor, now: datetime) -> Program:
    return programs.create(
        session,
        slug=cast.PROGRAM_SLUG,
        name=cast.PROGRAM_NAME,
        currency=cast.CURRENCY,
        shop_url=f"{settings.base_url}/demo/shop/",
        allowed_hosts=_hosts(settings),
        time_zone="Europe/Rome",
        attribution_window_days=30,
        validation_days=_VALIDATION_DAYS,
        payout_min_minor=_PAYOUT_MIN_MINOR,
        mission=cast.MISSION,
        description=cast.DESCRIPTION,
        audience=cast.AUDIENCE,
        terms=cast.TERMS,
        actor=actor,
        now=now,
    )


def _hosts(settings: Settings) -> list[str]:
    """Where the demo shop answers: our own address, and the two names that a browser takes for two sites."""
    own = urlsplit(settings.base_url)
    port = f":{own.port}" if own.port else ""
    hosts = [own.netloc, f"localhost{port}", f"127.0.0.1{port}", f"www.shop.localhost{port}"]
    return list(dict.fromkeys(hosts))


def _make_plan(session: Session, program: Program, *, actor: Actor, now: datetime) -> None:
    halfway = now + timedelta(days=story.DAYS // 2)
    plans: tuple[tuple[str, int, datetime], ...] = (("Start", 8_00, now), ("Standard", 10_00, halfway))
    for name, rate_bps, effective_from in plans:
        commissions.create_plan(
            session,
            program_id=program.id,
            name=name,
            kind=PlanKind.PERCENT,
            rate_bps=rate_bps,
            effective_from=effective_from,
            actor=actor,
            now=now,
        )


def _make_goal(session: Session, program: Program, *, owner_id: UUID, actor: Actor, now: datetime) -> None:
    """A revenue goal that reaches a month beyond today."""
    starts_on: date = now.date()
    ends_on = starts_on + timedelta(days=story.DAYS + 30)
    programs.add_goal(
        session,
        program_id=program.id,
        metric=GoalMetric.REVENUE,
        target=45_000_00,
        starts_on=starts_on,
        ends_on=ends_on,
        owner_id=owner_id,
        actor=actor,
        now=now,
    )


def _make_partner(
    session: Session, program: Program, promoter: cast.Promoter, *, password: str, now: datetime
) -> list[story.StoryLink]:
    user = accounts.create_user(
        session, email=promoter.email, name=promoter.owner, password=password, locale=None, now=now
    )
    partner = partners.create_partner(
        session, name=promoter.name, website=promoter.website, country=promoter.country, now=now
    )
    partners.add_member(session, user_id=user.id, partner_id=partner.id, role=MemberRole.OWNER, now=now)
    partners.enroll(session, program_id=program.id, partner_id=partner.id, status=EnrollmentStatus.APPROVED, now=now)
    accounts.grant(session, user_id=user.id, role=GrantRole.PARTNER, program_id=program.id, actor=SYSTEM, now=now)
    coupon = cast.COUPON if promoter is cast.PROMOTERS[0] else None
    actor = Actor(kind="user", id=user.id)
    if coupon:
        links.create_coupon(session, program_id=program.id, partner_id=partner.id, code=coupon, actor=actor, now=now)
    made = []
    for code, name, path in promoter.links:
        landing_url = f"{program.shop_url}{path}"
        subs = {"sub1": promoter.subs[0]}
        link = links.create_link(
            session,
            program=program,
            partner_id=partner.id,
            landing_url=landing_url,
            name=name,
            subs=subs,
            code=code,
            actor=actor,
            now=now,
        )
        share = max(1, promoter.clicks_per_day // len(promoter.links))
        made.append(
            story.StoryLink(
                link.id, partner.id, landing_url, share, promoter.sale_bps, promoter.subs, promoter.website, coupon
            )
        )
    return made


def _make_applicant(session: Session, program: Program, applicant: cast.Promoter, *, now: datetime) -> None:
    user = accounts.create_user(
        session, email=applicant.email, name=applicant.owner, password=None, locale=None, now=now
    )
    partner = partners.create_partner(
        session, name=applicant.name, website=applicant.website, country=applicant.country, now=now
    )
    partners.add_member(session, user_id=user.id, partner_id=partner.id, role=MemberRole.OWNER, now=now)
    answers = {
        "channels": "Blog, newsletter",
        "reach": "4,200 readers a month",
        "why": "I cook with your pots and would like to write about them.",
    }
    partners.apply(session, program_id=program.id, user_id=user.id, partner_id=partner.id, answers=answers, now=now)


def _sheet(
    settings: Settings, *, links: Sequence[story.StoryLink], session: Session, password: str, api_key: str
) -> dict[str, Any]:
    rows = session.scalars(sa.select(Link).where(Link.id.in_([link.link_id for link in links]))).all()
    names = {promoter_link[0]: promoter.name for promoter in cast.PROMOTERS for promoter_link in promoter.links}
    people = [{"email": person.email, "password": password, "role": person.role} for person in cast.STAFF]
    people += [{"email": promoter.email, "password": password, "role": "partner"} for promoter in cast.PROMOTERS[:2]]
    return {
        "base_url": settings.base_url,
        "program": cast.PROGRAM_SLUG,
        "people": people,
        "links": [{"code": row.code, "partner": names[row.code]} for row in rows],
        "coupon": cast.COUPON,
        "api_key": api_key,
    }


def _write(path: Path, sheet: Mapping[str, Any]) -> Path:
    """The sheet with sign-ins and key, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(sheet, file, ensure_ascii=False, indent=2)
    return path
