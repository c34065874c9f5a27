"""What the address of the funnel asks for: which days, which visits; and what of it stands in other addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import g, request, url_for

from affiliate import ids
from affiliate.console.performance import performance_pages
from affiliate.ingest import devices
from affiliate.reports import asked, funnel_queries, periods
from affiliate.reports.asked import Asked, By
from affiliate.reports.funnel import Funnel
from affiliate.reports.funnel_queries import Visits
from affiliate.reports.periods import Period
from affiliate.web import orm, request_now

_SOURCE_LENGTH_MAX = 100


@dataclass(frozen=True)
class Sheet:
    """What the address asks for, read once."""

    asked: Asked
    visits: Visits
    period: Period
    is_readable: bool
    partner: Any

    @property
    def other(self) -> Period:
        """The days that it is compared with."""
        return asked.compared(self.period, self.asked.against)

    @cached_property
    def funnel(self) -> Funnel:
        """Of the days."""
        return funnel_queries.funnel(orm.session, visits=self.visits, period=self.period)

    @cached_property
    def before(self) -> Funnel:
        """Of the days that it is compared with."""
        return funnel_queries.funnel(orm.session, visits=self.visits, period=self.other)

    @property
    def is_whole(self) -> bool:
        """Whether all visits of the program are asked for."""
        return self.visits == Visits(self.visits.program_id)


def sheet() -> Sheet:
    """What this request asks for; of a device and a source, which are never both counted, the device."""
    wanted = asked.read(request.args.to_dict(), possible=(By.DAY,))
    zone = g.get("user_time_zone") or g.program.time_zone
    period = wanted.period(now=request_now(), zone=zone)
    usual = periods.spanned(asked.USUAL, now=request_now(), zone=zone)
    partner, device = performance_pages.partner(), request.args.get("device", "")
    source = request.args.get("source", "").strip().lower()[:_SOURCE_LENGTH_MAX] or None
    known = device if device in devices.NAMES else None
    visits = Visits(g.program.id, partner and partner.Partner.id, known, source if known is None else None)
    return Sheet(wanted, visits, period or usual, is_readable=period is not None, partner=partner)


def narrowed_by(sheet: Sheet) -> dict[str, str]:
    """Which visits are asked for, as the address says it."""
    partner_id = sheet.visits.partner_id
    found = {
        "partner": ids.public("ptn", partner_id) if partner_id else None,
        "device": sheet.visits.device,
        "source": sheet.visits.source,
    }
    return {name: value for name, value in found.items() if value}


def address(sheet: Sheet, endpoint: str = "console.funnel", **changes: str | None) -> str:
    """This page with other arguments; null takes one away."""
    carried = {name: value for name, value in sheet.asked.arguments().items() if name != "by"}
    found: Mapping[str, str | None] = carried | narrowed_by(sheet) | changes
    kept: dict[str, Any] = {name: value for name, value in found.items() if value}
    return url_for(endpoint, **kept)
