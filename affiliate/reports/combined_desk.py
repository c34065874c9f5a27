"""Combined reports as pages, of a partner in the portal and of a program in the console: asked for, counted, read, fetched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import pgettext
from flask_login import current_user
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import exports, formats
from affiliate.errors import Conflict, DomainError, Invalid
from affiliate.reports import combined, combined_sheet, combining, dimensions, tables
from affiliate.reports import combined_queries as queries
from affiliate.reports.asked import COLUMNS, SUBS, USUAL_COLUMNS, By
from affiliate.reports.combined_models import Combination, CombinationStatus
from affiliate.reports.dimensions import Scope
from affiliate.reports.periods import Period
from affiliate.reports.words import Sign
from affiliate.web import orm, request_now

PAGE_SIZE = 50
USUAL_ORDER = "-clicks_valid"
_AT_HAND = frozenset({"clicks_valid", "conversions", "earnings"})
_PAGES_MAX = combined.ROWS_MAX // PAGE_SIZE + 1


@dataclass(frozen=True, slots=True)
class Desk:
    """Where combined reports are asked for and read. The fields that end in `page`, `file` or `act` are endpoints."""

    possible: Sequence[By]
    report_page: str
    start_act: str
    combined_page: str
    combined_file: str
    move_act: str
    scope: Callable[[], Scope]
    zone: Callable[[], str]

    def panel(self, first: date, last: date) -> dict[str, Any]:
        """What the panel on the report's page holds: the form about its days, and what was asked before."""
        found = queries.combinations(orm.session, **self._owner())
        return {
            "url": url_for(self.start_act),
            "first": first.isoformat(),
            "last": last.isoformat(),
            "things": [_thing(by) for by in self.possible if by not in SUBS],
            "subs": [_thing(by) for by in self.possible if by in SUBS],
            "least": combined.AT_LEAST,
            "most": combined.AT_MOST,
            "earlier": [self._told(one) for one in found],
        }

    def start(self) -> BaseResponse:
        """Ask for what was ticked, about the days of the page."""
        back = url_for(self.report_page, first=request.form.get("first", ""), last=request.form.get("last", ""))
        chosen, period = combined.chosen(request.form.getlist("thing"), possible=self.possible), self._period()
        if chosen is None or period is None:
            flash(self._not_asked(chosen), "error")
            return redirect(back, 303)
        try:
            asked = combining.start(
                orm.session, **self._owner(), dimensions=chosen, period=period, asked_by_id=current_user.id,
                now=request_now(),
            )  # fmt: skip
        except (Conflict, Invalid) as refusal:
            return _refused(back, refusal)
        return redirect(url_for(self.combined_page, combination_id=asked.id), 303)

    def page(self, combination_id: UUID) -> dict[str, Any]:
        """How far a report is, and what it has found so far."""
        found, scope = self._one(combination_id), self.scope()
        order, number = _order(), _page_number()
        shown = queries.rows(
            orm.session, combination_id=found.id, order=order, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE
        )
        by, currency = combined_sheet.things(found), scope.program.currency
        names = combined_sheet.named(orm.session, scope, by, shown)
        total = combined_sheet.facts(queries.sums(orm.session, combination_id=found.id), currency)
        return {
            "one": self._told(found),
            "heads": [dimensions.label(each)[1] for each in by],
            "columns": self._columns(found, order),
            "rows": [
                combined_sheet.line(row, told, currency=currency, columns=USUAL_COLUMNS)
                for row, told in zip(shown, names, strict=True)
            ],
            "total": tables.values(total, USUAL_COLUMNS),
            "pager": self._pager(found, order, number, len(shown)),
            "files": self._files(found),
            "back_url": url_for(self.report_page, first=found.first.isoformat(), last=found.last.isoformat()),
        }

    def file(self, combination_id: UUID, kind: str) -> Response:
        """All of it as a file."""
        found = self._one(combination_id)
        head, rows = combined_sheet.csv(orm.session, self.scope(), found)
        return exports.response(kind, "by-" + "-".join(found.dimensions), head, rows)

    def move(self, combination_id: UUID, act: str) -> BaseResponse:
        """Stop a report where it is, or go on."""
        self._one(combination_id)  # a stranger's is not there, whatever else is being counted
        change, back = {"stop": combining.stop, "resume": combining.resume}[act], self._address(combination_id)
        try:
            change(orm.session, combination_id=combination_id, **self._owner())
        except Conflict as refusal:
            return _refused(back, refusal)
        return redirect(back, 303)

    def _owner(self) -> dict[str, Any]:
        scope = self.scope()
        return {"program_id": scope.program.id, "partner_id": scope.partner_id}

    def _one(self, combination_id: UUID) -> Combination:
        found = queries.combination(orm.session, combination_id=combination_id, **self._owner())
        if found is None:
            raise combining.NoSuchCombination
        return found

    def _period(self) -> Period | None:
        try:
            first, last = (date.fromisoformat(request.form.get(name, "")) for name in ("first", "last"))
            period = Period(first, last + timedelta(days=1), self.zone())
            _instants = period.starts_at, period.ends_at
        except (ValueError, OverflowError):
            return None
        return period

    def _not_asked(self, chosen: tuple[By, ...] | None) -> str:
        if chosen is not None:
            return tables.no_period()
        return _("Choose %(least)s to %(most)s things to combine.", least=combined.AT_LEAST, most=combined.AT_MOST)

    def _told(self, one: Combination) -> dict[str, Any]:
        days = (one.last - one.first).days + 1
        moves = {
            CombinationStatus.RUNNING: "stop",
            CombinationStatus.STOPPED: "resume",
            CombinationStatus.FAILED: "resume",
        }
        act = moves.get(one.status)
        return {
            "title": combined_sheet.title(one),
            "url": self._address(one.id),
            "first": one.first,
            "last": one.last,
            "sign": _sign(one.status),
            "is_running": one.status is CombinationStatus.RUNNING,
            "days": days,
            "days_done": one.days_done,
            "count": one.rows,
            "is_full": one.rows >= combined.ROWS_MAX,
            "rows_max": combined.ROWS_MAX,
            "act": act,
            "act_url": url_for(self.move_act, combination_id=one.id, act=act) if act else None,
        }

    def _address(self, combination_id: UUID, **arguments: Any) -> str:
        return url_for(self.combined_page, combination_id=combination_id, **arguments)

    def _columns(self, found: Combination, order: str) -> list[dict[str, Any]]:
        heads: list[dict[str, Any]] = [dict(column) for column in tables.columns(USUAL_COLUMNS, at_hand=_AT_HAND)]
        for head in heads:
            key = str(head["key"])
            if key in queries.SORTED_BY:
                other = key if order == f"-{key}" else f"-{key}"
                head["url"] = self._address(found.id, sort=other)
                head["direction"] = {f"-{key}": "descending", key: "ascending"}.get(order)
        return heads

    def _pager(self, found: Combination, order: str, number: int, shown: int) -> dict[str, str | None] | None:
        if found.rows <= PAGE_SIZE:
            return None
        first, sort = (number - 1) * PAGE_SIZE, None if order == USUAL_ORDER else order
        more = first + shown < found.rows
        return {
            "newer_url": self._address(found.id, sort=sort, page=number - 1) if number > 1 else None,
            "older_url": self._address(found.id, sort=sort, page=number + 1) if more else None,
            "text": _("%(first)s to %(last)s of %(total)s", first=first + 1, last=first + shown, total=found.rows),
        }

    def _files(self, found: Combination) -> list[dict[str, str]]:
        kinds = [(exports.Format.CSV, _("Export as CSV")), (exports.Format.XLSX, _("Export as XLSX"))]
        return [
            {"label": label, "url": url_for(self.combined_file, combination_id=found.id, kind=kind.value)}
            for kind, label in kinds
        ]


def _thing(by: By) -> dict[str, str]:
    return {"value": by.value, "label": dimensions.label(by)[1]}


def _order() -> str:
    text = request.args.get("sort", "")
    return text if text.removeprefix("-") in queries.SORTED_BY and text in _ORDERS else USUAL_ORDER


_ORDERS = frozenset(f"{sign}{key}" for key in COLUMNS for sign in ("", "-"))


def _page_number() -> int:
    return min(max(request.args.get("page", 1, int), 1), _PAGES_MAX)


def _sign(status: CombinationStatus) -> Sign:
    return {
        CombinationStatus.RUNNING: Sign("acc", pgettext("report", "Being counted"), "clock"),
        CombinationStatus.STOPPED: Sign("hold", pgettext("report", "Stopped"), "player-pause"),
        CombinationStatus.DONE: Sign("good", pgettext("report", "Counted")),
        CombinationStatus.FAILED: Sign("bad", pgettext("report", "Failed")),
    }[status]


def _refused(back: str, refusal: DomainError) -> BaseResponse:
    orm.session.rollback()
    flash(formats.reason(refusal), "error")
    return redirect(back, 303)
