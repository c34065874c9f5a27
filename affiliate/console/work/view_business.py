"""Pages for who does the marketing and for who does the books: what they come for, from what other pages hold."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, g, request, url_for
from flask_babel import gettext as _

from affiliate import days, exports, formats
from affiliate.accounts import access
from affiliate.commissions.models import CommissionStatus
from affiliate.console import presenters, roles, words
from affiliate.console.blueprint import blueprint, can, waiting
from affiliate.console.goals import goal_sheets
from affiliate.console.partners import care_words
from affiliate.console.performance import annotations, campaign_sheets
from affiliate.console.queries import money as money_queries
from affiliate.console.queries import views as queries
from affiliate.console.queries import work
from affiliate.console.work.view_parts import Panel, Row, more, page, tile
from affiliate.ledger import queries as ledger_queries
from affiliate.ledger.models import AccountName
from affiliate.money import Money
from affiliate.payouts import queries as payout_queries
from affiliate.reports import campaign_queries, campaign_sheet, dimensions, metrics, periods, statuses, tables
from affiliate.reports import queries as reports
from affiliate.reports.asked import By
from affiliate.reports.dimensions import Scope
from affiliate.reports.metrics import METRICS
from affiliate.reports.momentum import Momentum
from affiliate.reports.periods import Period
from affiliate.steering import queries as steering
from affiliate.web import orm, request_now

DAYS = 30
NEWEST = 5
_OF_CREATIVE = ("clicks_valid", "conversions", "earnings", "revenue")
_BALANCES = (
    AccountName.PENDING, AccountName.APPROVED, AccountName.IN_TRANSIT, AccountName.CLAWBACK, AccountName.TAX_PAYABLE,
    AccountName.PAID,
)  # fmt: skip
_BALANCES_HEAD = ("day", "account", "group", "balance", "currency")


class _Group(enum.StrEnum):
    """What an account is in the program's books."""

    ACCRUED = "accrued"
    OWED = "owed"
    PAID = "paid"
    COST = "cost"


_GROUPS = dict.fromkeys(AccountName, _Group.COST) | {
    AccountName.PENDING: _Group.ACCRUED,
    AccountName.APPROVED: _Group.OWED,
    AccountName.IN_TRANSIT: _Group.OWED,
    AccountName.TAX_PAYABLE: _Group.OWED,
    AccountName.CLAWBACK: _Group.OWED,  # by partners, below zero
    AccountName.PAID: _Group.PAID,
}


@blueprint.get("/<slug>/views/marketing")
@access.console(*roles.VIEWS["marketing_view"])
def marketing_view() -> str:
    """What partners bring, with which material, and who rises or fades."""
    period = presenters.period(DAYS)
    by_day = reports.facts_by_day(orm.session, program_id=g.program.id, period=_with_before(period), currency=g.program.currency)  # fmt: skip
    this = metrics.total((by_day[day] for day in period.days), currency=g.program.currency)
    keys = ("clicks_valid", "conversions", "conversion_rate", "revenue")
    values = tables.values(this, keys)
    chart = tables.chart(by_day, period)
    performance = url_for("console.performance")
    return page(
        _("Marketing"),
        _("What partners brought in the last 30 days, and who needs a word."),
        tiles=[
            tile(_(METRICS[key].label), value, page="performance", url=performance)
            for key, value in zip(keys, values, strict=True)
        ]
        + [tile(_("Material to look at"), waiting().creatives, page="creatives", url=url_for("console.creatives"))],
        panels=[_campaigns(), _creatives(period), _momentum(), _at_risk()],
        chart=chart | {"spec": chart["spec"] | annotations.marks(period)},
    )


def _with_before(period: Period) -> Period:
    return Period(period.before.first, period.end, period.zone)


