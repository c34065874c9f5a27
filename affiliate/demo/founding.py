"""How the demo's program comes into being: people, program, plans, goal, partners with links, applicants, and a key for its shop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from schwifty import IBAN
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.accounts.models import GrantRole
from affiliate.accounts.roles import MemberRole
from affiliate.commissions import plans as plan_service
from affiliate.commissions import terms
from affiliate.demo import cast, story, taxes, telling
from affiliate.joining import questions
from affiliate.links import service as links
from affiliate.partners import applying
from affiliate.partners import service as partners
from affiliate.partners.applying import Sent
from affiliate.partners.models import EnrollmentStatus
from affiliate.payouts import details as payouts
from affiliate.payouts.methods import MethodKind
from affiliate.payouts.schedule import Cadence
from affiliate.payouts.vault import Vault, vault_of
from affiliate.programs import service as programs
from affiliate.programs.models import GoalMetric, Program
from affiliate.settings import Settings

VALIDATION_DAYS = 14
PAYOUT_MIN_MINOR = 25_00
_WINDOW_DAYS = 30
_GOAL_MINOR = 45_000_00
_KEY_SCOPES = ("conversions:write", "conversions:read", "links:read", "partners:read", "payouts:read", "reports:read")


@dataclass(frozen=True, slots=True)
class Founded:
    """What the story goes on with: the program, who acts in it, its links, and the secret of the shop's key."""

    program_id: UUID
    manager: Actor
    finance: Actor
    links: Sequence[story.StoryLink]
    api_key: str


def found(session: Session, *, settings: Settings, password: str, now: datetime) -> Founded:
    """Make everything that stands before the first click."""
    staff = {
        person.role: accounts.create_user(session, email=person.email, name=person.name, password=password, now=now)
        for person in cast.STAFF
    }
    actors = {role: Actor(kind="user", id=user.id) for role, user in staff.items()}
    program = _program(session, settings=settings, actor=actors["admin"], now=now)
    for role, user in staff.items():
        scope = None if role == "admin" else program.id
        accounts.grant(session, user_id=user.id, role=GrantRole(role), program_id=scope, actor=SYSTEM, now=now)
    _deputy(session, program, password=password, now=now)
    _plans(session, program, actor=actors["manager"], now=now)
    telling.tell(session, program=program, actor=actors["manager"], now=now)
    _goal(session, program, owner_id=staff["manager"].id, actor=actors["manager"], now=now)
    programs.go_live(session, program_id=program.id, actor=actors["manager"], now=now)
    vault = vault_of(settings)
    _treasury(session, program, vault=vault, actor=actors["admin"], now=now)
    taxes.prepare(session, program, actor=actors["finance"], now=now)
    told = [
        link
        for promoter in cast.PROMOTERS
        for link in _partner(session, program, promoter, vault=vault, password=password, now=now)
    ]
    _key, secret = accounts.create_api_key(
        session, program_id=program.id, name="Demo shop", scopes=_KEY_SCOPES, actor=actors["admin"], now=now
    )
    return Founded(program.id, actors["manager"], actors["finance"], told, secret)


def _deputy(session: Session, program: Program, *, password: str, now: datetime) -> None:
    person = cast.DEPUTY
    user = accounts.create_user(session, email=person.email, name=person.name, password=password, now=now)
    accounts.grant(session, user_id=user.id, role=GrantRole(person.role), program_id=program.id, actor=SYSTEM, now=now)


def _program(session: Session, *, settings: Settings, actor: Actor, now: datetime) -> Program:
    return programs.create(
        session,
        slug=cast.PROGRAM_SLUG,
        name=cast.PROGRAM_NAME,
        currency=cast.CURRENCY,
        shop_url=f"{settings.base_url}/demo/shop/",
        allowed_hosts=_hosts(settings),
        time_zone="Europe/Rome",
        attribution_window_days=_WINDOW_DAYS,
        validation_days=VALIDATION_DAYS,
        payout_min_minor=PAYOUT_MIN_MINOR,
        mission=cast.MISSION,
        description=cast.DESCRIPTION,
        audience=cast.AUDIENCE,
        terms=cast.TERMS,
        actor=actor,
        now=now,
    )


def _hosts(settings: Settings) -> list[str]:
    """Where the demo shop answers: our own address, and the name under which a browser takes it for a site of its own."""
    own = urlsplit(settings.base_url)
    port = f":{own.port}" if own.port else ""
    hosts = [own.netloc, f"localhost{port}", f"127.0.0.1{port}", f"www.shop.localhost{port}"]
    return list(dict.fromkeys(hosts))


