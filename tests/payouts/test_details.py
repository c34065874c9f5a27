"""Where a partner's money goes: encrypted, changed with a pause and a letter, once at a time; blocks and keys."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from factories import NOW, make_member, make_partner, make_program, make_user
from money_cast import MATURE, Books, open_books, person
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate.accounts.models import AuditEvent
from affiliate.errors import DomainError, Invalid
from affiliate.mailer import OutboxMail
from affiliate.partners.models import Partner
from affiliate.payouts import details, queries
from affiliate.payouts.methods import MethodKind
from affiliate.payouts.models import PayoutMethod
from affiliate.payouts.schedule import Blocked
from affiliate.payouts.vault import Unreadable, Vault
from affiliate.programs.models import Program
from affiliate.settings import Settings

VAULT = Vault([Fernet.generate_key().decode()])
IBAN = "IT60X0542811101000000123456"
PAYDAY = MATURE + timedelta(days=1)


@pytest.fixture
def program(session: Session) -> Program:
    return make_program(session)


@pytest.fixture
def partner(session: Session, program: Program) -> Partner:
    return make_partner(session, program=program, can_be_paid=False)


def enter(session: Session, program: Program, partner: Partner, *, account: str = IBAN, **facts: Any) -> PayoutMethod:
    actor = facts.pop("actor", None) or person(make_member_of(session, partner))
    typed = {"holder": "Marta Sala", "account": account}
    values = {"kind": MethodKind.BANK, "typed": typed, "vault": VAULT, "now": NOW} | facts
    return details.enter_method(session, program=program, partner_id=partner.id, actor=actor, **values)


def make_member_of(session: Session, partner: Partner) -> Any:
    user = make_user(session)
    make_member(session, user=user, partner=partner)
    return user


def test_the_first_entry_counts_at_once_and_no_plain_number_is_kept(
    session: Session, program: Program, partner: Partner, settings: Settings
) -> None:
    method = enter(session, program, partner)
    assert (method.usable_from, method.masked) == (NOW, "IT60 •••• 3456")
    assert IBAN not in method.details
    assert VAULT.open(method.details)["iban"] == IBAN
    (event,) = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "partner.payout_details"))
    assert event.details == {"kind": "bank", "first": True}
    assert session.scalars(sa.select(OutboxMail)).all() == []


def test_a_change_counts_after_three_days_and_its_people_get_a_letter(
    session: Session, program: Program, partner: Partner, settings: Settings
) -> None:
    user = make_member_of(session, partner)
    owner = person(user)
    first = enter(session, program, partner, actor=owner)
    second = enter(
        session, program, partner, actor=owner, account="DE89370400440532013000", now=NOW + timedelta(days=1)
    )
    session.expire_all()
    assert first.replaced_at == NOW + timedelta(days=1)
    assert second.usable_from == NOW + timedelta(days=4)
    assert queries.current_method(session, partner_id=partner.id) is second
    (mail,) = session.scalars(sa.select(OutboxMail))
    assert "DE89 •••• 3000" in mail.body_text
    assert mail.recipient == user.email


def test_an_account_is_taken_as_the_partners_country_writes_it(
    session: Session, program: Program, partner: Partner
) -> None:
    partner.country = "ES"
    assert enter(session, program, partner, account="2100 0418 45 0200051332").masked == "ES91 •••• 1332"


def test_only_an_owner_says_where_the_money_goes(session: Session, program: Program, partner: Partner) -> None:
    with pytest.raises(details.NotTheOwner):
        enter(session, program, partner, actor=person(make_user(session)))


def test_a_wrong_number_changes_nothing(session: Session, program: Program, partner: Partner) -> None:
    enter(session, program, partner)
    with pytest.raises(Invalid) as refusal:
        enter(session, program, partner, account="IT00")
    assert set(refusal.value.errors) == {"account"}
    current = queries.current_method(session, partner_id=partner.id)
    assert current is not None
    assert current.masked == "IT60 •••• 3456"


def test_of_two_changes_at_once_one_counts(
    session: Session, engine: Engine, program: Program, partner: Partner
) -> None:
    owner = person(make_member_of(session, partner))
    session.commit()
    start = threading.Barrier(4)

    def at_once(_number: int) -> str:
        with Session(engine) as other:
            start.wait()
            try:
                enter(other, program, partner, actor=owner)
                other.commit()
            except DomainError as refusal:
                return refusal.code
        return "done"

    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(at_once, range(4)))
    open_ones = session.scalars(sa.select(PayoutMethod).where(PayoutMethod.replaced_at.is_(None))).all()
    assert len(open_ones) == 1
    assert "done" in ended
    assert set(ended) <= {"done", "changed_meanwhile"}


def reasons(books: Books) -> list[Blocked]:
    preview = queries.preview(books.session, program_id=books.program.id, now=PAYDAY)
    return [reason for _, reason in preview.blocked]


def test_a_partner_without_details_waits_and_one_that_changed_them_waits_for_the_pause(session: Session) -> None:
    books = open_books(session)
    fresh = make_partner(session, program=books.program, can_be_paid=False)
    books.order(partner=fresh)
    books.work(now=MATURE)
    assert reasons(books) == [Blocked.DETAILS_MISSING]
    enter(session, books.program, fresh, now=PAYDAY)
    assert reasons(books) == []
    enter(session, books.program, fresh, now=PAYDAY)
    assert reasons(books) == [Blocked.DETAILS_CHANGED]


def test_a_payment_block_holds_until_it_is_lifted(session: Session) -> None:
    books = open_books(session)
    books.order()
    books.work(now=MATURE)
    facts = {"program_id": books.program.id, "partner_id": books.partner.id, "actor": books.alice, "now": NOW}
    details.block(session, reason="We are asking them.", **facts)
    with pytest.raises(details.AlreadyBlocked):
        details.block(session, reason="Again.", **facts)
    assert reasons(books) == [Blocked.PAYMENT_BLOCK]
    details.lift_block(session, **facts)
    with pytest.raises(details.AlreadyBlocked):
        details.lift_block(session, **facts)
    assert reasons(books) == []


def test_keys_can_be_changed_while_old_rows_are_still_read(
    session: Session, program: Program, partner: Partner
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    method = enter(session, program, partner, vault=Vault([old]))
    both = Vault([new, old])
    assert both.open(method.details)["iban"] == IBAN
    with pytest.raises(Unreadable):
        Vault([new]).open(method.details)
    assert details.renew_vault(session, vault=both) == 1
    session.expire_all()
    assert Vault([new]).open(method.details)["iban"] == IBAN
