"""The proof of the transfers: one streaming pass over all of them. The stages above hold the balances against their rows."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.ledger import postings as rules
from affiliate.ledger.models import LedgerAccount, LedgerTransfer
from affiliate.ledger.postings import AccountName

FINDINGS_MAX = 100
_READ_AT_ONCE = 5_000


@dataclass(slots=True)
class Findings:
    """Plain sentences, each naming ids. Only the first hundred are kept; the rest is counted."""

    sentences: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, sentence: str) -> None:
        """Keep one more finding, or count it."""
        self.count += 1
        if self.count <= FINDINGS_MAX:
            self.sentences.append(sentence)

    def texts(self) -> list[str]:
        """The sentences, and how many more there are."""
        more = self.count - len(self.sentences)
        return self.sentences + ([f"And {more} more."] if more else [])


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
    """What the pass gathered: how many transfers, and the balance of each account that moved."""

    transfers: int = 0
    balances: defaultdict[Account, int] = field(default_factory=lambda: defaultdict(int))


def read_transfers(session: Session, *, findings: Findings) -> Sums:
    """Check every transfer by itself and add up all balances, in memory bounded by the number of accounts."""
    accounts = _accounts(session, findings)
    sums = Sums()
    for row in _stream(session):
        sums.transfers += 1
        debit, credit = accounts.get(row["debit_account_id"]), accounts.get(row["credit_account_id"])
        for problem in _problems(row, debit, credit):
            findings.add(f"Transfer {ids.public('led', row['id'])} {problem}.")
        if debit is not None and credit is not None:
            sums.balances[debit] -= row["amount_minor"]
            sums.balances[credit] += row["amount_minor"]
    _find_imbalance(sums, findings)
    return sums


def _accounts(session: Session, findings: Findings) -> dict[UUID, Account]:
    columns = (LedgerAccount.program_id, LedgerAccount.partner_id, LedgerAccount.name, LedgerAccount.currency)
    found = {}
    for key, program_id, partner_id, name, currency in session.execute(sa.select(LedgerAccount.id, *columns)):
        account = found[key] = Account(program_id, partner_id, name, currency)
        derived = rules.account_id(
            program_id=account.program_id, partner_id=account.partner_id, name=account.name, currency=account.currency
        )
        if key != derived:
            findings.add(f"The {account} has the wrong id {key}.")
    return found


def _stream(session: Session) -> Iterator[sa.RowMapping]:
    columns = [getattr(LedgerTransfer, name) for name in (*rules.HASHED, "content_hash")]
    yield from session.execute(sa.select(*columns).execution_options(yield_per=_READ_AT_ONCE)).mappings()


def _problems(row: sa.RowMapping, debit: Account | None, credit: Account | None) -> Iterator[str]:
    """What is wrong with one transfer, as the end of a sentence."""
    if rules.content_hash(row) != row["content_hash"]:
        yield "was changed: its content does not match its hash"
    cause = {name: row[name] for name in ("kind", "source_kind", "source_id", "leg")}
    if row["id"] != rules.transfer_id(**cause):
        yield "was changed: its id does not follow from its cause"
    if row["amount_minor"] <= 0:
        yield "does not move an amount above zero"
    if debit is None or credit is None:
        yield "names an account that does not exist"
        return
    if {debit.currency, credit.currency} != {row["currency"]}:
        yield f"moves {row['currency']} between accounts in {debit.currency} and {credit.currency}"
    if {debit.program_id, credit.program_id} != {row["program_id"]}:
        yield "moves money between programs"
    if len({debit.partner_id, credit.partner_id} - {None}) != 1:
        yield "does not belong to exactly one partner"
    if (debit.name, credit.name) not in rules.ALLOWED[row["kind"]]:
        yield f"is a movement {row['kind']} from {debit.name} to {credit.name}, which does not exist"


def _find_imbalance(sums: Sums, findings: Findings) -> None:
    totals: defaultdict[tuple[UUID, str], int] = defaultdict(int)
    for account, balance in sums.balances.items():
        totals[account.program_id, account.currency] += balance
    for (program_id, currency), total in totals.items():
        if total:
            findings.add(
                f"The balances of {ids.public('prg', program_id)} add up to {total} minor units of {currency}, not to zero."
            )
