"""Reports that are pages of their own, beside the table of performance: kept and mailed in the same way, each with its table for a mail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from affiliate import formats, ids
from affiliate.accounts.models import GrantRole
from affiliate.money import Money
from affiliate.partners import queries as partners
from affiliate.reports import asked as asking
from affiliate.reports import (
    board,
    campaign_queries,
    campaign_sheet,
    cohort_store,
    cohorts,
    funnel_queries,
    funnel_words,
    goods_queries,
    margin_store,
    page_tables,
    periods,
    products,
    tables,
)
from affiliate.reports import funnel as funnels
from affiliate.reports.cohort_metrics import MEASURES, Cell, Kind, Measure
from affiliate.reports.funnel_queries import Visits
from affiliate.reports.metrics import Unit
from affiliate.reports.page_question import TOTAL, Question, Table, with_head
from affiliate.reports.periods import Period, Span

PAGE = "page"
"""The argument under which a kept report names its page."""
_MONTHS_MAILED = 4
_WHOLE_DAYS = {"7": 7, "30": 30, "90": 90, "365": 90}  # as the pages of the board take them
_CAMPAIGNS_MAX = 50  # each ten are one more statement over clicks and sales
_LENGTH_MAX = 60
_INSIDE = frozenset(GrantRole) - {GrantRole.PARTNER}
_MANAGERS = frozenset({GrantRole.MANAGER, GrantRole.ADMIN})


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the console: its endpoint, where it stands below a program's address, what of its address is kept, who may open it."""

    endpoint: str
    place: str
    names: tuple[str, ...]
    label: Callable[[], str]
    table: Callable[[Question], Table]
    readers: frozenset[GrantRole] = _INSIDE
    usual: Span = asking.USUAL

    @property
    def has_days(self) -> bool:
        """Whether it is about some days, which its address may name."""
        return "last" in self.names or "days" in self.names


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page with its arguments, as a kept report holds it."""

    key: str
    given: Mapping[str, str]

    @property
    def page(self) -> Page:
        """Which page."""
        return PAGES[self.key]

    def arguments(self) -> dict[str, str]:
        """What a kept report holds."""
        return {PAGE: self.key, **self.given}

    def period(self, *, now: datetime, zone: str) -> Period:
        """The days that its address names, else those that the page shows of itself; a board's are whole days."""
        if "days" in self.page.names:
            return board.days_before(*self._whole_days(now, zone), zone)
        wanted = asking.read({"span": self.page.usual.value, **self.given}, possible=asking.PROGRAMS)
        return wanted.period(now=now, zone=zone) or periods.spanned(self.page.usual, now=now, zone=zone)

    def _whole_days(self, now: datetime, zone: str) -> tuple[date, int]:
        days = self.given.get("days", "")
        return now.astimezone(ZoneInfo(zone)).date(), _WHOLE_DAYS.get(days, _WHOLE_DAYS["30"])


def read(typed: Mapping[str, str]) -> Wanted | None:
    """The page that a form or a kept report names; null if it names none of ours."""
    key = str(typed.get(PAGE, ""))
    if key not in PAGES:
        return None
    given = {name: str(typed.get(name, ""))[:_LENGTH_MAX] for name in PAGES[key].names}
    return Wanted(key, {name: value for name, value in given.items() if value})


def _campaigns(asked: Question) -> Table:
    newest = campaign_queries.campaigns_of(
        asked.session, program_id=asked.program.id, limit=min(asked.size, _CAMPAIGNS_MAX)
    )
    found = campaign_sheet.lines(asked.session, program=asked.program, campaigns=newest, now=asked.now)
    keys = ("conversions", "revenue", "cost")
    rows = [[one.campaign.name, *(text or formats.UNKNOWN for text in tables.values(one.facts, keys))] for one in found]
    return with_head([_("Campaign"), _("Sales"), _("Revenue"), _("Cost")], rows)


def _partner_cohorts(asked: Question) -> Table:
    return _cohorts(asked, Kind.PARTNERS, _("Partners"))


def _customer_cohorts(asked: Question) -> Table:
    return _cohorts(asked, Kind.CUSTOMERS, _("Customers"))


def _cohorts(asked: Question, kind: Kind, size: str) -> Table:
    partner_id, currency = _partner(asked.given), asked.program.currency
    if partner_id is None:
        found, _at = cohort_store.shown(asked.session, program=asked.program, kind=kind, now=asked.now)
    else:
        here = {"program_id": asked.program.id, "currency": currency, "zone": asked.program.time_zone}
        found = cohorts.of_customers(asked.session, **here, now=asked.now, partner_id=partner_id)  # type: ignore[arg-type] # one dictionary of two kinds
    measures = MEASURES[kind]
    measure = measures.get(asked.given.get("show", ""), next(iter(measures.values())))
    rows = [
        [one.month, formats.number(one.size), *(printed(measure, cell, currency) for cell in one.cells[:_MONTHS_MAILED])]
        for one in reversed(found)
        if one.size
    ]  # fmt: skip
    return with_head([_(measure.label), size, *map(str, range(_MONTHS_MAILED))], rows)


