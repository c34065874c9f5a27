"""Profiles, rules and questions to VIES."""

import http.server
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import ClassVar

import pytest
import servers
import sqlalchemy as sa
from factories import NOW, make_partner, make_program
from sqlalchemy.orm import Session
from tax_cast import IT_VAT, make_buyer, make_profile, make_rule

from affiliate.accounts.actors import SYSTEM
from affiliate.errors import Invalid
from affiliate.settings import Settings
from affiliate.taxes import jobs, queries, service, vies
from affiliate.taxes.figures import PaperKind
from affiliate.taxes.models import TaxProfile, VatAnswer, VatCheck
from affiliate.taxes.numbers import BadVatId, read_vat_id


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("IT 0074 311 0157", "IT", IT_VAT),
        ("00743110157", "IT", IT_VAT),
        ("pl 5260001246", "PL", "PL5260001246"),
        ("094259216", "GR", "EL094259216"),
        ("AB-1234", "TO", "AB1234"),
    ],
)
def test_a_vat_number_is_read_as_people_write_it(typed: str, country: str, number: str) -> None:
    assert read_vat_id(typed, country=country) == number


@pytest.mark.parametrize(("typed", "country"), [("IT00743110158", "IT"), (IT_VAT, "PL"), ("1", "TO"), ("é" * 8, "TO")])
def test_a_wrong_or_foreign_vat_number_is_refused(typed: str, country: str) -> None:
    with pytest.raises(BadVatId):
        read_vat_id(typed, country=country)


def test_a_change_of_the_profile_is_a_new_row(session: Session) -> None:
    program = make_program(session)
    partner = make_partner(session, program=program)
    make_buyer(session, program)
    make_rule(session, program)
    make_profile(session, program, partner.id)
    make_profile(session, program, partner.id, paper=PaperKind.SELF_BILLING, legal_name="Piatto Lento S.r.l.")
    rows = session.scalars(sa.select(TaxProfile).order_by(TaxProfile.replaced_at.is_(None))).all()
    assert [(row.paper, row.replaced_at is None) for row in rows] == [("own_invoice", False), ("self_billing", True)]
    assert [row.agreed_at for row in rows] == [None, NOW]


@pytest.mark.parametrize(
    ("paper", "facts", "field"),
    [
        (PaperKind.OWN_INVOICE, {"vat_id": "IT1"}, "vat_id"),
        (PaperKind.OWN_INVOICE, {"country": "xx1"}, "country"),
        (PaperKind.OWN_INVOICE, {"address": " "}, "address"),
        (PaperKind.OWN_INVOICE, {"legal_name": "x" * 201}, "legal_name"),
        (PaperKind.RECEIPT, {"vat_id": "IT12345670017"}, "paper"),
        (PaperKind.SELF_BILLING, {}, "paper"),
        (PaperKind.OWN_INVOICE, {"rule": "nowhere"}, "rule_code"),
    ],
)
def test_a_wrong_profile_names_its_field(session: Session, paper: PaperKind, facts: dict[str, str], field: str) -> None:
    program = make_program(session)
    make_buyer(session, program, offers_self_billing=False)
    make_rule(session, program)
    with pytest.raises(Invalid) as refused:
        make_profile(session, program, make_partner(session, program=program).id, paper=paper, **facts)
    assert list(refused.value.errors) == [field]


def test_examples_are_taken_over_once_and_wait_for_an_accountant(session: Session) -> None:
    program = make_program(session, currency="PLN")
    facts = {"program": program, "actor": SYSTEM, "today": date(2026, 7, 20), "now": NOW}
    assert service.take_examples(session, **facts) == 6
    assert service.take_examples(session, **facts) == 0
    rules = queries.rules_on(session, program_id=program.id, day=date(2026, 7, 20))
    assert {rule.confirmed_at for rule in rules.values()} == {None}
    assert rules["it_forfettario"].stamp_minor == 0  # two euro are not two zloty
    rule = rules["it_agent"]
    service.confirm_rule(session, program_id=program.id, rule_id=rule.id, actor=SYSTEM, now=NOW)
    with pytest.raises(service.ChangedMeanwhile):
        service.confirm_rule(session, program_id=program.id, rule_id=rule.id, actor=SYSTEM, now=NOW)


