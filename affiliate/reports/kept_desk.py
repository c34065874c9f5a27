"""The pages on which people keep reports, of a partner in the portal and of a program in the console: what each of their acts does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response

from affiliate.reports import asked, dimensions, keeping, pages, report_words
from affiliate.reports.asked import Asked, By
from affiliate.reports.keeping import BadReport, Mailing, Owner
from affiliate.reports.models import SavedReport
from affiliate.reports.pages import Wanted
from affiliate.reports.timetable import Every
from affiliate.web import orm, request_now


@dataclass(frozen=True, slots=True)
class Desk:
    """Where reports are kept. The fields that end in `page` or `act` are endpoints.

    With `pages` (where they stand: a blueprint) also those are kept that are pages of their own.
    """

    possible: Sequence[By]
    report_page: str
    kept_page: str
    keep_act: str
    mail_act: str
    drop_act: str
    owner: Callable[[], Owner]
    zone: Callable[[], str]
    pages: str = ""

    def mine(self) -> list[dict[str, Any]]:
        """What this person keeps, as lines."""
        return [self._line(one) for one in keeping.kept(orm.session, owner=self.owner())]

    def form(self, wanted: Asked | Wanted) -> dict[str, Any]:
        """What the form to keep this report holds."""
        return {"url": url_for(self.keep_act), "fields": wanted.arguments()}

    def page(self) -> dict[str, Any]:
        """What the page of kept reports shows."""
        return {
            "reports": self.mine(),
            "everies": [
                {"value": one.value if one else "", "label": report_words.every(one)} for one in (None, *Every)
            ],
            "hours": keeping.HOURS,
            "mailed_max": keeping.MAILED_MAX,
        }

    def keep(self) -> Response:
        """Keep the report that the form describes under the name that was typed."""
        wanted, name = self._read(request.form), request.form.get("name", "")
        try:
            kept = keeping.keep(
                orm.session, owner=self.owner(), name=name, asked=wanted, zone=self.zone(), now=request_now()
            )
        except BadReport as refusal:
            return _refused(refusal, self._address(wanted))
        return self._done(_("Kept as “%(name)s”.", name=kept.name))

    def mail(self, report_id: UUID) -> Response:
        """Send a kept report by mail as the form says, or no more."""
        every, hour = request.form.get("every", ""), request.form.get("hour", "")
        mailing = Mailing(Every(every), keeping.hour_of(hour), self.zone()) if every in set(Every) else None
        try:
            kept = keeping.mail(
                orm.session, owner=self.owner(), report_id=report_id, mailing=mailing, now=request_now()
            )
        except BadReport as refusal:
            return _refused(refusal, url_for(self.kept_page))
        return self._done(report_words.mailed(kept.name, is_mailed=mailing is not None))

    def drop(self, report_id: UUID) -> Response:
        """Keep a report no longer."""
        name = keeping.take_away(orm.session, owner=self.owner(), report_id=report_id)
        return self._done(_("“%(name)s” is no longer kept.", name=name))

    def _done(self, said: str) -> Response:
        flash(said, "success")
        return redirect(url_for(self.kept_page), 303)

    def _read(self, typed: Mapping[str, Any]) -> Asked | Wanted:
        """What a form or a kept report asks for."""
        wanted = pages.read(typed) if self.pages else None
        return asked.read(typed, possible=self.possible) if wanted is None else wanted

    def _address(self, wanted: Asked | Wanted) -> str:
        if isinstance(wanted, Wanted):
            given: dict[str, Any] = dict(wanted.given)
            return url_for(f"{self.pages}.{wanted.page.endpoint}", **given)
        arguments: dict[str, Any] = dict(wanted.arguments())
        return url_for(self.report_page, **arguments)

    def _line(self, one: SavedReport) -> dict[str, Any]:
        wanted = self._read(one.arguments)
        return {
            "id": one.id,
            "name": one.name,
            "label": one.name,
            "what": wanted.page.label() if isinstance(wanted, Wanted) else dimensions.label(wanted.by)[0],
            "url": self._address(wanted),
            "mail_url": url_for(self.mail_act, report_id=one.id),
            "drop_url": url_for(self.drop_act, report_id=one.id),
            "every": one.every.value if one.every else "",
            "hour": one.hour,
            "next_at": one.next_at,
            "zone": one.time_zone,
        }


def _refused(refusal: BadReport, back: str) -> Response:
    orm.session.rollback()
    flash(report_words.not_kept(refusal.wrong), "error")
    return redirect(back, 303)
