"""Whom a program's mails are from. Takes session and now; never commits.

A name and an address for answers count at once. An address that mails shall leave under is written to first, and counts
when somebody who reads that mailbox has said yes: nobody sends in another's name. Until then, and without one, mails
leave under the installation's address, with the program's name.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy.orm import Session

from affiliate import db, mailer, settings, signing
from affiliate.accounts import audit
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.mailer import Letter, OutboxMail
from affiliate.programs.models import Program, ProgramSender
from affiliate.senders import Sender

N_ = str  # marks a sentence for the translators

PROVED_WITHIN = timedelta(days=7)
NAME_LENGTH_MAX = 120
_ADDRESS_LENGTH_MAX = 254
_ASKED_PER_HOUR_MAX = 3  # a manager may type anybody's address


class AskedTooOften(Conflict):
    """The mailbox got as many questions as it may within an hour."""

    code = "asked_too_often"

    def __init__(self) -> None:
        super().__init__(N_("This address was written to a few times just now. Try again in an hour."))


class ProofOver(NotFound):
    """The link is older than seven days, or another address was asked for since."""

    def __init__(self) -> None:
        super().__init__(N_("This link is over. Ask for the address again on the page of the brand."))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed. Empty: the program's name, the installation's address, no other address for answers."""

    name: str = ""
    address: str = ""
    reply_to: str = ""


def of_programs(session: Session, program_ids: Collection[UUID]) -> dict[UUID, Sender]:
    """In whose name the mails of these programs leave."""
    rows = (
        sa.select(Program.id, Program.name, ProgramSender)
        .outerjoin(ProgramSender, ProgramSender.program_id == Program.id)
        .where(Program.id.in_(program_ids))
        .execution_options(populate_existing=True)
    )
    return {program_id: _sender(name, own) for program_id, name, own in session.execute(rows)}


def _sender(name: str, own: ProgramSender | None) -> Sender:
    """Line breaks, which a name of long ago may hold, are spaces in a mail."""
    named = " ".join((own.name if own and own.name else name).split())
    return Sender(named) if own is None else Sender(named, own.address, own.reply_to)


def row_of(session: Session, *, program_id: UUID) -> ProgramSender | None:
    """What is set for a program; nothing where nobody has set anything."""
    return session.get(ProgramSender, program_id, populate_existing=True)


def keep(session: Session, *, program: Program, wanted: Wanted, locale: str, actor: Actor, now: datetime) -> bool:
    """Take over name and answers, and ask a new address whether it agrees; gives whether it was asked.

    Raises:
        Invalid: names each wrong field.
        AskedTooOften: the address was asked three times within an hour.
    """
    typed = _read(wanted)
    present = row_of(session, program_id=program.id)
    in_use = present.address if present else None
    new = typed["address"] if typed["address"] != in_use else None
    facts: dict[str, Any] = {
        "program_id": program.id, "name": typed["name"] or "", "reply_to": typed["reply_to"], "updated_at": now,
        "address": in_use if typed["address"] else None, "asked_address": new, "asked_at": now if new else None,
    }  # fmt: skip
    if not db.insert_new(session, ProgramSender, [facts]):
        change = sa.update(ProgramSender).where(ProgramSender.program_id == program.id).values(facts)
        session.execute(change.execution_options(synchronize_session=False))
    _record(session, "program.sender", program.id, actor=actor, now=now, told={"asked": new is not None})
    if new:
        _ask(session, program, new, locale=locale, now=now)
    return new is not None


def _read(wanted: Wanted) -> dict[str, str | None]:
    """The fields as they are stored.

    Raises:
        Invalid: names each wrong one.
    """
    wrong: dict[str, list[str]] = {}
    name = " ".join(wanted.name.split())
    if len(name) > NAME_LENGTH_MAX or not name.isprintable():
        wrong["name"] = [N_("Write a name of at most 120 characters.")]
    elif "@" in name:
        wrong["name"] = [N_("Write a name without “@”: before our address it would look like another one.")]
    found: dict[str, str | None] = {"name": name}
    for field, text in (("address", wanted.address), ("reply_to", wanted.reply_to)):
        found[field] = _address(text)
        if text.strip() and found[field] is None:
            wrong[field] = [N_("Write one address, for example partners@shop.example.")]
    if wrong:
        raise Invalid(wrong)
    return found


def _address(text: str) -> str | None:
    """An address as a header and every mail server can carry it, or nothing."""
    try:
        address = validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        return None
    return address if address.isascii() and len(address) <= _ADDRESS_LENGTH_MAX else None


def _ask(session: Session, program: Program, address: str, *, locale: str, now: datetime) -> None:
    hour = (OutboxMail.recipient == address, OutboxMail.created_at >= now - timedelta(hours=1))
    if (session.scalar(sa.select(sa.func.count()).where(*hour)) or 0) >= _ASKED_PER_HOUR_MAX:
        raise AskedTooOften
    from flask_babel import gettext as _  # for a request only: the workers, who ask for senders, do without Flask

    to = settings.current()
    letter = Letter(
        _("May %(program)s send mail from this address?", program=program.name),
        [
            _("The partner program of %(program)s would like to send its mails from %(address)s.", program=program.name, address=address),
            _("Say yes only if this address is yours and you know about it. The link works for seven days."),
            _("If you do not know what this is about, do nothing: no mail leaves in your name."),
        ],
        (_("See what is asked"), f"{to.base_url}/sender/{_token(to.secret_key, program.id, now)}"),
        _("You get this mail because a manager of %(program)s typed this address.", program=program.name),
    )  # fmt: skip
    mailer.post(session, recipient=address, letter=letter, locale=locale, now=now)


def asked(session: Session, *, secret_key: str, token: str, now: datetime) -> tuple[Program, str]:
    """The program and the address that a link asks about.

    Raises:
        ProofOver: too old, answered already, made up, or of an address that was asked for no more since.
    """
    try:
        program_hex, moment = _serializer(secret_key).loads(token)
        program_id, asked_at = UUID(hex=program_hex), datetime.fromisoformat(moment)
    except (BadData, ValueError, TypeError, AttributeError) as error:
        raise ProofOver from error
    row = row_of(session, program_id=program_id)
    if row is None or row.asked_address is None or row.asked_at != asked_at or now >= asked_at + PROVED_WITHIN:
        raise ProofOver
    return session.get_one(Program, program_id), row.asked_address


def prove(session: Session, *, secret_key: str, token: str, now: datetime) -> Program:
    """Whoever reads the mailbox agrees: mails leave under it from now on.

    Raises:
        ProofOver: see `asked`.
    """
    program, address = asked(session, secret_key=secret_key, token=token, now=now)
    same = (ProgramSender.program_id == program.id, ProgramSender.asked_address == address)
    values = {"address": address, "asked_address": None, "asked_at": None, "updated_at": now}
    agreed = sa.update(ProgramSender).where(*same).values(values).returning(ProgramSender.program_id)
    if session.scalar(agreed.execution_options(synchronize_session=False)) is None:
        raise ProofOver
    _record(session, "program.sender_proved", program.id, actor=SYSTEM, now=now, told={})
    return program


def _token(secret_key: str, program_id: UUID, asked_at: datetime) -> str:
    return str(_serializer(secret_key).dumps([program_id.hex, asked_at.isoformat()]))


def _serializer(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(signing.derive(secret_key, "sender links"), salt="sender")


def _record(
    session: Session, action: str, program_id: UUID, *, actor: Actor, now: datetime, told: dict[str, Any]
) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="program", subject_id=program_id,
        program_id=program_id, details=told, now=now,
    )  # fmt: skip