def _plans(session: Session, program: Program, *, actor: Actor, now: datetime) -> None:
    """Eight percent to begin with, ten from the middle of the story on."""
    halfway = now + timedelta(days=story.DAYS // 2)
    plans: tuple[tuple[str, int, datetime], ...] = (("Start", 8_00, now), ("Standard", 10_00, halfway))
    for name, rate_bps, effective_from in plans:
        plan_service.create_plan(
            session,
            program_id=program.id,
            name=name,
            terms=terms.simple(rate_bps=rate_bps),
            effective_from=effective_from,
            actor=actor,
            now=now,
        )


def _goal(session: Session, program: Program, *, owner_id: UUID, actor: Actor, now: datetime) -> None:
    """A revenue goal that reaches a month beyond the story."""
    programs.add_goal(
        session,
        program_id=program.id,
        metric=GoalMetric.REVENUE,
        target=_GOAL_MINOR,
        starts_on=now.date(),
        ends_on=now.date() + timedelta(days=story.DAYS + 30),
        owner_id=owner_id,
        actor=actor,
        now=now,
    )


def _treasury(session: Session, program: Program, *, vault: Vault, actor: Actor, now: datetime) -> None:
    """The program pays once a month from its bank account."""
    facts: dict[str, Any] = {"cadence": Cadence.MONTHLY, "net_days": 0, "is_one_person": False}
    facts |= {"payer_name": cast.PROGRAM_NAME, "payer_account": cast.ACCOUNTS["IT"]}
    payouts.set_policy(session, program_id=program.id, vault=vault, actor=actor, now=now, **facts)


def _partner(
    session: Session, program: Program, promoter: cast.Promoter, *, vault: Vault, password: str, now: datetime
) -> list[story.StoryLink]:
    user_id, partner_id = _somebody(session, promoter, password=password, now=now)
    partners.enroll(session, program_id=program.id, partner_id=partner_id, status=EnrollmentStatus.APPROVED, now=now)
    accounts.grant(session, user_id=user_id, role=GrantRole.PARTNER, program_id=program.id, actor=SYSTEM, now=now)
    actor = Actor(kind="user", id=user_id)
    bank = {"holder": promoter.owner, "account": _account(promoter)}
    payouts.enter_method(
        session,
        program=program,
        partner_id=partner_id,
        kind=MethodKind.BANK,
        typed=bank,
        vault=vault,
        actor=actor,
        now=now,
    )
    taxes.enter_profile(session, program, email=promoter.email, partner_id=partner_id, actor=actor, now=now)
    if promoter.coupon:
        links.create_coupon(
            session, program_id=program.id, partner_id=partner_id, code=promoter.coupon, actor=actor, now=now
        )
    values: dict[str, Any] = {
        "program": program,
        "partner_id": partner_id,
        "promoter": promoter,
        "actor": actor,
        "now": now,
    }
    return [_link(session, link=link, **values) for link in promoter.links]


def _account(promoter: cast.Promoter) -> str:
    """An account of the promoter's own: two partners with one account are taken for one person."""
    example = IBAN(cast.ACCOUNTS[promoter.country])
    digits = int("".join(filter(str.isdigit, example.account_code))) + 1 + cast.PROMOTERS.index(promoter)
    parts = {"bank_code": example.bank_code, "branch_code": example.branch_code, "account_code": str(digits)}
    return str(IBAN.generate(promoter.country, **parts))


def _somebody(session: Session, promoter: cast.Promoter, *, password: str | None, now: datetime) -> tuple[UUID, UUID]:
    """A person and the partner that is theirs."""
    user = accounts.create_user(session, email=promoter.email, name=promoter.owner, password=password, now=now)
    partner = partners.create_partner(
        session, name=promoter.name, website=promoter.website, country=promoter.country, now=now
    )
    partners.add_member(session, user_id=user.id, partner_id=partner.id, role=MemberRole.OWNER, now=now)
    return user.id, partner.id


def _link(
    session: Session,
    *,
    link: tuple[str, str, str],
    program: Program,
    partner_id: UUID,
    promoter: cast.Promoter,
    actor: Actor,
    now: datetime,
) -> story.StoryLink:
    code, name, path = link
    landing_url = f"{program.shop_url}{path}"
    made = links.create_link(
        session,
        program=program,
        partner_id=partner_id,
        landing_url=landing_url,
        name=name,
        subs={"sub1": promoter.subs[0]},
        code=code,
        coupon=promoter.coupon if link == promoter.links[0] else None,
        actor=actor,
        now=now,
    )
    return story.StoryLink(
        link_id=made.id,
        partner_id=partner_id,
        landing_url=landing_url,
        clicks_per_day=max(1, promoter.clicks_per_day // len(promoter.links)),
        sale_bps=promoter.sale_bps,
        subs=promoter.subs,
        referrer=promoter.website,
        coupon=promoter.coupon,
    )


def receive_applications(session: Session, *, program_id: UUID, now: datetime) -> None:
    """Two more who would like to join, for a manager to decide."""
    for applicant, answers in cast.APPLICANTS:
        user_id, partner_id = _somebody(session, applicant, password=None, now=now)
        sent = Sent(ids.new_at(now), now, questions.to_documents(q for q in questions.STANDARD if q.is_asked))
        applying.apply(
            session, program_id=program_id, user_id=user_id, partner_id=partner_id, answers=answers, sent=sent, now=now
        )


def sheet(founded: Founded, *, settings: Settings, password: str) -> dict[str, Any]:
    """What `demo.json` says; DESIGN.md section 6 is its contract."""
    partners_shown = cast.PROMOTERS[:2]
    people = [{"email": person.email, "password": password, "role": person.role} for person in cast.STAFF]
    people += [{"email": promoter.email, "password": password, "role": "partner"} for promoter in partners_shown]
    codes = [
        {"code": code, "partner": promoter.name} for promoter in cast.PROMOTERS for code, _name, _path in promoter.links
    ]
    return {
        "base_url": settings.base_url,
        "program": cast.PROGRAM_SLUG,
        "people": people,
        "links": codes,
        "coupon": cast.COUPON,
        "api_key": founded.api_key,
    }
