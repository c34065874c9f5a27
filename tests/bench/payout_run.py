"""A payout run from its proposal until it is settled, and the mails that tell of it: two sizes, on SQLite and one core, with papers and a bank file."""

import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cryptography.fernet import Fernet
from figures import Figure
from money_stages import upgrade
from sqlalchemy.orm import Session

from affiliate import clock, db, ids
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import User
from affiliate.attribution.models import Attribution, Credit
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.ingest.models import Conversion, Trust
from affiliate.ledger import postings
from affiliate.ledger import service as ledger
from affiliate.ledger.postings import Posting
from affiliate.money import Money
from affiliate.partners.models import Enrollment, EnrollmentStatus, Member, MemberRole, Partner
from affiliate.payouts import details, exporting, methods, notices, proof, service
from affiliate.payouts.files import FileKind
from affiliate.payouts.methods import MethodKind
from affiliate.payouts.models import PayoutMethod
from affiliate.payouts.schedule import Cadence
from affiliate.payouts.vault import Vault
from affiliate.programs.models import Program, ProgramStatus
from affiliate.taxes import service as taxes
from affiliate.taxes.figures import PaperKind
from affiliate.taxes.models import TaxProfile, TaxRule
from affiliate.taxes.service import Identity

NOW = datetime(2026, 11, 16, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=90)
SIZES = (1_000, 10_000)
COMMISSIONS_EACH = 3
_AT_ONCE = 5_000
_STEPS = ("propose", "approve", "file", "settle")
_TOLD_AT_ONCE = 200


def measure() -> Iterator[Figure]:
    """Seconds of each step and of all, and how they grow with the partners. The mails are a job's, which holds nobody up."""
    whole = {}
    for size in SIZES:
        *took, told = _seconds(size)
        whole[size] = sum(took)
        for step, seconds in zip(_STEPS, took, strict=True):
            yield Figure(f"run over {size:,} partners, {step}, s", seconds)
        yield Figure(f"run over {size:,} partners, its mails afterwards, s", told)
        yield Figure(f"run over {size:,} partners, all of it, s", whole[size], "<= 30" if size == SIZES[-1] else "")
    small, large = SIZES
    yield Figure("run, ten times the partners (ratio)", whole[large] / whole[small], "<= 11.5")


def _seconds(size: int) -> list[float]:
    """Seconds for proposing, approving, the SEPA file, settling, and for its mails; the books are proved afterwards."""
    vault = Vault([Fernet.generate_key().decode()])
    with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as folder:
        engine = db.make_engine(f"sqlite:///{folder}/bench.db")
        upgrade(engine)
        with Session(engine, expire_on_commit=False) as session:
            program_id, alice, bob = _found(session, vault)
            for start in range(0, size, _AT_ONCE):
                _fill(session, program_id, vault, partners=min(_AT_ONCE, size - start))
            session.commit()
            took = _steps(session, program_id, vault, alice, bob)
            findings = proof.verify(session).findings
        engine.dispose()
    if findings:
        raise RuntimeError(str(findings[:3]))
    return took


def _steps(session: Session, program_id: UUID, vault: Vault, alice: Actor, bob: Actor) -> list[float]:
    began = time.perf_counter()
    run = service.propose(session, program_id=program_id, actor=alice, now=NOW)
    session.commit()
    step: dict[str, Any] = {"run_id": run.id, "program_id": program_id, "actor": bob, "now": NOW}
    acts: tuple[Callable[[], object], ...] = (
        lambda: service.approve_run(session, **step),
        lambda: exporting.export(session, kind=FileKind.SEPA, vault=vault, **step),
        lambda: service.mark_paid(session, **step),
        lambda: _tell(session),
    )
    took = [time.perf_counter() - began]
    for act in acts:
        began = time.perf_counter()
        act()
        session.commit()
        took.append(time.perf_counter() - began)
    return took


def _tell(session: Session) -> None:
    while letters := notices.written(session, limit=_TOLD_AT_ONCE, now=clock.now()):
        notices.hand_over(session, letters=letters)
        session.commit()
        session.expunge_all()


def _found(session: Session, vault: Vault) -> tuple[UUID, Actor, Actor]:
    """A program that pays from an account and writes invoices, and two people who may pay."""
    program_id = ids.new()
    facts: dict[str, Any] = {"status": ProgramStatus.LIVE, "currency": "EUR", "shop_url": "https://www.shop.example/"}
    stamps: dict[str, Any] = {"allowed_hosts": [], "created_at": LONG_AGO, "updated_at": LONG_AGO}
    session.execute(sa.insert(Program), [{"id": program_id, "slug": "bench", "name": "Bench"} | facts | stamps])
    people = [_user(name) for name in ("alice", "bob")]
    session.execute(sa.insert(User), people)
    alice, bob = (Actor(kind="user", id=each["id"]) for each in people)
    policy: dict[str, Any] = {"cadence": Cadence.MANUAL, "net_days": 0, "is_one_person": False, "payer_name": "Bench"}
    account: dict[str, Any] = {
        "payer_account": "DE89370400440532013000",
        "vault": vault,
        "actor": alice,
        "now": LONG_AGO,
    }
    details.set_policy(session, program_id=program_id, **policy, **account)
    buyer = Identity("Bench S.r.l.", "Via Larga 1\nMilano", "IT", "IT00743110157")
    asked: dict[str, Any] = {"text": "", "demands_profile": True, "offers_self_billing": True}
    taxes.set_buyer(session, program_id=program_id, buyer=buyer, actor=alice, now=LONG_AGO, **asked)
    rule: dict[str, Any] = {
        "code": "agent",
        "name": "Agent",
        "country": "IT",
        "valid_from": date(2026, 1, 1),
        "base_share_bps": 50_00,
    }
    rates: dict[str, Any] = {
        "rate_bps": 23_00,
        "vat_bps": 22_00,
        "stamp_minor": 0,
        "stamp_above_minor": 0,
        "created_at": LONG_AGO,
    }
    session.add(TaxRule(id=ids.new(), program_id=program_id, **rule, **rates))
    session.flush()
    return program_id, alice, bob


