"""The shop's totals by key: once for each day, replaced by later ones, kept in the history."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import factories
import pytest
import sqlalchemy as sa
from factories import NOW
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import clock
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import AuditEvent
from affiliate.programs.models import Program
from affiliate.reports.models import ShopDay

Post = Callable[..., Any]
BODY = {"program": "casa", "day": "2026-11-01", "orders": 40, "revenue": "1999.90", "visitors": 900}


@pytest.fixture
def program(app_session: Session) -> Program:
    return factories.make_program(app_session, slug="casa")


@pytest.fixture
def post(client: FlaskClient, app_session: Session, program: Program) -> Post:
    actor = Actor(kind="user", id=factories.make_user(app_session).id)
    _key, secret = accounts.create_api_key(
        app_session, program_id=program.id, name="Shop", scopes=["conversions:write"], actor=actor, now=NOW
    )
    app_session.commit()

    def call(**changes: Any) -> Any:
        body = {name: value for name, value in (BODY | changes).items() if value is not None}
        return client.post("/api/v1/shop-totals", json=body, headers={"Authorization": f"Bearer {secret}"})

    return call


def _told(session: Session) -> list[AuditEvent]:
    session.expire_all()
    found = sa.select(AuditEvent).where(AuditEvent.action == "shop_totals.tell").order_by(AuditEvent.occurred_at)
    return list(session.scalars(found))


def test_a_day_is_told_once_and_replaced_by_other_numbers(post: Post, app_session: Session) -> None:
    assert post().json == {"day": "2026-11-01", "status": "new"}
    assert post().json["status"] == "known"
    assert post(orders=41, costs="1200").json["status"] == "replaced"
    row = app_session.scalars(sa.select(ShopDay)).one()
    assert (row.orders, row.revenue_minor, row.visitors, row.costs_minor) == (41, 1999_90, 900, 1200_00)
    first, second = _told(app_session)
    assert first.details["replaced"] == 0
    assert second.details["changes"] == {"2026-11-01": {"orders": [40, 41], "costs_minor": [None, 1200_00]}}
    assert second.actor_kind == "key"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("orders", -1),
        ("orders", 1.5),
        ("orders", 10**12),
        ("revenue", "-1"),
        ("revenue", "1.999"),
        ("revenue", 19.99),
        ("costs", "2000"),
        ("new_customers", 41),
        ("day", "1999-12-31"),
        ("currency", "PLN"),
        ("colour", "blue"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(post: Post, app_session: Session, field: str, value: object) -> None:
    answer = post(**{field: value})
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])
    assert app_session.scalar(sa.select(sa.func.count()).select_from(ShopDay)) == 0


def test_a_day_to_come_is_refused(post: Post) -> None:
    coming = (clock.now() + timedelta(days=3)).date().isoformat()
    assert "not come yet" in post(day=coming).json["errors"]["day"][0]


def test_another_program_is_not_there(post: Post) -> None:
    assert post(program="altra").status_code == 404
