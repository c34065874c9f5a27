"""Reports for people without an account: a signed address shows one report until it ends or is taken back."""

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from affiliate import ids, signing
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Invalid, NotFound
from affiliate.reports.asked import By
from affiliate.reports.models import SavedReport
from affiliate.reports.shared_models import SharedReport
from affiliate.reports.tables import Line

N_ = str  # marks a sentence for the translators

OPEN_MAX = 50
"""The most addresses of a program that work at a time."""
DAYS = (7, 30, 90, 365)
"""How long an address may work, in days."""


class Hidden(enum.StrEnum):
    """What rows are called instead of by a partner's name, code or page."""

    PARTNER = N_("Partner %(number)s")
    COUPON = N_("Coupon %(number)s")
    REFERRER = N_("Page %(number)s")
    LINK = N_("Link %(number)s")
    SUB = N_("Sub id %(number)s")


_TELLING = {
    By.PARTNER: Hidden.PARTNER, By.COUPON: Hidden.COUPON, By.REFERRER: Hidden.REFERRER, By.LINK: Hidden.LINK, By.SUB: Hidden.SUB,
}  # fmt: skip
"""Rows by whose names one would know partners again."""


class NothingThere(NotFound):
    """The address shows nothing: cut, made up, over or taken back. Which of them it is, nobody learns."""

    def __init__(self) -> None:
        super().__init__(N_("This address shows nothing any more. Ask for a new one where you got it from."))


def write(secret_key: str, report_id: UUID) -> str:
    """The signed text that stands in the address of a shared report."""
    text: str = _serializer(secret_key).dumps(report_id.hex)
    return text


def read(secret_key: str, text: str) -> UUID:
    """Which shared report.

    Raises:
        NothingThere: cut, altered, or signed by somebody else.
    """
    try:
        return UUID(hex=str(_serializer(secret_key).loads(text)))
    except (BadSignature, ValueError) as error:
        raise NothingThere from error


def share(
    session: Session, *, kept: SavedReport, days: int, names_partners: bool, actor: Actor, now: datetime
) -> SharedReport:
    """Give a kept report of a program an address that works for so many days.

    Raises:
        Invalid: not one of the terms that there are, or too many addresses work already.
    """
    if days not in DAYS:
        raise Invalid({"days": [N_("Choose how long the address works.")]})
    if actor.id is None or kept.partner_id is not None:
        raise ValueError("a person shares a report of the whole program")
    here = (SharedReport.program_id == kept.program_id, *_open(now))
    if (session.scalar(sa.select(sa.func.count()).select_from(SharedReport).where(*here)) or 0) >= OPEN_MAX:
        raise Invalid({"report": [N_("50 addresses of this program work already. Take one back first.")]})
    added = SharedReport(
        id=ids.new_at(now), program_id=kept.program_id, title=kept.name, arguments=dict(kept.arguments),
        time_zone=kept.time_zone, names_partners=names_partners, ends_at=now + timedelta(days=days), revoked_at=None,
        views=0, viewed_at=None, created_by_id=actor.id, created_at=now,
    )  # fmt: skip
    session.add(added)
    session.flush()
    _record(session, "report.share", added, actor=actor, now=now)
    return added


def take_back(session: Session, *, report_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> str:
    """Let an address show nothing from now on; gives the report's title. Taken back before: nothing happens.

    Raises:
        NothingThere: not in this program.
    """
    mine = (SharedReport.id == report_id, SharedReport.program_id == program_id)
    found = session.scalar(sa.select(SharedReport).where(*mine).with_for_update())
    if found is None:
        raise NothingThere
    if found.revoked_at is None:
        found.revoked_at = now
        _record(session, "report.take_back", found, actor=actor, now=now)
    return found.title


def shown(session: Session, *, report_id: UUID, now: datetime) -> SharedReport:
    """The report of an address that works.

    Raises:
        NothingThere: it is over, taken back, or there is none.
    """
    found = session.scalar(sa.select(SharedReport).where(SharedReport.id == report_id, *_open(now)))
    if found is None:
        raise NothingThere
    return found


def note_view(session: Session, *, report_id: UUID, now: datetime) -> None:
    """Count that the address was opened."""
    values = {"views": SharedReport.views + 1, "viewed_at": now}
    session.execute(sa.update(SharedReport).where(SharedReport.id == report_id).values(values))


def named(lines: Sequence[Line], by: By, *, names_partners: bool) -> list[str]:
    """What the rows are called, in their order: numbered where their names would tell who the partners are."""
    hidden = None if names_partners else _TELLING.get(by)
    if hidden is None:
        return [line.name for line in lines]
    return [str(_(hidden.value, number=number)) for number, _line in enumerate(lines, start=1)]


class Numbered:
    """What partners are called by whom must not learn their names: by a number each, the same wherever a partner stands."""

    def __init__(self) -> None:
        self._numbers: dict[UUID, int] = {}

    def __call__(self, partner_id: UUID, _name: str) -> str:
        """Its number, in the reader's language."""
        number = self._numbers.setdefault(partner_id, len(self._numbers) + 1)
        return str(_(Hidden.PARTNER.value, number=number))


def is_open(report: SharedReport, *, now: datetime) -> bool:
    """Whether the address works."""
    return report.revoked_at is None and now < report.ends_at


def _open(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return SharedReport.revoked_at.is_(None), SharedReport.ends_at > now


def _record(session: Session, action: str, report: SharedReport, *, actor: Actor, now: datetime) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="shared_report", subject_id=report.id,
        program_id=report.program_id,
        details={"title": report.title, "ends_at": report.ends_at.isoformat(), "names_partners": report.names_partners},
        now=now,
    )  # fmt: skip


def _serializer(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(signing.derive(secret_key, "shared reports"), salt="read")
