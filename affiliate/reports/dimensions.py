"""The rows of a report: of a partner or of a whole program, by day, link, country or whatever they are asked by."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import db, formats, ids
from affiliate.commissions.models import Commission
from affiliate.creatives.models import Creative
from affiliate.ingest.devices import COMPUTER, PHONE, TABLET
from affiliate.ingest.rollup_models import OTHER
from affiliate.links.models import Coupon, Link
from affiliate.programs.models import Program
from affiliate.reports import breakdown, products, queries
from affiliate.reports.asked import SUBS, Asked, By
from affiliate.reports.metrics import Facts
from affiliate.reports.models import VisitorKind
from affiliate.reports.narrowing import Chooser
from affiliate.reports.partner_facts import PartnerFacts
from affiliate.reports.periods import Period
from affiliate.reports.tables import Line

N_ = str  # marks a sentence for the translators; pages translate it
_LABELS = {
    By.DAY: (N_("By day"), N_("Day")),
    By.LINK: (N_("By link"), N_("Link")),
    By.CREATIVE: (N_("By creative"), N_("Creative")),
    **dict.fromkeys(SUBS, (N_("By sub id"), N_("Sub id %(number)s"))),
    By.PRODUCT: (N_("By product"), N_("Product")),
    By.CATEGORY: (N_("By category"), N_("Category")),
    By.COUNTRY: (N_("By country"), N_("Country")),
    By.DEVICE: (N_("By device"), N_("Device")),
    By.REFERRER: (N_("By referring page"), N_("Referring page")),
    By.COUPON: (N_("By coupon"), N_("Coupon")),
    By.PARTNER: (N_("By partner"), N_("Partner")),
}
"""By what a row is: how such a report is called, and the head of its first column."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose numbers: one partner's in a program, or (partner null) the whole program's.

    `which` are conditions on the enrollments of the partners whose rows are wanted. `is_inside` is for the program's own people:
    what it spent beside commissions is told of a single partner, too.
    """

    program: Program
    partner_id: UUID | None
    which: Sequence[sa.ColumnElement[bool]] = ()
    is_inside: bool = False

    def asked(self, period: Period) -> dict[str, Any]:
        """The arguments that every query of numbers has."""
        whose = {"program_id": self.program.id, "partner_id": self.partner_id}
        return whose | {"period": period, "currency": self.program.currency}

    def of_program(self, period: Period) -> dict[str, Any]:
        """The same where no partner is asked for."""
        return {name: value for name, value in self.asked(period).items() if name != "partner_id"}


def of_asked(session: Session, program: Program, wanted: Asked, chooser: Chooser) -> Scope:
    """A program's own report, narrowed as it is asked for."""
    partner_id = wanted.partner_id
    which = () if partner_id or not wanted.narrowed else chooser(session, program.id, wanted.narrowed)
    return Scope(program, partner_id, which=which, is_inside=True)


def by_day(session: Session, scope: Scope, period: Period, *, tells_new: bool) -> dict[date, Facts]:
    """What happened on each day. What a program spent beside commissions is none of a partner's business."""
    is_ours = scope.is_inside or scope.partner_id is None
    return queries.facts_by_day(session, **scope.asked(period), with_costs=is_ours, tells_new=tells_new)


def lines(session: Session, scope: Scope, by: By, period: Period) -> list[Line]:
    """The rows of anything but days and partners, in no order; a bounded number of queries."""
    return _READERS[by](session, scope, period)


def sold_before(
    session: Session, scope: Scope, period: Period, lines: Sequence[Line], *, by: By
) -> dict[str, Facts] | None:
    """What a partner sold in other days by the keys of these rows, by one query: names and clicks are not read again.

    Null where a row is about more than the origin of a sale, or about a whole program.
    """
    told = _TOLD_OF_SALES.get(by)
    if told is None or scope.partner_id is None:
        return None
    found = breakdown.sold_by(session, told, **scope.asked(period))
    return {line.key: found[key] for line in lines if (key := line.id if by is By.LINK else line.key) in found}


def label(by: By) -> tuple[str, str]:
    """How a report by this is called, and the head of its first column."""
    name, head = _LABELS[by]
    return _(name), _(head, number=SUBS.index(by) + 1) if by in SUBS else _(head)


def _links(session: Session, scope: Scope, period: Period) -> list[Line]:
    found = breakdown.facts_by_link(session, **scope.asked(period))
    named = names_of(session, scope, Link, (Link.code, Link.name), found)
    rows = []
    for link_id, facts in found.items():
        code, name = named.get(link_id, ("", ""))
        key = f"/r/{code}" if code else ""
        rows.append(Line(key, name or key or _("Without a link: by coupon, for example"), None, facts, link_id))
    return rows