@pytest.mark.parametrize("names", [("Ritenuta", "Withholding tax"), ("Withholding tax", "Ritenuta")])
def test_the_latest_version_of_a_rule_counts_whatever_it_is_called(session: Session, names: tuple[str, str]) -> None:
    program = make_program(session)
    for year, name in zip((2025, 2026), names, strict=True):
        make_rule(session, program, name=name, valid_from=date(year, 1, 1))
    assert queries.rules_on(session, program_id=program.id, day=date(2026, 7, 20))["agent"].name == names[1]
    assert queries.rules_on(session, program_id=program.id, day=date(2025, 7, 20))["agent"].name == names[0]


def test_the_rule_of_the_day_counts(session: Session) -> None:
    program = make_program(session)
    partner = make_partner(session, program=program)
    make_buyer(session, program)
    make_rule(session, program, rate_bps=23_00)
    make_rule(session, program, valid_from=date(2027, 1, 1), rate_bps=30_00)
    make_profile(session, program, partner.id)

    def rate(day: date) -> int:
        found = queries.positions(session, program_id=program.id, partner_ids=[partner.id], day=day)
        return found[partner.id].terms.rate_bps

    assert [rate(date(2025, 12, 31)), rate(date(2026, 12, 31)), rate(date(2027, 1, 1))] == [0, 23_00, 30_00]


# --- VIES


class Vies(http.server.BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, dict[str, object]]] = {}

    def do_GET(self) -> None:
        body = json.dumps(self.answers.get(self.path, {"userError": "MS_UNAVAILABLE"})).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def vies_url() -> Iterator[str]:
    with servers.serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vies)) as port:
        yield f"http://127.0.0.1:{port}"


def test_what_vies_says_is_read(vies_url: str) -> None:
    Vies.answers = {
        "/ms/IT/vat/00743110157": {"isValid": True, "userError": "VALID", "name": "CASA ONDERA"},
        "/ms/DE/vat/136695976": {"isValid": False, "userError": "INVALID", "name": "---"},
    }
    ask = {"url": vies_url, "loopback": True}
    assert vies.ask(**ask, vat_id=IT_VAT) == vies.Answer(True, "CASA ONDERA")
    assert vies.ask(**ask, vat_id="DE136695976") == vies.Answer(False)
    assert vies.ask(**ask, vat_id="PL5260001246") == vies.Answer(None)
    assert vies.ask(url=vies_url, vat_id=IT_VAT) == vies.Answer(None)  # this machine is none to call


def test_a_question_is_asked_by_the_job_and_answered_in_its_row(
    sqlite_settings: Settings, sqlite_url: str, vies_url: str
) -> None:
    from conftest import using_settings

    from affiliate import db

    Vies.answers = {"/ms/IT/vat/12345670017": {"isValid": True, "userError": "VALID", "name": "PIATTO LENTO"}}
    with db.transaction() as session:
        program = make_program(session)
        make_buyer(session, program)
        make_rule(session, program)
        profile = make_profile(session, program, make_partner(session, program=program).id)
        service.ask_vies(session, profile=profile, actor=SYSTEM, now=NOW)
    assert jobs.ask_vies() == 0  # off unless an address is set
    import os

    with using_settings(dict(os.environ) | {"AFFILIATE_VIES_URL": vies_url}):
        assert jobs.ask_vies() == 1
        with db.reading() as session:
            (check,) = session.scalars(sa.select(VatCheck))
            assert (check.answer, check.name, check.attempts) == (VatAnswer.VALID, "PIATTO LENTO", 1)


def test_a_register_that_stays_silent_ends_the_question(session: Session) -> None:
    program = make_program(session)
    make_buyer(session, program)
    make_rule(session, program)
    profile = make_profile(session, program, make_partner(session, program=program).id)
    service.ask_vies(session, profile=profile, actor=SYSTEM, now=NOW)
    session.flush()
    for attempt in range(service.VIES_ATTEMPTS_MAX):
        (check,) = queries.waiting_checks(session, limit=5)
        at = NOW + timedelta(minutes=attempt)
        service.answer_vies(session, check_id=check.id, is_valid=None, name=None, now=at)
        session.expire_all()
    assert queries.waiting_checks(session, limit=5) == []
    session.refresh(check)
    assert (check.answer, check.answered_at) == (VatAnswer.UNAVAILABLE, at)
