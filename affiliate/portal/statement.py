"""A partner's statement for any period, as a page and as a file."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from flask import g, request, url_for
from flask_babel import gettext as _
from flask_babel import pgettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import days, exports, ids
from affiliate.accounts import access
from affiliate.accounts.roles import SEES_MONEY
from affiliate.ledger.models import TransferKind
from affiliate.payouts import statements, words
from affiliate.payouts.statements import Line
from affiliate.portal.blueprint import blueprint, show, zone
from affiliate.reports import periods
from affiliate.web import orm, request_now

LINES_SHOWN = 500
_DAYS = 365
_CSV_HEAD = ["posted_at", "what", "order", "payout", "amount", "balance", "currency", "posting", "reason"]


@blueprint.get("/<slug>/payouts/statement")
@access.partner_with(SEES_MONEY)
def account_statement() -> str:
    """What was owed at the start, what changed it, what is owed at the end."""
    first, last = _period()
    found = statements.statement(orm.session, **_asked(first, last), limit=LINES_SHOWN)
    days: dict[str, Any] = {"first": first.isoformat(), "last": last.isoformat()}
    return show(
        "statement.html",
        opening=found.opening,
        closing=found.closing,
        lines=[_line(each) for each in found.lines],
        is_whole=found.is_whole,
        days={"first": first, "last": last},
        csv_url=url_for("portal.account_statement_csv", **days),
        **days,
    )


@blueprint.get("/<slug>/payouts/statement.csv")
@access.partner_with(SEES_MONEY)
def account_statement_csv() -> BaseResponse:
    """The same as a file, with the balances as its first and last line."""
    return exports.csv_response("statement.csv", _CSV_HEAD, _csv_rows(*_period()))


def _csv_rows(first: date, last: date) -> Iterator[list[Any]]:
    balance, lines = statements.whole(orm.session, **_asked(first, last))
    yield [first.isoformat(), "opening_balance", "", "", "", balance, g.program.currency, "", ""]
    for each in lines:
        balance = each.balance
        yield _csv_row(each)
    yield [last.isoformat(), "closing_balance", "", "", "", balance, g.program.currency, "", ""]


def _asked(first: date, last: date) -> dict[str, Any]:
    """Whose statement, and from when to when."""
    return {
        "program_id": g.program.id,
        "partner_id": g.partner.id,
        "currency": g.program.currency,
        "starts_at": periods.end_of_day(first - timedelta(days=1), zone=zone()),
        "ends_at": periods.end_of_day(last, zone=zone()),
    }


def _period() -> tuple[date, date]:
    """The days that the address names, both included; the last year up to today where it names none, or none that make sense."""
    today = periods.last_day_before(request_now(), zone=zone())
    last = _day("last") or today
    first = _day("first") or last - timedelta(days=_DAYS)
    return (first, last) if first <= last else (last - timedelta(days=_DAYS), last)


def _day(name: str) -> date | None:
    try:
        return days.read(request.args.get(name, ""))
    except ValueError:
        return None


def _line(each: Line) -> dict[str, Any]:
    url = None
    if each.commission_id is not None:
        url = url_for("portal.commission", commission_id=each.commission_id)
    elif each.payout_id is not None:
        url = url_for("portal.payout", payout_id=each.payout_id)
    return {
        "at": each.posted_at,
        "what": _what(each.kind),
        "order_id": each.order_id,
        "note": _note(each),
        "url": url,
        "amount": each.amount,
        "balance": each.balance,
    }


def _what(kind: TransferKind) -> str:
    said: dict[TransferKind, str] = {
        TransferKind.APPROVE: pgettext("statement", "Commission approved"),
        TransferKind.REVERSE: pgettext("statement", "Commission taken back"),
        TransferKind.CLAW_BACK: pgettext("statement", "Taken back after it was paid"),
        TransferKind.SETTLE: pgettext("statement", "Paid to you"),
        TransferKind.ADD_TAX: pgettext("statement", "VAT and stamp duty"),
        TransferKind.WITHHOLD: pgettext("statement", "Tax withheld"),
        TransferKind.WRITE_OFF: pgettext("statement", "Debt written off"),
        TransferKind.ADJUST: _("Bonus or correction"),
    }
    return said.get(kind, _("Correction"))


def _csv_row(each: Line) -> list[Any]:
    payout = "" if each.payout_id is None else ids.public("pay", each.payout_id)
    facts = [each.posted_at, each.kind.value, each.order_id or "", payout]
    return [
        *facts,
        each.amount,
        each.balance,
        each.amount.currency,
        ids.public("led", each.transfer_id),
        _note(each) or "",
    ]


def _note(each: Line) -> str | None:
    return words.entry_reason(each.note, each.facts) if each.note else None
