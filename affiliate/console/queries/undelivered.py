"""What did not reach whom it was for, in the last days: mails of newsletters, calls to partners, messages to chats, letters."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from affiliate.mailer import MailStatus, OutboxMail
from affiliate.newsletters.models import DeliveryStatus as Mailed
from affiliate.newsletters.models import NewsletterDelivery, NewsletterIssue
from affiliate.notifications.chats import ChatEvent
from affiliate.notifications.models import (
    ChatDelivery,
    ChatHook,
    DeliveryStatus,
    PostbackAddress,
    PostbackDelivery,
    PostbackEvent,
)
from affiliate.partners.models import Partner

SHOWN_OF_A_KIND = 10


@dataclass(frozen=True, slots=True)
class Lost:
    """Whether there is anything of a kind, so that the page asks further only where there is."""

    newsletters: bool
    postbacks: bool
    chats: bool
    letters: bool


def lost(program_id: UUID, since: datetime, *, letters_of: UUID | None) -> list[sa.ColumnElement[bool]]:
    """Whether something did not arrive since then, as the columns of `Lost`, for a statement that asks more.

    `letters_of`: the program in whose name letters left; without one those of all, and the installation's own.
    """
    here = (program_id, since)
    kinds = (_newsletters(*here), _postbacks(*here), _chats(*here), _letters(letters_of, since))
    return [sa.exists(kind) for kind in kinds]


def newsletters(program_id: UUID, *, since: datetime) -> sa.Select[*tuple[Any, ...]]:
    """Issues with mails that are uncertain or were given up: `NewsletterIssue`, `uncertain`, `failed`, `at`.

    These statements number their rows by `place`, to be asked beside others.
    """
    uncertain = sa.func.count().filter(NewsletterDelivery.status == Mailed.UNCERTAIN)
    failed = sa.func.count().filter(NewsletterDelivery.status == Mailed.FAILED)
    counted = _newsletters(program_id, since).with_only_columns(
        NewsletterDelivery.issue_id, uncertain.label("uncertain"), failed.label("failed"),
        sa.func.max(NewsletterDelivery.settled_at).label("at"),
    ).group_by(NewsletterDelivery.issue_id).subquery()  # fmt: skip
    order = (counted.c.at, NewsletterIssue.id)
    found = sa.select(NewsletterIssue, counted.c.uncertain, counted.c.failed, counted.c.at, _place(order))
    found = found.join(counted, counted.c.issue_id == NewsletterIssue.id)
    return found.order_by(*order).limit(SHOWN_OF_A_KIND)


def postbacks(program_id: UUID, *, since: datetime) -> sa.Select[*tuple[Any, ...]]:
    """Addresses of partners with calls that were given up: `id`, `url`, `partner_id`, `name`, `count`, `at`."""
    columns = (PostbackAddress.id, PostbackAddress.url, PostbackAddress.partner_id, Partner.name)
    at = sa.func.max(PostbackDelivery.finished_at)
    order = (at, PostbackAddress.id)
    found = (
        _postbacks(program_id, since)
        .join(Partner, Partner.id == PostbackAddress.partner_id)
        .with_only_columns(*columns, sa.func.count().label("count"), at.label("at"), _place(order))
        .group_by(*columns)
    )
    return found.order_by(*order).limit(SHOWN_OF_A_KIND)


def chats(program_id: UUID, *, since: datetime) -> sa.Select[*tuple[Any, ...]]:
    """Chats with messages that were given up: `id`, `name`, `count`, `at`."""
    columns = (ChatHook.id, ChatHook.name)
    found = _chats(program_id, since).with_only_columns(
        *columns,
        sa.func.count().label("count"),
        sa.func.max(ChatDelivery.finished_at).label("at"),
        _place((ChatHook.id,)),
    )
    return found.group_by(*columns).order_by(ChatHook.id).limit(SHOWN_OF_A_KIND)


def _place(order: tuple[Any, ...]) -> Any:
    return sa.func.row_number().over(order_by=order).label("place")


def letters(program_id: UUID | None, *, since: datetime) -> sa.Select[*tuple[Any, ...]]:
    """Letters that no server takes, the newest first: `OutboxMail`, and how many there are in all as `count`.

    Those that left in the program's name; without one those of all, and the installation's own.
    """
    order = (OutboxMail.created_at.desc(), OutboxMail.id)
    found = _letters(program_id, since).with_only_columns(
        OutboxMail, sa.func.count().over().label("count"), _place(order)
    )
    return found.order_by(*order).limit(SHOWN_OF_A_KIND)


def _newsletters(program_id: UUID, since: datetime) -> sa.Select[*tuple[Any, ...]]:
    here = (NewsletterIssue.program_id == program_id, NewsletterDelivery.settled_at >= since)
    found = sa.select(sa.literal(1)).select_from(NewsletterDelivery)
    found = found.join(NewsletterIssue, NewsletterIssue.id == NewsletterDelivery.issue_id)
    return found.where(*here, NewsletterDelivery.status.in_((Mailed.UNCERTAIN, Mailed.FAILED)))


def _postbacks(program_id: UUID, since: datetime) -> sa.Select[*tuple[Any, ...]]:
    """Of addresses that are switched on: an address that was switched off for its failures told its partner so."""
    here = (PostbackAddress.program_id == program_id, PostbackAddress.switched_off_at.is_(None))
    found = sa.select(sa.literal(1)).select_from(PostbackDelivery)
    found = found.join(PostbackAddress, PostbackAddress.id == PostbackDelivery.address_id)
    given_up = (PostbackDelivery.status == DeliveryStatus.GIVEN_UP, PostbackDelivery.finished_at >= since)
    return found.where(*here, *given_up, PostbackDelivery.event != PostbackEvent.TEST)


def _chats(program_id: UUID, since: datetime) -> sa.Select[*tuple[Any, ...]]:
    found = sa.select(sa.literal(1)).select_from(ChatDelivery).join(ChatHook, ChatHook.id == ChatDelivery.hook_id)
    given_up = (ChatDelivery.status == DeliveryStatus.GIVEN_UP, ChatDelivery.finished_at >= since)
    managers = (ChatHook.program_id == program_id, ChatHook.partner_id.is_(None))  # partners look after their own chats
    return found.where(*managers, *given_up, ChatDelivery.event != ChatEvent.TEST)


def _letters(program_id: UUID | None, since: datetime) -> sa.Select[*tuple[Any, ...]]:
    failed = (OutboxMail.status == MailStatus.FAILED, OutboxMail.created_at >= since)
    found = sa.select(sa.literal(1)).select_from(OutboxMail).where(*failed)
    return found if program_id is None else found.where(OutboxMail.program_id == program_id)
