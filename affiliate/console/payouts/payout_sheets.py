"""One payout run as plain values: its steps, its two people, who gets what, and what the next step moves."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from affiliate import formats, ids
from affiliate.console import presenters, words
from affiliate.console.blueprint import initials
from affiliate.ledger.models import AccountName
from affiliate.money import Money
from affiliate.payouts import words as payout_words
from affiliate.payouts.files import FileKind, Offer
from affiliate.payouts.models import PaperState, PayoutRun, PayoutStatus
from affiliate.reports import sums

CSV_HEAD = ["partner", "id", "payout", "earned", "set_off", "amount", "currency"]


def run_page(
    row: Any,
    payouts: Sequence[Any],
    sums: Sequence[Any],
    balances: Mapping[AccountName, int],
    *,
    me: UUID,
    one_person: bool,
    warnings: Sequence[dict[str, str]] = (),
) -> dict[str, Any]:
    """One run: its seats, its warnings, who gets what, and what the next step moves.

    `payouts`: a page of them; `sums`: of all, by status; `one_person`: who proposed may approve.
    """
    run: PayoutRun = row.PayoutRun
    total = Money(run.total_minor, run.currency)
    mine = run.proposed_by_id == me and not one_person
    partners = sum(each.payouts for each in sums)
    return {
        "run": {
            "id": ids.public("run", run.id),
            "status": run.status.value,
            "sign": words.payout(run.status),
            "total": total,
            "proposed_at": run.proposed_at,
            "reason": payout_words.payout_reason(run.reason, run.reason_code),
            "ended_by": row.cancelled_by,
            "single_handed": run.is_single_handed,
            "mine": mine,
        },
        "sub": ngettext("To %(num)d partner.", "To %(num)d partners.", partners),
        "partners": partners,
        "steps": _steps(run.status),
        "seats": _seats(row, me=me),
        "warnings": warnings,
        "payouts": [_payout(each, run.currency, run.id) for each in payouts],
        "shares": _shares(run, sums),
        "waiting": sum(each.waiting for each in sums),
        "before_total": Money(sum(each.before_minor for each in sums), run.currency),
        "moves": moves(run.status, sums, balances, run.currency),
        "urls": _urls(run.id),
    }


def _urls(run_id: UUID) -> dict[str, str]:
    acts = {
        "page": "payout_run",
        "approve": "approve_payout_run",
        "paid": "mark_payout_run_paid",
        "cancel": "cancel_payout_run",
        "csv": "payout_run_csv",
        "export": "export_payout_run",
        "set_aside": "set_payouts_aside",
        "results": "bring_results",
    }
    return {name: url_for(f"console.{endpoint}", run_id=run_id) for name, endpoint in acts.items()}


def _steps(status: PayoutStatus) -> list[dict[str, str]]:
    names = [_("Collected"), pgettext("payout", "Proposed"), pgettext("payout", "Approved"), pgettext("payout", "Paid")]
    done = {PayoutStatus.APPROVED: 3, PayoutStatus.PAID: 4}.get(status, 2)
    ended = status in {PayoutStatus.PAID, PayoutStatus.CANCELLED}
    states = ["done" if place < done else "now" if place == done and not ended else "" for place in range(len(names))]
    return [{"name": name, "state": state} for name, state in zip(names, states, strict=True)]


def _seats(row: Any, *, me: UUID) -> list[dict[str, Any]]:
    """Who proposed, and who approved or must approve."""
    run: PayoutRun = row.PayoutRun
    first = _taken(row.proposed_by, pgettext("payout", "Proposed"), run.proposed_at, you=run.proposed_by_id == me)
    if run.approved_at is not None:
        return [
            first,
            _taken(row.approved_by, pgettext("payout", "Approved"), run.approved_at, you=run.approved_by_id == me),
        ]
    is_me = run.proposed_by_id != me and run.status is PayoutStatus.PROPOSED
    name = presenters.my_name() if is_me else _("A second person")
    second = {
        "name": name,
        "initials": initials(name) if is_me else "?",
        "you": is_me,
        "kind": "",
        "word": _("Not yet"),
        "open": True,
    }
    return [first, second]


def _taken(name: str, word: str, at: Any, *, you: bool) -> dict[str, Any]:
    return {
        "name": name,
        "initials": initials(name),
        "you": you,
        "kind": "good",
        "word": word,
        "note": formats.instant(at),
    }


def _payout(each: Any, currency: str, run_id: UUID) -> dict[str, Any]:
    before = None if each.before_minor is None else Money(each.before_minor, currency)
    amount = Money(each.amount_minor, currency)
    return {
        "partner": presenters.partner_link(each.partner_id, each.partner),
        "amount": amount,
        "before": before,
        "change": change(amount, before),
        "set_off": Money(-each.clawed_back_minor, currency) if each.clawed_back_minor else None,
        "earned": Money(each.earned_minor, currency),
        "is_new": before is None,
        "waits": _waits(each),
        "taxes": _taxes(each, currency),
        "added": Money(each.vat_minor + each.stamp_minor, currency),
        "withheld": Money(each.withheld_minor, currency),
        "url": url_for("console.payout", run_id=run_id, payout_id=each.id),
        "way": _way(each),
        "paid": Money(each.paid_minor, each.paid_currency) if each.paid_currency else None,
        "rate": sums.rate_of_day(each.exchange) if each.exchange else None,
        "sign": words.payout(each.status),
        "is_out": each.taken_out_at is not None,
        "reason": payout_words.payout_reason(each.reason, each.reason_code),
    }


def _shares(run: PayoutRun, sums: Sequence[Any]) -> list[dict[str, Any]]:
    """Whom the run's total goes to, where that is not the partners alone."""
    if run.status is PayoutStatus.CANCELLED:
        return []
    held = [each for each in sums if not each.is_out]
    failed = sum(each.amount_minor for each in held if each.status is PayoutStatus.FAILED)
    withheld = sum(each.withheld_minor for each in held if each.status is not PayoutStatus.FAILED)
    rest = [(_("Withheld for the state"), withheld), (_("Did not arrive"), failed)]
    shares = [(label, minor) for label, minor in rest if minor]
    if shares:
        shares.insert(0, (_("To the partners"), run.total_minor - failed - withheld))
    return [{"label": label, "amount": Money(minor, run.currency)} for label, minor in shares]


