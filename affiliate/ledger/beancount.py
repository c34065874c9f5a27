"""The ledger for the bookkeeper's own tools, in the form of beancount or as CSV: transfers in, lines of text out."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from affiliate import ids
from affiliate.ledger.postings import AccountName, owner_of
from affiliate.ledger.queries import TransferLine
from affiliate.money import Money

_GROUPS = {
    AccountName.EXPENSE: "Expenses:Commissions",
    AccountName.ADJUSTMENTS: "Expenses:Adjustments",
    AccountName.WRITE_OFF: "Expenses:Write-off",
    AccountName.VAT: "Expenses:VAT",
    AccountName.ROUNDING: "Expenses:Rounding",
    AccountName.PAID: "Assets:Paid",
    AccountName.TAX_PAYABLE: "Liabilities:Tax",
}
"""Everything else is owed to partners, or by them. What was paid has left an account of the company."""


def lines(transfers: Iterable[TransferLine], *, title: str) -> Iterator[str]:
    """A beancount file, oldest transfer first; each account is opened on the day it first moves.

    Our debit, where money comes from, is a debit there too: above zero. So every transaction adds up to zero.
    """
    yield f'option "title" "{_quoted(title)}"'
    opened: set[str] = set()
    for each in transfers:
        day = each.posted_at.date().isoformat()
        sides = [_account(each.debit, each.partner_id), _account(each.credit, each.partner_id)]
        for name in sides:
            if name not in opened:
                opened.add(name)
                yield f"{day} open {name} {each.currency}"
        amount = Money(each.amount_minor, each.currency)
        yield ""
        yield f'{day} * "{each.kind}" "{each.source_kind} {each.source_id}"'
        yield f'  id: "{ids.public("led", each.id)}"'
        yield f"  {sides[0]}  {amount.text()} {each.currency}"
        yield f"  {sides[1]}  {(-amount).text()} {each.currency}"


def table(transfers: Iterable[TransferLine]) -> Iterator[str]:
    """The same as CSV. Every cell is one of our own words, an id or a number, so that nothing needs quoting."""
    yield "posting,posted_at,kind,debit,credit,partner,amount,currency,source_kind,source_id"
    for each in transfers:
        facts = [ids.public("led", each.id), each.posted_at.isoformat(), each.kind, each.debit, each.credit]
        amount = Money(each.amount_minor, each.currency).text()
        facts += [ids.public("ptn", each.partner_id), amount, each.currency, each.source_kind, str(each.source_id)]
        yield ",".join(facts)


def _account(name: AccountName, partner_id: UUID) -> str:
    owner = owner_of(name, partner_id)
    whose = "" if owner is None else ":" + ids.public("ptn", owner).upper().replace("_", "-")
    group = _GROUPS.get(name)
    return f"{group}{whose}" if group else f"Liabilities:Partners{whose}:{name.replace('_', '-').capitalize()}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
