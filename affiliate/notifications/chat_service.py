"""Every write on chat hooks and their messages: saved, told, claimed, noted, tried again. Never commits.

The address of a hook is its secret. It is stored encrypted, by a key that follows from the installation's secret.
"""

import base64
import ipaddress
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.orm import Session

from affiliate import db, ids, settings, signing
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.accounts.mail_kinds import IN_CHATS, MailKind
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.notifications import chat_queries, chats, delivering
from affiliate.notifications.chats import ChatEvent, ChatKind, Message
from affiliate.notifications.delivering import Call, Outcome
from affiliate.notifications.models import ChatDelivery, ChatHook, DeliveryStatus
from affiliate.partners.models import Partner, PartnerNotice
from affiliate.programs.models import Program

N_ = str  # marks a sentence for the translators

HOOKS_MAX = 10
PARTNERS_HOOKS_MAX = 3
CHOICES = (ChatEvent.ALARM, ChatEvent.LATE)
KEPT_FOR = timedelta(days=30)
RETRIED_FOR = timedelta(days=7)
_URL_LENGTH_MAX = 1_000


class NoSuchHook(NotFound):
    """There is no such chat hook, or no such message, in this program."""

    def __init__(self) -> None:
        super().__init__("There is no such chat.")


class TooManyHooks(Conflict):
    """There are as many as one may have."""

    code = "too_many_chats"

    def __init__(self) -> None:
        super().__init__(N_("No more chats can be told. Remove one first."))


def add(
    session: Session, *, program: Program, kind: ChatKind, name: str, url: str, events: Collection[ChatEvent | MailKind],
    locale: str, partner_id: UUID | None = None, plain: bool = False, actor: Actor, now: datetime,
) -> ChatHook:  # fmt: skip
    """A new hook, of the managers or of a partner: it is told of what happens from now on. `plain`: http is enough, for tests.

    Raises:
        Invalid: names each wrong field. TooManyHooks.
    """
    url = url.strip()
    chosen = [event.value for event in (CHOICES if partner_id is None else IN_CHATS) if event in events]
    wrong = {} if name.strip() else {"name": [N_("Give it a name.")]}
    if problem := address_problem(url, plain=plain):
        wrong["url"] = [problem]
    if not chosen:
        wrong["events"] = [N_("Choose at least one.")]
    if wrong:
        raise Invalid(wrong)
    _hold_to_limit(session, program.id, partner_id)
    hook = ChatHook(id=ids.new_at(now), program_id=program.id, kind=kind, name=name.strip()[:80], locale=locale)
    hook.partner_id = partner_id
    hook.host, hook.closed_url = urlsplit(url).hostname or "", _fernet().encrypt(url.encode()).decode()
    hook.events, hook.is_live, hook.created_at = chosen, True, now
    hook.created_by_id = actor.id if actor.kind == "user" else None
    session.add(hook)
    session.flush()
    _audit(session, "chat.add", hook, actor, now)
    return hook


def _hold_to_limit(session: Session, program_id: UUID, partner_id: UUID | None) -> None:
    """Two at once wait for one another here."""
    owner = sa.select(Program.id).where(Program.id == program_id)
    if partner_id is not None:
        owner = sa.select(Partner.id).where(Partner.id == partner_id)
    session.execute(owner.with_for_update())
    there = len(chat_queries.hooks(session, program_id=program_id, partner_id=partner_id))
    if there >= (HOOKS_MAX if partner_id is None else PARTNERS_HOOKS_MAX):
        raise TooManyHooks


def address_problem(url: str, *, plain: bool = False) -> str | None:
    """What is wrong with an address, as a sentence. Where its name leads is looked up when it is called."""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return N_("This is no address.")
    if len(url) > _URL_LENGTH_MAX or not url.isascii() or not url.isprintable() or " " in url or not port_is_fine:
        return N_("This is no address.")
    if parts.scheme != "https" and not (plain and parts.scheme == "http"):
        return N_("Begin with https://.")
    if not parts.hostname or parts.username or parts.fragment:
        return N_("This is no address.")
    return None if plain or not _is_inside(parts.hostname) else N_("This leads into a private network.")


def _is_inside(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:  # a name
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def _fernet() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(signing.derive(settings.current().secret_key, "chat addresses")))


def choose(session: Session, *, hook: ChatHook, events: Collection[MailKind], actor: Actor, now: datetime) -> None:
    """Of what a partner's chat is told from now on; of nothing, if it says so. As it is already: nothing happens."""
    chosen = [kind.value for kind in IN_CHATS if kind in events]
    if chosen != hook.events:
        hook.events = chosen
        _audit(session, "chat.choose", hook, actor, now)