def _user(name: str) -> dict[str, Any]:
    email = f"{name}@bench.example"
    return {"id": ids.new(), "email": email, "name": name, "active": True, "fs_uniquifier": name, "created_at": LONG_AGO}  # fmt: skip


def _fill(session: Session, program_id: UUID, vault: Vault, *, partners: int) -> None:
    """Partners with an account, a tax profile and a person, and a few approved commissions each."""
    fields = methods.read(MethodKind.BANK, {"holder": "Bench", "account": "IT60X0542811101000000123456"}).fields
    keys = [ids.new() for _ in range(partners)]
    people = [_user(key.hex) for key in keys]
    here = {"program_id": program_id, "created_at": LONG_AGO}
    session.execute(sa.insert(User), people)
    session.execute(sa.insert(Partner), [{"id": key, "name": key.hex, "created_at": LONG_AGO} for key in keys])
    enrolled = {"status": EnrollmentStatus.APPROVED, "updated_at": LONG_AGO}
    session.execute(sa.insert(Enrollment), [here | enrolled | {"id": ids.new(), "partner_id": key} for key in keys])
    member = {"role": MemberRole.OWNER, "created_at": LONG_AGO}
    session.execute(
        sa.insert(Member),
        [
            member | {"id": ids.new(), "partner_id": key, "user_id": person["id"]}
            for key, person in zip(keys, people, strict=True)
        ],
    )
    method = {"kind": MethodKind.BANK, "masked": "IT60 •••• 3456", "usable_from": LONG_AGO, "created_at": LONG_AGO}
    session.execute(
        sa.insert(PayoutMethod),
        [method | {"id": ids.new(), "partner_id": key, "details": vault.close(fields)} for key in keys],
    )
    seller = {"legal_name": "Bench", "address": "Via Larga 2", "country": "IT", "vat_id": "IT12345670017"}
    profile = here | seller | {"is_company": False, "rule_code": "agent", "paper": PaperKind.SELF_BILLING}
    profile |= {"locale": "it", "agreed_at": LONG_AGO}
    session.execute(sa.insert(TaxProfile), [profile | {"id": ids.new(), "partner_id": key} for key in keys])
    _fill_commissions(session, program_id, [key for key in keys for _ in range(COMMISSIONS_EACH)])


def _fill_commissions(session: Session, program_id: UUID, partner_ids: list[UUID]) -> None:
    """An order of 100.00, its attribution and an approved commission of 10.00 for each of these, with their postings."""
    conversions = [_conversion(program_id) for _ in partner_ids]
    attributions = [_attribution(each["id"]) for each in conversions]
    credits_ = [
        {"id": ids.new(), "attribution_id": each["id"], "partner_id": partner_id, "share_bps": 100_00}
        for each, partner_id in zip(attributions, partner_ids, strict=True)
    ]
    commissions = [_commission(program_id, *parts) for parts in zip(conversions, attributions, credits_, strict=True)]
    for table, rows in (
        (Conversion, conversions), (Attribution, attributions), (Credit, credits_), (Commission, commissions),
    ):  # fmt: skip
        session.execute(sa.insert(table), rows)
    moved: list[Posting] = []
    for each in commissions:
        whose: dict[str, Any] = {
            "program_id": program_id,
            "partner_id": each["partner_id"],
            "commission_id": each["id"],
        }
        amount = Money(each["amount_minor"], "EUR")
        moved += postings.accrue(**whose, amount=amount) + postings.approve(**whose, amount=amount)
    ledger.post(session, postings=moved, now=LONG_AGO)


def _conversion(program_id: UUID) -> dict[str, Any]:
    key = ids.new()
    facts: dict[str, Any] = {
        "kind": "sale",
        "order_id": key.hex,
        "fingerprint": "0" * 64,
        "trust": Trust.SERVER,
        "source": "api",
    }
    money = {"amount_minor": 100_00, "currency": "EUR", "items": [], "is_test": False, "attributed_revision": 1}
    return {"id": key, "program_id": program_id, "occurred_at": LONG_AGO, "received_at": LONG_AGO} | facts | money


def _attribution(conversion_id: UUID) -> dict[str, Any]:
    made = {"conversion_revision": 1, "version": 1, "is_current": True, "model": "last_click", "policy_version": 1}
    when = {"trace": {}, "decided_at": LONG_AGO, "commissioned_at": LONG_AGO}
    return {"id": ids.new(), "conversion_id": conversion_id} | made | when


def _commission(
    program_id: UUID, conversion: dict[str, Any], attribution: dict[str, Any], credit: dict[str, Any]
) -> dict[str, Any]:
    keys = {"program_id": program_id, "conversion_id": conversion["id"], "attribution_id": attribution["id"]}
    keys |= {"partner_id": credit["partner_id"], "credit_id": credit["id"]}
    money = {"currency": "EUR", "base_minor": 100_00, "amount_minor": 10_00, "reversed_minor": 0, "trace": {}}
    money |= {"counted_currency": "EUR", "counted_base_minor": 100_00, "counted_minor": 10_00}
    life = {"level": 1, "turn": 0, "is_live": True, "status": CommissionStatus.APPROVED, "approved_at": LONG_AGO}
    when = {"earned_at": LONG_AGO, "matures_at": LONG_AGO, "created_at": LONG_AGO}
    return {"id": ids.new()} | keys | money | life | when
