"""Keys of partners: each call gives the partner's own rows, another's row is not there, and what is the program's is refused."""

import re
from dataclasses import dataclass
from typing import Any

import factories
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from affiliate import ids
from affiliate.accounts import access
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.accounts.keys import PARTNER_SCOPES
from affiliate.accounts.models import ApiKey
from affiliate.ingest.models import Conversion
from affiliate.links import service as links
from affiliate.money import Money
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.payouts import adjusting
from affiliate.payouts.models import AdjustmentKind
from affiliate.programs.models import Program


@dataclass(frozen=True, slots=True)
class Stock:
    """One thing of each kind that a partner has, by the address that shows it."""

    partner: Partner
    paths: dict[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """A program with two partners that have the same things, and a key of the first."""

    program: Program
    mine: Stock
    theirs: Stock
    key: ApiKey
    secret: str
    client: FlaskClient

    def get(self, path: str, method: str = "GET") -> Any:
        headers = {"Authorization": f"Bearer {self.secret}"}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers)


def stock(session: Session, program: Program, actor: Actor, name: str) -> Stock:
    partner = factories.make_partner(session, program=program, name=name)
    link = factories.make_link(session, program=program, partner=partner)
    factories.make_click(session, link=link)
    earned = factories.make_commission(session, program=program, partner=partner, link=link, order_id=f"{name}-1")
    payout = factories.make_payout(session, program=program, partner=partner, proposer=factories.make_user(session))
    links.create_coupon(
        session, program_id=program.id, partner_id=partner.id, code=f"{name}10", actor=actor, now=factories.NOW
    )
    adjusting.enter(
        session, program_id=program.id, partner_id=partner.id, kind=AdjustmentKind.BONUS, amount=Money(500, "EUR"),
        reason="Holiday", actor=actor, now=factories.NOW,
    )  # fmt: skip
    return Stock(
        partner,
        {
            "link": f"/links/{ids.public('lnk', link.id)}",
            "conversion": f"/conversions/{ids.public('cnv', earned.conversion_id)}",
            "payout": f"/payouts/{ids.public('pay', payout.id)}",
            "papers": f"/payouts/{ids.public('pay', payout.id)}/papers",
        },
    )


@pytest.fixture
def place(app_session: Session, client: FlaskClient) -> Place:
    program = factories.make_program(app_session)
    actor = Actor(kind="user", id=factories.make_user(app_session).id)
    mine, theirs = (stock(app_session, program, actor, name) for name in ("Marta", "Ewa"))
    key, secret = accounts.create_api_key(
        app_session, program_id=program.id, partner_id=mine.partner.id, name="Board", scopes=PARTNER_SCOPES, actor=actor,
        now=factories.NOW,
    )  # fmt: skip
    app_session.commit()
    return Place(program, mine, theirs, key, secret, client)


def routes(app: Flask, *, partners_too: bool) -> list[tuple[str, Rule]]:
    """The API's routes by key, with one method of each."""
    found = []
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"} if rule.methods else ()):
            declared = access.declaration_of(app, rule.endpoint, method)
            if declared is not None and declared.kind == "key" and declared.partners_too is partners_too:
                found.append((method, rule))
    return found


def test_what_is_the_partners_own_opens_and_what_is_anothers_is_not_there(place: Place) -> None:
    assert {name: place.get(path).status_code for name, path in place.mine.paths.items()} == dict.fromkeys(
        place.mine.paths, 200
    )
    assert {name: place.get(path).status_code for name, path in place.theirs.paths.items()} == dict.fromkeys(
        place.theirs.paths, 404
    )


def test_every_list_holds_the_partners_rows_alone(app: Flask, place: Place) -> None:
    own = ids.public("ptn", place.mine.partner.id)
    lists = [
        rule.rule.removeprefix("/api/v1") for _method, rule in routes(app, partners_too=True) if not rule.arguments
    ]
    assert len(lists) >= 10
    counts = {path: place.get(path).json for path in lists}
    for path, rows in counts.items():
        assert all(row.get("partner_id", own) == own for row in rows if isinstance(row, dict)), path
    one_each = {"/links", "/coupons", "/clicks", "/conversions", "/commissions", "/payouts"}
    assert {path: len(counts[path]) for path in one_each} == dict.fromkeys(one_each, 1)
    assert counts["/adjustments"] == []  # nobody has posted it yet
    assert counts["/conversions"][0]["order_id"] == "Marta-1"
    other = ids.public("ptn", place.theirs.partner.id)
    for path in ("/links", "/coupons", "/clicks", "/commissions", "/payouts", "/ledger"):
        assert place.get(f"{path}?partner={own}").status_code == 200
        assert place.get(f"{path}?partner={other}").status_code == 404, path


