"""The API's reading side: one program's rows for one program's key, in pages, in one shape."""

from collections.abc import Callable
from typing import Any

import factories
import pytest
from creative_cast import make_creative
from flask.testing import FlaskClient
from openapi_spec_validator import validate
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.accounts.keys import SCOPES
from affiliate.commissions import service as commissions
from affiliate.creatives.kinds import CreativeKind
from affiliate.money import Money
from affiliate.payouts import adjusting
from affiliate.payouts.models import AdjustmentKind
from affiliate.programs.models import Program

Get = Callable[..., Any]


@pytest.fixture
def program(app_session: Session) -> Program:
    return factories.make_program(app_session)


@pytest.fixture
def get(client: FlaskClient, app_session: Session, program: Program) -> Get:
    user = factories.make_user(app_session)
    actor = Actor(kind="user", id=user.id)
    scopes = [scope for scope in SCOPES if scope != "admin"]
    _key, secret = accounts.create_api_key(
        app_session, program_id=program.id, name="Test", scopes=scopes, actor=actor, now=factories.NOW
    )
    app_session.commit()

    def call(path: str, method: str = "GET", **arguments: Any) -> Any:
        return client.open(f"/api/v1{path}", method=method, headers={"Authorization": f"Bearer {secret}"}, **arguments)

    return call


def test_the_document_is_valid_openapi(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    assert document is not None
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_the_manual_shows_every_call(client: FlaskClient) -> None:
    page = client.get("/api/docs").get_data(as_text=True)
    document = client.get("/api/v1/openapi.json").json
    assert document is not None
    assert all(path in page for path in document["paths"])


def test_no_key_is_401_with_the_shape_of_an_error(client: FlaskClient) -> None:
    answer = client.get("/api/v1/programs")
    assert answer.status_code == 401
    assert answer.json is not None
    assert set(answer.json) == {"code", "message", "errors"}


def test_a_key_sees_its_own_program_only(get: Get, app_session: Session, program: Program) -> None:
    other = factories.make_program(app_session)
    app_session.commit()
    assert [row["slug"] for row in get("/programs").json] == [program.slug]
    assert get(f"/programs/{other.slug}").status_code == 404


def test_conversions_come_in_pages_without_gaps(get: Get, app_session: Session, program: Program) -> None:
    made = {factories.make_conversion(app_session, program=program).order_id for _ in range(5)}
    factories.make_conversion(app_session, program=factories.make_program(app_session))
    app_session.commit()
    seen: list[str] = []
    path = "/conversions?limit=2"
    while path:
        answer = get(path)
        seen += [row["order_id"] for row in answer.json]
        link = answer.headers.get("Link", "")
        path = link[1 : link.index(">")].split("/api/v1", 1)[1] if link else ""
    assert sorted(seen) == sorted(made)


def test_money_is_text_with_its_currency(get: Get, app_session: Session, program: Program) -> None:
    row = factories.make_conversion(app_session, program=program, amount_minor=4990)
    app_session.commit()
    shown = get(f"/conversions/{ids.public('cnv', row.id)}").json
    assert shown["amount"] == {"amount": "49.90", "currency": "EUR"}
    assert shown["verified"] is True


def test_a_trace_holds_touches_commissions_and_postings(get: Get, app_session: Session, program: Program) -> None:
    partner = factories.make_partner(app_session, program=program)
    row = factories.make_conversion(app_session, program=program)
    factories.make_attribution(app_session, conversion=row, partner=partner)
    app_session.commit()
    shown = get(f"/conversions/{ids.public('cnv', row.id)}/trace").json
    assert [attribution["version"] for attribution in shown["attributions"]] == [1]
    assert set(shown) == {"conversion", "attributions", "verdicts", "commissions", "adjustments", "ledger"}


def test_a_trace_holds_what_the_fraud_rules_said(get: Get, app_session: Session, program: Program) -> None:
    partner = factories.make_partner(app_session, program=program)
    link = factories.make_link(app_session, program=program, partner=partner)
    click = factories.make_click(app_session, link=link, network="tor")
    row = factories.make_conversion(app_session, program=program, click_id=click.id)
    factories.make_attribution(app_session, conversion=row, partner=partner)
    commissions.commission_waiting(app_session, limit=1, now=factories.NOW)
    app_session.commit()
    (verdict,) = get(f"/conversions/{ids.public('cnv', row.id)}/trace").json["verdicts"]
    assert (verdict["verdict"], verdict["reason"], verdict["overruled"]) == ("flag", "machine_network", False)
    assert verdict["findings"] == [{"rule": "machine_network", "action": "flag", "evidence": {"network": "tor"}}]


@pytest.mark.parametrize(
    "path",
    [
        "/conversions/cnv_x",
        "/partners/ptn_x",
        "/links/lnk_x",
        "/programs/none",
        f"/conversions/cnv_{'0' * 26}/trace",
    ],
)
def test_what_is_not_there_is_404(get: Get, path: str) -> None:
    assert get(path).status_code == 404


def test_a_wrong_cursor_is_named(get: Get) -> None:
    answer = get("/conversions?cursor=nonsense")
    assert answer.status_code == 422
    assert "cursor" in answer.json["errors"]


@pytest.mark.parametrize("limit", ["0", "201", "many"])
def test_a_page_has_a_bounded_size(get: Get, limit: str) -> None:
    answer = get(f"/conversions?limit={limit}")
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["limit"])


