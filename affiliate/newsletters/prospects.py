"""Every write on people who want to hear of a program without being its partners. Never commits.

Nobody is written to before whoever reads the mailbox has said so: by pressing a button, because scanners of mail open links.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from affiliate import ids, mailer, settings
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.db import insert_new
from affiliate.errors import NotFound
from affiliate.mailer import Letter, OutboxMail
from affiliate.newsletters import audiences, openings, tokens
from affiliate.newsletters.content import IssueKind
from affiliate.newsletters.models import (
    MailBounce,
    NewsletterDelivery,
    Prospect,
    ProspectRefusal,
    ProspectStatus,
    SuppressedAddress,
)
from affiliate.partners import queries as partners
from affiliate.programs import addresses
from affiliate.programs.models import Program
from affiliate.speech import say

N_ = str  # marks a sentence for the translators

CONFIRM_WITHIN = timedelta(days=7)
_MAILS_PER_HOUR_MAX = 3  # anybody can type anybody's address into a public form
_SOURCE_LENGTH_MAX = 120


class ConfirmationOver(NotFound):
    """The link is older than seven days, or the address was erased meanwhile."""

    def __init__(self) -> None:
        super().__init__(N_("This link is over. Sign up again to get a new one."))


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody typed, and agreed to. `email` is in lower case, as accounts have it; `locale` is the language of the form."""

    email: str
    name: str
    locale: str
    consent_text: str
    source: str = ""
    kinds: Collection[IssueKind] = tuple(IssueKind)


def sign_up(session: Session, *, program: Program, typed: SignUp, now: datetime) -> None:
    """Ask the mailbox whether it wants news. Who gets them already is written nothing; nobody learns which it was."""
    source = "".join(filter(str.isprintable, typed.source))[:_SOURCE_LENGTH_MAX]
    asked = {
        "name": typed.name, "locale": typed.locale, "consent_text": typed.consent_text, "source": source,
        "asked_at": now, "status": ProspectStatus.ASKED,
    }  # fmt: skip
    row = asked | {"id": ids.new_at(now), "program_id": program.id, "email": typed.email}
    if not insert_new(session, Prospect, [row]):
        here = (Prospect.program_id == program.id, Prospect.email == typed.email)
        again = sa.update(Prospect).where(*here, Prospect.status != ProspectStatus.CONFIRMED).values(asked)
        session.execute(again.execution_options(synchronize_session=False))
    prospect = audiences.prospect_by_email(session, program_id=program.id, email=typed.email)
    if prospect is not None and prospect.status is ProspectStatus.ASKED:
        choose(session, prospect_id=prospect.id, wanted=typed.kinds)
        _ask(session, program, prospect, now)


def _ask(session: Session, program: Program, prospect: Prospect, now: datetime) -> None:
    since = now - timedelta(hours=1)
    if partners.mails_since(session, recipient=prospect.email, since=since) >= _MAILS_PER_HOUR_MAX:
        return
    to, locale = settings.current(), prospect.locale
    url = f"{addresses.pages(program.own_host, to)}/news/{tokens.write_confirmation(to.secret_key, prospect.id)}"
    letter = Letter(
        say(N_("Do you want news of the partner program of %(program)s?"), locale, program=program.name),
        [
            say(N_("Somebody, probably you, asked for news of the partner program of %(program)s at this address."), locale, program=program.name),
            say(N_("Confirm that you want them. Without that we do not write to you again, and forget the address within a week."), locale),
        ],
        (say(N_("Yes, send me news"), locale), url),
    )  # fmt: skip
    mailer.post(session, recipient=prospect.email, letter=letter, locale=locale, program=program, now=now)


def confirm(session: Session, *, prospect_id: UUID, now: datetime) -> None:
    """Whoever reads the mailbox wants news. Twice changes nothing.

    Raises:
        ConfirmationOver: asked for too long ago, or stopped or erased since.
    """
    fresh = (Prospect.status == ProspectStatus.ASKED, Prospect.asked_at > now - CONFIRM_WITHIN)
    values = {"status": ProspectStatus.CONFIRMED, "confirmed_at": now, "stopped_at": None}
    if _change(session, sa.update(Prospect).where(Prospect.id == prospect_id, *fresh).values(values)):
        return
    known = session.get(Prospect, prospect_id, populate_existing=True)
    if known is None or known.status is not ProspectStatus.CONFIRMED:
        raise ConfirmationOver


