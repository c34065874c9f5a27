"""What another payout policy or buyer would do is told before it is saved."""

from datetime import date

import sqlalchemy as sa
from console_cast import Cast, text_of
from flask.testing import FlaskClient
from tax_cast import IT_VAT, make_buyer, make_rule

from affiliate.payouts import queries
from affiliate.taxes import queries as taxes
from affiliate.taxes.models import TaxRule

POLICY = "/console/casa/payouts/policy"
BUYER = "/console/casa/papers/buyer"
RULES = "/console/casa/papers/rules"
TYPED = {
    "code": "agent", "name": "agent", "country": "IT", "valid_from": "2026-02-01", "base_share": "100", "rate": "20", "vat": "22",
    "stamp": "2.00", "stamp_above": "5.00",
}  # fmt: skip
"""The next version of the rule of the cast: 20 % of everything instead of 23 % of one half, and stamp duty."""


def test_a_policy_is_told_with_its_effect_and_nothing_is_saved(cast: Cast, mara: FlaskClient) -> None:
    cast.approved_sale("1")
    typed = {"cadence": "monthly", "net_days": "14", "adjustment_limit": "20", "is_one_person": "y"}
    page = text_of(mara.post(f"{POLICY}/preview", data=typed))
    assert "4 settings would change" in page
    assert "Commissions that a run could pay now: 0 (€0.00); as it is: 1 (€10.00)." in page
    assert "The next run would be due on" in page
    assert "would have needed no second person" in page
    assert "Nothing is saved yet." in page
    assert queries.policy_of(cast.session, program_id=cast.program.id) == queries.Policy()
    cast.settle()
    assert mara.post(f"{POLICY}/preview", data=typed | {"net_days": ""}).status_code == 422
    assert mara.post(f"{POLICY}/preview", data=typed | {"adjustment_limit": "much"}).status_code == 422


def test_a_buyer_is_told_with_its_effect_and_nothing_is_saved(cast: Cast, mara: FlaskClient) -> None:
    cast.approved_sale("1")
    make_buyer(cast.session, program=cast.program)
    before = taxes.settings_of(cast.session, program_id=cast.program.id)
    assert before is not None
    typed = {"legal_name": before.legal_name, "address": before.address, "country": "FR", "demands_profile": "y"}
    cast.session.commit()
    page = text_of(mara.post(f"{BUYER}/preview", data=typed))
    assert "Partners without a tax profile who have something to be paid now: 1 (€10.00)." in page
    assert "partners would get papers with another VAT." in page
    now = taxes.settings_of(cast.session, program_id=cast.program.id)
    assert now is not None
    assert now.country == before.country
    cast.settle()


def test_the_next_version_of_a_tax_rule_is_told_in_money_and_nothing_is_saved(taxed: Cast, finn: FlaskClient) -> None:
    page = text_of(finn.post(f"{RULES}/preview", data=TYPED)).replace("\u00a0", " ")
    assert "2 settings would change" in page
    assert "23 % of 50 % → 20 % of 100 %" in page
    assert "On what is owed to 1 partner under this rule now: €2.00; as it is: €1.15." in page
    assert "On what is owed to 1 partner under this rule now: €2.00; as it is: €0.00." in page
    assert page.count("Counts for payouts proposed from") == 1
    assert 'aria-current="page"' in page  # it stands under payouts
    assert len(taxes.rules_of(taxed.session, program_id=taxed.program.id)) == 1
    taxed.session.commit()


def test_a_tax_rule_is_refused_in_its_preview_as_when_it_is_saved(taxed: Cast, finn: FlaskClient) -> None:
    for wrong, status in (
        ({"rate": "101"}, 422), ({"code": "IT!"}, 422), ({"stamp": "-1"}, 422), ({"valid_from": "2026-01-01"}, 409),
    ):  # fmt: skip
        typed = TYPED | wrong
        assert (finn.post(f"{RULES}/preview", data=typed).status_code, finn.post(RULES, data=typed).status_code) == (
            status, status,
        )  # fmt: skip


def test_a_version_between_others_says_how_long_it_counts(taxed: Cast, finn: FlaskClient) -> None:
    make_rule(taxed.session, taxed.program, valid_from=date(2026, 3, 1), rate_bps=24_00, name="Zuletzt")
    make_rule(taxed.session, taxed.program, valid_from=date(2099, 1, 1), rate_bps=25_00, name="Another name")
    taxed.session.commit()
    page = text_of(finn.post(f"{RULES}/preview", data=TYPED))
    assert "Counts for no payout: a version from 1 Mar 2026 is in force." in page
    page = text_of(finn.post(f"{RULES}/preview", data=TYPED | {"valid_from": "2026-04-01"}))
    assert "A later version follows on 1 Jan 2099." in page
    assert "as it is: €1.20." in page  # 24 % of one half: the version in force on that day


def test_a_new_rule_touches_nobody_yet(taxed: Cast, finn: FlaskClient) -> None:
    page = text_of(finn.post(f"{RULES}/preview", data=TYPED | {"code": "company", "stamp": "0"}))
    assert "4 settings would change" in page
    assert "On what is owed to 0 partners under this rule now: €0.00; as it is: €0.00." in page


def test_the_history_tells_of_taxes_before_and_after_and_keeps_no_address(
    taxed: Cast, mara: FlaskClient, finn: FlaskClient
) -> None:
    buyer = {
        "legal_name": "Casa Ondera S.p.A.",
        "address": "Via Nuova 1",
        "country": "IT",
        "vat_id": IT_VAT,
        "tax_number": "FN-7",
    }
    assert finn.post(BUYER, data=buyer | {"offers_self_billing": "y", "demands_profile": "y"}).status_code == 303
    assert finn.post(RULES, data=TYPED).status_code == 303
    policy = {"cadence": "monthly", "net_days": "14", "adjustment_limit": "0"}
    assert mara.post(POLICY, data=policy).status_code == 303
    taxed.session.commit()
    papers = text_of(finn.get(BUYER))
    assert "Company name: Casa Ondera S.r.l. → Casa Ondera S.p.A." in papers
    assert "Pay nobody without a tax profile: no → yes" in papers
    assert "Another address: yes" in papers
    assert "Country: IT" not in papers  # as it was
    rules = text_of(finn.get(RULES)).replace("\u00a0", " ")
    assert "Share taxed: 50 % → 100 %" in rules
    assert "Stamp duty: €0.00 → €2.00" in rules
    assert "Days to wait after the approval of a commission: 0 → 14" in text_of(mara.get(POLICY))
    history = text_of(mara.get("/console/casa/history"))
    assert "Share taxed" in history
    assert "Via " not in history
    assert "FN-7" not in history
    assert "Another tax number" in history
    assert taxed.session.scalar(sa.select(sa.func.count()).select_from(TaxRule)) == 2
    taxed.session.commit()