def test_a_link_is_made_for_a_partner_of_the_program(get: Get, app_session: Session, program: Program) -> None:
    partner = factories.make_partner(app_session, program=program)
    app_session.commit()
    body = {"partner_id": ids.public("ptn", partner.id), "landing_url": "https://www.shop.example/pots", "name": "Pots"}
    bound = get("/coupons", method="POST", json={"partner_id": body["partner_id"], "code": "POTS10"})
    assert bound.status_code == 201
    made = get("/links", method="POST", json=body | {"coupon": "pots10"})
    assert (made.status_code, made.json["coupon"]) == (201, "POTS10")
    assert made.json["url"].endswith(f"/r/{made.json['code']}")
    assert get("/links").json[0]["id"] == made.json["id"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"landing_url": "https://other.example/"}, "landing_url"),
        ({"landing_url": None}, "landing_url"),
        ({"code": "x"}, "code"),
        ({"colour": "red"}, "colour"),
        ({"coupon": "NEVER"}, "coupon"),
    ],
)
def test_a_wrong_link_names_the_field(
    get: Get, app_session: Session, program: Program, change: dict[str, Any], field: str
) -> None:
    partner = factories.make_partner(app_session, program=program)
    app_session.commit()
    body = {"partner_id": ids.public("ptn", partner.id), "landing_url": "https://www.shop.example/"} | change
    answer = get("/links", method="POST", json=body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_a_partner_of_another_program_gets_no_link(get: Get, app_session: Session) -> None:
    stranger = factories.make_partner(app_session, program=factories.make_program(app_session))
    app_session.commit()
    body = {"partner_id": ids.public("ptn", stranger.id), "landing_url": "https://www.shop.example/"}
    assert get("/links", method="POST", json=body).status_code == 404


def test_creatives_are_listed_by_kind_with_what_they_say(get: Get, app_session: Session, program: Program) -> None:
    banner = make_creative(app_session, program=program, now=factories.NOW)
    text = make_creative(app_session, program=program, kind=CreativeKind.TEXT, now=factories.NOW)
    theirs = make_creative(app_session, program=factories.make_program(app_session), now=factories.NOW)
    app_session.commit()
    name = ids.public("crv", banner.id)
    assert sorted(row["title"] for row in get("/creatives").json) == ["A banner", "A text"]
    [row] = get("/creatives?kind=banner&status=live").json
    assert (row["id"], row["width"], row["picture_url"]) == (name, 300, f"http://localhost/c/{name}")
    assert get(f"/creatives/{ids.public('crv', text.id)}").json["text"] == "The pan that stays"
    assert get(f"/creatives/{ids.public('crv', theirs.id)}").status_code == 404


def test_entries_by_hand_are_listed_with_their_reason(get: Get, app_session: Session, program: Program) -> None:
    partner = factories.make_partner(app_session, program=program)
    actor = Actor(kind="user", id=factories.make_user(app_session).id)
    adjusting.enter(
        app_session, program_id=program.id, partner_id=partner.id, kind=AdjustmentKind.BONUS,
        amount=Money(25_00, program.currency), reason="A good month.", actor=actor, now=factories.NOW,
    )  # fmt: skip
    app_session.commit()
    (entry,) = get("/adjustments").json
    assert (entry["kind"], entry["status"], entry["reason"]) == ("bonus", "proposed", "A good month.")
    assert entry["amount"] == {"amount": "25.00", "currency": program.currency}
