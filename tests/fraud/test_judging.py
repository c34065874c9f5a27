"""Each credit in force gets one verdict, on both databases, from facts that a fixed number of queries finds."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from event_cast import numbered
from factories import (
    NOW,
    make_click,
    make_member,
    make_partner,
    make_program,
    make_refund,
    make_user,
)
from fraud_cast import Shop, evidence, spoke
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.fraud import judging
from affiliate.fraud.models import FraudSettings
from affiliate.fraud.signals import Verdict
from affiliate.ingest.models import Conversion, ConversionRevision, Trust
from affiliate.partners.models import EnrollmentStatus, Partner
from affiliate.settings import Settings
from affiliate.tracking.keys import Keys, email_hash

DAY = timedelta(days=1)


@pytest.fixture
def shop(session: Session) -> Shop:
    return Shop(session)


def test_an_honest_order_passes_under_the_usual_settings(shop: Shop) -> None:
    (verdict,) = shop.judge(shop.order())
    assert (verdict.verdict, verdict.reason, verdict.findings) == (Verdict.PASS, None, [])
    assert (verdict.settings_version, verdict.answer_by, verdict.recheck_at) == (0, None, None)


def test_a_flag_promises_an_answer_within_two_weeks(shop: Shop) -> None:
    (verdict,) = shop.judge(shop.order(click={"network": "tor"}))
    assert (verdict.verdict, verdict.reason) == (Verdict.FLAG, "machine_network")
    assert verdict.findings == [{"rule": "machine_network", "action": "flag", "evidence": {"network": "tor"}}]
    assert verdict.answer_by == NOW + 14 * DAY


def test_a_second_run_changes_nothing_and_says_the_same(shop: Shop, session: Session) -> None:
    conversion = shop.order(click={"network": "datacentre"})
    first = judging.judge(session, conversion_ids=[conversion.id], now=NOW)
    assert judging.judge(session, conversion_ids=[conversion.id], now=NOW + DAY) == first
    assert shop.verdict(conversion).judged_at == NOW


def test_tests_and_orders_that_will_be_attributed_again_have_no_verdict(shop: Shop, session: Session) -> None:
    test, moved = shop.order(is_test=True), shop.order()
    moved.revision += 1
    session.flush()
    assert judging.judge(session, conversion_ids=[test.id, moved.id], now=NOW) == {}


def test_settings_of_the_program_count_in_their_newest_version(shop: Shop, session: Session) -> None:
    for version, action in ((1, "off"), (2, "reject")):
        rules = {"machine_network": {"action": action}}
        row = FraudSettings(
            id=ids.new(), program_id=shop.program.id, version=version, document={"rules": rules}, created_at=NOW
        )
        session.add(row)
    (verdict,) = shop.judge(shop.order(click={"network": "tor"}))
    assert (verdict.verdict, verdict.settings_version) == (Verdict.REJECT, 2)


def test_the_partners_own_mailbox_is_known_however_it_is_spelled(session: Session, settings: Settings) -> None:
    shop = Shop(session)
    make_member(session, user=make_user(session, email="an.na+work@gmail.com"), partner=shop.marta)
    keys = Keys.of(settings.secret_key)
    hashed = [
        email_hash(keys, hashlib.sha256(mail.encode()).hexdigest()) for mail in ("anna@gmail.com", "berta@gmail.com")
    ]
    own, other = (shop.order(email_hash=one) for one in hashed)
    assert [spoke(one) for one in shop.judge(own, other)] == [["self_referral"], []]
    assert shop.verdict(own).verdict is Verdict.REJECT


@pytest.mark.parametrize("status", [EnrollmentStatus.APPROVED, EnrollmentStatus.BANNED])
def test_another_account_of_the_same_person_is_found(shop: Shop, session: Session, status: EnrollmentStatus) -> None:
    make_partner(session, program=shop.program, status=status, user=make_user(session, email="marta+2@ragu.example"))
    make_partner(session, program=shop.program, user=make_user(session, email="martha@ragu.example"))
    make_partner(session, program=make_program(session), user=make_user(session, email="marta+3@ragu.example"))
    (verdict,) = shop.judge(shop.order())
    assert evidence(verdict) == {
        "partners_with_this_mail": 1,
        "of_these_stopped": int(status is EnrollmentStatus.BANNED),
    }


def test_another_account_with_the_same_website_is_found(shop: Shop, session: Session) -> None:
    for partner, website in (
        (shop.marta, "https://www.instagram.com/Ragu/"),
        (make_partner(session, program=shop.program), "http://instagram.com/ragu"),
        (make_partner(session, program=shop.program), "http://instagram.com/another"),
    ):
        partner.website = website
    (verdict,) = shop.judge(shop.order())
    assert (spoke(verdict), evidence(verdict)["partners_with_this_website"]) == (["duplicate_partner"], 1)


def test_a_partner_whose_only_mailbox_is_thrown_away_is_flagged(shop: Shop, session: Session) -> None:
    throwaway = make_partner(session, program=shop.program, user=make_user(session, email="x@mailinator.com"))
    assert spoke(shop.judge(shop.credited(throwaway))[0]) == ["disposable_mail"]


@pytest.mark.parametrize("how", ["browser", "connection"])
def test_clicks_of_one_customer_are_counted(shop: Shop, session: Session, how: str) -> None:
    same: dict[str, Any] = {
        "browser": {"visitor_id": numbered(7)},
        "connection": {"address_hash": "a" * 64, "user_agent": "X"},
    }[how]
    for minute in range(40):
        make_click(session, link=shop.link, occurred_at=NOW - timedelta(hours=2, minutes=minute), **same)
    make_click(session, link=shop.link, occurred_at=NOW - timedelta(hours=30), **same)
    flooded, quiet = shop.order(click=same), shop.order(click={"visitor_id": numbered(8), "address_hash": "b" * 64})
    verdicts = shop.judge(flooded, quiet)
    assert [spoke(one) for one in verdicts] == [["click_flood"], []]
    assert evidence(verdicts[0])["clicks_in_a_day"] == 41


def test_strangers_in_a_mobile_network_are_not_one_customer(shop: Shop, session: Session) -> None:
    same = {"address_hash": "a" * 64, "user_agent": "X", "network": "mobile"}
    for minute in range(40):
        make_click(session, link=shop.link, occurred_at=NOW - timedelta(hours=2, minutes=minute), **same)
    assert spoke(shop.judge(shop.order(click=same))[0]) == []


@pytest.mark.parametrize("how", ["browser", "connection"])
def test_new_customers_at_one_place_are_counted(shop: Shop, how: str) -> None:
    click = {"address_hash": "a" * 64} if how == "connection" else {}
    visitor = {"visitor_id": numbered(7)} if how == "browser" else {}
    orders = [
        shop.order(at=NOW - timedelta(hours=9 - number), click=click, customer_id=f"c{number}", **visitor)
        for number in range(6)
    ]
    assert [spoke(one) for one in shop.judge(*orders)] == [[], [], [], [], ["one_place"], ["one_place"]]


def test_one_loyal_customer_and_long_known_ones_are_no_crowd(shop: Shop) -> None:
    click = {"address_hash": "a" * 64}
    loyal = [shop.order(at=NOW - timedelta(hours=9 - n), click=click, customer_id="c1") for n in range(6)]
    known = [
        shop.order(at=NOW - timedelta(hours=9 - n), click=click, customer_id=f"k{n}", is_new=False) for n in range(6)
    ]
    assert [spoke(one) for one in shop.judge(*loyal, *known)] == [[]] * 12


def test_an_order_told_twice_under_two_numbers_is_found(shop: Shop) -> None:
    first = shop.order(order_id="AB-1001", visitor_id=numbered(7))
    again = shop.credited(
        order_id="ab1001", click_id=first.click_id, occurred_at=NOW + timedelta(hours=1), received_at=NOW
    )
    another = shop.credited(order_id="AB-1002", visitor_id=numbered(7), occurred_at=NOW + timedelta(hours=2))
    much_later = shop.credited(order_id="AB 1001", visitor_id=numbered(7), occurred_at=NOW + 9 * DAY)
    elsewhere = shop.credited(order_id="AB_1001", click_id=first.click_id, occurred_at=NOW + DAY, currency="USD")
    judged = shop.judge(first, again, another, much_later, elsewhere)
    assert [spoke(one) for one in judged] == [[], ["varied_order_id"], [], [], []]


def test_an_order_that_nobody_confirmed_is_looked_at_again(shop: Shop, session: Session) -> None:
    old, young = (shop.order(trust=Trust.OPEN, source="pixel", at=NOW - days * DAY) for days in (31, 3))
    verdicts = shop.judge(old, young)
    assert [(one.verdict, one.reason) for one in verdicts] == [(Verdict.REJECT, "unconfirmed"), (Verdict.PASS, None)]
    assert verdicts[1].recheck_at == young.received_at + 30 * DAY


@pytest.mark.parametrize(("told_minor", "rule"), [(900_00, ["told_otherwise"]), (82_00, [])])
def test_what_a_page_said_is_compared_with_the_server(
    shop: Shop, session: Session, told_minor: int, rule: list[str]
) -> None:
    conversion = shop.order(tax_minor=18_00)
    differences = {"amount_minor": [told_minor, 100_00], "tax_minor": [0, 18_00]}
    facts = {"amount_minor": told_minor, "currency": "EUR"}
    row = ConversionRevision(
        id=ids.new(), conversion_id=conversion.id, delivery_id=ids.new(), revision=1, trust=Trust.OPEN,
        facts=facts, differences=differences, replaced_at=NOW,
    )  # fmt: skip
    session.add(row)
    assert spoke(shop.judge(conversion)[0]) == rule


def _busy(shop: Shop, *, days: int, a_day: int, partner: Partner | None = None, minutes: int = 30) -> None:
    """Past orders of a partner, so many on each of the days before."""
    for day in range(1, days + 1):
        for number in range(a_day):
            at = NOW - day * DAY + timedelta(minutes=number)
            click = ids.new_at(at - timedelta(minutes=minutes))
            shop.credited(partner, click_id=click, occurred_at=at, received_at=at)


def test_a_burst_of_one_partner_is_found_and_a_sale_day_is_not(shop: Shop, session: Session) -> None:
    other = make_partner(session, program=shop.program)
    _busy(shop, days=20, a_day=1)
    _busy(shop, days=20, a_day=2, partner=other)
    burst = [shop.credited(occurred_at=NOW + timedelta(seconds=number), received_at=NOW) for number in range(25)]
    verdicts = shop.judge(*burst)
    assert [spoke(one) for one in verdicts] == [[]] * 9 + [["velocity"]] * 16
    assert evidence(verdicts[9]) == {
        "orders_today": 10, "orders_before": 20, "days_before": 28, "orders_of_others_today": 0, "orders_of_others_before": 40,
    }  # fmt: skip
    tomorrow = NOW + DAY
    for number in range(60):
        shop.credited(other, occurred_at=tomorrow + timedelta(seconds=number))
    sale = [shop.credited(occurred_at=tomorrow + timedelta(seconds=number)) for number in range(40)]
    assert {tuple(spoke(one)) for one in shop.judge(*sale)} == {()}


def test_a_code_that_leaks_is_found_and_a_promoted_one_is_not(shop: Shop) -> None:
    leaked = [shop.by_code(occurred_at=NOW + timedelta(seconds=number)) for number in range(12)]
    assert [spoke(one) for one in shop.judge(*leaked)] == [[]] * 9 + [["coupon_leak"]] * 3
    tomorrow = NOW + DAY
    shop.clicks(400, partner=shop.marta, at=tomorrow)
    promoted = [shop.by_code(occurred_at=tomorrow + timedelta(seconds=number)) for number in range(14)]
    assert {tuple(spoke(one)) for one in shop.judge(*promoted)} == {()}


def test_rates_are_compared_with_the_program(shop: Shop, session: Session) -> None:
    other = make_partner(session, program=shop.program)
    _busy(shop, days=6, a_day=2)
    _busy(shop, days=6, a_day=2, partner=other)
    yesterday = NOW - DAY
    for clicks, partner in ((15, shop.marta), (50_000, other), (52_015, None)):
        shop.clicks(clicks, partner=partner, at=yesterday)
    mine, theirs = shop.judge(shop.order(), shop.credited(other))
    assert (spoke(mine), spoke(theirs)) == (["high_rate"], ["low_rate"])
    assert evidence(mine) == {"clicks": 15, "orders": 12, "clicks_of_others": 52_000, "orders_of_others": 12}


def test_orders_seconds_after_the_click_again_and_again_are_found(shop: Shop) -> None:
    fast = [shop.order(at=NOW + timedelta(minutes=number), after=timedelta(seconds=2)) for number in range(6)]
    assert [spoke(one) for one in shop.judge(*fast)] == [[]] * 4 + [["too_fast"]] * 2


def test_orders_always_after_the_same_time_are_found(shop: Shop) -> None:
    _busy(shop, days=16, a_day=2, minutes=90)
    assert spoke(shop.judge(shop.order())[0]) == ["too_flat"]


def test_sending_back_is_compared_with_the_program(shop: Shop, session: Session) -> None:
    other = make_partner(session, program=shop.program)
    _busy(shop, days=12, a_day=2)
    _busy(shop, days=12, a_day=2, partner=other)
    sold: dict[Any, list[Conversion]] = {shop.marta.id: [], other.id: []}
    session.flush()
    for row in judging.queries.credits_of(session, conversion_ids=session.scalars(sa.select(Conversion.id)).all()):
        sold[row.partner_id].append(session.get_one(Conversion, row.conversion_id))
    for conversion in sold[shop.marta.id][:9] + sold[other.id][:3]:
        make_refund(session, conversion=conversion, amount_minor=None)
    assert spoke(shop.judge(shop.order())[0]) == []
    for conversion in sold[shop.marta.id][9:18]:
        make_refund(session, conversion=conversion, amount_minor=1)
    assert evidence(shop.judge(shop.order())[0]) == {
        "orders": 24, "refunded": 18, "orders_of_others": 24, "refunded_of_others": 3,
    }  # fmt: skip


def test_where_the_click_came_from_is_looked_at(shop: Shop, session: Session) -> None:
    document = {"brand_terms": ["casa ondera"], "banned_hosts": ["coupons.example"]}
    session.add(FraudSettings(id=ids.new(), program_id=shop.program.id, version=1, document=document, created_at=NOW))
    clicks: list[dict[str, Any]] = [
        {"referrer_host": "it.coupons.example"},
        {"referrer_host": "casaonderra.example"},
        {"referrer_host": "blog.example"},
        {"utm": {"term": "Casa Ondera sale", "medium": "cpc"}},
        {"utm": {"term": "casa ondera", "medium": "email"}},
        {"utm": {"term": "casa ondera"}, "ad_ids": {"gclid": "x"}},
    ]
    verdicts = shop.judge(*(shop.order(click=click) for click in clicks))
    expected = [["banned_referrer"], ["lookalike_referrer"], [], ["brand_bidding"], [], ["brand_bidding"]]
    assert [spoke(one) for one in verdicts] == expected


def test_a_token_that_is_not_ours_is_found_on_an_order_credited_otherwise(shop: Shop) -> None:
    assert spoke(shop.judge(shop.by_code(click_refusal="tampered_click_id"))[0]) == ["tampered_click"]


def test_the_number_of_queries_does_not_depend_on_the_batch(
    shop: Shop, session: Session, count_queries: Callable[[], Any]
) -> None:
    shop.judge(shop.order(visitor_id=numbered(7), email_hash=None))  # the mappers are ready
    counts = []
    for size in (1, 20):
        orders = [shop.order(click={"address_hash": "a" * 64}) for _ in range(size)]
        session.flush()
        with count_queries() as counter:
            judging.judge(session, conversion_ids=[one.id for one in orders], now=NOW)
        counts.append(len(counter))
    assert counts[0] == counts[1] <= 34
