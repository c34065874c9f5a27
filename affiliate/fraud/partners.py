"""Who the credited partners are: their people's mailboxes and websites, and which other partners of the program share them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate import db
from affiliate.accounts.models import User
from affiliate.fraud import identity
from affiliate.fraud.facts import PartnerFacts
from affiliate.partners.models import Enrollment, EnrollmentStatus, MarkKind, Member, Partner, PartnerMark

TWINS_MAX = 20_000
"""How many people or partners of a program are compared at most. Beyond it a twin may be missed, never invented."""

_HEAD_LENGTH = 2
_MAIL, _WEBSITE = "mail", "website"
_Alike = sa.Select[*tuple[Any, ...]]
"""Rows of kind, the partner itself where it is known, the other one, and what is compared."""
_STOPPED = frozenset({EnrollmentStatus.REJECTED, EnrollmentStatus.PAUSED, EnrollmentStatus.BANNED})
Enrolled = tuple[UUID, UUID]
"""A program and a partner."""


@dataclass(slots=True)
class Twins:
    """Other partners, in whatever program, that share something with one."""

    by_mail: set[UUID] = field(default_factory=set)
    by_website: set[UUID] = field(default_factory=set)
    by_account: set[UUID] = field(default_factory=set)
    by_vat_id: set[UUID] = field(default_factory=set)

    @property
    def everybody(self) -> set[UUID]:
        """All of them."""
        return self.by_mail | self.by_website | self.by_account | self.by_vat_id

    @property
    def proven(self) -> set[UUID]:
        """Those whose money goes the same way: there is one purse behind both."""
        return self.by_account | self.by_vat_id


def mails_of(session: Session, *, partner_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """The addresses of the people of each partner. They are compared and counted, and go no further."""
    if not partner_ids:
        return {}
    of_partners = db.among(session, Member.partner_id, partner_ids)
    rows = session.execute(
        sa.select(Member.partner_id, User.email).join(User, User.id == Member.user_id).where(of_partners)
    )
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for partner_id, email in rows:
        found[partner_id].append(email)
    return found


def websites_of(session: Session, *, partner_ids: Collection[UUID]) -> dict[UUID, str | None]:
    """The website of each partner."""
    named = sa.select(Partner.id, Partner.website).where(db.among(session, Partner.id, partner_ids))
    return {row[0]: row[1] for row in session.execute(named)}


def twins_of(
    session: Session, *, mails: Mapping[UUID, list[str]], websites: Mapping[UUID, str | None]
) -> dict[UUID, Twins]:
    """Which other partners share a mailbox, a website, an account or a VAT id with each of these."""
    twins: dict[UUID, Twins] = {partner_id: Twins() for partner_id in websites}
    if not twins:
        return twins
    by_mail, by_website = _by_mail(mails), _by_website(websites)
    asked = [_mark_twins(session, websites.keys())]
    asked += [_mail_twins(by_mail)] if by_mail else []
    asked += [_website_twins(by_website)] if by_website else []
    # Each with its own limit, and so below the union: of the three only some can be there, and they cost one trip.
    for kind, mine, other, text in session.execute(sa.union_all(*(sa.select(each.subquery()) for each in asked))):
        if kind == _MAIL:
            for partner_id, own in by_mail.get(identity.mail_key(text), ()):
                if other != partner_id and text != own:
                    twins[partner_id].by_mail.add(other)
        elif kind == _WEBSITE:
            for partner_id in by_website.get(identity.website_key(text), ()):
                if other != partner_id:
                    twins[partner_id].by_website.add(other)
        else:
            (twins[mine].by_account if kind == MarkKind.ACCOUNT else twins[mine].by_vat_id).add(other)
    return twins


def facts_of(
    session: Session,
    *,
    enrolled: Collection[Enrolled],
    mails: Mapping[UUID, list[str]],
    websites: Mapping[UUID, str | None],
    twins: Mapping[UUID, Twins],
) -> dict[Enrolled, PartnerFacts]:
    """What the rules want to know of each partner in its program."""
    standings = _standings(session, enrolled)
    others = {other for one in twins.values() for other in one.everybody}
    standings |= _standings_of(session, {program_id for program_id, _ in enrolled}, others)
    return {one: _facts(one, websites[one[1]], mails.get(one[1], []), twins[one[1]], standings) for one in enrolled}


def _facts(
    one: Enrolled,
    website: str | None,
    mails: list[str],
    twins: Twins,
    standings: Mapping[Enrolled, EnrollmentStatus],
) -> PartnerFacts:
    program_id, _ = one
    there = {other for other in twins.everybody if (program_id, other) in standings}
    return PartnerFacts(
        website_host=identity.host_of(website),
        people=len(mails),
        disposable_mails=sum(map(identity.is_disposable, mails)),
        twins_by_mail=len(there & twins.by_mail),
        twins_by_website=len(there & twins.by_website),
        twins_by_account=len(there & twins.by_account),
        twins_by_vat_id=len(there & twins.by_vat_id),
        twins_stopped=sum(1 for other in there if standings[program_id, other] in _STOPPED),
    )


def sightings_of(session: Session, *, partner_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """The marks of connections and devices from which the people of each partner sign in."""
    seen = (MarkKind.CONNECTION, MarkKind.DEVICE)
    rows = session.execute(
        sa.select(PartnerMark.partner_id, PartnerMark.mark)
        .where(db.among(session, PartnerMark.partner_id, partner_ids), PartnerMark.kind.in_(seen))
        .order_by(PartnerMark.noted_at.desc())
        .limit(TWINS_MAX)
    )
    found: defaultdict[UUID, set[str]] = defaultdict(set)
    for partner_id, mark in rows:
        found[partner_id].add(mark)
    return found


def _standings(session: Session, enrolled: Collection[Enrolled]) -> dict[Enrolled, EnrollmentStatus]:
    return _standings_of(session, {one[0] for one in enrolled}, {one[1] for one in enrolled})


def _standings_of(
    session: Session, program_ids: Collection[UUID], partner_ids: Collection[UUID]
) -> dict[Enrolled, EnrollmentStatus]:
    if not partner_ids:
        return {}
    rows = session.execute(
        sa.select(Enrollment.program_id, Enrollment.partner_id, Enrollment.status).where(
            Enrollment.program_id.in_(program_ids), db.among(session, Enrollment.partner_id, partner_ids)
        )
    )
    return {(row[0], row[1]): row[2] for row in rows}


def _by_mail(mails: Mapping[UUID, list[str]]) -> dict[str, set[tuple[UUID, str]]]:
    """The partners and their addresses by the one spelling of their mailbox."""
    mine: defaultdict[str, set[tuple[UUID, str]]] = defaultdict(set)
    for partner_id, addresses in mails.items():
        for address in addresses:
            mine[identity.mail_key(address)].add((partner_id, address))
    return mine


def _by_website(websites: Mapping[UUID, str | None]) -> dict[str, set[UUID]]:
    mine: defaultdict[str, set[UUID]] = defaultdict(set)
    for partner_id, website in websites.items():
        if key := identity.website_key(website):
            mine[key].add(partner_id)
    return mine


def _mail_twins(mine: Mapping[str, object]) -> _Alike:
    """Partners with a person whose mailbox is the same under another spelling. The same person in two partners is no twin.

    Only addresses that begin alike are read: no spelling changes the first letters but by dots.
    """
    heads = {key.replace(".", "")[:_HEAD_LENGTH] for key in mine}
    head = sa.func.substr(sa.func.replace(sa.func.lower(User.email), ".", ""), 1, _HEAD_LENGTH)
    alike = sa.select(*_kind(_MAIL), Member.partner_id.label("other"), User.email.label("text"))
    alike = alike.join(User, User.id == Member.user_id).where(head.in_(heads))
    return alike.order_by(Member.id.desc()).limit(TWINS_MAX)


def _website_twins(mine: Mapping[str, object]) -> _Alike:
    """Other partners with the same website, path and all."""
    hosts = {key.partition("/")[0] for key in mine}
    has_host = sa.or_(*(sa.func.lower(Partner.website).contains(host, autoescape=True) for host in sorted(hosts)))
    named = sa.select(*_kind(_WEBSITE), Partner.id.label("other"), Partner.website.label("text"))
    return named.where(has_host).order_by(Partner.id.desc()).limit(TWINS_MAX)


def _mark_twins(session: Session, partner_ids: Iterable[UUID]) -> _Alike:
    """Other partners whose money goes to the same account, or with the same VAT id."""
    mine, other = PartnerMark, aliased(PartnerMark)
    same = sa.and_(other.kind == mine.kind, other.mark == mine.mark, other.partner_id != mine.partner_id)
    kind, nothing = sa.cast(mine.kind, sa.String).label("kind"), sa.cast(sa.null(), sa.String).label("text")
    found = sa.select(kind, mine.partner_id.label("mine"), other.partner_id.label("other"), nothing).join(other, same)
    wanted = (
        db.among(session, mine.partner_id, [*partner_ids]),
        mine.kind.in_((MarkKind.ACCOUNT, MarkKind.VAT_ID)),
    )
    return found.where(*wanted).limit(TWINS_MAX)


def _kind(kind: str) -> tuple[sa.ColumnElement[Any], ...]:
    return sa.literal(kind, sa.String).label("kind"), sa.cast(sa.null(), Partner.id.type).label("mine")
