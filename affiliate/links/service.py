"""Every write on links and coupons. Takes session and now; never commits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.db import insert_new
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.links import codes, hosts, queries
from affiliate.links.models import Coupon, Link, LinkStatus
from affiliate.partners import queries as partners
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs import archive
from affiliate.programs.models import Program

LINKS_PER_PARTNER_MAX = 5_000
SUB_LENGTH_MAX = 255
SUB_NAMES = tuple(f"sub{number}" for number in range(1, 11))

_NAME_LENGTH_MAX = 120
_TRIES = 5  # of random codes: five collisions in a row do not happen by chance


class HostNotAllowed(Invalid):
    """The landing page is not an address of the shop; `problem` says why."""

    code = "host_not_allowed"

    def __init__(self, problem: hosts.LandingProblem, *, host: str | None, allowed_hosts: list[str]) -> None:
        self.problem, self.host, self.allowed_hosts = problem, host, allowed_hosts
        where = f"This address is at {host}. " if host else "This is not an address that every browser reads alike. "
        super().__init__({"landing_url": [f"{where}Links can point to {', '.join(allowed_hosts)} only."]})


class BadCode(Invalid):
    """A chosen code has the wrong shape or is a word of the system; `problem` says which."""

    code = "bad_code"

    def __init__(self, problem: codes.CodeProblem) -> None:
        self.problem = problem
        super().__init__(
            {"code": ["Use 3 to 40 letters, digits and hyphens, and no word that the system uses itself."]}
        )


class BadSubs(Invalid):
    """A sub id has an unknown name or is too long."""

    code = "bad_subs"

    def __init__(self) -> None:
        super().__init__({"subs": [f"Use sub1 to sub10, each up to {SUB_LENGTH_MAX} characters of text."]})


class NotYourCoupon(Invalid):
    """A link is posted with a coupon of its own partner, which is active; this one is not."""

    code = "not_your_coupon"

    def __init__(self) -> None:
        super().__init__({"coupon": ["This is not one of the partner's active coupons in this program."]})


class CodeTaken(Conflict):
    """Another link or coupon has this code."""

    code = "code_taken"


class PartnerNotActive(Conflict):
    """The partner is not an approved one of this program."""

    code = "partner_not_active"


class TooManyLinks(Conflict):
    """The partner has as many links as one may have; sub ids tell placements apart without a link each."""

    code = "too_many_links"


class NoSuchLink(NotFound):
    """There is no such link, or it is somebody else's."""


def create_link(
    session: Session,
    *,
    program: Program,
    partner_id: UUID,
    landing_url: str,
    name: str = "",
    subs: Mapping[str, str] | None = None,
    code: str | None = None,
    coupon: str | None = None,
    expires_at: datetime | None = None,
    actor: Actor,
    now: datetime,
) -> Link:
    """Make a link to an address of the shop, with a random code or the chosen one; `coupon` is the code of one posted with it.

    Raises:
        HostNotAllowed: the address is not one of the program's hosts, or browsers could read another host in it.
        BadCode, BadSubs, NotYourCoupon: a field is wrong. CodeTaken: the chosen code exists. PartnerNotActive, TooManyLinks: see there.
    """
    values = {
        "program_id": program.id,
        "partner_id": partner_id,
        "name": _cleaned(name),
        "landing_url": _checked_landing(landing_url, program),
        "subs": _checked_subs(subs or {}),
        "coupon_id": _coupon_id(session, coupon, program_id=program.id, partner_id=partner_id),
        "status": LinkStatus.ACTIVE,
        "expires_at": expires_at,
        "created_at": now,
        "updated_at": now,
    }
    _require_room(session, program_id=program.id, partner_id=partner_id)
    link_id = _insert_with_code(session, values, code=_checked_code(code), now=now)
    link = session.get_one(Link, link_id)
    _audit(session, link, "link.create", actor=actor, now=now)
    return link


