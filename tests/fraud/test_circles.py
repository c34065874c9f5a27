"""Whether the customer, or a second account, is the partner itself: each with an innocent twin, on both databases."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import make_person, sign_in
from cryptography.fernet import Fernet
from event_cast import numbered
from factories import NOW, make_member, make_partner, make_program, make_user
from flask.testing import FlaskClient
from fraud_cast import DAY, Shop, evidence, spoke
from money_cast import person
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.fraud import service, sightings
from affiliate.fraud.signals import Verdict
from affiliate.ingest.models import Conversion, RejectedEvent, RejectReason
from affiliate.partners import marks
from affiliate.partners.models import MarkKind, Partner, PartnerMark, PartnerTerms
from affiliate.payouts import details
from affiliate.payouts.methods import MethodKind
from affiliate.payouts.vault import Vault
from affiliate.settings import Settings
from affiliate.tracking.keys import Keys, address_facts, email_hash

HOME = "93.184.216.34"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"


@pytest.fixture
def shop(session: Session, settings: Settings) -> Shop:
    return Shop(session)


def hashed(settings: Settings, mail: str) -> str:
    return email_hash(Keys.of(settings.secret_key), hashlib.sha256(mail.encode()).hexdigest())


def another(shop: Shop, mail: str, **fields: Any) -> Partner:
    return make_partner(shop.session, program=shop.program, user=make_user(shop.session, email=mail), **fields)


def pays_into(shop: Shop, partner: Partner, account: str) -> None:
    owner = make_user(shop.session)
    make_member(shop.session, user=owner, partner=partner)
    details.enter_method(
        shop.session, program=shop.program, partner_id=partner.id, kind=MethodKind.BANK,
        typed={"holder": "Marta Sala", "account": account}, vault=VAULT, actor=person(owner), now=NOW,
    )  # fmt: skip


VAULT = Vault([Fernet.generate_key().decode()])


def test_one_account_makes_two_partners_one_and_its_own_purchase_one_of_theirs(shop: Shop, settings: Settings) -> None:
    second = make_partner(
        shop.session, program=shop.program, can_be_paid=False, user=make_user(shop.session, email="m.sala@libero.it")
    )
    honest = make_partner(shop.session, program=shop.program, can_be_paid=False)
    first = make_partner(shop.session, program=shop.program, can_be_paid=False)
    pays_into(shop, first, "IT60X0542811101000000123456")
    pays_into(shop, second, "IT60 X054 2811 1010 0000 0123 456")
    pays_into(shop, honest, "DE89370400440532013000")
    bought = hashed(settings, "m.sala@libero.it")
    own, alike, twin = shop.judge(
        shop.credited(first, email_hash=bought),
        shop.credited(first, email_hash=hashed(settings, "another@libero.it")),
        shop.credited(honest, email_hash=bought),
    )
    assert (spoke(own), own.verdict) == (["self_referral", "duplicate_partner"], Verdict.REJECT)
    assert own.findings[0]["evidence"] == {"same_mail_as_second_account": 1}
    assert evidence(alike) == {"partners_with_this_account": 1, "of_these_stopped": 0}
    assert spoke(twin) == []
    kept = shop.session.scalars(sa.select(PartnerMark.mark)).all()
    assert len(set(kept)) == 2
    assert not [mark for mark in kept if "0542811" in mark]


def test_one_vat_number_makes_two_partners_one(shop: Shop) -> None:
    second, honest = another(shop, "b@ragu.example"), another(shop, "c@other.example")
    for partner, number in ((shop.marta, "IT01234567890"), (second, "IT01234567890"), (honest, "IT00743110157")):
        marks.note(shop.session, partner_ids=[partner.id], kind=MarkKind.VAT_ID, mark=marks.vat_id(number), now=NOW)
    mine, theirs = shop.judge(shop.credited(), shop.credited(honest))
    assert evidence(mine) == {"partners_with_this_vat_id": 1, "of_these_stopped": 0}
    assert spoke(theirs) == []


@pytest.mark.parametrize(
    ("mail", "website", "rules"),
    [
        ("info@ragu.example", None, ["self_referral"]),  # Marta's mailbox is marta@ragu.example
        ("ordini@cucina.example", "https://www.cucina.example/", ["self_referral"]),
        ("lettore@ragu.example", None, []),
        ("info@instagram.com", "https://instagram.com/ragu", []),
    ],
    ids=["her mail's domain", "her website's", "a name of its own", "a host that is not hers"],
)
def test_usual_mailboxes_at_the_partners_own_domain_are_its_own(
    shop: Shop, settings: Settings, mail: str, website: str | None, rules: list[str]
) -> None:
    shop.marta.website = website
    (verdict,) = shop.judge(shop.order(email_hash=hashed(settings, mail)))
    assert spoke(verdict) == rules
    assert verdict.verdict is (Verdict.FLAG if rules else Verdict.PASS)


def test_nobody_owns_a_domain_where_anybody_gets_a_mailbox(shop: Shop, settings: Settings) -> None:
    partner = another(shop, "blogger@libero.it")
    assert spoke(shop.judge(shop.credited(partner, email_hash=hashed(settings, "info@libero.it")))[0]) == []


def seen_at(settings: Settings, address: str, **click: Any) -> dict[str, Any]:
    connection = address_facts(Keys.of(settings.secret_key), address, now=NOW)[1]
    return {"address_hash": connection, "user_agent": FIREFOX, "visitor_id": numbered(9)} | click


def test_an_order_from_where_the_partner_signs_in_is_flagged(shop: Shop, settings: Settings) -> None:
    member = make_user(shop.session)
    make_member(shop.session, user=member, partner=shop.marta)
    shop.session.flush()
    at = NOW - 3 * DAY
    sightings.note(
        shop.session,
        user_id=member.id,
        address=HOME,
        user_agent=FIREFOX,
        keys=Keys.of(settings.secret_key),
        now=at,
    )
    clicks = [
        seen_at(settings, HOME),
        seen_at(settings, HOME, visitor_id=None),  # without consent no browser is compared
        seen_at(settings, HOME, user_agent="another"),
        seen_at(settings, HOME, network="mobile"),
        seen_at(settings, "93.184.216.35"),
    ]
    verdicts = shop.judge(*(shop.order(click=click) for click in clicks))
    both, connection = {"same_device": 1, "same_connection": 1}, {"same_connection": 1}
    assert [evidence(one) for one in verdicts[:3]] == [both, connection, connection]
    assert {one.verdict for one in verdicts[:3]} == {Verdict.FLAG}
    assert [spoke(one) for one in verdicts[3:]] == [[], []]
    assert service.forget_sightings(shop.session, limit=100, now=at + 70 * DAY) == 0
    assert service.forget_sightings(shop.session, limit=100, now=at + 71 * DAY) > 0


def test_a_sign_in_is_noted_but_not_one_behind_an_undeclared_proxy(client: FlaskClient, app_session: Session) -> None:
    marta = make_person(app_session, "Marta")
    make_partner(app_session, program=make_program(app_session), user=marta)
    app_session.commit()
    noted = sa.select(sa.func.count()).select_from(PartnerMark)
    for address, expected in (("10.0.0.7", False), (HOME, True)):
        client.environ_base["REMOTE_ADDR"] = address
        assert sign_in(client, marta).status_code == 302
        assert (app_session.scalar(noted) > 0) is expected
        app_session.commit()
        client.post("/logout")


def recruits(shop: Shop, recruiter: Partner, partner: Partner) -> None:
    row = PartnerTerms(program_id=shop.program.id, partner_id=partner.id, recruiter_id=recruiter.id, updated_at=NOW)
    shop.session.add(row)


def test_who_recruited_itself_over_two_levels_is_found_and_an_honest_chain_is_not(shop: Shop) -> None:
    top, middle, bottom = (another(shop, mail) for mail in ("rita@a.example", "ugo@b.example", "rita+2@a.example"))
    recruits(shop, top, middle)
    recruits(shop, middle, bottom)
    shop.session.flush()
    ring, honest = shop.judge(shop.credited(bottom), shop.credited(middle))
    assert spoke(ring) == ["partner_ring", "duplicate_partner"]
    assert ring.findings[0]["evidence"] == {"recruiters": 2, "recruiters_same_person": 1}
    assert spoke(honest) == []


@pytest.mark.parametrize(
    ("mail", "rules"),
    [("rita@a.example", ["partner_ring"]), ("ada@b.example", ["partner_ring"]), ("eva@c.example", [])],
    ids=["the recruiter", "one recruited beside", "a partner of another circle"],
)
def test_partners_who_buy_from_those_whom_they_recruited_are_found(
    shop: Shop, settings: Settings, mail: str, rules: list[str]
) -> None:
    top, sibling, stranger = (another(shop, one) for one in ("rita@a.example", "ada@b.example", "eva@c.example"))
    for partner in (shop.marta, sibling):
        recruits(shop, top, partner)
    recruits(shop, sibling, stranger)
    shop.session.flush()
    (verdict,) = shop.judge(shop.order(email_hash=hashed(settings, mail)))
    assert (spoke(verdict), verdict.verdict) == (rules, Verdict.FLAG if rules else Verdict.PASS)


def report(conversion: Conversion, reason: RejectReason) -> RejectedEvent:
    return RejectedEvent(
        id=ids.new(), program_id=conversion.program_id, kind="conversion", conversion_id=conversion.id,
        reason=reason, payload={}, received_at=NOW - timedelta(minutes=5),
    )  # fmt: skip


def test_an_order_told_again_and_again_is_flagged_and_one_that_a_page_told_late_is_not(shop: Shop) -> None:
    replayed, late, corrected = shop.order(), shop.order(), shop.order()
    shop.session.flush()
    shop.session.add_all(report(replayed, RejectReason.CONFLICTING_BODY) for _ in range(3))
    shop.session.add_all(report(late, RejectReason.LOWER_TRUST) for _ in range(9))
    shop.session.add(report(corrected, RejectReason.CONFLICTING_BODY))
    verdicts = shop.judge(replayed, late, corrected)
    assert [spoke(one) for one in verdicts] == [["replayed_order"], [], []]
    assert evidence(verdicts[0]) == {"other_reports": 3, "limit": 3}
