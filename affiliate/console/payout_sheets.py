"""How the pages of payouts are shaped."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from affiliate import amounts, formats, ids
from affiliate.console import presenters, words
from affiliate.console.blueprint import initials
from affiliate.ledger.models import AccountName
from affiliate.money import Money, divide_half_even
from affiliate.payouts.files import FileKind
from affiliate.payouts.models import PaperState, PayoutRun, PayoutStatus
from affiliate.payouts.queries import Policy, Review
from affiliate.payouts.schedule import Blocked, Due, Schedule

CSV_HEAD = ["partner", "id", "payout", "earned", "set_off", "amount", "currency"]
UNUSUAL_TIMES = 3
"""A payout of more than so many times the partner's last one is looked at before it is approved."""

NOTES_MAX = 10


def overview(
    schedule: Schedule, runs: Sequence[Any], policy: Policy, due_on: date | None, *, awaited: Sequence[Any] = (),
    reviews: Sequence[Review] = (),
) -> dict[str, Any]:  # fmt: skip
    """What would be paid now, how the program pays, and the history. `awaited`: payouts of proposed runs that wait for an invoice."""
    return {
        "policy": {
            "cadence": words.cadence(policy.cadence),
            "net_days": policy.net_days,
            "one_person": policy.is_one_person,
        },
        "due_on": due_on,
        "total": presenters.amount(schedule.total_minor),
        "total_minor": schedule.total_minor,
        "payable": [_due(due) for due in schedule.payable],
        "blocked": [_due(due) | {"why": _why_blocked(due, reason)} for due, reason in schedule.blocked]
        + [_awaited(payout, name) for payout, name, _filed in awaited]
        + [_reviewed(review) for review in reviews],
        "runs": [_run_line(row) for row in runs],
        "open_runs": [_run_line(row) for row in runs if row.status in {PayoutStatus.PROPOSED, PayoutStatus.APPROVED}],
        "minimum": presenters.amount(g.program.payout_min_minor),
    }


def _due(due: Due) -> dict[str, Any]:
    return {
        "partner": presenters.partner_link(due.partner_id, due.partner_name),
        "url": url_for("console.payment", partner_id=due.partner_id),
        "earned": presenters.amount(due.earned_minor, due.currency),
        "set_off": presenters.amount(-due.clawed_back_minor, due.currency) if due.clawed_back_minor else None,
        "amount": presenters.amount(due.amount_minor, due.currency),
        "commissions": due.commissions,
    }


def _reviewed(review: Review) -> dict[str, Any]:
    """What a fraud rule holds back; what else the partner has earned is paid."""
    due = Due(review.partner_id, review.name, True, g.program.currency, review.amount_minor, 0, review.commissions, 0)
    return _due(due) | {"url": url_for("console.fraud"), "why": _why_blocked(due, Blocked.UNDER_REVIEW)}


def _awaited(payout: Any, name: str) -> dict[str, Any]:
    """A payout of a proposed run whose partner has not sent its invoice, or whose invoice is not checked yet."""
    due = Due(
        payout.partner_id, name, True, payout.currency, payout.earned_minor, payout.clawed_back_minor, 0, 0,
        vat_minor=payout.vat_minor, stamp_minor=payout.stamp_minor,
    )  # fmt: skip
    line = {
        "url": url_for("console.payout_run", run_id=payout.run_id),
        "why": _why_blocked(due, Blocked.INVOICE_AWAITED),
    }
    return _due(due) | line


def _why_blocked(due: Due, reason: Blocked) -> str:
    """Why a partner is not paid now, and what becomes of the money."""
    amount, day = formats.money(presenters.amount(due.amount_minor, due.currency)), formats.instant(due.usable_from)
    minimum = formats.money(presenters.amount(g.program.payout_min_minor))
    sentences: dict[Blocked, str] = {
        Blocked.PARTNER_INACTIVE: _(
            "Not active in the program. %(amount)s stay until you let them go on.", amount=amount
        ),
        Blocked.NEGATIVE_BALANCE: _("Returns exceed sales: %(amount)s are carried to the next run.", amount=amount),
        Blocked.UNDER_REVIEW: ngettext(
            "%(num)d sale is under review. %(amount)s wait for your decision.",
            "%(num)d sales are under review. %(amount)s wait for your decision.",
            due.commissions,
            amount=amount,
        ),
        Blocked.BELOW_MINIMUM: _(
            "Below the minimum of %(minimum)s. %(amount)s are carried to the next run.", amount=amount, minimum=minimum
        ),
        Blocked.PAYMENT_BLOCK: _("Not paid for now: %(reason)s", reason=due.block_reason),
        Blocked.TAX_PROFILE_MISSING: _("Has no tax profile yet. %(amount)s wait.", amount=amount),
        Blocked.INVOICE_AWAITED: _("Has not sent its invoice yet. %(amount)s wait.", amount=amount),
        Blocked.DETAILS_MISSING: _("Has not said yet where the money goes. %(amount)s wait.", amount=amount),
        Blocked.DETAILS_CHANGED: _(
            "The payment details were changed. %(amount)s wait until %(day)s.", amount=amount, day=day
        ),
    }
    return sentences[reason]


