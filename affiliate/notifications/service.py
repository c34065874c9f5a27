"""Every write on postback addresses by a partner's people. Takes session and now; never commits."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.notifications import collecting, macros, queries
from affiliate.notifications.macros import Problem, Refused
from affiliate.notifications.models import (
    DeliveryStatus,
    PostbackAddress,
    PostbackDelivery,
    PostbackEvent,
    PostbackMark,
    SwitchedOff,
)
from affiliate.partners.models import Partner
from affiliate.programs.models import Program

N_ = str  # marks a sentence for the translators
ADDRESSES_MAX = 5
KEPT_FOR = timedelta(days=60)
CHOICES = tuple(event for event in PostbackEvent if event is not PostbackEvent.TEST)
"""What an address can be told of."""

_EXAMPLE = {
    "transaction_id": "clk_test", "click_id": "clk_test", "clickid": "clk_test", "sale_amount": "49.90",
    "amount": "49.90", "payout": "4.99", "payout_amount": "4.99", "order_id": "TEST-1", "txid": "cnv_test",
    "event_name": "test", "goal_id": "sale", "status": "pending", "sub1": "test", "aff_sub": "test", "externalid": "test",
}  # fmt: skip


class NoSuchAddress(NotFound):
    """The partner has no such address in this program."""

    def __init__(self) -> None:
        super().__init__("There is no such postback address.")


class NoSuchDelivery(Conflict):
    """The call is not one that was given up."""

    code = "not_given_up"

    def __init__(self) -> None:
        super().__init__(N_("This call is not given up: it was made, or it is still being tried."))


class TooManyAddresses(Conflict):
    """A partner can have so many addresses in a program."""

    code = "too_many_addresses"

    def __init__(self) -> None:
        super().__init__(N_("There are five addresses already. Remove one first."))


class BadAddress(Invalid):
    """The address was refused; `refused` says why."""

    def __init__(self, refused: Refused) -> None:
        super().__init__({"url": [_SENTENCES[refused.problem] % {"words": refused.words}]})
        self.refused = refused


_SENTENCES = {
    Problem.TOO_LONG: N_("Use at most 1,000 characters."),
    Problem.NOT_PRINTABLE: N_("Write the address without spaces and special letters, as a browser shows it."),
    Problem.NOT_HTTPS: N_("Begin with https://: what is sent shall stay between us."),
    Problem.NO_HOST: N_("This is no address. It looks like https://track.example/postback?cid={sub1}."),
    Problem.MACRO_IN_HOST: N_("A macro can stand behind the host's name, not in it."),
    Problem.HAS_PASSWORD: N_("Leave name and password out; put a token behind the question mark instead."),
    Problem.HAS_FRAGMENT: N_("Leave out what begins with #: it never reaches a server."),
    Problem.UNKNOWN_MACRO: N_("Unknown: %(words)s. The list below shows every macro; case counts."),
    Problem.PRIVATE_MACRO: N_("We do not hand out %(words)s: it is the customer's."),
    Problem.STRAY_BRACE: N_("A brace has no partner. Macros are written like {sub1}."),
}
"""What each refusal tells, for the translators: views say it in the reader's language."""


def sentence(refused: Refused) -> str:
    """The English source of a refusal, with `%(words)s` still in it."""
    return _SENTENCES[refused.problem]


def add(
    session: Session, *, program: Program, partner_id: UUID, url: str, events: Collection[PostbackEvent],
    is_signed: bool, plain: bool = False, actor: Actor, now: datetime,
) -> PostbackAddress:  # fmt: skip
    """A new address, switched on: it is told of what happens from now on.

    Raises:
        Invalid: the address or the choice of events. TooManyAddresses.
    """
    checked = _checked(url, events, plain=plain)
    # Two at once wait for one another here, so that the limit holds.
    session.execute(sa.select(Partner.id).where(Partner.id == partner_id).with_for_update())
    if len(queries.addresses(session, program_id=program.id, partner_id=partner_id)) >= ADDRESSES_MAX:
        raise TooManyAddresses
    _mark(session, program.id)
    address = PostbackAddress(id=ids.new_at(now), program_id=program.id, partner_id=partner_id, is_signed=is_signed)
    address.url, address.events = checked
    address.live_since = address.created_at = now
    address.created_by_id = actor.id if actor.kind == "user" else None
    session.add(address)
    session.flush()
    _audit(session, "postback.add", address, actor, now)
    return address


def _checked(url: str, events: Collection[PostbackEvent], *, plain: bool) -> tuple[str, list[str]]:
    address = macros.normalised(url)
    refused = macros.check(address, plain=plain)
    if refused is not None:
        raise BadAddress(refused)
    chosen = [event.value for event in CHOICES if event in events]
    if not chosen:
        raise Invalid({"events": [N_("Choose at least one.")]})
    return address, chosen


def _mark(session: Session, program_id: UUID) -> None:
    """Begin to read the program's ledger here, unless somebody is told of it already: what is old is told to nobody."""
    position = queries.newest_position(session, program_id=program_id)
    if not db.insert_new(session, PostbackMark, [{"program_id": program_id, "position": position}]):
        nobody = ~sa.exists().where(PostbackAddress.program_id == program_id, PostbackAddress.switched_off_at.is_(None))
        here = sa.update(PostbackMark).where(PostbackMark.program_id == program_id, nobody)
        session.execute(here.values(position=position, paid_until=None))


