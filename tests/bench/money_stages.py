"""Attribution and commissions by the batch: cost per conversion, and how it grows with the clicks that are kept."""

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from figures import Figure
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.attribution import service as attribution
from affiliate.commissions import plans, terms
from affiliate.commissions import service as commissions
from affiliate.ingest.models import Click, ClickVerdict, Conversion, Trust
from affiliate.links.models import Link, LinkStatus
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.programs.models import Program, ProgramStatus
from affiliate.programs.service import first_policy

NOW = datetime(2026, 11, 16, tzinfo=UTC)
CONVERSIONS = 1_000
KEPT = (10_000, 100_000)
_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def measure() -> Iterator[Figure]:
    """A thousand conversions over ten and over a hundred thousand clicks, on SQLite."""
    costs = {}
    for clicks in KEPT:
        attributed, commissioned = _microseconds(clicks)
        costs[clicks] = attributed
        yield Figure(f"attribution over {clicks:,} clicks, µs a conversion", attributed)
        yield Figure(f"commission over {clicks:,} clicks, µs a conversion", commissioned)
    yield Figure(
        f"attribution, {KEPT[1]:,} against {KEPT[0]:,} clicks (ratio)", costs[KEPT[1]] / costs[KEPT[0]], "<= 1.5"
    )


def _microseconds(clicks: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as folder:
        engine = db.make_engine(f"sqlite:///{folder}/bench.db")
        upgrade(engine)
        with Session(engine, expire_on_commit=False) as session:
            fill(session, clicks=clicks)
            attributed = _timed(
                session, lambda: attribution.attribute_waiting(session, limit=CONVERSIONS, clicks_until=NOW, now=NOW)
            )
            commissioned = _timed(session, lambda: commissions.commission_waiting(session, limit=CONVERSIONS, now=NOW))
        engine.dispose()
    return attributed, commissioned


def _timed(session: Session, step: object) -> float:
    began = time.perf_counter()
    done = step()  # type: ignore[operator]
    session.commit()
    if done != CONVERSIONS:
        raise RuntimeError(f"{done} of {CONVERSIONS} were worked off")
    return (time.perf_counter() - began) / CONVERSIONS * 1_000_000


def upgrade(engine: sa.Engine) -> None:
    """Bring an empty database to this version."""
    with engine.connect() as connection:
        config = Config(toml_file=str(_PYPROJECT))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def fill(session: Session, *, clicks: int) -> None:
    """A program with so many clicks, and a thousand conversions that wait for their attribution."""
    program_id, partner_id, link_id = ids.new(), ids.new(), ids.new()
    long_ago = NOW - timedelta(days=90)
    shop = {"shop_url": "https://www.shop.example/", "allowed_hosts": ["www.shop.example"]}
    session.add(
        Program(
            id=program_id,
            slug="bench",
            name="Bench",
            status=ProgramStatus.LIVE,
            currency="EUR",
            created_at=long_ago,
            updated_at=long_ago,
            **shop,
        )
    )
    session.flush()
    session.add(first_policy(program_id, 30, created_at=long_ago))
    session.add(Partner(id=partner_id, name="Bench", created_at=long_ago))
    session.flush()
    stamps = {"created_at": long_ago, "updated_at": long_ago}
    session.add(
        Enrollment(
            id=ids.new(), program_id=program_id, partner_id=partner_id, status=EnrollmentStatus.APPROVED, **stamps
        )
    )
    session.add(
        Link(
            id=link_id,
            program_id=program_id,
            partner_id=partner_id,
            code="bench",
            name="",
            landing_url=shop["shop_url"],
            subs={},
            status=LinkStatus.ACTIVE,
            **stamps,
        )
    )
    plan = {"name": "Bench", "terms": terms.simple(rate_bps=10_00), "effective_from": long_ago}
    plans.create_plan(session, program_id=program_id, actor=SYSTEM, now=long_ago, **plan)
    rows = [_click(number, program_id, partner_id, link_id, clicks) for number in range(clicks)]
    session.execute(sa.insert(Click), rows)
    step = clicks // CONVERSIONS
    session.execute(
        sa.insert(Conversion), [_conversion(number, program_id, rows[number * step]) for number in range(CONVERSIONS)]
    )
    session.commit()


def _click(number: int, program_id: object, partner_id: object, link_id: object, clicks: int) -> dict[str, object]:
    at = NOW - timedelta(days=29) + timedelta(days=28) * number / clicks
    keys = {"program_id": program_id, "partner_id": partner_id, "link_id": link_id, "visitor_id": ids.new()}
    facts = {
        "verdict": ClickVerdict.VALID,
        "source": "redirect",
        "subs": {},
        "landing_url": "https://www.shop.example/",
    }
    return {"id": ids.new_at(at), "occurred_at": at, "received_at": at} | keys | facts


def _conversion(number: int, program_id: object, click: dict[str, object]) -> dict[str, object]:
    keys = {"id": ids.new(), "program_id": program_id, "kind": "sale", "order_id": str(number), "fingerprint": "0" * 64}
    facts = {
        "trust": Trust.SERVER,
        "source": "api",
        "is_test": False,
        "amount_minor": 49_90,
        "currency": "EUR",
        "items": [],
    }
    touch = {"click_id": click["id"] if number % 2 else None, "visitor_id": click["visitor_id"]}
    return keys | facts | touch | {"occurred_at": NOW, "received_at": NOW}