def _creatives(session: Session, scope: Scope, period: Period) -> list[Line]:
    found = breakdown.facts_by_own_creative(session, **scope.asked(period))
    public = {name: creative_id(name) for name in found}
    titles = names_of(session, scope, Creative, (Creative.title,), public.values())
    rows = []
    for name, facts in found.items():
        title = titles.get(public[name], (_or_other(name) or _("Without a creative"),))[0]
        rows.append(Line(name, title, None, facts, public[name]))
    return rows


def creative_id(text: str) -> UUID | None:
    """The creative that a click names; null if it names none of ours."""
    return ids.read("crv", text)


def _coupons(session: Session, scope: Scope, period: Period) -> list[Line]:
    found = breakdown.facts_by_coupon(session, **scope.asked(period))
    codes = names_of(session, scope, Coupon, (Coupon.code,), found)
    rows = []
    for coupon_id, facts in found.items():
        code = codes.get(coupon_id, ("",))[0]
        rows.append(Line(code, code or _("Without a coupon"), None, facts))
    return rows


def _subs(session: Session, scope: Scope, period: Period) -> list[Line]:
    found = breakdown.facts_by_sub(session, **scope.asked(period))
    return _labelled(found, partial(word, By.SUB))


def _products(session: Session, scope: Scope, period: Period) -> list[Line]:
    found = products.facts_by_item(session, by=products.SKU, **scope.asked(period))
    return _labelled(found, lambda sku: sku or _("Orders that name no product"))


def _categories(session: Session, scope: Scope, period: Period) -> list[Line]:
    found = products.facts_by_item(session, by=products.CATEGORY, **scope.asked(period))
    return _labelled(found, lambda group: group or _("Without a category"))


def _countries(session: Session, scope: Scope, period: Period) -> list[Line]:
    if scope.partner_id is None:
        found = breakdown.facts_by_country(session, **scope.of_program(period))
    else:
        found = breakdown.facts_by_visitor(session, **scope.asked(period), kind=VisitorKind.COUNTRY)
    return _labelled(found, partial(word, By.COUNTRY))


def _devices(session: Session, scope: Scope, period: Period) -> list[Line]:
    if scope.partner_id is None:
        found = breakdown.facts_by_device(session, **scope.of_program(period))
    else:
        found = breakdown.facts_by_visitor(session, **scope.asked(period), kind=VisitorKind.DEVICE)
    return _labelled(found, partial(word, By.DEVICE))


def _referrers(session: Session, scope: Scope, period: Period) -> list[Line]:
    if scope.partner_id is None:
        found = breakdown.facts_by_source(session, **scope.of_program(period))
    else:
        found = breakdown.facts_by_visitor(session, **scope.asked(period), kind=VisitorKind.REFERRER)
    return _labelled(found, partial(word, By.REFERRER))


def partner_line(one: PartnerFacts) -> Line:
    """A partner as a row. Partners are not among `lines`: `partner_ranking` gives those of a page in their order."""
    return Line(ids.public("ptn", one.partner_id), one.partner_name, None, one.facts, one.partner_id)


def word(by: By, label: str) -> str:
    """A label that names no row of ours, as people read it."""
    if by is By.COUNTRY:
        return formats.country(label) if label else _("Unknown")
    if by is By.DEVICE:
        return {PHONE: _("Phone"), TABLET: _("Tablet"), COMPUTER: _("Computer")}.get(label) or _("Unknown")
    return _or_other(label) or (_("Without a sub id") if by in SUBS else _("Without a page before"))


def _labelled(found: Mapping[str, Facts], name: Callable[[str], str]) -> list[Line]:
    return [Line(key, name(key), None, facts) for key, facts in found.items()]


def _or_other(text: str) -> str:
    """A label as people read it: what was one too many of a day counts together."""
    return _("All others") if text == OTHER else text


def names_of(
    session: Session, scope: Scope, table: Any, columns: tuple[Any, ...], wanted: Iterable[UUID | None]
) -> dict[UUID | None, Any]:
    """Columns of these rows of the program by their id."""
    rows = {one for one in wanted if one is not None}
    if not rows:
        return {}
    mine = (table.program_id == scope.program.id, db.among(session, table.id, rows))
    found = session.execute(sa.select(table.id, *columns).where(*mine))
    return {row[0]: row[1:] for row in found}


_TOLD_OF_SALES = {
    By.LINK: Commission.link_id,
    By.CREATIVE: Commission.creative,
    By.SUB: Commission.sub1,
    By.COUNTRY: Commission.country,
    By.DEVICE: Commission.device,
    By.REFERRER: Commission.referrer_host,
}
_READERS: dict[By, Callable[[Session, Scope, Period], list[Line]]] = {
    By.LINK: _links,
    By.CREATIVE: _creatives,
    By.SUB: _subs,
    By.PRODUCT: _products,
    By.CATEGORY: _categories,
    By.COUNTRY: _countries,
    By.DEVICE: _devices,
    By.REFERRER: _referrers,
    By.COUPON: _coupons,
}
