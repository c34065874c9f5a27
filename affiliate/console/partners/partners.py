"""Pages of partners: applications by status, the table with figures, one partner, and the acts on an enrollment."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import formats, ids
from affiliate.accounts import access
from affiliate.console import coming_back, presenters, roles, words
from affiliate.console.blueprint import (
    acted,
    blueprint,
    can,
    cursor,
    filters,
    given_reason,
    pager,
    show,
    with_arguments,
)
from affiliate.console.joining import applications as joined
from affiliate.console.joining import vetting
from affiliate.console.partners import partner_care, partner_list, partner_sheets, recruiting
from affiliate.console.performance import annotations
from affiliate.console.performance import service as quality
from affiliate.console.queries import partners as queries
from affiliate.errors import Invalid
from affiliate.ledger import queries as ledger_queries
from affiliate.money import BPS_PER_UNIT, divide_half_even
from affiliate.partners import queries as partner_queries
from affiliate.partners import service
from affiliate.partners.classes import PartnerClass
from affiliate.partners.models import EnrollmentStatus
from affiliate.payouts import stopping
from affiliate.reports import partner_facts, statuses
from affiliate.reports import queries as reports
from affiliate.web import orm, request_now

SERVICE_SHOWN = 8
REASON_NEEDED = frozenset({"reject", "ban"})
_STOPS = frozenset({"pause", "ban"})


@blueprint.get("/<slug>/applications")
@access.console(*roles.EVERYBODY)
def applications() -> str:
    """Enrollments by status; those that wait come first."""
    asked = partner_list.applied(request.args)
    status = asked["status"]
    page = queries.enrollments(orm.session, **asked, cursor=cursor())
    counts = partner_queries.counts_by_status(orm.session, program_id=g.program.id)
    judged = can("weighed") and status is EnrollmentStatus.PENDING
    weighed = vetting.of_applications([row.id for row in page.rows]) if judged else {}
    sheet = partner_sheets.applications(page.rows, status, counts, weighed)
    return show("partners/applications.html", pager=pager(page), **partner_list.narrows_applications(), **sheet)


@blueprint.get("/<slug>/partners")
@access.console(*roles.EVERYBODY)
def partners() -> str:
    """Partners with what each brought, those first that earned most of late."""
    return show("partners/partners.html", **partner_list.page())


@blueprint.get('/<slug>/partners/<public("ptn"):partner_id>')
@access.console(*roles.EVERYBODY)
def partner(partner_id: UUID) -> str:
    """One partner: how it stands, what it wrote, what it brought."""
    found = _found(partner_id)
    here = {"program_id": g.program.id, "partner_id": partner_id}
    period = presenters.period(presenters.span())
    by_day = reports.facts_by_day(orm.session, **here, period=period, currency=g.program.currency, tells_new=False)
    numbers = partner_sheets.numbers(by_day, g.program.currency)
    people, payouts = queries.people_and_payouts(orm.session, **here)
    return show(
        "partners/partner.html",
        **partner_sheets.page(found),
        application=joined.told(found.Application, found.Enrollment),
        partner_uuid=partner_id,
        classes=[(each.value, words.partner_class(each)) for each in PartnerClass],
        terms=recruiting.told(partner_id, found.group_name),
        slipping=partner_care.slipping(partner_id) if can("partner_care") else [],
        **numbers | {"chart": numbers["chart"] | annotations.marks(period)},
        sums=partner_sheets.sums(statuses.totals(orm.session, **here), partner_id),
        balances=partner_sheets.balances(ledger_queries.balances_of(orm.session, **here)),
        people=people,
        lost=_lost(queries.lost_to_channels(orm.session, **here, starts_at=period.starts_at, ends_at=period.ends_at)),
        **_links(partner_id, period.starts_at),
        span_chips=presenters.span_chips(),
        service=quality.of_partner(partner_id, limit=SERVICE_SHOWN),
        service_url=url_for("console.service_quality_page"),
        customers_url=url_for("console.customer_cohorts", partner=ids.public("ptn", partner_id)),
        tabs=partner_care.tabs(partner_id, "partner", applied=found.Application is not None),
        payouts=partner_sheets.payouts(payouts),
    )


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/<any(approve, reject, pause, resume, ban):act>')
@access.console("manager")
def decide_partner(partner_id: UUID, act: str) -> BaseResponse:
    """Let a partner in, refuse, pause, resume or ban it."""
    row = _found(partner_id)
    back = coming_back.back_to(url_for("console.partner", partner_id=partner_id))
    reason = given_reason()
    return acted(back, lambda: _decide(row, act, reason))


def _links(partner_id: UUID, since: datetime) -> dict[str, Any]:
    """A page of the partner's links, what they are searched for, and the ways to the pages beside it."""
    text = request.args.get("link", "").strip()[:120]
    here: dict[str, Any] = {"program_id": g.program.id, "partner_id": partner_id, "since": since, "text": text}
    page = queries.links_of(orm.session, **here, cursor=cursor())
    towards = {"newer_url": page.newer, "older_url": page.older}
    urls = {name: at and with_arguments(page=at, link=text, _anchor="links") for name, at in towards.items()}
    return {"links": page.rows, "link_text": text, "link_pager": urls, "filters": filters()}


def _lost(counted: tuple[int, int]) -> str | None:
    """How much of what the partner would have had went to other paid channels; nothing if nothing did."""
    lost, kept = counted
    if not lost:
        return None
    share = formats.percent_bps(divide_half_even(lost * BPS_PER_UNIT, lost + kept))
    told = ngettext("%(num)s order went", "%(num)s orders went", lost)
    return str(
        _(
            "%(orders)s to other paid channels that the customer came through last: %(share)s of all.",
            orders=told,
            share=share,
        )
    )


def _decide(row: Any, act: str, reason: str) -> str:
    name = row.Partner.name
    if act in REASON_NEEDED and not reason:
        raise Invalid({"reason": [_("Write a reason first: the partner will ask, and the history keeps it.")]})
    more = {"apply_again_at": joined.apply_again_at()} if act == "reject" else {}
    getattr(stopping if act in _STOPS else service, act)(
        orm.session, enrollment_id=row.Enrollment.id, program_id=g.program.id,
        actor=access.actor(), reason=reason or None, now=request_now(), **more,
    )  # fmt: skip
    return partner_sheets.decided(act, name)


def _found(partner_id: UUID) -> Any:
    row = queries.of_one(orm.session, program_id=g.program.id, partner_id=partner_id)
    if row is None:
        raise access.NotHere
    return row


def table_of(*, limit: int, offset: int) -> list[partner_facts.PartnerFacts]:
    """The partners that the address asks for, with what each brought, the best earner first."""
    status = presenters.chosen(EnrollmentStatus)
    return partner_facts.facts_by_partner(
        orm.session,
        program_id=g.program.id,
        period=presenters.period(presenters.span()),
        currency=g.program.currency,
        name=request.args.get("name", "").strip()[:120],
        statuses=partner_sheets.LISTED if status is None else [status],
        which=partner_list.which(),
        limit=limit,
        offset=offset,
    )
