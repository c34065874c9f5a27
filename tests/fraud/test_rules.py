"""For every rule a fraudulent case, and an innocent twin that must pass."""

from dataclasses import replace
from typing import Any

import pytest

from affiliate.fraud import rules
from affiliate.fraud.facts import (
    Claim,
    Contact,
    Crowd,
    Facts,
    Order,
    Own,
    PartnerFacts,
    Past,
    ProgramFacts,
    Ring,
    Sibling,
    Today,
)
from affiliate.fraud.rules import RuleSetting
from affiliate.fraud.signals import Action, Verdict

ORDER = Order(order_id="A-1001", amount_minor=100_00, currency="EUR")
CLICK = Contact(seconds_to_order=1_800)
QUIET = Past(clicks=1_000, orders=30, orders_by_click=30, orders_refunded=2)
PROGRAM = Past(clicks=50_000, orders=1_600, orders_by_click=1_500, orders_by_code=100, orders_refunded=80)
SHOP = ProgramFacts(hosts=("www.casaondera.example",), brand_terms=("casa ondera",), banned_hosts=("coupons.example",))
HONEST = Facts(order=ORDER, contact=CLICK, past=QUIET, program_past=PROGRAM, program=SHOP)
WINDOW = SHOP.window_seconds
SOON = tuple(range(60, 60 + 40 * 200, 200))  # forty orders within two hours
EVENLY = tuple(range(WINDOW // 80, WINDOW, WINDOW // 40))


def order(**fields: Any) -> Facts:
    return replace(HONEST, order=replace(ORDER, **fields))


def click(**fields: Any) -> Facts:
    return replace(HONEST, contact=replace(CLICK, **fields))


def partner(**fields: Any) -> Facts:
    return replace(HONEST, partner=PartnerFacts(**fields))


def own(**fields: bool) -> Facts:
    return replace(HONEST, own=Own(**fields))


def ring(**fields: Any) -> Facts:
    return replace(HONEST, ring=Ring(**fields))


def by_code(**fields: Any) -> Facts:
    past = Past(clicks=1_000, orders=120, orders_by_click=90, orders_by_code=30)
    return replace(HONEST, by_code=True, contact=None, past=past, today=Today(**fields))


def twice(order_id: str, other: str, amount_minor: int = 100_00) -> Facts:
    return order(order_id=order_id, siblings=(Sibling(order_id=other, amount_minor=amount_minor),))


def told(amount_minor: int, currency: str) -> Claim:
    return Claim(amount_minor=amount_minor, currency=currency, confirmed_minor=100_00, confirmed_currency="EUR")


MOBILE = {"network": "mobile"}

CASES: list[tuple[str, str, Facts, Facts]] = [
    ("self_referral", "mail", own(mail=True), HONEST),
    ("self_referral", "account of a second one", own(mail_of_twin=True), partner(website_host="ragu.example")),
    ("self_referral", "domain", own(domain=True), own()),
    ("self_referral", "device", own(device=True), replace(own(device=True), contact=replace(CLICK, **MOBILE))),
    # Behind a mobile address stand thousands.
    (
        "self_referral",
        "connection",
        own(connection=True),
        replace(own(connection=True), contact=replace(CLICK, **MOBILE)),
    ),
    ("partner_ring", "one person on two levels", ring(recruiters=2, same_person=1), ring(recruiters=2)),
    ("partner_ring", "bought inside", ring(recruiters=1, bought=True), ring(recruiters=5)),
    ("replayed_order", "again and again", order(conflicts=3), order(conflicts=2)),
    ("duplicate_partner", "mail", partner(twins_by_mail=1), partner()),
    ("duplicate_partner", "account", partner(twins_by_account=1), partner(people=2)),
    ("duplicate_partner", "VAT number", partner(twins_by_vat_id=1), partner(website_host="ragu.example")),
    ("duplicate_partner", "website", partner(twins_by_website=2), partner(website_host="instagram.com")),
    ("disposable_mail", "all people", partner(people=1, disposable_mails=1), partner(people=2, disposable_mails=1)),
    ("one_place", "browser", replace(HONEST, crowd=Crowd(of_browser=5)), replace(HONEST, crowd=Crowd(of_browser=2))),
    (
        "one_place",
        "connection",
        replace(HONEST, crowd=Crowd(of_connection=9)),
        replace(HONEST, crowd=Crowd(of_connection=4)),
    ),
    (
        "one_place",
        "mobile connection",
        replace(click(**MOBILE), crowd=Crowd(of_connection=200)),
        replace(click(**MOBILE), crowd=Crowd(of_connection=199)),
    ),
    (
        "banned_referrer",
        "below it",
        click(referrer_host="it.coupons.example"),
        click(referrer_host="mycoupons.example"),
    ),
    (
        "lookalike_referrer",
        "a letter",
        click(referrer_host="casaondara.example"),
        click(referrer_host="casaondera.example"),
    ),
    ("lookalike_referrer", "a digit", click(referrer_host="casa0ndera.shop"), click(referrer_host="casarosa.example")),
    (
        "lookalike_referrer",
        "an addition",
        click(referrer_host="casaondera-outlet.example"),
        click(referrer_host="outlet.example"),
    ),
    (
        "lookalike_referrer",
        "unless it is the partner's own site",
        click(referrer_host="casaondera-fans.example"),
        replace(
            click(referrer_host="casaondera-fans.example"), partner=PartnerFacts(website_host="casaondera-fans.example")
        ),
    ),
    ("click_flood", "clicks", click(clicks_of_customer=30), click(clicks_of_customer=6)),
    (
        "low_rate",
        "against the program",
        replace(
            HONEST, past=Past(clicks=40_000, orders=2, orders_by_click=2), program_past=replace(PROGRAM, clicks=90_000)
        ),
        # A program in which hardly anybody buys: the partner is as the others.
        replace(
            HONEST,
            past=Past(clicks=40_000, orders=2, orders_by_click=2),
            program_past=Past(clicks=90_000, orders=5, orders_by_click=5),
        ),
    ),
    (
        "high_rate",
        "against the program",
        replace(HONEST, past=Past(clicks=100, orders=40, orders_by_click=40)),
        # Nine orders of ten clicks are luck, not a rate.
        replace(HONEST, past=Past(clicks=10, orders=9, orders_by_click=9)),
    ),
    (
        "too_fast",
        "again and again",
        replace(click(seconds_to_order=2), times=(2, 1, 3, 2, 900)),
        replace(click(seconds_to_order=2), times=(900, 40, 3_600, 70_000, 2)),
    ),
    (
        "too_flat",
        "any time alike",
        replace(HONEST, times=EVENLY, program_times=SOON),
        replace(HONEST, times=SOON, program_times=SOON),
    ),
    (
        "too_flat",
        "unless everybody thinks for weeks",
        replace(HONEST, times=EVENLY, program_times=SOON),
        replace(HONEST, times=EVENLY, program_times=EVENLY),
    ),
    ("too_flat", "always the same", replace(HONEST, times=(300,) * 35), replace(HONEST, times=(300,) * 8)),
    (
        "machine_network",
        "data centre",
        replace(
            click(network="datacentre"), past=replace(QUIET, orders_by_machine=2), today=Today(orders_by_machine=1)
        ),
        # Somebody behind a VPN, once.
        replace(click(network="datacentre"), today=Today(orders_by_machine=1)),
    ),
    (
        "machine_network",
        "unless all customers are there",
        replace(
            click(network="datacentre"), past=replace(QUIET, orders_by_machine=9), today=Today(orders_by_machine=1)
        ),
        replace(
            click(network="datacentre"),
            past=replace(QUIET, orders_by_machine=9),
            program_past=replace(PROGRAM, orders_by_machine=400),
        ),
    ),
    ("machine_network", "Tor", click(network="tor"), click(network=None)),
    (
        "brand_bidding",
        "a paid ad",
        click(search_term="Casa  Ondera coupon"),
        click(search_term="casa onderata pans"),
    ),
    ("tampered_click", "a signature", order(has_tampered_click=True), order(has_tampered_click=False)),
    (
        "velocity",
        "own history",
        replace(HONEST, today=Today(place=40, orders_of_others=60)),
        # A sale day: everybody sells ten times as much.
        replace(HONEST, today=Today(place=40, orders_of_others=600)),
    ),
    (
        "velocity",
        "but a success brings clicks",
        replace(HONEST, today=Today(place=40, clicks=20)),
        replace(HONEST, today=Today(place=40, clicks=900)),
    ),
    (
        "velocity",
        "but a newcomer has no history",
        replace(HONEST, today=Today(place=40)),
        replace(HONEST, past=Past(), today=Today(place=40)),
    ),
    ("coupon_leak", "own history", by_code(place_by_code=15, place=15), by_code(place_by_code=3, place=3)),
    (
        "coupon_leak",
        "but a promotion brings clicks",
        by_code(place_by_code=15, place=15, clicks=20),
        by_code(place_by_code=15, place=15, clicks=900),
    ),
    (
        "coupon_leak",
        "but a sale day moves all",
        by_code(place_by_code=15, place=15, orders_of_others=60),
        by_code(place_by_code=15, place=15, orders_of_others=900),
    ),
    ("varied_order_id", "a suffix", twice("1001-2", "1001"), twice("1002", "1001")),
    ("varied_order_id", "case and dashes", twice("ab-1001", "AB1001"), twice("2026-17", "2026-18")),
    ("varied_order_id", "zeros", twice("001001", "1001"), twice("1001-2", "1001", amount_minor=35_00)),
    (
        "unconfirmed",
        "after a month",
        order(is_verified=False, days_since_report=30),
        order(is_verified=False, days_since_report=29),
    ),
    ("unconfirmed", "unless confirmed", order(is_verified=False, days_since_report=40), order(days_since_report=40)),
    (
        "told_otherwise",
        "an amount",
        order(claims=(told(900_00, "EUR"),)),
        order(claims=(told(82_00, "EUR"),), tax_minor=18_00),
    ),
    (
        "told_otherwise",
        "a currency",
        order(claims=(told(100_00, "USD"),)),
        order(claims=(told(77_00, "EUR"),), tax_minor=18_00, shipping_minor=5_00),
    ),
    (
        "refund_farming",
        "against the program",
        replace(HONEST, past=Past(clicks=1_000, orders=40, orders_refunded=25)),
        # Shoes: everybody sends half of them back.
        replace(
            HONEST,
            past=Past(clicks=1_000, orders=40, orders_refunded=25),
            program_past=replace(PROGRAM, orders_refunded=700),
        ),
    ),
]
_NAMES = [f"{rule}: {what}" for rule, what, _, _ in CASES]


def spoke(facts: Facts) -> list[str]:
    return [finding.rule for finding in rules.judge(facts, settings={}).findings]


@pytest.mark.parametrize(("rule", "fraud"), [(rule, fraud) for rule, _, fraud, _ in CASES], ids=_NAMES)
def test_the_rule_speaks_alone_and_with_numbers(rule: str, fraud: Facts) -> None:
    judgement = rules.judge(fraud, settings={})
    assert (spoke(fraud), judgement.reason) == ([rule], rule)
    assert judgement.verdict is not Verdict.PASS
    assert judgement.findings[0].evidence


@pytest.mark.parametrize("innocent", [innocent for _, _, _, innocent in CASES], ids=_NAMES)
def test_the_innocent_twin_passes(innocent: Facts) -> None:
    assert rules.judge(innocent, settings={}) == rules.Judgement(Verdict.PASS, None, ())


def test_every_rule_has_both_cases() -> None:
    assert {rule for rule, _, _, _ in CASES} == {rule.name for rule in rules.AUTOMATIC}


@pytest.mark.parametrize("rule", [rule.name for rule in rules.AUTOMATIC])
def test_a_rule_that_is_off_is_silent(rule: str) -> None:
    fraud = next(fraud for name, _, fraud, _ in CASES if name == rule)
    off = RuleSetting(Action.OFF, rules.usual(rules.BY_NAME[rule]).limits)
    assert rules.judge(fraud, settings={rule: off}).verdict is Verdict.PASS


def _all_reject(name: str) -> dict[str, RuleSetting]:
    return {name: RuleSetting(Action.REJECT, rules.usual(rules.BY_NAME[name]).limits)}


@pytest.mark.parametrize(
    ("rule", "weak"),
    [
        ("one_place", replace(click(**MOBILE), crowd=Crowd(of_connection=200))),
        ("duplicate_partner", partner(twins_by_website=1)),
        ("self_referral", own(domain=True, device=True, connection=True)),
        ("partner_ring", ring(recruiters=1, bought=True)),
    ],
    ids=["a mobile network", "a twin in good standing", "one roof", "a friend among partners"],
)
def test_weak_evidence_only_flags_whatever_the_program_wants(rule: str, weak: Facts) -> None:
    assert rules.judge(weak, settings=_all_reject(rule)).verdict is Verdict.FLAG


@pytest.mark.parametrize(
    ("rule", "strong"),
    [
        ("self_referral", own(mail=True)),
        ("self_referral", own(mail_of_twin=True)),
        ("partner_ring", ring(recruiters=2, same_person=1)),
        ("one_place", replace(click(**MOBILE), crowd=Crowd(of_browser=50))),
        ("duplicate_partner", partner(twins_by_mail=1, twins_stopped=1)),
    ],
    ids=["the same mail", "a second account's mail", "recruited himself", "one browser", "a banned twin"],
)
def test_strong_evidence_rejects_where_the_program_wants_it(rule: str, strong: Facts) -> None:
    assert rules.judge(strong, settings=_all_reject(rule)).verdict is Verdict.REJECT


def test_the_strongest_counts_and_of_equals_the_first_is_the_reason() -> None:
    both = replace(
        order(has_tampered_click=True, is_verified=False, days_since_report=99), contact=replace(CLICK, network="tor")
    )
    judgement = rules.judge(both, settings={})
    assert [finding.rule for finding in judgement.findings] == ["unconfirmed", "tampered_click", "machine_network"]
    assert (judgement.verdict, judgement.reason) == (Verdict.REJECT, "unconfirmed")
    flags = rules.judge(replace(both, order=replace(both.order, is_verified=True)), settings={})
    assert (flags.verdict, flags.reason) == (Verdict.FLAG, "tampered_click")


def test_a_moved_threshold_is_used() -> None:
    facts = click(clicks_of_customer=6)
    lower = {"click_flood": RuleSetting(Action.REJECT, {"clicks": 6})}
    assert rules.judge(facts, settings=lower).verdict is Verdict.REJECT
