"""The tables of report pages that hold partners against something else: the shop, other channels, customers, service, other policies."""

from datetime import timedelta
from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _

from affiliate import formats
from affiliate.money import BPS_PER_UNIT, Money, divide_half_even
from affiliate.reports import (
    board,
    channels,
    customer_store,
    queries,
    report_words,
    service_quality,
    shop,
    shop_days,
    strength_readings,
    strength_words,
    what_if,
)
from affiliate.reports import strengths as rule
from affiliate.reports.customers import Month
from affiliate.reports.metrics import METRICS, Unit
from affiliate.reports.page_question import Question, Table, with_head
from affiliate.reports.periods import Period
from affiliate.reports.service_measures import MEASURES
from affiliate.reports.strengths import Side


def shop_totals(asked: Question) -> Table:
    """What came by partners and what came without, over the days that the shop told. Its days are those of the program's calendar."""
    program = asked.program
    period = Period(asked.period.first, asked.period.end, program.time_zone)
    told = shop_days.told(asked.session, program_id=program.id, period=period)
    facts = queries.facts_by_day(asked.session, program_id=program.id, period=period, currency=program.currency)
    found = shop.compared(told, facts, currency=program.currency)
    sides = ((_("By partners"), found.partners), (_("Without a partner"), found.others))
    rows = [[name, *_side(side)] for name, side in sides if side is not None]
    head = [_("Customers came"), _("Orders"), _("Revenue"), _("Rate"), _("New customers")]
    return with_head(head, rows if found.days else [])


def _side(side: shop.Side) -> list[str]:
    rates = [formats.percent_bps(one) for one in (side.rate_bps, side.new_share_bps)]
    return [formats.number(side.orders), formats.money(side.revenue), *rates]


def channel_losses(asked: Question) -> Table:
    """The orders that other paid channels took from partners, the greatest share first."""
    name = asked.given.get("q", "")
    found = channels.lost_by_partner(asked.session, program_id=asked.program.id, period=asked.period, name=name)
    rows = [
        [
            asked.called(one.partner_id, one.partner_name), formats.number(one.lost), formats.number(one.kept),
            formats.percent_bps(one.share_bps),
        ]
        for one in found[: asked.size]
    ]  # fmt: skip
    return with_head([_("Partner"), _("Lost"), _("Kept"), _("Share lost")], rows)


def customers_by_month(asked: Question) -> Table:
    """The orders of new and of returning customers in the last twelve months of the program, the newest first."""
    found, _at = customer_store.shown(asked.session, program=asked.program, now=asked.now)
    rows = [_month(one) for one in reversed(found) if one.new.conversions or one.returning.conversions or one.unknown.conversions]  # fmt: skip
    head = [_("Month"), _("New"), _("Returning"), _("Share of new"), _("Revenue, new"), _("Revenue, returning")]
    return with_head(head, rows)


def _month(one: Month) -> list[str]:
    known = one.new.conversions + one.returning.conversions
    share = divide_half_even(one.new.conversions * BPS_PER_UNIT, known) if known else None
    sides = (one.new, one.returning)
    return [
        format_date(one.first, "LLL y"), *(formats.number(side.conversions) for side in sides), formats.percent_bps(share),
        *(formats.money(METRICS["revenue"].of(side)) for side in sides),  # type: ignore[arg-type] # money, as its formula says
    ]  # fmt: skip


def kpis(asked: Question) -> Table:
    """The board: each figure of the days beside those before."""
    here: dict[str, Any] = {"program_id": asked.program.id, "currency": asked.program.currency}
    now, before = (board.figures(asked.session, period=one, **here) for one in (asked.period, asked.period.before))
    rows = [
        [_(one.label), *(printed(one.unit, one.of(found), asked.program.currency) for found in (now, before))]
        for one in board.FIGURES.values()
    ]
    return with_head([_("Figure"), _("Now"), _("Before")], rows)


def strengths(asked: Question) -> Table:
    """What reports know of strengths and weaknesses, the weaknesses first; what waits in the console stands on its own page."""
    readings = strength_readings.of_program(asked.session, program=asked.program, period=asked.period)
    sides = {Side.WEAK: _("Weak at"), Side.STRONG: _("Strong at"), Side.NEITHER: _("Between")}
    rows = [
        [
            strength_words.named(one.topic, one.side), sides[one.side], strength_words.told(one, asked.program.currency),
            strength_words.change(one, asked.program.currency),
        ]
        for one in rule.findings(readings)
    ]  # fmt: skip
    return with_head([_("Topic"), _("Judged"), _("Figure"), _("Change")], rows)


def service_quality_page(asked: Question) -> Table:
    """The newest numbers about service."""
    found = service_quality.entries(asked.session, program_id=asked.program.id, limit=asked.size)
    rows = []
    for row in found:
        one = row.entry
        whose = asked.called(one.partner_id, row.partner_name or "") if one.partner_id else _("The program")
        days = f"{formats.day(one.starts_on)} – {formats.day(one.ends_on - timedelta(days=1))}"
        rows.append([_(MEASURES[one.measure].label), whose, report_words.service_number(one.measure, one.number), days])
    return with_head([_("Measure"), _("Whose"), _("Number"), _("Days")], rows)


def replayed(asked: Question) -> Table:
    """Commissions as they are and as they would be by each policy that was tried."""
    found = what_if.compared(asked.session, program=asked.program)
    rows = []
    for partner_id in found.partner_ids[: asked.size] if found.replays else []:
        mine = [lines.get(partner_id) for lines in found.lines]
        amounts = [mine[0].today if mine[0] else None, *(line.tomorrow if line else None for line in mine)]
        rows.append([asked.called(partner_id, found.names.get(partner_id, "")), *map(formats.money, amounts)])
    return with_head([_("Partner"), _("Today"), *map(what_if.policy, found.replays)], rows)


def printed(unit: Unit, value: int | None, currency: str) -> str:
    """A figure in its unit."""
    if unit is Unit.MONEY:
        return formats.UNKNOWN if value is None else formats.money(Money(value, currency))
    return formats.percent_bps(value) if unit is Unit.BPS else formats.number(value)
