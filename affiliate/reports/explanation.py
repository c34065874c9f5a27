"""Why a commission is what it is, as a value that pages and text can print: the answer first, then the proof.

Built from the stored traces alone, by no computation of its own: what is shown is what was decided.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats, ids
from affiliate.attribution.touches import Step
from affiliate.commissions.models import CommissionStatus
from affiliate.ledger.queries import TransferLine
from affiliate.money import Money
from affiliate.reports import checks, dates, history, policies, sums, touches, words
from affiliate.reports.checks import Check
from affiliate.reports.evidence import TOUCHES_MAX, Evidence
from affiliate.reports.sums import Sum
from affiliate.reports.touches import Audience, Reader, Touch
from affiliate.reports.words import Sign


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the page shows. Lists are what the macros of the same names take (`thread`, `ladder`, `sum_table`, `kv`)."""

    title: str
    sub: str
    order_id: str
    public_id: str
    left: Money
    status: Sign
    status_text: str
    who_answer: str
    thread: list[dict[str, Any]]
    rule_answer: str
    ladder: list[dict[str, Any]]
    base: Sum
    rate: Sum
    check: Check
    way_answer: str
    way: Sum | None
    books_answer: str
    books: list[dict[str, Any]]
    books_total: Money
    facts: list[dict[str, Any]]
    history: list[dict[str, Any]]


def explain(
    evidence: Evidence, *, audience: Audience, now: datetime, link_url: Callable[[UUID], str] | None = None
) -> Explanation:
    """The explanation of a commission for a partner (others anonymous) or a manager, in the reader's language."""
    commission, trace = evidence.commission, evidence.attribution.trace
    reader = Reader(audience, commission.partner_id, evidence.partner_names, evidence.link_names, link_url)
    contacts = touches.read(trace)[-TOUCHES_MAX:]
    left = Money(commission.amount_minor - commission.reversed_minor, commission.currency)
    partner = evidence.partner_names.get(commission.partner_id, "")
    books = _books(evidence, partner)
    return Explanation(
        title=_title(evidence, audience, left, partner),
        sub=_sub(evidence),
        order_id=evidence.conversion.order_id,
        public_id=ids.public("com", commission.id),
        left=left,
        status=words.commission(commission.status),
        status_text=dates.status_text(evidence),
        who_answer=_who_answer(contacts, reader, partner),
        thread=_thread(evidence, contacts, reader),
        rule_answer=_rule_answer(evidence, audience),
        ladder=_ladder(trace),
        base=sums.base(evidence),
        rate=sums.rate(evidence, audience),
        check=checks.check(evidence, audience=audience),
        way_answer=_way_answer(evidence),
        way=sums.way(evidence, audience, left),
        books_answer=_books_answer(len(books)),
        books=books,
        books_total=Money(sum(line["amount"].amount_minor for line in books), commission.currency),
        facts=_facts(evidence, contacts, audience),
        history=history.stations(evidence, now=now),
    )


def _title(evidence: Evidence, audience: Audience, left: Money, partner: str) -> str:
    named = {"amount": formats.money(left), "order": evidence.conversion.order_id}
    if audience is Audience.PARTNER:
        return _("Why you earn %(amount)s on order %(order)s", **named)
    return _("Why %(partner)s earns %(amount)s on order %(order)s", partner=partner, **named)


def _sub(evidence: Evidence) -> str:
    ordered = _("Ordered on %(at)s.", at=formats.instant(evidence.conversion.occurred_at))
    plan = evidence.commission.trace.get("plan")
    version = evidence.attribution.policy_version
    if plan is None:
        return f"{ordered} " + _("Decided by policy %(version)s.", version=version)
    since = formats.day(datetime.fromisoformat(plan["effective_from"])) if plan.get("effective_from") else None
    if since is None:
        return f"{ordered} " + _("Decided by policy %(version)s, plan “%(plan)s”.", version=version, plan=plan["name"])
    named = {"version": version, "plan": plan["name"], "since": since}
    return f"{ordered} " + _("Decided by policy %(version)s, plan “%(plan)s”, in force since %(since)s.", **named)


def _who_answer(contacts: list[Touch], reader: Reader, partner: str) -> str:
    winner = next((touch for touch in contacts if touch.credited and touch.partner_id == reader.partner_id), None)
    mine = reader.audience is Audience.PARTNER
    answer = _("You did.") if mine else _("%(partner)s did.", partner=partner)
    if winner is None or winner.at is None:
        return answer
    sharing = sum(touch.credited for touch in contacts)
    if sharing > 1:
        shared = ngettext("%(num)s contact shares the sale.", "%(num)s contacts share the sale.", sharing)
        return f"{answer} {shared}"
    counted = ngettext(
        "One contact before the order is known, and it counts.",
        "Of %(num)s contacts before the order, the one of %(day)s is the last one that counts.",
        len(contacts),
        day=formats.day(winner.at),
    )
    return f"{answer} {counted}"