def printed(measure: Measure, cell: Cell, currency: str) -> str:
    """What a cell of a cohort shows."""
    value = measure.of(cell, currency)
    if value is None:
        return formats.UNKNOWN
    if isinstance(value, Money):
        return formats.money(value)
    return formats.percent_bps(int(value)) if measure.unit is Unit.BPS else formats.number(int(value))


def _margin(asked: Question) -> Table:
    """Of the month that was kept, else of the one in which the days of the mail begin."""
    offered = margin_store.months(asked.program, now=asked.now)
    wanted = asked.given.get("month", f"{asked.period.first:%Y-%m}")
    month = next((one for one in offered if f"{one:%Y-%m}" == wanted), offered[0])
    found, _at = margin_store.summed(asked.session, program=asked.program, month=month, now=asked.now)
    ordered = list(found.first.items())[: asked.size]
    names = partners.partner_names(asked.session, partner_ids=[partner_id for partner_id, _one in ordered])
    shown = [(asked.called(partner_id, names.get(partner_id, "")), one) for partner_id, one in ordered]

    def money(minor: int | None) -> str:
        return formats.money(None if minor is None else Money(minor, asked.program.currency))

    rows = [
        [name, money(one.net_minor), money(one.cost_minor), money(one.left_minor)]
        for name, one in [*shown, (TOTAL, found.total)]
    ]
    return with_head([f"{month:%Y-%m}", _("Net price"), _("Cost"), _("Left")], rows if found.partners else [])


def _funnel(asked: Question) -> Table:
    device, source = asked.given.get("device"), asked.given.get("source")
    visits = Visits(asked.program.id, _partner(asked.given), device, None if device else source)
    found = funnel_queries.funnel(asked.session, visits=visits, period=asked.period)
    rows = [
        [
            funnel_words.stage(line.stage), formats.number(line.number), formats.percent_bps(line.of_before_bps),
            formats.percent_bps(line.abandoned_bps),
        ]
        for line in funnels.lines(found)
    ]  # fmt: skip
    return with_head([_("Stage"), _("Visits"), _("Of the stage before"), _("Abandoned")], rows if found.visit else [])


def _products(asked: Question) -> Table:
    """Those with the most revenue: what they brought, and what came back."""
    label = products.CATEGORY if asked.given.get("by") == "category" else products.SKU
    here = {"program_id": asked.program.id, "currency": asked.program.currency}
    found = goods_queries.bought(asked.session, by=label, period=asked.period, **here)  # type: ignore[arg-type] # one dictionary of two kinds
    found = goods_queries.called(found, asked.given.get("q", ""))
    ordered = sorted(found.items(), key=lambda pair: (-pair[1].revenue_minor, pair[0]))
    rows = [
        [
            one.name or name or _("Unknown"), formats.number(one.orders),
            *(formats.money(Money(minor, asked.program.currency)) for minor in (one.revenue_minor, one.back_minor)),
        ]
        for name, one in ordered
    ]  # fmt: skip
    return with_head([_("Product"), _("Orders"), _("Revenue"), _("Came back")], rows[: asked.size])


def _partner(given: Mapping[str, str]) -> UUID | None:
    return ids.read("ptn", given.get("partner", ""))


PAGES: Mapping[str, Page] = {
    "campaigns": Page("campaigns", "campaigns", (), lambda: _("Campaigns"), _campaigns),
    "partner_cohorts": Page(
        "partner_cohorts", "performance/partners-by-month", ("show",), lambda: _("Partners by month joined"), _partner_cohorts
    ),
    "customer_cohorts": Page(
        "customer_cohorts", "performance/customers-by-first-order", ("show", "partner"), lambda: _("Customers by first order"),
        _customer_cohorts,
    ),
    "funnel": Page(
        "funnel", "performance/funnel", ("span", "first", "last", "compare", "partner", "device", "source"), lambda: _("Funnel"),
        _funnel,
    ),
    "product_pages": Page(
        "product_pages", "performance/products", ("by", "sort", "first", "last", "q"), lambda: _("Products"), _products
    ),
    "margin": Page(
        "margin", "performance/margin", ("month",), lambda: _("Margin"), _margin, usual=Span.THIS_MONTH
    ),
    "shop_totals": Page(
        "shop_totals", "performance/shop", ("first", "last"), lambda: _("Beside the shop"), page_tables.shop_totals
    ),
    "channel_losses": Page(
        "channel_losses", "performance/channels", ("first", "last", "q"), lambda: _("Lost to other channels"),
        page_tables.channel_losses,
    ),
    "customers_by_month": Page(
        "customers_by_month", "performance/customers", (), lambda: _("New and returning customers"),
        page_tables.customers_by_month,
    ),
    "service_quality_page": Page(
        "service_quality_page", "performance/service", (), lambda: _("Service"), page_tables.service_quality_page
    ),
    "kpis": Page("kpis", "kpis", ("days",), lambda: _("Figures and risks"), page_tables.kpis),
    "strengths": Page(
        "strengths", "performance/strengths", ("days",), lambda: _("Strengths and weaknesses"), page_tables.strengths
    ),
    "what_if": Page(
        "what_if", "performance/what-if", (), lambda: _("What if"), page_tables.replayed, readers=_MANAGERS
    ),
}  # fmt: skip
"""Every page by its key, which is its endpoint in the console."""