def _waits(each: Any) -> bool:
    """Whether a payout waits for its partner's invoice."""
    return each.status is PayoutStatus.PROPOSED and each.paper is PaperState.AWAITED


def _taxes(each: Any, currency: str) -> str:
    """What the paper adds and what is withheld, inside the amount."""
    parts = []
    if added := each.vat_minor + each.stamp_minor:
        parts.append(_("%(amount)s VAT and stamp duty inside", amount=formats.money(Money(added, currency))))
    if each.withheld_minor:
        parts.append(_("%(amount)s withheld for the state", amount=formats.money(Money(each.withheld_minor, currency))))
    return ", ".join(parts)


def _way(each: Any) -> str:
    """Where a payout goes, as far as anybody may see it."""
    return f"{words.payment_method(each.method)} {each.masked}" if each.method is not None else ""


def change(amount: Money, before: Money | None) -> str:
    """The signed difference to the last payout."""
    if before is None:
        return str(_("new"))
    sign = "+" if amount.amount_minor > before.amount_minor else ""
    return f"{sign}{formats.money(amount - before)}"


def moves(
    status: PayoutStatus, sums: Sequence[Any], balances: Mapping[AccountName, int], currency: str
) -> dict[str, Any] | None:
    """What the next step moves between accounts, before and after; the sums are equal because money only changes places."""
    moved = [each for each in sums if each.status is status]
    earned = sum(each.earned_minor for each in moved)
    set_off = sum(each.clawed_back_minor for each in moved)
    added = sum(each.vat_minor + each.stamp_minor for each in moved)
    withheld = sum(each.withheld_minor for each in moved)
    amount = earned - set_off + added - withheld
    changes = {
        PayoutStatus.PROPOSED: {
            AccountName.APPROVED: -earned,
            AccountName.CLAWBACK: set_off,
            AccountName.VAT: -added,
            AccountName.TAX_PAYABLE: withheld,
            AccountName.IN_TRANSIT: amount,
        },
        PayoutStatus.APPROVED: {AccountName.IN_TRANSIT: -amount, AccountName.PAID: amount},
    }.get(status)
    if changes is None:
        return None
    before = {name: balances.get(name, 0) for name, change in changes.items() if change}
    after = {name: minor + changes[name] for name, minor in before.items()}
    rows = [
        {"account": words.account(name), "before": Money(before[name], currency), "after": Money(after[name], currency)}
        for name in before
    ]
    label = _("Sum, %(currency)s", currency=currency)
    total = {
        "label": label,
        "before": Money(sum(before.values()), currency),
        "after": Money(sum(after.values()), currency),
    }
    return {"rows": rows, "total": total}


def one(run: PayoutRun, each: Any) -> dict[str, Any]:
    """The page of one payout, with what can still become of it."""
    step = {"run_id": run.id, "payout_id": each.id}
    possible = {
        PayoutStatus.PROPOSED: ["take_out"] if run.status is PayoutStatus.PROPOSED else [],
        PayoutStatus.APPROVED: ["paid", "failed"],
    }.get(each.status, [])
    return {
        "payout": _payout(each, run.currency, run.id) | {"id": ids.public("pay", each.id)},
        "payment_url": url_for("console.payment", partner_id=each.partner_id),
        "run": {"url": url_for("console.payout_run", run_id=run.id), "at": run.proposed_at},
        "acts": {what: url_for("console.settle_payout", what=what, **step) for what in possible},
    }


def files(offers: Sequence[Offer]) -> list[dict[str, Any]]:
    """The files that can be made of a run, with their words."""
    return [{"kind": each.kind.value, "part": each.part, "label": _file(each)} for each in offers]


def _file(offer: Offer) -> str:
    name = words.payment_file(offer.kind)
    if offer.parts == 1:
        return name
    return str(_("%(file)s, part %(part)s of %(parts)s", file=name, part=offer.part, parts=offer.parts))


def traffic(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """What left for the bank and what came back."""
    return [
        {
            "at": row.occurred_at,
            "by": row.name or "",
            "what": _("Results taken in")
            if row.action == "payout_run.results"
            else _file(Offer(FileKind(row.details["file"]), row.details.get("part", 1), row.details.get("parts", 1))),
            "sha256": row.details["sha256"],
        }
        for row in rows
    ]


def csv_row(each: Any, currency: str) -> list[Any]:
    """A line of the exported run."""
    parts = [Money(minor, currency) for minor in (each.earned_minor, each.clawed_back_minor, each.amount_minor)]
    return [each.partner, ids.public("ptn", each.partner_id), ids.public("pay", each.id), *parts, currency]