def choose(session: Session, *, prospect_id: UUID, wanted: Collection[IssueKind]) -> None:
    """What a prospect hears of from now on: these kinds, and no others. Doing it twice changes nothing."""
    mine = (ProspectRefusal.prospect_id == prospect_id, ProspectRefusal.kind.in_(list(wanted)))
    session.execute(sa.delete(ProspectRefusal).where(*mine))
    refused = [{"prospect_id": prospect_id, "kind": kind} for kind in IssueKind if kind not in wanted]
    insert_new(session, ProspectRefusal, refused)


def stop(session: Session, *, prospect_id: UUID, now: datetime) -> None:
    """No more news, and the program is told of no openings either. Twice changes nothing."""
    openings.withdraw_prospect(session, prospect_id=prospect_id)
    wanted = (Prospect.id == prospect_id, Prospect.status != ProspectStatus.STOPPED)
    _change(session, sa.update(Prospect).where(*wanted).values(status=ProspectStatus.STOPPED, stopped_at=now))


def erase(session: Session, *, prospect: Prospect, now: datetime) -> None:
    """Forget who somebody is. What was sent keeps its count, of nobody."""
    email = prospect.email
    nobody = {
        "email": f"erased-{prospect.id.hex}@invalid", "name": "", "source": "", "status": ProspectStatus.STOPPED,
        "stopped_at": now,
    }  # fmt: skip
    _change(session, sa.update(Prospect).where(Prospect.id == prospect.id).values(nobody))
    openings.withdraw_prospect(session, prospect_id=prospect.id)
    forget_address(session, emails=[email])


def forget_address(session: Session, *, emails: list[str]) -> None:
    """Forget what mail to these addresses left behind, unless a prospect or an account still has them."""
    if gone := audiences.nobodys(session, emails=emails):
        session.execute(sa.delete(OutboxMail).where(OutboxMail.recipient.in_(gone)))
        session.execute(sa.delete(MailBounce).where(MailBounce.address.in_(gone)))
        session.execute(sa.delete(SuppressedAddress).where(SuppressedAddress.address.in_(gone)))


def erase_for_manager(session: Session, *, prospect: Prospect, actor: Actor, now: datetime) -> None:
    """The same by a manager who was asked to, with a note in the history."""
    erase(session, prospect=prospect, now=now)
    audit.record(
        session, actor=actor, action="prospect.erase", subject_kind="prospect", subject_id=prospect.id,
        program_id=prospect.program_id, now=now,
    )  # fmt: skip


def sweep(session: Session, *, limit: int, now: datetime) -> int:
    """Forget addresses that nobody confirmed in time, and how many there were; who got mails before is stopped again."""
    over = (Prospect.status == ProspectStatus.ASKED, Prospect.asked_at <= now - CONFIRM_WITHIN)
    found = audiences.unconfirmed(session, before=now - CONFIRM_WITHIN, limit=limit)
    known = sa.exists().where(NewsletterDelivery.prospect_id == Prospect.id)
    here = (Prospect.id.in_(found), *over)
    stopped = {"status": ProspectStatus.STOPPED, "stopped_at": now}
    _change(session, sa.update(Prospect).where(*here, known).values(stopped))
    nobody = sa.select(Prospect.id).where(*here, ~known)
    _change(session, sa.delete(ProspectRefusal).where(ProspectRefusal.prospect_id.in_(nobody)))
    _change(session, sa.delete(Prospect).where(*here, ~known))
    return len(found)


def _change(session: Session, statement: sa.Update | sa.Delete) -> int:
    changed = session.execute(statement.execution_options(synchronize_session=False))
    return changed.rowcount if isinstance(changed, CursorResult) else 0
