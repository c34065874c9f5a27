"""A combined report as people read it: its lines with names for their labels, its sums, its export."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import exports, ids
from affiliate.creatives.models import Creative
from affiliate.links.models import Coupon, Link
from affiliate.partners import queries as partners
from affiliate.reports import combined, dimensions, tables
from affiliate.reports import combined_queries as queries
from affiliate.reports.asked import COLUMNS, SUBS, By
from affiliate.reports.combined import OTHERS, Counts
from affiliate.reports.combined_models import Combination, CombinationRow
from affiliate.reports.dimensions import Scope
from affiliate.reports.metrics import Facts

Named = tuple[str, str]
"""A label in a file, and on a page."""

_PLAIN = frozenset({*SUBS, By.COUNTRY, By.DEVICE, By.REFERRER})


def things(one: Combination) -> tuple[By, ...]:
    """What its rows combine."""
    return tuple(By(name) for name in one.dimensions)


def title(one: Combination) -> str:
    """How it is called: “Link × Sub id × Day”."""
    return " × ".join(dimensions.label(by)[1] for by in things(one))


def facts(counts: Counts, currency: str) -> Facts:
    """Counts of rows as the dictionary of metrics takes them."""
    raw, valid, orders, revenue, earned, taken = counts
    return Facts(
        currency, clicks_raw=raw, clicks_valid=valid, conversions=orders, revenue_minor=revenue, earned_minor=earned,
        reversed_minor=taken,
    )  # fmt: skip


def of_row(row: CombinationRow, currency: str) -> Facts:
    """What a row counted."""
    counts = (
        row.clicks_raw,
        row.clicks_valid,
        row.conversions,
        row.revenue_minor,
        row.earned_minor,
        row.reversed_minor,
    )
    return facts(counts, currency)


def named(session: Session, scope: Scope, by: Sequence[By], rows: Iterable[CombinationRow]) -> list[list[Named]]:
    """The names of the labels of each row; a fixed number of queries, however many rows there are."""
    found = [row.labels for row in rows]
    columns = [_named(session, scope, one, {labels[place] for labels in found}) for place, one in enumerate(by)]
    return [[column[label] for column, label in zip(columns, labels, strict=True)] for labels in found]


def csv(session: Session, scope: Scope, one: Combination) -> tuple[list[str], list[list[exports.Cell]]]:
    """Head and rows of the export, those with the most clicks first: all there can be, and that of all others."""
    rows = queries.rows(session, combination_id=one.id, order="-clicks_valid", limit=combined.ROWS_MAX + 1)
    by = things(one)
    _first, *metrics = tables.csv_head("", COLUMNS)
    lines = [
        [*(key for key, _name in names), *tables.csv_row(tables.Line("", "", None, of_row(row, scope.program.currency)), COLUMNS)[1:]]
        for row, names in zip(rows, named(session, scope, by, rows), strict=True)
    ]  # fmt: skip
    return [*(each.value for each in by), *metrics], lines


def _named(session: Session, scope: Scope, by: By, labels: set[str]) -> dict[str, Named]:
    known = labels - {OTHERS}
    found = (
        {label: (label, dimensions.word(by, label)) for label in known}
        if by in _PLAIN
        else _READERS[by](session, scope, known)
    )
    return found | {OTHERS: ("other", _("All others"))}


def _days(_session: Session, _scope: Scope, labels: set[str]) -> dict[str, Named]:
    return {label: (label, format_date(date.fromisoformat(label), "EEE d MMM")) for label in labels}


def _links(session: Session, scope: Scope, labels: set[str]) -> dict[str, Named]:
    found = dimensions.names_of(session, scope, Link, (Link.code, Link.name), _ids(labels))
    nothing = ("", _("Without a link: by coupon, for example"))
    told = {row: (f"/r/{code}", name or f"/r/{code}") for row, (code, name) in found.items()}
    return {label: told.get(UUID(label), nothing) if label else nothing for label in labels}


def _creatives(session: Session, scope: Scope, labels: set[str]) -> dict[str, Named]:
    public = {label: dimensions.creative_id(label) for label in labels}
    titles = dimensions.names_of(session, scope, Creative, (Creative.title,), public.values())
    return {label: (label, titles.get(row, (label or _("Without a creative"),))[0]) for label, row in public.items()}


def _coupons(session: Session, scope: Scope, labels: set[str]) -> dict[str, Named]:
    codes = dimensions.names_of(session, scope, Coupon, (Coupon.code,), _ids(labels))
    told = {row: (code, code) for row, (code,) in codes.items()}
    nothing = ("", _("Without a coupon"))
    return {label: told.get(UUID(label), nothing) if label else nothing for label in labels}


def _partners(session: Session, _scope: Scope, labels: set[str]) -> dict[str, Named]:
    names = partners.partner_names(session, partner_ids=_ids(labels))
    return {label: (ids.public("ptn", UUID(label)), names.get(UUID(label), "")) for label in labels if label}


def _ids(labels: Iterable[str]) -> list[UUID]:
    return [UUID(label) for label in labels if label]


_READERS: dict[By, Callable[[Session, Scope, set[str]], dict[str, Named]]] = {
    By.DAY: _days,
    By.LINK: _links,
    By.CREATIVE: _creatives,
    By.COUPON: _coupons,
    By.PARTNER: _partners,
}


def line(row: CombinationRow, names: Sequence[Named], *, currency: str, columns: Sequence[str]) -> dict[str, Any]:
    """A row of the page."""
    return {"names": [name for _key, name in names], "cells": tables.values(of_row(row, currency), columns)}
