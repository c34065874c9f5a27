"""Calls to partners' systems: claimed first, made outside of any transaction, and written down with what was answered.

A call is made at least once: after a kill the lease ends and it is made again, with the same `{event_id}`. What fails is tried
again after pauses that grow, and given up at last; an address that has failed for a day, many times, is switched off.
"""

import base64
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids, outgoing, signing
from affiliate.notifications import mails, queries
from affiliate.notifications.models import (
    DeliveryStatus,
    PostbackAddress,
    PostbackDelivery,
    PostbackEvent,
    SwitchedOff,
)
from affiliate.notifications.queries import Due
from affiliate.outgoing import Answer, CallFailed

WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480, 1440))
ATTEMPTS_MAX = len(WAITS) + 1
EACH_MAX = 6  # calls of one address in a batch
SECONDS_MAX = 8.0
FAILURES_MAX = 20
FAILING_FOR_MAX = timedelta(days=1)
_AT_ONCE = 8
LEASE = timedelta(minutes=5)  # longer than a batch takes
_ANSWER_CHARACTERS_MAX = 300
_RETRY_AFTER_SECONDS_MAX = 24 * 3600
_ASKS_TO_WAIT = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class Call:
    """A claimed call."""

    delivery_id: UUID
    address_id: UUID
    attempts: int
    url: str
    headers: Mapping[str, str]
    is_test: bool
    body: bytes | None = None  # posted; without one it is a GET


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call: an answer, or why there was none."""

    answer: Answer | None
    error: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the other side has taken it: 2xx. A redirect is none; it is not followed."""
        return self.answer is not None and HTTPStatus(200) <= self.answer.status < HTTPStatus.MULTIPLE_CHOICES


def claim(session: Session, *, limit: int, secret_key: str, now: datetime) -> list[Call]:
    """The calls that this job now holds until its lease ends."""
    found = queries.due(session, limit=limit, each_max=EACH_MAX, now=now)
    return [_call(each, secret_key, now) for each in found if _take(session, each.delivery, now)]


