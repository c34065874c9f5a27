"""What the home page says, as plain values: a fixed number of queries, however much there is to count."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from affiliate import formats
from affiliate.accounts import access
from affiliate.commissions.models import CommissionStatus
from affiliate.money import Money, divide_half_even
from affiliate.payouts.models import PayoutStatus
from affiliate.portal import payout_choice
from affiliate.programs.models import Program
from affiliate.reports import medians as median_values
from affiliate.reports import metrics, money_words, periods, queries, sales, tables
from affiliate.reports.asked import By
from affiliate.reports.home import Standing
from affiliate.reports.metrics import METRICS, Facts, Metric, Unit
from affiliate.reports.sales import Pile, Wanted

DAYS = 30
_NOON, _EVENING = 12, 18
_TILES = ("clicks_raw", "clicks_valid", "conversions", "conversion_rate", "epc", "aov")


@dataclass(frozen=True, slots=True)
class Who:
    """Whose numbers, at what moment, with days cut in which zone."""

    program: Program
    partner_id: UUID
    now: datetime
    zone: str

    def money(self, amount_minor: int) -> Money:
        """An amount in the program's currency."""
        return Money(amount_minor, self.program.currency)


def greeting(name: str, *, now: datetime, zone: str) -> str:
    """Good morning, afternoon or evening, by the reader's clock."""
    first, hour = (name.split() or [""])[0], now.astimezone(ZoneInfo(zone)).hour
    if hour < _NOON:
        return _("Good morning, %(name)s", name=first)
    return _("Good afternoon, %(name)s", name=first) if hour < _EVENING else _("Good evening, %(name)s", name=first)


def numbers(session: Session, who: Who, medians: Mapping[str, str]) -> dict[str, Any]:
    """Earned today and this month, the tiles of 30 days against the 30 before, and the chart of both."""
    now = periods.last_days(DAYS, now=who.now, zone=who.zone)
    both = periods.last_days(2 * DAYS, now=who.now, zone=who.zone)
    days = queries.facts_by_day(
        session,
        program_id=who.program.id,
        partner_id=who.partner_id,
        period=both,
        currency=who.program.currency,
        with_costs=False,
    )
    today = now.days[-1]
    month = [facts for day, facts in days.items() if (day.year, day.month) == (today.year, today.month)]
    this = metrics.total((days[day] for day in now.days), currency=who.program.currency)
    before = metrics.total((days[day] for day in now.before.days), currency=who.program.currency)
    return {
        "today": today,
        "earned_today": who.money(days[today].earned_minor),
        "earned_month": who.money(metrics.total(month, currency=who.program.currency).earned_minor),
        "today_url": sales_url(today, today),
        "month_url": sales_url(today.replace(day=1), today),
        "tiles": tiles(this, before, first=now.days[0], last=today, medians=medians),
        "no_median": None if all(medians.get(key) for key in _TILES) else _no_median(),
        "chart": _chart(who, days, now),
        "is_quiet": this == before == Facts(who.program.currency),
    }


