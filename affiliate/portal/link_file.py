"""A partner's links as a file, with their addresses and what each brought; what became of a table of links, as one."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from flask import Response, g
from flask_babel import gettext as _

from affiliate import exports, ids
from affiliate.accounts import access
from affiliate.links import queries
from affiliate.links.models import Link
from affiliate.portal.blueprint import blueprint, settings, zone
from affiliate.programs import addresses
from affiliate.reports import periods, tables
from affiliate.reports import queries as reports
from affiliate.reports.metrics import METRICS
from affiliate.web import orm

READ_AT_ONCE = 500
"""The links of a page that a file reads, with the sums of each."""

SUBS = tuple(f"sub{number}" for number in range(1, 11))
TOLD = ("clicks_raw", "clicks_valid", "conversions", "conversion_rate", "earnings")
_ABOUT = ("link_id", "name", "code", "address", "landing_url", *SUBS, "coupon", "status", "created_at", "last_on")
RESULT_HEAD = ("line", "landing_url", "address", "refused")


@blueprint.get("/<slug>/links.<kind>")
@access.partner
def links_file(kind: str) -> Response:
    """All links, newest first."""
    head = [*_ABOUT, *tables.csv_head("", TOLD)[1:]]
    return exports.response(kind, "links", head, _rows())


def made_file(kind: str, results: Sequence[dict[str, Any]]) -> Response:
    """What became of each row of a table: its address, or why there is none."""
    rows = ([one["line"], one["landing_url"], one["address"], one["problem"]] for one in results)
    return exports.response(kind, "made-links", RESULT_HEAD, rows)


def kinds() -> list[tuple[str, str]]:
    """The kinds of a file with their words."""
    return [(exports.Format.CSV.value, _("Export as CSV")), (exports.Format.XLSX.value, _("Export as XLSX"))]


def _rows() -> Iterator[list[exports.Cell]]:
    """A page of links in memory at a time, each page with its own sums."""
    mine: dict[str, Any] = {"program_id": g.program.id, "partner_id": g.partner.id}
    address = f"{addresses.links(g.program.own_host, settings())}/r"
    for page in queries.every_link(orm.session, **mine, at_once=READ_AT_ONCE):
        link_ids = [one.id for one in page]
        facts = reports.facts_by_link(orm.session, **mine, link_ids=link_ids, currency=g.program.currency)
        coupons = queries.coupon_codes(orm.session, coupon_ids={one.coupon_id for one in page if one.coupon_id})
        for one in page:
            sums = [METRICS[key].of(facts[one.id]) for key in TOLD]
            coupon = coupons.get(one.coupon_id) if one.coupon_id else None
            yield [*_about(one, address, coupon), *sums, g.program.currency]


def _about(one: Link, address: str, coupon: str | None) -> list[exports.Cell]:
    subs = [one.subs.get(name) for name in SUBS]
    facts = [ids.public("lnk", one.id), one.name, one.code, f"{address}/{one.code}", one.landing_url]
    return [*facts, *subs, coupon, one.status.value, one.created_at, _last_on(one.expires_at)]


def _last_on(ends_at: datetime | None) -> str | None:
    return periods.last_day_before(ends_at, zone=zone()).isoformat() if ends_at else None