def _run_line(row: Any) -> dict[str, Any]:
    return {
        "url": url_for("console.payout_run", run_id=row.id),
        "at": row.at,
        "sign": words.payout(row.status),
        "status": row.status.value,
        "total": Money(row.total_minor, row.currency),
        "partners": row.partners,
        "proposed_by": row.proposed_by,
        "reason": row.reason,
    }


def run_page(
    row: Any,
    payouts: Sequence[Any],
    balances: Mapping[AccountName, int],
    *,
    me: UUID,
    one_person: bool,
    reviews: Sequence[Review] = (),
) -> dict[str, Any]:
    """One run: its seats, its warnings, who gets what, and what the next step moves. `one_person`: who proposed may approve."""
    run: PayoutRun = row.PayoutRun
    total = Money(run.total_minor, run.currency)
    mine = run.proposed_by_id == me and not one_person
    return {
        "run": {
            "id": ids.public("run", run.id),
            "status": run.status.value,
            "sign": words.payout(run.status),
            "total": total,
            "proposed_at": run.proposed_at,
            "reason": run.reason,
            "ended_by": row.cancelled_by,
            "single_handed": run.is_single_handed,
            "mine": mine,
        },
        "sub": ngettext("To %(num)d partner.", "To %(num)d partners.", len(payouts)),
        "steps": _steps(run.status),
        "seats": _seats(row, me=me),
        "warnings": warnings(payouts, run.currency, reviews) if run.status is PayoutStatus.PROPOSED else [],
        "payouts": [_payout(each, run.currency, run.id) for each in payouts],
        "waiting": sum(_waits(each) for each in payouts),
        "before_total": Money(sum(each.before_minor or 0 for each in payouts), run.currency),
        "moves": moves(run.status, payouts, balances, run.currency),
        "urls": _urls(run.id),
    }