def change(
    session: Session, *, address: PostbackAddress, url: str, events: Collection[PostbackEvent], is_signed: bool,
    plain: bool = False, actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """Another address, other events. Calls that wait already go where they were written for.

    Raises:
        Invalid: the address or the choice of events.
    """
    address.url, address.events = _checked(url, events, plain=plain)
    address.is_signed = is_signed
    _audit(session, "postback.change", address, actor, now)


def switch_off(session: Session, *, address: PostbackAddress, actor: Actor, now: datetime) -> None:
    """Call it no more. Switched off already: nothing happens."""
    off = {"switched_off_at": now, "switched_off": SwitchedOff.BY_HAND}
    if _switched(session, address, PostbackAddress.switched_off_at.is_(None), off):
        _audit(session, "postback.switch_off", address, actor, now)


def switch_on(session: Session, *, address: PostbackAddress, actor: Actor, now: datetime) -> None:
    """Call it again: with what happens from now on, and with what still waits. On already: nothing happens."""
    _mark(session, address.program_id)
    on = {"switched_off_at": None, "switched_off": None, "failures": 0, "failing_since": None, "live_since": now}
    if _switched(session, address, PostbackAddress.switched_off_at.is_not(None), on):
        _audit(session, "postback.switch_on", address, actor, now)


def _switched(
    session: Session, address: PostbackAddress, expected: sa.ColumnElement[bool], values: Mapping[str, object]
) -> bool:
    switching = sa.update(PostbackAddress).where(PostbackAddress.id == address.id, expected).values(values)
    done = session.execute(switching.execution_options(synchronize_session=False))
    return isinstance(done, CursorResult) and done.rowcount == 1


def remove(session: Session, *, address: PostbackAddress, actor: Actor, now: datetime) -> None:
    """Forget an address and its log."""
    _audit(session, "postback.remove", address, actor, now)
    session.execute(sa.delete(PostbackDelivery).where(PostbackDelivery.address_id == address.id))
    session.execute(sa.delete(PostbackAddress).where(PostbackAddress.id == address.id))


def renew_secret(
    session: Session, *, address: PostbackAddress, expected_version: int, actor: Actor, now: datetime
) -> None:
    """Make the present signing secret worthless and a new one valid. Sent twice, it happens once."""
    here = PostbackAddress.secret_version == expected_version
    if _switched(session, address, here, {"secret_version": expected_version + 1}):
        _audit(session, "postback.renew_secret", address, actor, now)


def test(session: Session, *, address: PostbackAddress, now: datetime) -> None:
    """Call the address once with made-up values, also while it is switched off. While a test of it waits, nothing happens."""
    # Two at once wait for one another here: who tests steers our calls to a stranger's server.
    session.execute(sa.select(PostbackAddress.id).where(PostbackAddress.id == address.id).with_for_update())
    if queries.is_test_waiting(session, address_id=address.id):
        return
    today = {"datetime": f"{now:%Y-%m-%dT%H:%M:%SZ}", "date": f"{now:%Y-%m-%d}", "unix": str(int(now.timestamp()))}
    program = session.get_one(Program, address.program_id)
    known = {
        "offer_id": program.slug,
        "affiliate_id": ids.public("ptn", address.partner_id),
        "currency": program.currency,
    }
    delivery = collecting.row(address, PostbackEvent.TEST, _EXAMPLE | today | known, now)
    db.insert_new(session, PostbackDelivery, [delivery])


def retry(session: Session, *, address: PostbackAddress, delivery_id: UUID, actor: Actor, now: datetime) -> None:
    """Try a call again that was given up, as often as a new one.

    Raises:
        NoSuchDelivery: it was not given up, or is not of this address.
    """
    if not _again(session, PostbackDelivery.id == delivery_id, address_id=address.id, now=now):
        raise NoSuchDelivery
    _audit(session, "postback.retry", address, actor, now, count=1)


def retry_all(
    session: Session, *, address_id: UUID, program_id: UUID, since: datetime, actor: Actor, now: datetime
) -> int:
    """The same for all calls of an address that were given up since then; gives how many.

    Raises:
        NoSuchAddress: it is not of a partner in this program.
    """
    address = session.get(PostbackAddress, address_id)
    if address is None or address.program_id != program_id:
        raise NoSuchAddress
    lately = (PostbackDelivery.finished_at >= since, PostbackDelivery.event != PostbackEvent.TEST)
    count = _again(session, *lately, address_id=address_id, now=now)
    if count:
        _audit(session, "postback.retry", address, actor, now, count=count)
    return count


def _again(session: Session, *conditions: sa.ColumnElement[bool], address_id: UUID, now: datetime) -> int:
    given_up = (PostbackDelivery.address_id == address_id, PostbackDelivery.status == DeliveryStatus.GIVEN_UP)
    again = {"status": DeliveryStatus.WAITING, "attempts": 0, "send_after": now, "finished_at": None}
    retrying = sa.update(PostbackDelivery).where(*given_up, *conditions).values(again).returning(PostbackDelivery.id)
    return len(session.scalars(retrying.execution_options(synchronize_session=False)).all())


def sweep(session: Session, *, limit: int, now: datetime) -> int:
    """Forget calls that ended long ago."""
    old = sa.select(PostbackDelivery.id).where(PostbackDelivery.finished_at < now - KEPT_FOR).limit(limit)
    deleted = session.execute(sa.delete(PostbackDelivery).where(PostbackDelivery.id.in_(old)))
    return deleted.rowcount if isinstance(deleted, CursorResult) else 0


def _audit(session: Session, action: str, address: PostbackAddress, actor: Actor, now: datetime, **more: int) -> None:
    """The host alone: what stands behind it may hold the partner's token."""
    details = {"partner_id": str(address.partner_id), "host": urlsplit(address.url).hostname, "events": address.events}
    audit.record(
        session, actor=actor, action=action, subject_kind="postback_address", subject_id=address.id,
        program_id=address.program_id, details=details | more, now=now,
    )  # fmt: skip
