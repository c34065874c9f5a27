"""The letters about creatives, each in the language of the person who reads it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import ids, settings
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.creatives.models import Creative
from affiliate.mailer import Letter
from affiliate.partners import posting
from affiliate.programs import addresses
from affiliate.programs.models import Program

TOLD_MAX = 1_000  # partners of one letter


def tell_approved(session: Session, *, creative: Creative, program: Program, now: datetime) -> None:
    """Tell who proposed it that it may be used."""
    if creative.proposed_by_id is not None:
        _tell(session, program, [creative.proposed_by_id], lambda person: _approved(creative, program, person), now)


def tell_refused(session: Session, *, creative: Creative, program: Program, now: datetime) -> None:
    """Tell who proposed it that it may not be used, and why."""
    if creative.proposed_by_id is not None:
        _tell(session, program, [creative.proposed_by_id], lambda person: _refused(creative, program, person), now)


def tell_retired(
    session: Session, *, creative: Creative, program: Program, partner_ids: Sequence[UUID], now: datetime
) -> None:
    """Tell partners that what they use comes to its end."""
    _tell(session, program, partner_ids[:TOLD_MAX], lambda person: _retired(creative, program, person), now)


def _tell(
    session: Session, program: Program, partner_ids: Sequence[UUID], letter: Callable[[User], Letter], now: datetime
) -> None:
    def in_their_language(person: User) -> Letter:
        with force_locale(person.locale or "en"):
            return letter(person)

    posting.tell(
        session, program=program, partner_ids=partner_ids, kind=MailKind.CREATIVES, letter=in_their_language,
        now=now,
    )  # fmt: skip


def _approved(creative: Creative, program: Program, person: User) -> Letter:
    paragraphs = [
        _("Hello %(name)s,", name=person.name),
        _("Your material “%(title)s” was approved. Its code with your link is ready.", title=creative.title),
    ]
    act = (_("Open it"), _address(creative, program))
    return Letter(_("Approved: %(title)s", title=creative.title), paragraphs, act, _why(program))


def _refused(creative: Creative, program: Program, person: User) -> Letter:
    paragraphs = [
        _("Hello %(name)s,", name=person.name),
        _("The program does not want your material “%(title)s” to be used.", title=creative.title),
        _("Reason: %(reason)s", reason=creative.reason),
    ]
    return Letter(_("Not approved: %(title)s", title=creative.title), paragraphs, None, _why(program))


def _retired(creative: Creative, program: Program, person: User) -> Letter:
    paragraphs = [
        _("Hello %(name)s,", name=person.name),
        _(
            "“%(title)s” ends on %(day)s. Links keep working; a banner becomes an empty picture.",
            title=creative.title,
            day=_day(creative.ends_at, program, person),
        ),
    ]
    if creative.end_note:
        paragraphs.append(creative.end_note)
    base = addresses.pages(program.own_host, settings.current())
    act = (_("See what else there is"), f"{base}/portal/{program.slug}/creatives")
    return Letter(_("It ends: %(title)s", title=creative.title), paragraphs, act, _why(program))


def _day(moment: datetime | None, program: Program, person: User) -> str:
    local = moment.astimezone(ZoneInfo(program.time_zone)) if moment else None
    return format_date(local, "d MMM y", locale=person.locale or "en")


def _address(creative: Creative, program: Program) -> str:
    base = addresses.pages(program.own_host, settings.current())
    return f"{base}/portal/{program.slug}/creatives/{ids.public('crv', creative.id)}"


def _why(program: Program) -> str:
    return _("You get this mail because you take part in the partner program of %(program)s.", program=program.name)