def _campaigns() -> Panel:
    """The newest ones, each with what it brought in its days."""
    newest = campaign_queries.campaigns_of(orm.session, program_id=g.program.id, limit=NEWEST)
    found = campaign_sheet.lines(orm.session, program=g.program, campaigns=newest, now=request_now())
    rows = [_campaign(campaign_sheets.line(one, today=goal_sheets.today())) for one in found]
    heads = [_("Campaign"), _("State"), *(_(METRICS[key].label) for key in campaign_sheets.BROUGHT)]
    return Panel(
        "campaigns", _("Newest campaigns"), heads, rows, _("No campaign yet."),
        more("campaigns", url_for("console.campaigns")),
    )  # fmt: skip


def _campaign(line: Mapping[str, Any]) -> Row:
    return Row(line["name"], [line["sign"], *line["cells"]], line["url"], line["days"])


def _creatives(period: Period) -> Panel:
    """Those that earned partners the most in these days. Clicks and sales without one are no material."""
    lines = dimensions.lines(orm.session, Scope(g.program, None), By.CREATIVE, period)
    ours = [line for line in lines if line.id is not None]
    rows = [
        Row(
            line.name, tables.values(line.facts, _OF_CREATIVE),
            url_for("console.creative", creative_id=line.id) if can("creative") else None,
        )
        for line in tables.in_order(ours, "-earnings")[: queries.SHOWN]
    ]  # fmt: skip
    heads = [_("Creative"), *(_(METRICS[key].label) for key in _OF_CREATIVE)]
    empty = _("Nobody came by a creative in these days.")
    return Panel(
        "creatives", _("Creatives that bring most"), heads, rows, empty,
        more("performance", url_for("console.performance", by=By.CREATIVE.value)),
    )  # fmt: skip


def _momentum() -> Panel:
    counts = steering.counts_by_momentum(orm.session, program_id=g.program.id)
    rows = [
        Row(
            care_words.momentum(each).word,
            [formats.number(counts[each])],
            url_for("console.partners", momentum=each.value),
        )
        for each in Momentum
    ]
    return Panel("momentum", _("Momentum"), [_("State"), _("Partners")], rows, "")


def _at_risk() -> Panel:
    rows = [
        Row(
            row.partner_name, [care_words.momentum(row.momentum.momentum)],
            url_for("console.partner", partner_id=row.momentum.partner_id),
            f"{care_words.reason(row.momentum)} {care_words.advice(row.momentum)}",
        )
        for row in steering.at_risk(orm.session, program_id=g.program.id)
    ]  # fmt: skip
    heads = [_("Partner"), _("State")]
    return Panel("risk", _("Partners at risk"), heads, rows, _("Nobody fades."))


@blueprint.get("/<slug>/views/finance")
@access.console(*roles.VIEWS["finance_view"])
def finance_view() -> str:
    """What is owed, what waits, what was paid, what partners cost."""
    here: dict[str, UUID] = {"program_id": g.program.id}
    balances = ledger_queries.program_balances(orm.session, **here)
    totals = statuses.totals(orm.session, **here)
    pending = [each for each in totals if each.status is CommissionStatus.PENDING]
    soon_minor = sum(each.left_minor for each in pending) - work.left_after(
        orm.session, **here, after=request_now() + timedelta(days=DAYS)
    )
    due_on = payout_queries.next_run_on(orm.session, **here, today=request_now().date())
    ledger = url_for("console.ledger")
    as_of = _as_of()
    return page(
        _("Finance"),
        _("What is earned and not paid yet, what was paid, and what partners cost beside their commission."),
        tiles=[
            *(
                tile(words.account(name), presenters.amount(abs(balances[name])), page="ledger", url=ledger)
                for name in _BALANCES
                if balances[name] or name in _BALANCES[:2]
            ),
            tile(
                _("Approved within 30 days"), presenters.amount(soon_minor), page="commissions",
                url=url_for("console.commissions", status="pending"),
            ),
        ],
        panels=[_balances(as_of, balances), _by_status(totals), _runs(), _costs()],
        due_on=due_on,
        as_of=as_of,
    )  # fmt: skip


