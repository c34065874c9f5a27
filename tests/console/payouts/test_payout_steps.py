"""Single payouts, files, results, blocks and the policy, on the pages of the console."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import give, make_person
from console_cast import Cast, public, text_of
from factories import make_member, make_partner, make_user
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import GrantRole, User
from affiliate.payouts import details
from affiliate.payouts.methods import MethodKind
from affiliate.payouts.models import Payout, PayoutMethod, PayoutRun, PayoutStatus
from affiliate.payouts.vault import vault_of
from affiliate.settings import current

IBAN = "IT60X0542811101000000123456"


@pytest.fixture
def run(cast: Cast, mara: FlaskClient) -> PayoutRun:
    """A proposed run of 10.00 for Bank & Bread by bank."""
    owner = make_user(cast.session)
    partner = make_partner(cast.session, program=cast.program, name="Bank & Bread", can_be_paid=False)
    make_member(cast.session, user=owner, partner=partner)
    facts = {"program": cast.program, "partner_id": partner.id, "actor": Actor(kind="user", id=owner.id)}
    typed = {"holder": "Owner", "account": IBAN}
    details.enter_method(
        cast.session, kind=MethodKind.BANK, typed=typed, vault=vault_of(current()), now=clock.now(), **facts
    )
    cast.approved_sale("1", partner=partner)
    mara.post("/console/casa/payouts", data={"total_minor": 10_00})
    run = cast.session.scalars(sa.select(PayoutRun)).one()
    cast.session.commit()
    return run


def at(run: PayoutRun, *more: str) -> str:
    return "/".join(["/console/casa/payouts", public("run", run), *more])


def payout_of(cast: Cast) -> Payout:
    payout = cast.session.scalars(sa.select(Payout).execution_options(populate_existing=True)).one()
    cast.session.commit()
    return payout


def post(browser: FlaskClient, address: str, **form: Any) -> str:
    return text_of(browser.post(address, data=form, follow_redirects=True))


def approve(browser: FlaskClient, run: PayoutRun) -> None:
    post(browser, at(run, "approve"), **{"total": "10.00", "seen-first": "1"})


def set_policy(browser: FlaskClient, **changes: str) -> str:
    form = {
        "cadence": "monthly",
        "net_days": "0",
        "payer_name": "Casa Ondera",
        "payer_account": "DE89370400440532013000",
    }
    return post(browser, "/console/casa/payouts/policy", **form | changes)


def test_the_run_shows_where_each_payout_goes_and_never_the_number(
    cast: Cast, finn: FlaskClient, run: PayoutRun
) -> None:
    page = text_of(finn.get(at(run)))
    assert "Bank account IT60 •••• 3456" in page
    assert IBAN not in page


def test_a_payout_is_taken_out_with_a_reason(cast: Cast, finn: FlaskClient, run: PayoutRun) -> None:
    mine = at(run, public("pay", payout_of(cast)))
    assert "Take out of the run" in text_of(finn.get(mine))
    assert "Say why" in post(finn, f"{mine}/take_out", reason=" ")
    assert "taken out" in post(finn, f"{mine}/take_out", reason="We are asking them")
    assert payout_of(cast).status is PayoutStatus.CANCELLED
    cast.assert_proven()


def test_a_payout_that_did_not_arrive_comes_back(cast: Cast, finn: FlaskClient, run: PayoutRun) -> None:
    approve(finn, run)
    mine = at(run, public("pay", payout_of(cast)))
    assert "did not arrive" in post(finn, f"{mine}/failed", reason="Account closed")
    assert payout_of(cast).status is PayoutStatus.FAILED
    assert "Propose €10.00" in text_of(finn.get("/console/casa/payouts"))
    cast.assert_proven()


def test_the_bank_file_is_made_once_the_program_has_an_account(
    cast: Cast, mara: FlaskClient, finn: FlaskClient, run: PayoutRun
) -> None:
    approve(finn, run)
    assert "SEPA file" not in text_of(finn.get(at(run)))
    assert "No payout of this run goes into such a file." in post(finn, at(run, "export"), kind="sepa")
    set_policy(mara)
    assert "SEPA file" in text_of(finn.get(at(run)))
    response = finn.post(at(run, "export"), data={"kind": "sepa"})
    assert (response.mimetype, IBAN in response.text) == ("application/xml", True)
    assert finn.post(at(run, "export"), data={"kind": "x"}).status_code == 404
    assert "SHA-256" in text_of(finn.get(at(run)))


def test_results_are_taken_in_once(cast: Cast, finn: FlaskClient, run: PayoutRun) -> None:
    approve(finn, run)
    content = f"payout,status\n{public('pay', payout_of(cast))},paid\n".encode()
    told = [post(finn, at(run, "results"), file=(io.BytesIO(content), "results.csv")) for _ in range(2)]
    assert "Paid: 1. Did not arrive: 0. Known before: 0." in told[0]
    assert "Paid: 0. Did not arrive: 0. Known before: 1." in told[1]
    assert payout_of(cast).status is PayoutStatus.PAID
    assert "The file has no column “payout”." in post(finn, at(run, "results"), file=(io.BytesIO(b"x"), "x.csv"))
    cast.assert_proven()


def test_what_a_file_and_the_system_say_of_a_failure_is_in_the_readers_language(
    cast: Cast, finn: FlaskClient, run: PayoutRun
) -> None:
    approve(finn, run)
    content = f"payout,status\n{public('pay', payout_of(cast))},failed\n".encode()
    post(finn, at(run, "results"), file=(io.BytesIO(content), "results.csv"))
    page = text_of(finn.get(at(run)))
    assert "The bank sent it back." in page
    assert "All of its payouts failed." in page
    assert "All of its payouts failed." not in text_of(finn.get(at(run), headers={"Accept-Language": "it"}))


def test_details_changed_since_are_a_note_to_tick(cast: Cast, finn: FlaskClient, run: PayoutRun) -> None:
    payout = payout_of(cast)
    cast.session.execute(
        sa.update(PayoutMethod).where(PayoutMethod.id == payout.method_id).values(replaced_at=clock.now())
    )
    cast.session.commit()
    assert "Bank & Bread has changed its payment details" in text_of(finn.get(at(run)))
    page = post(finn, at(run, "approve"), **{"total": "10.00", "seen-first": "1"})
    assert "1 note is not ticked yet." in page


def test_a_partner_is_blocked_and_paid_again(cast: Cast, mara: FlaskClient) -> None:
    cast.approved_sale("1")
    mine = f"/console/casa/payouts/partners/{public('ptn', cast.partner)}"
    assert "is not paid until you lift the block" in post(mara, f"{mine}/block", reason="We are asking them")
    assert "Not paid for now: We are asking them" in text_of(mara.get("/console/casa/payouts"))
    assert "is paid again" in post(mara, f"{mine}/lift")
    assert "not blocked any more" in post(mara, f"{mine}/lift")
    assert "Propose €10.00" in text_of(mara.get("/console/casa/payouts"))


def test_a_partner_without_details_is_left_out_with_the_reason(cast: Cast, mara: FlaskClient) -> None:
    new = make_partner(cast.session, program=cast.program, name="New Pans", can_be_paid=False)
    cast.approved_sale("1", partner=new)
    assert "Has not said yet where the money goes. €10.00 wait." in text_of(mara.get("/console/casa/payouts"))


def test_why_a_partner_is_left_out_leads_only_where_one_may_go(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    new = make_partner(cast.session, program=cast.program, name="New Pans", can_be_paid=False)
    cast.approved_sale("1", partner=new)
    reader = make_person(cast.session, "Rea")
    give(cast.session, reader, GrantRole.READER, cast.program)
    cast.session.commit()
    where = f'href="/console/casa/payouts/partners/{public("ptn", new)}"'
    pages = [browser.get("/console/casa/payouts").text for browser in (mara, browser_of(reader))]
    assert [(where in page, "Has not said yet" in page) for page in pages] == [(True, True), (False, True)]


def test_one_person_may_do_both_once_a_manager_says_so(cast: Cast, mara: FlaskClient, run: PayoutRun) -> None:
    assert "ask" in post(mara, at(run, "approve"), **{"total": "10.00", "seen-first": "1"}).lower()
    assert "Saved." in set_policy(mara, is_one_person="y")
    assert "Four eyes are switched off" in text_of(mara.get("/console/casa/payouts"))
    approve(mara, run)
    assert payout_of(cast).status is PayoutStatus.APPROVED
    assert "One person proposed and approved this run." in text_of(mara.get(at(run)))


@pytest.mark.parametrize(
    "form",
    [
        {"net_days": "121"}, {"net_days": "x"}, {"payer_account": "IT00"}, {"cadence": "never"},
        {"wise_template": "name,amount,Tax code"},
    ],
)  # fmt: skip
def test_a_wrong_policy_is_refused_at_its_field(cast: Cast, mara: FlaskClient, form: dict[str, str]) -> None:
    page = set_policy(mara, **form)
    assert 'aria-invalid="true"' in page
    assert "Saved." not in page


def test_finance_does_not_change_the_policy(cast: Cast, finn: FlaskClient) -> None:
    assert finn.get("/console/casa/payouts/policy").status_code == 404


def test_another_programs_payouts_are_not_here(
    cast: Cast, browser_of: Callable[[User], FlaskClient], run: PayoutRun
) -> None:
    ada = browser_of(cast.ada)
    elsewhere = at(run, public("pay", payout_of(cast))).replace("/casa/", "/altra/")
    assert ada.get(elsewhere).status_code == 404
    assert ada.post(f"{elsewhere}/take_out", data={"reason": "x"}).status_code == 404
    assert ada.get(f"/console/altra/payouts/partners/{public('ptn', cast.partner)}").status_code == 404