def move(session: Session, *, hook: ChatHook, is_live: bool, actor: Actor, now: datetime) -> None:
    """Tell it of what happens from now on, or of nothing. So already: nothing happens."""
    here = (ChatHook.id == hook.id, ChatHook.is_live != is_live)
    moved = sa.update(ChatHook).where(*here).values(is_live=is_live).returning(ChatHook.id)
    if session.scalar(moved.execution_options(synchronize_session=False)) is not None:
        _audit(session, "chat.switch_on" if is_live else "chat.switch_off", hook, actor, now)


def remove(session: Session, *, hook: ChatHook, actor: Actor, now: datetime) -> None:
    """Forget a hook and its log."""
    _audit(session, "chat.remove", hook, actor, now)
    session.execute(sa.delete(ChatDelivery).where(ChatDelivery.hook_id == hook.id))
    session.execute(sa.delete(ChatHook).where(ChatHook.id == hook.id))


def tell(
    session: Session,
    *,
    program: Program,
    event: ChatEvent,
    occasion: str,
    messages: Mapping[str, Message],
    now: datetime,
) -> int:
    """Write a message down for each live hook that wants this event, once for an occasion; gives how many.

    `messages` by language: one for each language that `chat_queries.languages` names.
    """
    found = [hook for hook in chat_queries.hooks(session, program_id=program.id) if hook.is_live]
    wanting = [hook for hook in found if event.value in hook.events]
    rows = [_row(hook, program.slug, (event, occasion), messages[hook.locale], now) for hook in wanting]
    return len(db.insert_new(session, ChatDelivery, rows))


def pass_on(session: Session, *, notices: Sequence[PartnerNotice], now: datetime) -> int:
    """Write down what the chats of partners are told of these notices, in each chat's language; gives how many messages."""
    if not notices:
        return 0
    hooks = chat_queries.live_of(session, partner_ids={each.partner_id for each in notices})
    slugs = _slugs(session, {hook.program_id for hook in hooks})
    rows = [
        _row(
            hook, slugs[hook.program_id], (ChatEvent.NOTICE, f"notice:{each.id.hex}"), _message(each, hook.locale), now
        )
        for each in notices
        for hook in hooks
        if (hook.program_id, hook.partner_id) == (each.program_id, each.partner_id) and each.kind.value in hook.events
    ]
    done = sa.update(PartnerNotice).where(db.among(session, PartnerNotice.id, [each.id for each in notices]))
    session.execute(done.values(is_passed_on=True).execution_options(synchronize_session=False))
    return len(db.insert_new(session, ChatDelivery, rows))


def _slugs(session: Session, program_ids: Collection[UUID]) -> dict[UUID, str]:
    found = sa.select(Program.id, Program.slug).where(Program.id.in_(program_ids))
    return {row.id: row.slug for row in session.execute(found)}


def _message(notice: PartnerNotice, language: str) -> Message:
    text = notice.texts.get(language) or notice.texts["en"]
    return Message(
        text["title"],
        text["lines"],
        settings.current().base_url + notice.path,
        text["act"] or settings.current().base_url,
    )


def test(session: Session, *, hook: ChatHook, program: Program, message: Message, now: datetime) -> None:
    """Tell it something once, also while it is not live. While a test of it waits, nothing happens."""
    # Two at once wait for one another here: who tests steers our calls to a stranger's server.
    session.execute(sa.select(ChatHook.id).where(ChatHook.id == hook.id).with_for_update())
    if not chat_queries.is_test_waiting(session, hook_id=hook.id):
        occasion = f"test:{ids.random().hex}"
        db.insert_new(session, ChatDelivery, [_row(hook, program.slug, (ChatEvent.TEST, occasion), message, now)])


def _row(hook: ChatHook, slug: str, what: tuple[ChatEvent, str], message: Message, now: datetime) -> dict[str, Any]:
    event, occasion = what
    body = chats.body(hook.kind, event=event, program=slug, at=now.isoformat(), message=message)
    return {
        "id": ids.new_at(now), "hook_id": hook.id, "event": event, "occasion": occasion, "body": body,
        "status": DeliveryStatus.WAITING, "attempts": 0, "send_after": now, "created_at": now,
    }  # fmt: skip