def edit_link(
    session: Session,
    *,
    program: Program,
    partner_id: UUID,
    link_id: UUID,
    landing_url: str,
    name: str,
    subs: Mapping[str, str],
    coupon: str | None,
    expires_at: datetime | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Give a link another landing page, name, sub ids, coupon or end; its code stays, and so do the clicks that it has brought.

    From `expires_at` on its clicks do not count; null: it never ends.

    Raises:
        NoSuchLink: not of this partner in this program. HostNotAllowed, BadSubs, NotYourCoupon: as for a new link.
    """
    values: dict[str, Any] = {
        "landing_url": _checked_landing(landing_url, program),
        "name": _cleaned(name),
        "subs": _checked_subs(subs),
        "coupon_id": _coupon_id(session, coupon, program_id=program.id, partner_id=partner_id),
        "expires_at": expires_at,
    }
    mine = (Link.id == link_id, Link.program_id == program.id, Link.partner_id == partner_id)
    changed = sa.update(Link).where(*mine).values(updated_at=now, **values).returning(Link.id)
    if session.scalar(changed) is None:
        raise NoSuchLink("There is no such link.")
    link = session.get_one(Link, link_id, populate_existing=True)
    _audit(session, link, "link.edit", actor=actor, now=now)


def pause_link(
    session: Session, *, link_id: UUID, program_id: UUID, partner_id: UUID | None = None, actor: Actor, now: datetime
) -> None:
    """Stop counting clicks of a link; visitors are led on. Doing it twice changes nothing.

    Raises:
        NoSuchLink: not in this program, or not of `partner_id` when that is given.
    """
    _move(session, link_id, program_id, partner_id, to=LinkStatus.PAUSED, actor=actor, now=now)


def resume_link(
    session: Session, *, link_id: UUID, program_id: UUID, partner_id: UUID | None = None, actor: Actor, now: datetime
) -> None:
    """Count a paused link again.

    Raises:
        NoSuchLink: as above.
    """
    _move(session, link_id, program_id, partner_id, to=LinkStatus.ACTIVE, actor=actor, now=now)


def create_coupon(
    session: Session, *, program_id: UUID, partner_id: UUID, code: str, actor: Actor, now: datetime
) -> Coupon:
    """Bind a discount code of the shop to a partner: an order that uses it is a touch of that partner.

    Raises:
        BadCode: not a code. CodeTaken: it is bound already. PartnerNotActive: the partner is not approved here.
    """
    code = code.strip().upper()
    problem = codes.coupon_problem(code)
    if problem is not None:
        raise BadCode(problem)
    _require_active(session, program_id=program_id, partner_id=partner_id)
    values = {"id": ids.new_at(now), "program_id": program_id, "partner_id": partner_id, "code": code}
    inserted = insert_new(session, Coupon, [values | {"status": LinkStatus.ACTIVE, "created_at": now}])
    if not inserted:
        raise CodeTaken(f"The coupon {code} is bound to a partner already.")
    audit.record(
        session, actor=actor, action="coupon.create", subject_kind="coupon", subject_id=inserted[0], program_id=program_id,
        details={"code": code}, now=now,
    )  # fmt: skip
    return session.get_one(Coupon, inserted[0])


def _cleaned(name: str) -> str:
    return "".join(filter(str.isprintable, name)).strip()[:_NAME_LENGTH_MAX]


def _checked_landing(landing_url: str, program: Program) -> str:
    landing_url = hosts.completed(landing_url)
    problem = hosts.landing_problem(landing_url, program.allowed_hosts)
    if problem is not None:
        raise HostNotAllowed(problem, host=hosts.host_of(landing_url), allowed_hosts=list(program.allowed_hosts))
    return landing_url


def _checked_code(code: str | None) -> str | None:
    code = (code or "").strip().lower()
    problem = codes.code_problem(code) if code else None
    if problem is not None:
        raise BadCode(problem)
    return code or None


def _checked_subs(subs: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value.strip() for name, value in subs.items() if value.strip()}
    bad = (
        name not in SUB_NAMES or len(value) > SUB_LENGTH_MAX or not value.isprintable() for name, value in kept.items()
    )
    if any(bad):
        raise BadSubs
    return kept


def _coupon_id(session: Session, code: str | None, *, program_id: UUID, partner_id: UUID) -> UUID | None:
    code = (code or "").strip()
    if not code:
        return None
    found = queries.coupon_by_code(session, program_id=program_id, code=code)
    if found is None or found.partner_id != partner_id or found.status is not LinkStatus.ACTIVE:
        raise NotYourCoupon
    return found.id


def _require_active(session: Session, *, program_id: UUID, partner_id: UUID) -> None:
    archive.require_open(session, program_id=program_id)
    enrollment = partners.enrollment_of(session, program_id=program_id, partner_id=partner_id)
    if enrollment is None or enrollment.status is not EnrollmentStatus.APPROVED:
        raise PartnerNotActive("Links and coupons need an approved membership in this program.")


def _require_room(session: Session, *, program_id: UUID, partner_id: UUID) -> None:
    _require_active(session, program_id=program_id, partner_id=partner_id)
    if queries.link_count(session, program_id=program_id, partner_id=partner_id) >= LINKS_PER_PARTNER_MAX:
        raise TooManyLinks(f"There are {LINKS_PER_PARTNER_MAX} links already. Use sub ids to tell placements apart.")


def _insert_with_code(session: Session, values: dict[str, object], *, code: str | None, now: datetime) -> UUID:
    """Insert under the chosen code, or under random ones until one is free. The unique constraint decides, not a look before."""
    for _ in range(1 if code else _TRIES):
        row = {"id": ids.new_at(now), "code": code or codes.random_code(), **values}
        inserted: list[UUID] = insert_new(session, Link, [row])
        if inserted:
            return inserted[0]
    raise CodeTaken(f"The code {code} is taken. Choose another one." if code else "No free code was found.")


def _move(
    session: Session,
    link_id: UUID,
    program_id: UUID,
    partner_id: UUID | None,
    *,
    to: LinkStatus,
    actor: Actor,
    now: datetime,
) -> None:
    mine = [Link.id == link_id, Link.program_id == program_id]
    if partner_id is not None:
        mine.append(Link.partner_id == partner_id)
    changed = sa.update(Link).where(*mine, Link.status != to).values(status=to, updated_at=now).returning(Link.id)
    if session.scalar(changed) is None:
        if session.scalar(sa.select(Link.id).where(*mine)) is None:
            raise NoSuchLink("There is no such link.")
        return
    link = session.get_one(Link, link_id, populate_existing=True)
    _audit(session, link, "link.pause" if to is LinkStatus.PAUSED else "link.resume", actor=actor, now=now)


def _audit(session: Session, link: Link, action: str, *, actor: Actor, now: datetime) -> None:
    details = {"code": link.code, "landing_url": link.landing_url}
    audit.record(
        session, actor=actor, action=action, subject_kind="link", subject_id=link.id, program_id=link.program_id, details=details, now=now
    )  # fmt: skip