@blueprint.get("/<slug>/views/finance.<any(csv, xlsx):kind>")
@access.console(*roles.VIEWS["finance_view"])
def finance_file(kind: str) -> Response:
    """The balances of the day as a file: every account, so that they add up to zero."""
    as_of = _as_of()
    found = _balances_at(as_of)
    rows = (
        (as_of.day.isoformat(), name.value, _GROUPS[name].value, presenters.amount(found[name]), g.program.currency)
        for name in AccountName
    )
    return exports.response(kind, f"balances-{as_of.day.isoformat()}", _BALANCES_HEAD, rows)


@dataclass(frozen=True, slots=True)
class AsOf:
    """The day at whose end balances are asked for; `is_readable` is false where the address names none, and it is today."""

    day: date
    today: date
    is_readable: bool

    @property
    def files(self) -> list[tuple[str, str]]:
        """The same as files."""
        kinds = ("csv", "xlsx")
        return [(kind.upper(), url_for("console.finance_file", kind=kind, day=self.day.isoformat())) for kind in kinds]


def _as_of() -> AsOf:
    today = request_now().astimezone(ZoneInfo(g.program.time_zone)).date()
    typed = request.args.get("day", "")
    try:
        return AsOf(min(days.read(typed), today), today, True) if typed else AsOf(today, today, True)
    except ValueError:
        return AsOf(today, today, False)


def _balances_at(as_of: AsOf) -> Mapping[AccountName, int]:
    """At the end of the day in the program's time zone; of today, as they stand."""
    if as_of.day == as_of.today:
        return ledger_queries.program_balances(orm.session, program_id=g.program.id)
    at = periods.end_of_day(as_of.day, zone=g.program.time_zone)
    return ledger_queries.program_balances_at(orm.session, program_id=g.program.id, at=at)


def _balances(as_of: AsOf, now: Mapping[AccountName, int]) -> Panel:
    """What lay on each account at the end of the day that was asked for, in groups."""
    found = now if as_of.day == as_of.today else _balances_at(as_of)
    labels = {
        _Group.ACCRUED: _("Accrued, not approved yet"),
        _Group.OWED: _("Owed"),
        _Group.PAID: _("Paid"),
        _Group.COST: _("What it has cost"),
    }
    rows = [
        Row(words.account(name), [labels[group], formats.money(presenters.amount(found[name]))])
        for group in _Group
        for name in AccountName
        if _GROUPS[name] is group and (found[name] or name in _BALANCES)
    ]
    title = _("Balances on %(day)s", day=formats.day(as_of.day))
    return Panel("as-of", title, [_("Account"), _("What it is"), _("Amount")], rows, "")


def _by_status(totals: Sequence[statuses.StatusTotal]) -> Panel:
    rows = [
        Row(
            words.commission(each.status).word,
            [formats.number(each.commissions), formats.money(Money(each.left_minor, each.currency))],
            url_for("console.commissions", status=each.status.value),
        )
        for each in totals
    ]
    heads = [_("Status"), _("Commissions"), _("Amount")]
    return Panel("status", _("Commissions"), heads, rows, _("No commission yet."))


def _runs() -> Panel:
    found = money_queries.runs(orm.session, program_id=g.program.id, cursor=None).rows[: queries.SHOWN]
    rows = [
        Row(
            formats.day(row.at), [words.payout(row.status), formats.money(Money(row.total_minor, row.currency))],
            url_for("console.payout_run", run_id=row.id),
        )
        for row in found
    ]  # fmt: skip
    heads = [_("Run"), _("Status"), _("Total")]
    return Panel("runs", _("Payouts"), heads, rows, _("No run yet."), more("payouts", url_for("console.payouts")))


def _costs() -> Panel:
    since = presenters.period(DAYS).first
    found = queries.costs(orm.session, program_id=g.program.id, since=since, currency=g.program.currency)
    rows = [Row(words.cost(kind), [formats.money(presenters.amount(minor))]) for kind, minor in found.items() if minor]
    heads = [_("What for"), _("Last 30 days")]
    return Panel("costs", _("Costs beside commissions"), heads, rows, _("No cost was entered in these days."))
