"""The demo: a program, its people, and ninety days of business, worked off by the stages' own services with the clock of the story."""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.attribution import service as attribution
from affiliate.commissions import service as commissions
from affiliate.demo import agreements, founding, letters, material, place, story
from affiliate.demo.treasury import Treasury
from affiliate.ingest import service as ingest
from affiliate.ledger import chain, sealer
from affiliate.ledger import service as ledger
from affiliate.mailer import OutboxMail
from affiliate.payouts import proof
from affiliate.payouts.models import PayoutNotice
from affiliate.reports import landings, visitors
from affiliate.settings import Settings

_SHOWN = timedelta(days=31)  # what pages show at first
_HOURS_MAX = 20_000
_BATCH = 1_000
_PASSWORD_ENVIRONMENT = "AFFILIATE_DEMO_PASSWORD"  # noqa: S105 - the name of a variable


class Transaction(Protocol):
    """`db.transaction`: one writing transaction."""

    def __call__(self) -> AbstractContextManager[Session]:
        """Open it."""


def load(*, settings: Settings, transaction: Transaction, now: datetime) -> Path:
    """Make the demo program with its history up to `now`, and write `demo.json`, whose path is given back.

    Whole or not at all: one transaction, so that a start that was broken off can be tried again.

    Raises:
        DemoRefused: see `place.refuse_unless_safe`.
        PasswordRefused: the password in the environment is none that we would let a person have.
    """
    password = os.environ.get(_PASSWORD_ENVIRONMENT) or secrets.token_urlsafe(12)
    with transaction() as session:
        place.refuse_unless_safe(session, settings)
        begun_at = now - timedelta(days=story.DAYS + 1)
        founded = founding.found(session, settings=settings, password=password, now=begun_at)
        treasury = Treasury(program_id=founded.program_id, manager=founded.manager, finance=founded.finance)
        for end, events in story.tell(program_id=founded.program_id, links=founded.links, until=now):
            _work_off(session, events=events, now=end)
            treasury.work(session, now=end)
        for stretch in visitors.stale(session, since=now - _SHOWN, limit=_HOURS_MAX):
            visitors.count(session, stretch=stretch)
        for beginnings in landings.stale(session, since=now - 2 * _SHOWN, limit=_HOURS_MAX):
            landings.count(session, stretch=beginnings)
        letters.write(session, program_id=founded.program_id, manager=founded.manager, now=now)
        material.fill(session, program_id=founded.program_id, manager=founded.manager, now=now)
        agreements.make(
            session, program_id=founded.program_id, partner_ids=[link.partner_id for link in founded.links],
            manager=founded.manager, now=now,
        )  # fmt: skip
        founding.receive_applications(session, program_id=founded.program_id, now=now - timedelta(hours=20))
        session.execute(sa.delete(PayoutNotice))
        session.execute(sa.delete(OutboxMail))  # their news is months old, and nobody lives at these addresses
        session.flush()
        sealer.seal_all(session, key=chain.signing_key(settings.secret_key), now=now)
        found = proof.verify(session)
        ledger.record_proof(session, transfers=found.transfers, findings=found.findings, now=now)
        return _write(settings.data_dir / "demo.json", founding.sheet(founded, settings=settings, password=password))


def _work_off(session: Session, *, events: Sequence[Any], now: datetime) -> None:
    """One day through all stages, in the pipeline's order."""
    ingest.store_batch(session, events=events, now=now)
    _drain(attribution.attribute_waiting, session, clicks_until=now, now=now)
    _drain(commissions.commission_waiting, session, now=now)
    _drain(commissions.reverse_waiting, session, now=now)
    _drain(commissions.approve_due, session, now=now)


def _drain(step: Any, session: Session, **arguments: Any) -> None:
    while step(session, limit=_BATCH, **arguments):
        session.flush()


def _write(path: Path, sheet: Mapping[str, Any]) -> Path:
    """The sheet with sign-ins and key, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(sheet, file, ensure_ascii=False, indent=2)
    return path