def tiles(
    this: Facts, before: Facts, *, first: date, last: date, medians: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """The standard numbers of a period (both days included) with their change against the one before; each leads to its rows.

    `medians` are what the partner in the middle of the program has, where they are told.
    """
    days: dict[str, Any] = {"first": first.isoformat(), "last": last.isoformat()}
    clicks_url = url_for("portal.statistics", by=By.LINK.value, **days)
    found = [
        _tile(METRICS[key], this, before, clicks_url if key.startswith("clicks") else sales_url(first, last))
        for key in _TILES
    ]
    for key, tile in zip(_TILES, found, strict=True):
        if text := (medians or {}).get(key):
            value = tables.printed(METRICS[key], median_values.value(key, text, currency=this.currency), this.currency)
            tile["note"] = ". ".join(filter(None, (tile["note"], _("Median of all partners: %(value)s", value=value))))
    return found


def _no_median() -> str:
    """Said once, not beside each number."""
    return ngettext(
        "A median of the program stands beside a number once %(num)s partner has it: with fewer one could guess whose it is.",
        "A median of the program stands beside a number once %(num)s partners have it: with fewer one could guess whose it is.",
        median_values.PARTNERS_MIN,
    )


def sales_url(first: date, last: date) -> str:
    """The list of the sales of these days, both included."""
    return url_for("portal.commissions", first=first.isoformat(), last=last.isoformat())


def flow(session: Session, who: Who, standing: Standing) -> list[dict[str, Any]]:
    """The way of the money: pending, approved, in payout, paid this year."""
    year = periods.start_of_year(now=who.now, zone=who.zone)
    piles, payouts = sales.all_piles(session, wanted=Wanted(who.program.id, who.partner_id), paid_since=year)
    sent, paid = payouts[PayoutStatus.PROPOSED] + payouts[PayoutStatus.APPROVED], payouts[PayoutStatus.PAID]
    pending, approved = piles[CommissionStatus.PENDING], piles[CommissionStatus.APPROVED]
    first = year.astimezone(ZoneInfo(who.zone)).date()
    sent_url = _payouts_url(status=payout_choice.ON_ITS_WAY)
    paid_url = _payouts_url(status=PayoutStatus.PAID.value, first=first.isoformat())
    terms = money_words.way()
    stations = [
        _station(who, terms["pending"], pending, _filtered("pending"), _pending_note(piles)),
        _station(who, terms["approved"], approved, _filtered("approved"), _approved_note(who, approved, standing)),
        _station(who, terms["sent"], sent, sent_url, _sent_note(sent)),
        _station(who, terms["paid"], paid, paid_url, _paid_note(paid)),
    ]
    stations[3]["label"] = _("Paid in %(year)s", year=first.year)
    counts = [pending.count, approved.count, sent.count, paid.count]
    payable = _payable(who, approved, standing)
    stations[1]["strong"] = {"text": payable, "url": _filtered("approved")} if payable else None
    stations[1]["terms"].append(money_words.payable())
    for number, station in enumerate(stations):
        station["state"] = "done" if any(counts[number:]) else ""
    if sent.count:
        stations[2]["state"] = "now"
    stations[3]["closed"] = paid.count > 0
    return stations


def _filtered(status: str) -> str:
    return url_for("portal.commissions", status=status)


def _payouts_url(**filters: Any) -> str | None:
    """The list of payouts; null for who may not open it."""
    return url_for("portal.payouts", **filters) if access.may("portal.payouts") else None


def _station(who: Who, term: money_words.Term, pile: Pile, href: str | None, note: str) -> dict[str, Any]:
    amount = who.money(pile.amount_minor)
    return {"label": term["label"], "terms": [term], "amount": amount, "href": href, "note": note}


def _pending_note(piles: dict[CommissionStatus, Pile]) -> str:
    count = piles[CommissionStatus.PENDING].count
    note = ngettext("%(num)s sale in the validation period", "%(num)s sales in the validation period", count)
    checked = piles[CommissionStatus.UNVERIFIED].count
    if checked:
        note += ". " + ngettext("%(num)s more is being verified", "%(num)s more are being verified", checked)
    return note


def _payable(who: Who, pile: Pile, standing: Standing) -> str | None:
    """What of the approved is paid next, with its day where one is known; nothing below the minimum."""
    amount_minor = pile.amount_minor - max(standing.owed_minor, 0)
    if amount_minor <= 0 or amount_minor < who.program.payout_min_minor:
        return None
    day, amount = standing.next_run_on, formats.money(who.money(amount_minor))
    if day is None or day < who.now.date():
        return _("Payable: %(amount)s, with the next payout", amount=amount)
    return _("Payable: %(amount)s, next payout on %(day)s", day=formats.day(day), amount=amount)


def _approved_note(who: Who, pile: Pile, standing: Standing) -> str:
    next_on = standing.next_run_on
    if who.program.payout_min_minor > pile.amount_minor > 0:
        note = _("Paid from %(amount)s on", amount=formats.money(who.money(who.program.payout_min_minor)))
    elif next_on is None or next_on < who.now.date():
        note = ngettext("%(num)s sale, in the next payout", "%(num)s sales, in the next payout", pile.count)
    else:
        day = formats.day(next_on)
        note = ngettext(
            "%(num)s sale, in the payout of %(day)s", "%(num)s sales, in the payout of %(day)s", pile.count, day=day
        )
    if standing.owed_minor > 0:
        came_back = formats.money(who.money(standing.owed_minor))
        note += ". " + _("%(amount)s of earlier sales came back and is set off", amount=came_back)
    return note


def _sent_note(pile: Pile) -> str:
    if not pile.count:
        return _("Nothing is on its way now")
    return ngettext(
        "%(num)s payout, being prepared or on its way", "%(num)s payouts, being prepared or on their way", pile.count
    )


def _paid_note(pile: Pile) -> str:
    if pile.last_at is None:
        return _("No payout yet this year")
    return ngettext(
        "%(num)s payout, on %(day)s", "%(num)s payouts, last one on %(day)s", pile.count, day=formats.day(pile.last_at)
    )


def _tile(metric: Metric, this: Facts, before: Facts, rows_url: str) -> dict[str, Any]:
    value, earlier = metric.of(this), metric.of(before)
    tile: dict[str, Any] = {
        "label": _(metric.label),
        "help": _(metric.help_text),
        "value": tables.printed(metric, value, this.currency),
        "href": rows_url,
        "note": None,
        "change": None,
        "up": True,
    }
    if value is None:
        return tile | {"note": _("no valid clicks yet") if metric.key != "aov" else _("no sales yet")}
    tile |= _change(metric, value, earlier)
    rejected = this.clicks_raw - this.clicks_valid
    if metric.key == "clicks_raw" and rejected:
        tile["note"] = _("%(count)s not counted: bots, repeats", count=formats.number(rejected))
    return tile


def _change(metric: Metric, value: metrics.Value, earlier: metrics.Value) -> dict[str, Any]:
    if metric.unit is Unit.BPS:
        if not isinstance(value, int) or not isinstance(earlier, int) or value == earlier:
            return {}
        points = formats.percent_bps(abs(value - earlier)).removesuffix("%")
        return {"change": _("%(points)spt", points=points), "up": value > earlier}
    change = metrics.change_bps(value, earlier)
    if not change:
        return {}
    return {"change": formats.percent_bps(divide_half_even(abs(change), 10) * 10), "up": change > 0}


def _chart(who: Who, days: dict[date, Facts], period: periods.Period) -> dict[str, Any]:
    this = [who.money(days[day].earned_minor) for day in period.days]
    before = [who.money(days[day].earned_minor) for day in period.before.days]
    best = max(range(len(this)), key=lambda number: this[number].amount_minor)
    summary = _(
        "Earnings per day from %(first)s to %(last)s: %(total)s in all, the most on %(day)s: %(most)s.",
        first=formats.day(period.days[0]),
        last=formats.day(period.days[-1]),
        total=formats.money(sum(this, who.money(0))),
        day=formats.day(period.days[best]),
        most=formats.money(this[best]),
    )
    return {
        "summary": summary,
        "spec": {
            "kind": "bar",
            "head": _("Day"),
            "labels": [formats.day_as(day, "EEE d MMM") for day in period.days],
            "series": [
                _series(_("now"), this),
                _series(_("30 days before"), before) | {"kind": "line", "before": True},
            ],
        },
    }


def _series(name: str, amounts: list[Money]) -> dict[str, Any]:
    return {
        "name": name,
        "values": [amount.text() for amount in amounts],
        "texts": [formats.money(amount) for amount in amounts],
    }
