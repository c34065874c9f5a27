"""Files for the bank: valid, complete, the same ids each time, no formula; and what comes back counts once."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from importlib.resources import files as resources
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa
import xmlschema
from bank_statements import VERSIONS, Entry, statement
from cryptography.fernet import Fernet
from factories import NOW, make_partner, make_user
from money_cast import MATURE, Books, open_books, person
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.models import AuditEvent
from affiliate.errors import Invalid
from affiliate.imports import BadTable
from affiliate.money import Money
from affiliate.partners.models import Partner
from affiliate.payouts import details, exporting, files, pain, queries, results, service, wise
from affiliate.payouts.files import FileKind
from affiliate.payouts.methods import MethodKind
from affiliate.payouts.models import Payout, PayoutRun, PayoutStatus
from affiliate.payouts.schedule import Cadence
from affiliate.payouts.vault import Vault
from affiliate.privacy import erasing
from affiliate.privacy import queries as privacy

VAULT = Vault([Fernet.generate_key().decode()])
PAYDAY = MATURE + timedelta(days=1)
SPACE = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
WAYS: list[tuple[MethodKind, dict[str, str]]] = [
    (MethodKind.BANK, {"holder": "Zofia Żółć & Söhne", "account": "61 1090 1014 0000 0712 1981 2874"}),
    (MethodKind.BANK, {"holder": "Marta Sala", "account": "IT60X0542811101000000123456"}),
    (MethodKind.PAYPAL, {"email": "luca@piatto.example"}),
    (MethodKind.WISE, {"holder": "=HYPERLINK(1)", "email": "jana@koch.example"}),
    (MethodKind.OTHER, {"note": "+39 call me"}),
]


def partner_paid_by(books: Books, kind: MethodKind, typed: dict[str, str]) -> Partner:
    owner = make_user(books.session)
    partner = make_partner(books.session, program=books.program, user=owner, can_be_paid=False)
    facts = {"program": books.program, "partner_id": partner.id, "actor": person(owner), "now": NOW}
    details.enter_method(books.session, kind=kind, typed=typed, vault=VAULT, **facts)
    return partner


def approved_run(books: Books, *, payer: bool = True) -> PayoutRun:
    """A run of 10.00, 20.00, … to one partner for each way of being paid, approved."""
    for number, (kind, typed) in enumerate(WAYS, start=1):
        books.order(
            partner=partner_paid_by(books, kind, typed), amount_minor=number * 100_00, currency=books.program.currency
        )
    books.work(now=MATURE)
    account: dict[str, Any] = {"payer_name": "Casa Ondera", "payer_account": "DE89370400440532013000" if payer else ""}
    policy: dict[str, Any] = {
        "cadence": Cadence.MANUAL,
        "net_days": 0,
        "is_one_person": False,
        "vault": VAULT,
        "actor": books.alice,
    }
    details.set_policy(books.session, program_id=books.program.id, now=NOW, **policy, **account)
    run = service.propose(books.session, program_id=books.program.id, actor=books.alice, now=PAYDAY)
    service.approve_run(books.session, run_id=run.id, program_id=books.program.id, actor=books.bob, now=PAYDAY)
    books.session.flush()
    return run


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def export(books: Books, run: PayoutRun, kind: FileKind) -> exporting.PaymentFile:
    facts = {"run_id": run.id, "program_id": run.program_id, "actor": books.alice, "now": PAYDAY}
    return exporting.export(books.session, kind=kind, vault=VAULT, **facts)


def bring(books: Books, run: PayoutRun, content: str) -> exporting.Tally:
    facts = {"run_id": run.id, "program_id": run.program_id, "actor": books.alice, "now": PAYDAY}
    tally = exporting.import_results(books.session, content=content.encode(), **facts)
    books.session.expire_all()
    books.assert_proven()
    return tally


def rows(file: exporting.PaymentFile) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.content.decode())))


@lru_cache(maxsize=1)
def schema() -> xmlschema.XMLSchema:
    """Of the files that we write; reading it takes longer than any file."""
    return xmlschema.XMLSchema(str(resources("sepaxml") / "schemas" / "pain.001.001.09.xsd"))


def valid(document: bytes) -> Any:
    schema().validate(document)
    return ET.fromstring(document)  # noqa: S314 - our own file


def test_the_sepa_file_is_valid_and_pays_each_account_once(books: Books) -> None:
    run = approved_run(books)
    root = valid(export(books, run, FileKind.SEPA).content)
    told = {
        (each.findtext(".//p:CdtrAcct//p:IBAN", None, SPACE), each.findtext(".//p:InstdAmt", None, SPACE))
        for each in root.iterfind(".//p:CdtTrfTxInf", SPACE)
    }
    assert told == {("PL61109010140000071219812874", "10.00"), ("IT60X0542811101000000123456", "20.00")}
    assert root.findtext(".//p:GrpHdr/p:CtrlSum", None, SPACE) == "30.00"
    assert root.findtext(".//p:SvcLvl/p:Cd", None, SPACE) == "SEPA"
    assert root.findtext(".//p:BICFI", None, SPACE) == "COBADEFFXXX"
    names = sorted(element.text for element in root.iterfind(".//p:Cdtr/p:Nm", SPACE))
    assert names == ["Marta Sala", "Zofia Zolc + Sohne"]
    assert root.findtext(".//p:GrpHdr/p:NbOfTxs", None, SPACE) == "2"
    assert max(len(element.text) for element in root.iter() if element.tag.endswith("Id") and element.text) <= 35
    payouts = set(books.session.scalars(sa.select(Payout.id)))
    told_ids = [element.text.replace("-", "_", 1) for element in root.iterfind(".//p:EndToEndId", SPACE)]
    assert {ids.parse("pay", told) for told in told_ids} <= payouts


def test_the_same_run_gives_the_same_file_so_that_the_bank_sees_a_second_one(books: Books) -> None:
    run = approved_run(books)
    assert export(books, run, FileKind.SEPA).sha256 == export(books, run, FileKind.SEPA).sha256


def test_another_currency_goes_without_the_service_level_of_sepa(session: Session) -> None:
    books = open_books(session, currency="PLN")
    run = approved_run(books)
    root = valid(export(books, run, FileKind.TRANSFERS).content)
    assert root.find(".//p:SvcLvl", SPACE) is None
    assert root.findtext(".//p:ChrgBr", None, SPACE) == "SHAR"  # SLEV would follow a service level that is not there
    assert {each.get("Ccy") for each in root.iterfind(".//p:InstdAmt", SPACE)} == {"PLN"}
    with pytest.raises(Invalid):
        export(books, run, FileKind.SEPA)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Zażółć gęślą jaźń", "Zazolc gesla jazn"),
        ("Müller & Söhne GmbH", "Muller + Sohne GmbH"),
        ("a" * 100, "a" * 70),
        ("//Via_Larga\t7// ", "Via Larga 7"),
        ("Ателье №5", "Atel'e 5"),
        ("\N{ROCKET}\N{ROCKET}", ""),
    ],
)
def test_texts_for_banks_keep_to_the_letters_that_each_must_take(text: str, told: str) -> None:
    assert pain.plain(text, pain.NAME_LENGTH_MAX) == told


def test_a_name_without_any_letter_for_banks_and_a_payer_without_bic_still_give_a_valid_file(books: Books) -> None:
    payment = files.Payment(
        books.partner.id, "\N{ROCKET}", MethodKind.BANK, {"iban": "IT60X0542811101000000123456"}, Money(1, "EUR")
    )
    payer = files.Payer("Casa & Co", "DE89370400440532013000", None)
    facts: dict[str, Any] = {"message_id": "run-1", "created_at": NOW, "execute_on": NOW.date(), "text": "*"}
    root = valid(pain.pain([payment], payer=payer, is_sepa=True, **facts))
    assert root.findtext(".//p:Cdtr/p:Nm", None, SPACE) == payment.reference
    assert root.findtext(".//p:DbtrAgt//p:Id", None, SPACE) == "NOTPROVIDED"
    assert root.findtext(".//p:CtrlSum", None, SPACE) == "0.01"


def test_paypal_gets_no_head_and_wise_gets_its_own(books: Books) -> None:
    run = approved_run(books)
    ((email, amount, currency, reference, note),) = rows(export(books, run, FileKind.PAYPAL))
    assert (email, amount, currency, note) == ("luca@piatto.example", "30.00", "EUR", books.program.name)
    assert reference.startswith("pay-")
    head, line = rows(export(books, run, FileKind.WISE))
    assert dict(zip(head, line, strict=True))["amount"] == "40.00"


def test_wise_gets_the_columns_of_the_accounts_own_template(books: Books) -> None:
    run = approved_run(books)
    template = wise.read("Name = {holder}\nIBAN\nMail = {email}\nreceiverType = PERSON\namount")
    policy: dict[str, Any] = {
        "cadence": Cadence.MANUAL,
        "net_days": 0,
        "is_one_person": False,
        "vault": VAULT,
        "actor": books.alice,
    }
    account: dict[str, Any] = {"payer_name": "Casa Ondera", "payer_account": "", "wise_template": template}
    details.set_policy(books.session, program_id=books.program.id, now=NOW, **policy, **account)
    assert sorted(rows(export(books, run, FileKind.WISE))) == [
        ["'=HYPERLINK(1)", "", "jana@koch.example", "PERSON", "40.00"],
        ["Marta Sala", "IT60X0542811101000000123456", "", "PERSON", "20.00"],
        ["Name", "IBAN", "Mail", "receiverType", "amount"],
        ["Zofia Żółć & Söhne", "PL61109010140000071219812874", "", "PERSON", "10.00"],
    ]


def test_a_long_list_goes_in_parts_that_stay_when_some_of_it_is_settled(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(files.ROWS_MAX, FileKind.WISE, 1)
    run = approved_run(books)
    template = wise.read("IBAN\nMail = {email}\namount")
    payments = exporting.payments_of(books.session, run_id=run.id, vault=VAULT)
    offered: dict[str, Any] = {"payer": None, "wise": template}
    ours = [each for each in files.offers(payments, **offered) if each.kind is FileKind.WISE]
    assert [(each.part, each.parts) for each in ours] == [(1, 3), (2, 3), (3, 3)]
    (first,) = files.parts(payments, FileKind.WISE, wise=template)[0]
    settled = [replace(each, is_open=each is not first) for each in payments]
    left = [each for each in files.offers(settled, **offered) if each.kind is FileKind.WISE]
    assert [(each.part, each.parts) for each in left] == [(2, 3), (3, 3)]


def erase(books: Books, partner_id: UUID) -> None:
    facts: dict[str, Any] = {"actor": books.alice, "now": PAYDAY}
    erasing.ask(books.session, program=books.program, partner_id=partner_id, **facts)
    request = privacy.open_request(books.session, partner_id=partner_id)
    assert request is not None
    erasing.erase(books.session, request=request, **facts)


def test_a_paid_partner_that_is_erased_stops_neither_the_others_files_nor_new_keys(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(files.ROWS_MAX, FileKind.WISE, 1)
    run = approved_run(books)
    first = payouts_of(books, run)[0]
    bring(books, run, f"payout,status\n{ids.public('pay', first.id)},paid\n")
    erase(books, first.partner_id)
    root = valid(export(books, run, FileKind.SEPA).content)
    assert [each.text for each in root.iterfind(".//p:CdtrAcct//p:IBAN", SPACE)] == ["IT60X0542811101000000123456"]
    payments = exporting.payments_of(books.session, run_id=run.id, vault=VAULT)
    left = files.offers(payments, payer=None, wise=wise.read("IBAN\nMail = {email}\namount"))
    assert [each.parts for each in left if each.kind is FileKind.WISE] == [3, 3]
    assert details.renew_vault(books.session, vault=VAULT) == 5  # four partners and the account that pays


def test_no_cell_is_run_by_a_spreadsheet(books: Books) -> None:
    cells = [cell for row in rows(export(books, approved_run(books), FileKind.TABLE)) for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert "'+39 call me" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_every_export_is_written_down_with_its_hash(books: Books) -> None:
    run = approved_run(books)
    file = export(books, run, FileKind.TABLE)
    (event,) = books.session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "payout_run.export"))
    assert (event.details["sha256"], event.details["partners"], event.details["total_minor"]) == (
        file.sha256,
        5,
        150_00,
    )


def test_without_an_account_of_its_own_a_program_writes_no_bank_file(books: Books) -> None:
    run = approved_run(books, payer=False)
    with pytest.raises(Invalid):
        export(books, run, FileKind.SEPA)


def test_a_run_that_is_not_approved_gives_no_file(books: Books) -> None:
    run = approved_run(books)
    service.mark_paid(books.session, run_id=run.id, program_id=run.program_id, actor=books.alice, now=PAYDAY)
    with pytest.raises(service.WrongStatus):
        export(books, run, FileKind.TABLE)


# --- results


def payouts_of(books: Books, run: PayoutRun) -> list[Payout]:
    return sorted(queries.payouts_of(books.session, run_id=run.id), key=lambda payout: payout.amount_minor)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_bank_statement_settles_and_what_it_returns_comes_back(books: Books, version: str) -> None:
    run = approved_run(books)
    first, second, third, fourth, _ = (payout.id for payout in payouts_of(books, run))
    told = statement(
        Entry(first, "10.00 EUR"), Entry(second, "20.00 EUR"), Entry(second, "20.00 EUR", side="CRDT", returned="AC04"),
        Entry(third, "3.00 EUR"), Entry(fourth, "40.00 EUR", is_booked=False), version=version,
    )  # fmt: skip
    assert bring(books, run, told) == exporting.Tally(paid=1, failed=1, other_amount=1)
    assert bring(books, run, told) == exporting.Tally(known=2, other_amount=1)
    assert [payout.status for payout in payouts_of(books, run)[:3]] == ["paid", "failed", "approved"]
    assert (payouts_of(books, run)[1].reason, payouts_of(books, run)[1].reason_code) == ("AC04", "returned")
    again = service.propose(books.session, program_id=run.program_id, actor=books.alice, now=PAYDAY)
    assert again.total_minor == 20_00


def test_the_table_comes_back_with_outcomes(books: Books) -> None:
    run = approved_run(books)
    lines = rows(export(books, run, FileKind.TABLE))
    for number, row in enumerate(lines[1:]):
        row[-2:] = ["failed", "closed"] if number == 0 else ["Paid", ""]
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    assert bring(books, run, text.getvalue()) == exporting.Tally(paid=4, failed=1)
    assert books.session.get_one(PayoutRun, run.id).status is PayoutStatus.PAID
    assert bring(books, run, text.getvalue()) == exporting.Tally(known=5)


def test_payouts_of_another_run_are_left_alone(books: Books) -> None:
    run, elsewhere = approved_run(books), open_books(books.session)
    theirs = approved_run(elsewhere)
    (payout, *_) = payouts_of(books, theirs)
    assert bring(books, run, f"payout,status\n{ids.public('pay', payout.id)},paid\n") == exporting.Tally(unknown=1)
    assert payouts_of(books, theirs)[0].status == "approved"


@pytest.mark.parametrize(
    "content",
    [
        "payout\n", "payout,status\nx,paid\n", "payout,status\npay_1,gone\n", "<a/>", "<Document", "\xff",
        '<!DOCTYPE x [<!ENTITY a "b">]><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">&a;</Document>',
    ],
)  # fmt: skip
def test_what_is_no_result_file_is_refused_whole(content: str) -> None:
    with pytest.raises(BadTable):
        results.read(content.encode("latin-1"))