def test_what_became_of_another_partners_order_is_not_told(app_session: Session, place: Place) -> None:
    factories.make_conversion(app_session, program=place.program, order_id="Marta-2")
    for name, partner in (("Marta", place.mine.partner), ("Ewa", place.theirs.partner)):
        row = factories.make_commission(app_session, program=place.program, partner=partner, order_id=f"{name}-3")
        third = app_session.get_one(Conversion, row.conversion_id)
        factories.make_refund(app_session, conversion=third, amount_minor=100)
        factories.make_order_event(app_session, conversion=third)
    app_session.commit()
    assert [row["order_id"] for row in place.get("/refunds").json] == ["Marta-3"]
    assert [len(place.get(f"/orders/{name}-3/events").json) for name in ("Marta", "Ewa")] == [1, 0]
    assert place.get("/conversions?order_id=Marta-2").json == []  # nobody earned by it


def test_the_report_counts_the_partner_alone_and_tells_nothing_of_the_programs_purse(place: Place) -> None:
    told = place.get(f"/reports/days?from={factories.NOW.date()}&to={factories.NOW.date()}").json["total"]
    assert (told["conversions"], told["earnings"]["amount"]) == (1, "10.00")
    assert {"cost", "ecpa", "roas_bps", "rpc", "roi_bps", "margin", "new_share_bps"}.isdisjoint(told)


def test_coupon_and_customer_of_an_order_stay_with_the_program(app_session: Session, place: Place) -> None:
    row = factories.make_commission(app_session, program=place.program, partner=place.mine.partner, order_id="Marta-9")
    conversion = app_session.get_one(Conversion, row.conversion_id)
    conversion.coupon, conversion.new_customer = "EWA10", True
    app_session.commit()
    shown = place.get(f"/conversions/{ids.public('cnv', conversion.id)}").json
    assert (shown["order_id"], shown["coupon"], shown["new_customer"]) == ("Marta-9", None, None)


def test_all_other_calls_are_refused(app: Flask, place: Place) -> None:
    others = routes(app, partners_too=False)
    assert len(others) >= 10
    for method, rule in others:
        path = re.sub(r"<[^>]+>", "x", rule.rule)
        answer = place.get(path.removeprefix("/api/v1"), method)
        assert (answer.status_code, answer.json["code"]) in {(403, "scope_missing"), (403, "not_for_partners")}, path


def test_a_key_reads_within_its_scopes(app_session: Session, place: Place) -> None:
    place.key.scopes = ["links:read"]
    app_session.commit()
    assert place.get("/links").status_code == 200
    assert (place.get("/payouts").status_code, place.get("/payouts").json["code"]) == (403, "scope_missing")


@pytest.mark.parametrize("status", [EnrollmentStatus.BANNED, EnrollmentStatus.REJECTED])
def test_a_key_ends_with_the_membership(app_session: Session, place: Place, status: EnrollmentStatus) -> None:
    app_session.execute(sa.update(Enrollment).values(status=status))
    app_session.commit()
    assert place.get("/links").status_code == 401


def test_a_revoked_key_opens_nothing(app_session: Session, place: Place) -> None:
    mine: dict[str, Any] = {
        "program_id": place.program.id,
        "actor": Actor(kind="system", id=None),
        "now": factories.NOW,
    }
    for stranger in (None, place.theirs.partner.id):
        with pytest.raises(accounts.NoSuchKey):
            accounts.revoke_api_key(app_session, key_id=place.key.id, partner_id=stranger, **mine)
    accounts.revoke_api_key(app_session, key_id=place.key.id, partner_id=place.mine.partner.id, **mine)
    app_session.commit()
    assert place.get("/links").status_code == 401


def test_a_partner_gets_no_scope_that_writes(app_session: Session, place: Place) -> None:
    with pytest.raises(accounts.UnknownScope):
        accounts.create_api_key(
            app_session, program_id=place.program.id, partner_id=place.mine.partner.id, name="x", scopes=["links:write"],
            actor=Actor(kind="user", id=place.key.created_by_id), now=factories.NOW,
        )  # fmt: skip


def test_a_partners_tools_wait_after_many_calls_at_every_door(app: Flask, place: Place) -> None:
    answers = [place.get("/programs").status_code for _ in range(121)]
    assert (answers[:120], answers[120]) == ([200] * 120, 429)
    for method, rule in routes(app, partners_too=True):
        waits = place.get(re.sub(r"<[^>]+>", "x", rule.rule).removeprefix("/api/v1"), method)
        assert (waits.status_code, int(waits.headers.get("Retry-After", 99)) <= 60) == (429, True), rule.rule


def test_the_document_names_the_calls_for_partners(app: Flask, client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    assert document is not None
    told = [
        operation.get("security", [])
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and any("partnerKey" in one for one in operation.get("security", []))
    ]
    assert len(told) == len(routes(app, partners_too=True))
    assert "read their own rows here" in client.get("/api/docs").text
