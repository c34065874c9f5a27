"""Attribution policies and replays over the API: read with one scope, started with another, of one's own program alone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import factories
import pytest
from factories import NOW
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.attribution import publishing
from affiliate.attribution import service as attribution
from affiliate.attribution.policy import Policy
from affiliate.commissions import service as commissions
from affiliate.programs.models import Program
from affiliate.replay import jobs

Call = Callable[..., Any]


@pytest.fixture
def program(app_session: Session) -> Program:
    return factories.make_program(app_session)


@pytest.fixture
def call(client: FlaskClient, app_session: Session, program: Program) -> Call:
    secrets = {}
    actor = Actor(kind="user", id=factories.make_user(app_session).id)
    for scope in ("reports:read", "admin"):
        made = accounts.create_api_key(
            app_session, program_id=program.id, name=scope, scopes=[scope], actor=actor, now=NOW
        )
        secrets[scope] = made[1]
    app_session.commit()

    def send(method: str, path: str, scope: str = "reports:read", **arguments: Any) -> Any:
        headers = {"Authorization": f"Bearer {secrets[scope]}"}
        return client.open(f"/api/v1{path}", method=method, headers=headers, **arguments)

    return send


def sold(session: Session, program: Program) -> None:
    """An order of 100.00 three days after its click, at ten percent."""
    factories.make_plan(session, program=program)
    partner = factories.make_partner(session, program=program)
    link = factories.make_link(session, program=program, partner=partner)
    click = factories.make_click(session, link=link, occurred_at=NOW - timedelta(days=3))
    factories.make_conversion(session, program=program, click_id=click.id, occurred_at=NOW, received_at=NOW)
    attribution.attribute_waiting(session, limit=9, clicks_until=NOW, now=NOW)
    commissions.commission_waiting(session, limit=9, now=NOW)
    session.commit()


def test_the_versions_of_the_policy_are_told(call: Call, app_session: Session, program: Program) -> None:
    assert [one["version"] for one in call("GET", "/attribution-policies").json] == [1]
    actor = Actor(kind="user", id=factories.make_user(app_session).id)
    publishing.publish(
        app_session, program_id=program.id, policy=Policy(1, window_days=7), effective_from=NOW, actor=actor, now=NOW
    )
    app_session.commit()
    newest = call("GET", "/attribution-policies").json[0]
    assert (newest["version"], newest["terms"]["window_days"]) == (2, 7)


def test_a_replay_is_started_read_and_not_started_twice(call: Call, app_session: Session, program: Program) -> None:
    sold(app_session, program)
    asked = {"window_days": 2, "from": "2026-01-01"}
    assert call("POST", "/replays", json=asked).status_code == 403
    answer = call("POST", "/replays", "admin", json=asked)
    assert (answer.status_code, answer.json["status"], answer.json["orders"]) == (202, "running", 1)
    assert answer.json["terms"]["window_days"] == 2
    assert call("POST", "/replays", "admin", json={}).status_code == 409
    jobs.advance()
    told = call("GET", f"/replays/{answer.json['id']}").json
    assert (told["status"], told["conversions"], told["changed_conversions"]) == ("done", 1, 1)
    earned = told["partners"][0]
    assert (earned["today"]["amount"], earned["tomorrow"]["amount"]) == ("10.00", "0.00")
    assert [row["id"] for row in call("GET", "/replays").json] == [answer.json["id"]]
    assert call("POST", f"/replays/{told['id']}/stop", "admin").status_code == 409


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"window_days": 0}, "window_days"),
        ({"model": "luck"}, "model"),
        ({"from": "soon"}, "from"),
        ({"ladder": []}, "ladder"),
    ],
)
def test_what_cannot_be_tried_is_refused_by_name(call: Call, wrong: dict[str, Any], field: str) -> None:
    answer = call("POST", "/replays", "admin", json=wrong)
    assert (answer.status_code, field in answer.json["errors"]) == (422, True)


def test_a_replay_of_another_program_is_not_there(call: Call) -> None:
    assert call("GET", f"/replays/{ids.public('rpl', ids.new())}").status_code == 404