def _thread(evidence: Evidence, contacts: list[Touch], reader: Reader) -> list[dict[str, Any]]:
    conversion = evidence.conversion
    window_days = int(evidence.attribution.trace.get("window_days", evidence.program.attribution_window_days))
    return touches.thread(
        contacts, reader, order_id=conversion.order_id, converted_at=conversion.occurred_at, window_days=window_days
    )


def _rule_answer(evidence: Evidence, audience: Audience) -> str:
    trace = evidence.attribution.trace
    rule = policies.rule(trace, default_days=evidence.program.attribution_window_days) + "."
    share = formats.percent_bps(int(evidence.commission.trace.get("share_bps", 10_000)))
    mine = audience is Audience.PARTNER
    told = _("You get %(share)s of the sale.", share=share) if mine else _("The share is %(share)s.", share=share)
    return f"{rule} {told}"


def _ladder(trace: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": policies.step(Step(rung["step"])),
            "value": policies.rung(rung["outcome"]),
            "hit": rung["outcome"] == "found",
        }
        for rung in trace.get("ladder", [])
    ]


def _way_answer(evidence: Evidence) -> str:
    status = evidence.commission.status
    if status is CommissionStatus.UNVERIFIED:
        return _(
            "The order is being verified: so far only a page of the shop reported it. It counts once the shop's server confirms it."
        )
    if status is CommissionStatus.TEST:
        return _("This is a test order. It never counts and never pays.")
    if any(taken.amount_minor for taken in evidence.adjustments):
        return _("Something was taken back. Each line below says when and why.")
    return _("No. Nothing was refunded, cancelled or declined.")


def _books(evidence: Evidence, partner: str) -> list[dict[str, Any]]:
    owners = {"program": evidence.program.name, "partner": partner}
    return [line for transfer in evidence.transfers for line in _lines(transfer, owners)]


def _lines(transfer: TransferLine, owners: dict[str, str]) -> list[dict[str, Any]]:
    amount = Money(transfer.amount_minor, transfer.currency)
    shared = {"at": transfer.posted_at, "code": ids.public("led", transfer.id)}
    return [
        {"account": words.owned_account(transfer.debit, **owners), "amount": -amount, **shared},
        {"account": words.owned_account(transfer.credit, **owners), "amount": amount, **shared},
    ]


def _books_answer(lines: int) -> str:
    if not lines:
        return _("Nothing is posted: only a confirmed order that earns something enters the books.")
    return ngettext(
        "%(num)s posting. Nothing here is ever edited; a return adds a line with the opposite sign.",
        "%(num)s postings that add up to zero. Nothing here is ever edited; a return adds lines with the opposite sign.",
        lines,
    )


def _facts(evidence: Evidence, contacts: list[Touch], audience: Audience) -> list[dict[str, Any]]:
    commission, plan = evidence.commission, evidence.commission.trace.get("plan")
    winner = next((touch for touch in contacts if touch.credited and touch.partner_id == commission.partner_id), None)
    facts: list[dict[str, Any]] = []
    if winner is not None and winner.at is not None and winner.kind == "click":
        mine = audience is Audience.PARTNER
        facts.append({"name": _("Your click") if mine else _("Click"), "value": formats.instant(winner.at)})
    if evidence.subs and winner is not None:
        told = ", ".join(f"{name}={value}" for name, value in sorted(evidence.subs.items()))
        facts.append({"name": _("Its sub ids"), "value": told})
    facts += [{"name": _("Same customer"), "value": words.act(act.kind, act.at)} for act in evidence.acts]
    rule = policies.rule(evidence.attribution.trace, default_days=evidence.program.attribution_window_days)
    facts.append({"name": _("Rule"), "value": rule})
    facts.append({"name": _("Base"), "value": formats.money(Money(commission.base_minor, commission.currency))})
    if plan is not None and (rate := sums.only_rate(commission.trace)) is not None:
        facts.append({"name": _("Commission rate"), "value": formats.percent_bps(rate)})
    ordered_in, paid_in = commission.trace.get("currency", commission.currency), commission.currency
    told = paid_in if ordered_in == paid_in else _("%(ordered)s, paid in %(paid)s", ordered=ordered_in, paid=paid_in)
    facts.append({"name": _("Currency"), "value": told})
    if plan is not None and (plan_in := commission.trace.get("plan_in", paid_in)) != paid_in:
        facts.append({"name": _("Currency of the plan"), "value": plan_in})
    facts.append({"name": _("Rounding"), "value": _("half to even")})
    return facts