def _take(session: Session, delivery: PostbackDelivery, now: datetime) -> bool:
    taking = (
        sa.update(PostbackDelivery)
        .where(
            PostbackDelivery.id == delivery.id,
            PostbackDelivery.status == DeliveryStatus.WAITING,
            PostbackDelivery.attempts == delivery.attempts,  # another job may have been faster
        )
        .values(attempts=delivery.attempts + 1, send_after=now + LEASE)
        .returning(PostbackDelivery.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(taking) is not None


def _call(due: Due, secret_key: str, now: datetime) -> Call:
    delivery, address = due.delivery, due.address
    headers = signature(address, delivery.id, delivery.url, secret_key=secret_key, now=now) if address.is_signed else {}
    is_test = delivery.event is PostbackEvent.TEST
    return Call(delivery.id, address.id, delivery.attempts + 1, delivery.url, headers, is_test)


def secret(address_id: UUID, version: int, *, secret_key: str) -> bytes:
    """The key of an address's signatures: derived, so that nothing secret is stored and a new version makes a new one."""
    return bytes.fromhex(signing.keyed_hash(signing.derive(secret_key, "partner postback"), f"{address_id}:{version}"))


def shown_secret(address: PostbackAddress, *, secret_key: str) -> str:
    """The same as Standard Webhooks writes it."""
    key = secret(address.id, address.secret_version, secret_key=secret_key)
    return f"whsec_{base64.b64encode(key).decode()}"


def signature(
    address: PostbackAddress, delivery_id: UUID, url: str, *, secret_key: str, now: datetime
) -> dict[str, str]:
    """The headers of Standard Webhooks; a GET has no body, so the address that is called is signed in its place."""
    message_id, moment = ids.public("pbd", delivery_id), str(int(now.timestamp()))
    key = secret(address.id, address.secret_version, secret_key=secret_key)
    digest = bytes.fromhex(signing.keyed_hash(key, f"{message_id}.{moment}.{url}"))
    signed = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": message_id, "webhook-timestamp": moment, "webhook-signature": signed}


def make(calls: Sequence[Call], *, loopback: bool) -> list[Outcome]:
    """Make the calls, some at once; each ends within its time."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(lambda call: _make(call, loopback), calls))


def _make(call: Call, loopback: bool) -> Outcome:  # noqa: FBT001 - given by `make` alone
    try:
        return Outcome(
            outgoing.call(
                call.url, headers=call.headers, seconds_max=SECONDS_MAX, body=call.body,
                characters_max=_ANSWER_CHARACTERS_MAX, loopback=loopback,
            )
        )  # fmt: skip
    except CallFailed as failure:
        return Outcome(None, str(failure)[:_ANSWER_CHARACTERS_MAX])


def note(session: Session, *, call: Call, outcome: Outcome, now: datetime) -> None:
    """Write down what came of a call, unless somebody else holds it by now."""
    held = (
        PostbackDelivery.id == call.delivery_id,
        PostbackDelivery.status == DeliveryStatus.WAITING,
        PostbackDelivery.attempts == call.attempts,
    )
    noting = sa.update(PostbackDelivery).where(*held).values(result(call, outcome, now)).returning(PostbackDelivery.id)
    if session.scalar(noting.execution_options(synchronize_session=False)) is not None and not call.is_test:
        _note_address(session, call, outcome, now)


def result(call: Call, outcome: Outcome, now: datetime) -> dict[str, object]:
    """What a delivery holds after a call: it arrived, it is tried again after a pause, or it is given up."""
    said = {
        "answer_code": outcome.answer.status if outcome.answer else None,
        "answer": outcome.answer.text[:_ANSWER_CHARACTERS_MAX] if outcome.answer else "",
        "error": outcome.error,
    }
    if outcome.is_good:
        return said | {"status": DeliveryStatus.DELIVERED, "finished_at": now}
    if call.attempts >= ATTEMPTS_MAX or call.is_test or _is_gone(outcome):
        return said | {"status": DeliveryStatus.GIVEN_UP, "finished_at": now}
    return said | {"send_after": now + _pause(call, outcome)}


def _pause(call: Call, outcome: Outcome) -> timedelta:
    """How long until the next try: the plan's pause and up to a tenth more, or longer if the other side asks for it."""
    planned = WAITS[call.attempts - 1] * random.uniform(1, 1.1)
    answer = outcome.answer
    if answer is None or answer.status not in _ASKS_TO_WAIT or answer.retry_after_seconds is None:
        return planned
    return max(planned, timedelta(seconds=min(answer.retry_after_seconds, _RETRY_AFTER_SECONDS_MAX)))


def _is_gone(outcome: Outcome) -> bool:
    return outcome.answer is not None and outcome.answer.status == HTTPStatus.GONE


def _note_address(session: Session, call: Call, outcome: Outcome, now: datetime) -> None:
    here = sa.update(PostbackAddress).where(PostbackAddress.id == call.address_id)
    here = here.execution_options(synchronize_session=False)
    if outcome.is_good:
        session.execute(here.where(PostbackAddress.failures > 0).values(failures=0, failing_since=None))
        return
    since = sa.func.coalesce(PostbackAddress.failing_since, sa.literal(now, PostbackAddress.failing_since.type))
    session.execute(here.values(failures=PostbackAddress.failures + 1, failing_since=since))
    failing = (PostbackAddress.failures >= FAILURES_MAX, PostbackAddress.failing_since <= now - FAILING_FOR_MAX)
    why = SwitchedOff.GONE if _is_gone(outcome) else SwitchedOff.FAILING
    off = here.where(PostbackAddress.switched_off_at.is_(None)).values(switched_off_at=now, switched_off=why)
    off = off if why is SwitchedOff.GONE else off.where(*failing)
    if session.scalar(off.returning(PostbackAddress.id)) is not None:
        mails.tell_switched_off(session, address_id=call.address_id, now=now)
