"""The proof of the transfers and of the chains: one streaming pass over each. The stages above hold the balances against their rows."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.ledger import postings as rules
from affiliate.ledger import queries, total_queries
from affiliate.ledger.chain import ChainName
from affiliate.ledger.findings import Findings
from affiliate.ledger.models import LedgerAccount
from affiliate.ledger.postings import AccountName
from affiliate.ledger.seals import Walk
from affiliate.ledger.total_queries import Moved


@dataclass(frozen=True, slots=True)
class Account:
    """Whose account it is, which, and in what currency. Also the key of a balance."""

    program_id: UUID
    partner_id: UUID | None
    name: AccountName
    currency: str

    def __str__(self) -> str:
        owner = "" if self.partner_id is None else f" of {ids.public('ptn', self.partner_id)}"
        return f"account {self.name}{owner} in {ids.public('prg', self.program_id)} ({self.currency})"


@dataclass(slots=True)
class Sums:
    """What the pass gathered: how many transfers, how many of them sealed, and the balance of each account that moved."""

    transfers: int = 0
    sealed: int = 0
    balances: defaultdict[Account, int] = field(default_factory=lambda: defaultdict(int))


def read_transfers(session: Session, *, findings: Findings, trusted: Collection[str] | None) -> Sums:
    """Check every transfer by itself and in its chain, and add up all balances, in memory bounded by the number of accounts."""
    accounts = _accounts(session, findings)
    problems = _Problems(accounts)
    seals = queries.seals(session, chain=ChainName.TRANSFERS)
    walk = Walk(ChainName.TRANSFERS, seals, findings, trusted, _transfer)
    sums, moved = Sums(), defaultdict[str, int](int)
    for position, said, content_hash in queries.transfer_texts(session):
        sums.transfers += 1
        digest = hashlib.sha256(said.encode()).digest()
        is_sound = digest.hex() == content_hash
        facts = said.split("|")
        if len(facts) != len(rules.HASHED) or not facts[_AMOUNT].lstrip("-").isdigit():
            findings.add(f"Transfer number {position} cannot be read.")
            continue
        identifier, program_id, kind, debit, credit, amount, currency, source_kind, source_id, leg, _posted_at = facts
        walk.row(position, identifier, digest)
        amount_minor = int(amount)
        moved[debit] -= amount_minor
        moved[credit] += amount_minor
        found = problems.of_accounts(program_id, kind, debit, credit, currency)
        if (
            found
            or not is_sound
            or amount_minor <= 0
            or identifier != rules.transfer_hex(kind, source_kind, source_id, leg)
        ):
            _tell(facts, found, is_sound=is_sound, findings=findings)
    walk.end()
    sums.sealed = walk.sealed
    _add_up(sums, moved, accounts, findings)
    return sums


def read_audit(session: Session, *, findings: Findings, trusted: Collection[str] | None) -> int:
    """Check every row of the audit trail by itself and in its chain, and give their number."""
    walk = Walk(ChainName.AUDIT, queries.seals(session, chain=ChainName.AUDIT), findings, trusted, _audit_row)
    count = 0
    for row in queries.audit_rows(session):
        count += 1
        walk.row(row["position"], row["id"].hex, audit.digest(row))
        if not audit.is_intact(row):
            findings.add(f"{_audit_row(row['id'].hex)} was changed: its details do not match their hash.")
    walk.end()
    return count


def check_totals(session: Session, *, findings: Findings) -> None:
    """Hold the totals and the balances of partners that pages go on from against the very transfers that they add up."""
    for total in total_queries.stored(session):
        here = total.program_id
        moves = total_queries.moved_by_account(session, program_id=here, after=0, until=total.carried_to)
        found = total_queries.totals(moves)
        if found != total.balances:
            said = (
                f"The stored totals of {ids.public('prg', here)} are {total.balances}; its transfers add up to {found}."
            )
            findings.add(f"{said} {_ANEW}")
        kept = _of_partners(here, total_queries.stored_balances(session, program_id=here))
        moved = _of_partners(here, moves)
        for account in sorted((one for one in {*kept, *moved} if kept[one] != moved[one]), key=str):
            said = f"The stored balance of the {account} is {kept[account]}; its transfers add up to {moved[account]}."
            findings.add(f"{said} {_ANEW}")


_ANEW = "They are made anew once the row in ledger_totals is gone."


def _of_partners(program_id: UUID, moves: Iterable[Moved]) -> Counter[Account]:
    told = ((Account(program_id, one.partner_id, one.name, one.currency), one.minor) for one in moves if one.partner_id)
    return Counter(dict(told))


_ALLOWED = {kind.value: pairs for kind, pairs in rules.ALLOWED.items()}
_AMOUNT = rules.HASHED.index("amount_minor")


def _transfer(identifier: str) -> str:
    return f"Transfer {ids.public('led', UUID(identifier))}"


def _audit_row(identifier: str) -> str:
    return f"Audit row {ids.public('aud', UUID(identifier))}"


def _accounts(session: Session, findings: Findings) -> dict[str, Account]:
    columns = (LedgerAccount.program_id, LedgerAccount.partner_id, LedgerAccount.name, LedgerAccount.currency)
    found = {}
    for key, program_id, partner_id, name, currency in session.execute(sa.select(LedgerAccount.id, *columns)):
        account = found[key.hex] = Account(program_id, partner_id, name, currency)
        derived = rules.account_id(
            program_id=account.program_id, partner_id=account.partner_id, name=account.name, currency=account.currency
        )
        if key != derived:
            findings.add(f"The {account} has the wrong id {key}.")
    return found


class _Problems:
    """What is wrong with the accounts of a transfer, as ends of sentences; said once for each pair of accounts."""

    def __init__(self, accounts: dict[str, Account]) -> None:
        self._accounts = accounts
        self.of_accounts = lru_cache(maxsize=100_000)(self._of_accounts)

    def _of_accounts(self, program_id: str, kind: str, debit: str, credit: str, currency: str) -> tuple[str, ...]:
        return tuple(self._each(program_id, kind, self._accounts.get(debit), self._accounts.get(credit), currency))

    def _each(
        self, program_id: str, kind: str, debit: Account | None, credit: Account | None, currency: str
    ) -> Iterator[str]:
        if debit is None or credit is None:
            yield "names an account that does not exist"
            return
        if {debit.currency, credit.currency} != {currency}:
            yield f"moves {currency} between accounts in {debit.currency} and {credit.currency}"
        if {debit.program_id.hex, credit.program_id.hex} != {program_id}:
            yield "moves money between programs"
        if len({debit.partner_id, credit.partner_id} - {None}) != 1:
            yield "does not belong to exactly one partner"
        if (debit.name, credit.name) not in _ALLOWED.get(kind, ()):
            yield f"is a movement {kind} from {debit.name} to {credit.name}, which does not exist"


def _tell(facts: list[str], found: tuple[str, ...], *, is_sound: bool, findings: Findings) -> None:
    identifier, _program_id, kind, _debit, _credit, amount, _currency, source_kind, source_id, leg, _at = facts
    problems = list(found)
    if not is_sound:
        problems.append("was changed: its content does not match its hash")
    if identifier != rules.transfer_hex(kind, source_kind, source_id, leg):
        problems.append("was changed: its id does not follow from its cause")
    if int(amount) <= 0:
        problems.append("does not move an amount above zero")
    for problem in problems:
        findings.add(f"{_transfer(identifier)} {problem}.")


def _add_up(sums: Sums, moved: dict[str, int], accounts: dict[str, Account], findings: Findings) -> None:
    """The balances by account, which of each program and currency must add up to zero."""
    totals: defaultdict[tuple[UUID, str], int] = defaultdict(int)
    for key, balance in moved.items():
        if (account := accounts.get(key)) is not None:
            sums.balances[account] += balance
            totals[account.program_id, account.currency] += balance
    for (program_id, currency), total in totals.items():
        if total:
            findings.add(
                f"The balances of {ids.public('prg', program_id)} add up to {total} minor units of {currency}, not to zero."
            )
