"""The explanation of an order as plain text, for the command line: what a manager reads on the page, line by line."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import clock, formats
from affiliate.attribution.models import Attribution
from affiliate.attribution.touches import Step
from affiliate.commissions.models import Commission
from affiliate.ingest.models import Conversion
from affiliate.money import Money
from affiliate.programs.models import Program
from affiliate.reports import evidence, explanation, policies, touches
from affiliate.reports.checks import Check
from affiliate.reports.sums import Sum
from affiliate.reports.touches import Audience, Reader

COMMISSIONS_MAX = 50


def orders(session: Session, *, order_id: str, slug: str | None, kind: str) -> Sequence[tuple[Conversion, Program]]:
    """The orders of this number and kind, in every program or in one."""
    found = sa.select(Conversion, Program).join(Program, Program.id == Conversion.program_id)
    found = found.where(Conversion.order_id == order_id, Conversion.kind == kind)
    if slug is not None:
        found = found.where(Program.slug == slug)
    return [(row[0], row[1]) for row in session.execute(found.limit(20))]


def not_one(found: Sequence[tuple[Conversion, Program]], *, order_id: str) -> str:
    """What to say when a number means no order, or several."""
    if not found:
        return f"No order {order_id!r} is known here."
    return "Several programs know this order. Name one: " + ", ".join(program.slug for _order, program in found)


def explain(session: Session, conversion: Conversion, program: Program) -> str:
    """Everything that stands behind the order's commissions."""
    lines = [
        _("Order %(order)s", order=conversion.order_id)
        + f", {formats.money(Money(conversion.amount_minor, conversion.currency))}, {formats.instant(conversion.occurred_at)}"
    ]
    current = sa.select(Attribution).where(Attribution.conversion_id == conversion.id, Attribution.is_current)
    attribution = session.scalar(current)
    if attribution is None:
        return "\n".join(
            [*lines, _("The contacts of this customer are being looked at. This takes seconds, at most a minute.")]
        )
    lines += _decision(session, conversion, program, attribution)
    for commission in _commissions(session, conversion):
        found = evidence.of_commission(session, program=program, commission_id=commission.id)
        if found is not None:
            lines += _commission(explanation.explain(found, audience=Audience.MANAGER, now=clock.now()))
    return "\n".join(lines)


def _commissions(session: Session, conversion: Conversion) -> Sequence[Commission]:
    live = sa.select(Commission).where(Commission.conversion_id == conversion.id, Commission.is_live)
    return session.scalars(live.order_by(Commission.level, Commission.partner_id).limit(COMMISSIONS_MAX)).all()


def _decision(session: Session, conversion: Conversion, program: Program, attribution: Attribution) -> list[str]:
    trace, days = attribution.trace, program.attribution_window_days
    names = evidence.names_in(session, trace=trace)
    reader = Reader(Audience.MANAGER, conversion.id, names.partners, names.links)
    window = int(trace.get("window_days", days))
    thread = touches.thread(
        touches.read(trace),
        reader,
        order_id=conversion.order_id,
        converted_at=conversion.occurred_at,
        window_days=window,
    )
    rule = policies.rule(trace, default_days=days)
    versions = _("Decided by policy %(version)s.", version=attribution.policy_version)
    ladder = [
        f"  {policies.step(Step(rung['step']))}: {policies.rung(rung['outcome'])}" for rung in trace.get("ladder", [])
    ]
    return [f"{rule}. {versions}", *ladder, "", *(_station(station) for station in thread)]


def _station(station: dict[str, Any]) -> str:
    at = formats.instant(station["at"]) if station["at"] else "-"
    verdict = f" [{station['verdict']['word']}]" if station.get("verdict") else ""
    return f"  {at}  {station['text']}{verdict}" + (f" {station['reason']}" if station.get("reason") else "")


def _commission(why: explanation.Explanation) -> list[str]:
    told = ["", why.title, f"  {why.sub}", f"  {why.status.word}. {why.status_text}", f"  {why.rule_answer}"]
    told += [*_sum(why.base), *_sum(why.rate), *(f"    {fact['name']}: {fact['value']}" for fact in why.facts)]
    told += [*_check(why.check), *(_sum(why.way) if why.way else [f"  {why.way_answer}"])]
    told += [f"    {station['at']}  {station['text']}" for station in why.history]
    told += [f"  {why.books_answer}"]
    told += [f"  {line['account']}: {formats.money(line['amount'])}  {line['code']}" for line in why.books]
    return told


def _sum(sum_: Sum) -> list[str]:
    rows = [f"    {row['label']}  {row.get('detail') or ''}  {_text(row['amount'])}" for row in sum_.rows]
    total = [f"    = {_text(sum_.total)}"] if sum_.total is not None else []
    note = [f"    {sum_.note}"] if sum_.note else []
    return [f"  {sum_.answer}", *rows, *total, *note]


def _check(check: Check) -> list[str]:
    found = [
        f"    {one['rule']}: " + ", ".join(f"{number['name']} {number['value']}" for number in one["numbers"])
        for one in check.findings
    ]
    return [f"  {check.answer}", *found, *([f"    {check.note}"] if check.note else [])]


def _text(amount: Any) -> str:
    return formats.money(amount) if isinstance(amount, Money) else str(amount or "")