def claim(session: Session, *, limit: int, now: datetime) -> list[Call]:
    """The messages that this job now holds until its lease ends."""
    found = chat_queries.due(session, limit=limit, now=now)
    taken = [(delivery, hook) for delivery, hook in found if _take(session, delivery, now)]
    return [_call(delivery, hook, now) for delivery, hook in taken]


def _take(session: Session, delivery: ChatDelivery, now: datetime) -> bool:
    here = _held(delivery.id, delivery.attempts)
    taking = sa.update(ChatDelivery).where(*here)
    taking = taking.values(attempts=delivery.attempts + 1, send_after=now + delivering.LEASE)
    taken = session.scalar(taking.returning(ChatDelivery.id).execution_options(synchronize_session=False))
    return taken is not None


def _held(delivery_id: UUID, attempts: int) -> tuple[sa.ColumnElement[bool], ...]:
    waiting = ChatDelivery.status == DeliveryStatus.WAITING
    return (ChatDelivery.id == delivery_id, waiting, ChatDelivery.attempts == attempts)


def _call(delivery: ChatDelivery, hook: ChatHook, now: datetime) -> Call:
    body = delivery.body.encode()
    headers = {"Content-Type": "application/json"}
    if hook.kind is ChatKind.JSON:
        headers |= _signature(hook.id, delivery.id, body, now)
    is_test = delivery.event is ChatEvent.TEST
    return Call(delivery.id, hook.id, delivery.attempts + 1, opened_url(hook), headers, is_test, body)


def opened_url(hook: ChatHook) -> str:
    """The address; empty, so that the call fails with a word, where the installation's secret was changed since."""
    try:
        return _fernet().decrypt(hook.closed_url.encode()).decode()
    except InvalidToken:
        return ""


def shown_secret(hook_id: UUID) -> str:
    """The key of a hook's signatures, as Standard Webhooks writes it: derived, so that nothing secret is stored."""
    return f"whsec_{base64.b64encode(_secret(hook_id)).decode()}"


def _secret(hook_id: UUID) -> bytes:
    return bytes.fromhex(
        signing.keyed_hash(signing.derive(settings.current().secret_key, "chat signatures"), str(hook_id))
    )


def _signature(hook_id: UUID, delivery_id: UUID, body: bytes, now: datetime) -> dict[str, str]:
    message_id, moment = ids.public("chd", delivery_id), str(int(now.timestamp()))
    digest = bytes.fromhex(signing.keyed_hash(_secret(hook_id), f"{message_id}.{moment}.{body.decode()}"))
    signed = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": message_id, "webhook-timestamp": moment, "webhook-signature": signed}


def note(session: Session, *, call: Call, outcome: Outcome, now: datetime) -> None:
    """Write down what came of a message, unless somebody else holds it by now."""
    held = sa.update(ChatDelivery).where(*_held(call.delivery_id, call.attempts))
    noted = held.values(delivering.result(call, outcome, now)).execution_options(synchronize_session=False)
    session.execute(noted)


def retry(session: Session, *, hook: ChatHook, delivery_id: UUID | None = None, actor: Actor, now: datetime) -> int:
    """Try a message again that was given up, or all of the last week; gives how many."""
    given_up = [ChatDelivery.hook_id == hook.id, ChatDelivery.status == DeliveryStatus.GIVEN_UP]
    given_up.append(ChatDelivery.id == delivery_id if delivery_id else ChatDelivery.finished_at >= now - RETRIED_FOR)
    again = {"status": DeliveryStatus.WAITING, "attempts": 0, "send_after": now, "finished_at": None}
    changed = sa.update(ChatDelivery).where(*given_up).values(again).returning(ChatDelivery.id)
    count = len(session.scalars(changed.execution_options(synchronize_session=False)).all())
    if count:
        _audit(session, "chat.retry", hook, actor, now, count=count)
    return count


def sweep(session: Session, *, limit: int, now: datetime) -> int:
    """Forget messages that ended long ago; how many."""
    old = sa.select(ChatDelivery.id).where(ChatDelivery.finished_at < now - KEPT_FOR).limit(limit)
    gone = sa.delete(ChatDelivery).where(ChatDelivery.id.in_(old)).returning(ChatDelivery.id)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def _audit(session: Session, action: str, hook: ChatHook, actor: Actor, now: datetime, **more: int) -> None:
    """Its name and host alone: the address is a secret."""
    audit.record(
        session, actor=actor, action=action, subject_kind="chat_hook", subject_id=hook.id, program_id=hook.program_id,
        details={"name": hook.name, "host": hook.host, "kind": hook.kind.value, "events": hook.events} | more,
        now=now,
    )  # fmt: skip