def _urls(run_id: UUID) -> dict[str, str]:
    acts = {
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


def warnings(payouts: Sequence[Any], currency: str, reviews: Sequence[Review] = ()) -> list[dict[str, str]]:
    """What the second person looks at first; each is ticked before the money moves."""
    flagged = {review.partner_id: review for review in reviews}
    payouts = [each for each in payouts if each.taken_out_at is None]
    unusual = [each for each in payouts if each.before_minor and each.amount_minor > UNUSUAL_TIMES * each.before_minor]
    first = [each for each in payouts if each.before_minor is None]
    notes = [_unusual(each, currency) for each in unusual[:NOTES_MAX]]
    notes += [_changed(each) for each in payouts if each.details_changed_at is not None][:NOTES_MAX]
    notes += [_flagged(each, flagged[each.partner_id]) for each in payouts if each.partner_id in flagged][:NOTES_MAX]
    return [*notes, _first_payouts(first, currency)] if first else notes


def _flagged(each: Any, review: Review) -> dict[str, str]:
    title = ngettext(
        "%(num)d other sale of %(name)s is under review.",
        "%(num)d other sales of %(name)s are under review.",
        review.commissions,
        name=each.partner,
    )
    text = _("They are not in this run. Look at them before you pay the rest.")
    return {"id": f"flagged-{each.id.hex}", "kind": "hold", "icon": "flag", "title": title, "text": text}


def _changed(each: Any) -> dict[str, str]:
    title = _("%(name)s has changed its payment details since the run was proposed.", name=each.partner)
    text = _("This payout still goes to %(masked)s. Take it out if that account is closed.", masked=each.masked)
    return {"id": f"changed-{each.id.hex}", "kind": "wait", "icon": "alert-triangle", "title": title, "text": text}


def _unusual(each: Any, currency: str) -> dict[str, str]:
    amount, before = (formats.money(Money(minor, currency)) for minor in (each.amount_minor, each.before_minor))
    times = formats.number(divide_half_even(each.amount_minor, each.before_minor))
    title = _(
        "%(name)s gets %(amount)s, %(times)s times the last payout.", name=each.partner, amount=amount, times=times
    )
    return {
        "id": each.id.hex,
        "kind": "wait",
        "icon": "alert-triangle",
        "title": title,
        "text": _("The last one was %(before)s.", before=before),
    }


def _first_payouts(found: Sequence[Any], currency: str) -> dict[str, str]:
    amount = formats.money(Money(sum(each.amount_minor for each in found), currency))
    title = ngettext(
        "%(num)d partner gets its first payout, %(amount)s.",
        "%(num)d partners get their first payout, %(amount)s.",
        len(found),
        amount=amount,
    )
    names = ", ".join(each.partner for each in found[:NOTES_MAX]) + ("…" if len(found) > NOTES_MAX else "")
    text = _("%(names)s. Make sure that you know where to send it.", names=names)
    return {"id": "first", "kind": "acc", "icon": "star", "title": title, "text": text}


def approval_errors(
    form: Mapping[str, str], run: PayoutRun, payouts: Sequence[Any], reviews: Sequence[Review] = ()
) -> dict[str, str]:
    """What is missing before the run can be approved, by field."""
    errors = {}
    total = Money(run.total_minor, run.currency)
    try:
        typed = amounts.read(form.get("total", ""), run.currency)
    except amounts.BadNumber as wrong:
        errors["total"] = _(str(wrong))
    else:
        if typed != total:
            errors["total"] = _(
                "The run's total is %(total)s; you typed %(typed)s.",
                total=formats.money(total),
                typed=formats.money(typed),
            )
    unseen = [each for each in warnings(payouts, run.currency, reviews) if form.get(f"seen-{each['id']}") is None]
    if unseen:
        errors["seen"] = ngettext("%(num)d note is not ticked yet.", "%(num)d notes are not ticked yet.", len(unseen))
    return errors


def _payout(each: Any, currency: str, run_id: UUID) -> dict[str, Any]:
    before = None if each.before_minor is None else Money(each.before_minor, currency)
    amount = Money(each.amount_minor, currency)
    return {
        "partner": presenters.partner_link(each.partner_id, each.partner),
        "amount": amount,
        "before": before,
        "change": _change(amount, before),
        "set_off": Money(-each.clawed_back_minor, currency) if each.clawed_back_minor else None,
        "earned": Money(each.earned_minor, currency),
        "is_new": before is None,
        "waits": _waits(each),
        "taxes": _taxes(each, currency),
        "added": Money(each.vat_minor + each.stamp_minor, currency),
        "withheld": Money(each.withheld_minor, currency),
        "url": url_for("console.payout", run_id=run_id, payout_id=each.id),
        "way": _way(each),
        "sign": words.payout(each.status),
        "is_out": each.taken_out_at is not None,
        "reason": each.reason,
    }


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


def _change(amount: Money, before: Money | None) -> str:
    """The signed difference to the last payout."""
    if before is None:
        return str(_("new"))
    sign = "+" if amount.amount_minor > before.amount_minor else ""
    return f"{sign}{formats.money(amount - before)}"


def moves(
    status: PayoutStatus, payouts: Sequence[Any], balances: Mapping[AccountName, int], currency: str
) -> dict[str, Any] | None:
    """What the next step moves between accounts, before and after; the sums are equal because money only changes places."""
    payouts = [each for each in payouts if each.status is status]
    earned = sum(each.earned_minor for each in payouts)
    set_off = sum(each.clawed_back_minor for each in payouts)
    added = sum(each.vat_minor + each.stamp_minor for each in payouts)
    withheld = sum(each.withheld_minor for each in payouts)
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
    sums = {
        "label": label,
        "before": Money(sum(before.values()), currency),
        "after": Money(sum(after.values()), currency),
    }
    return {"rows": rows, "total": sums}


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


def files(kinds: Sequence[FileKind]) -> list[dict[str, str]]:
    """The files that can be made of a run, with their words."""
    return [{"kind": kind.value, "label": words.payment_file(kind)} for kind in kinds]


def traffic(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """What left for the bank and what came back."""
    return [
        {
            "at": row.occurred_at,
            "by": row.name or "",
            "what": _("Results taken in")
            if row.action == "payout_run.results"
            else words.payment_file(FileKind(row.details["file"])),
            "sha256": row.details["sha256"],
        }
        for row in rows
    ]


def csv_row(each: Any, currency: str) -> list[Any]:
    """A line of the exported run."""
    parts = [Money(minor, currency) for minor in (each.earned_minor, each.clawed_back_minor, each.amount_minor)]
    return [each.partner, ids.public("ptn", each.partner_id), ids.public("pay", each.id), *parts, currency]
