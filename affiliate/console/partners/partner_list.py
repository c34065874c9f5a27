"""The list of partners: a page of it, what it is narrowed by, kept choices of it."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import g, request, url_for
from flask_babel import gettext as _
from flask_babel import pgettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import formats, ids
from affiliate.accounts import access
from affiliate.commissions import plan_queries
from affiliate.console import presenters
from affiliate.console.blueprint import FILTERS, acted, blueprint, cursor, filters, is_manager, pager
from affiliate.console.joining.applications import came_by
from affiliate.console.partners import care_words, partner_sheets
from affiliate.console.queries import named
from affiliate.console.queries import partners as queries
from affiliate.joining import queries as joining_queries
from affiliate.ledger import queries as ledger_queries
from affiliate.partners import queries as partner_queries
from affiliate.partners.models import EnrollmentStatus
from affiliate.relations import care_queries, caring
from affiliate.reports import partner_facts
from affiliate.reports.momentum import Momentum
from affiliate.steering import queries as steering
from affiliate.web import orm, request_now

KEPT = tuple(name for name in FILTERS if name in {"tag", "group", "momentum", "lead", "status", "name", "days"})
"""The filters of the list."""


def which(typed: Mapping[str, str] | None = None) -> list[sa.ColumnElement[bool]]:
    """What the address narrows the list to, or what else was typed."""
    found = request.args if typed is None else typed
    momentum = found.get("momentum", "")
    return queries.which(
        program_id=g.program.id,
        tag=found.get("tag", "")[:40],
        group=found.get("group", "")[:40],
        momentum=Momentum(momentum) if momentum in set(Momentum) else None,
        lead_id=_uuid(found.get("lead", "")),
    )


def asked(typed: Mapping[str, str]) -> dict[str, Any]:
    """The list that these filters ask for, as the arguments of its queries."""
    status = typed.get("status", "")
    return {
        "program_id": g.program.id,
        "statuses": [EnrollmentStatus(status)] if status in set(EnrollmentStatus) else partner_sheets.LISTED,
        "which": which(typed),
        "name": typed.get("name", "").strip()[:120],
    }


def applied(typed: Mapping[str, str]) -> dict[str, Any]:
    """The list of applications that these filters ask for: those that wait, unless another status is chosen."""
    status = typed.get("status", "")
    return {
        "program_id": g.program.id,
        "status": EnrollmentStatus(status) if status in set(EnrollmentStatus) else EnrollmentStatus.PENDING,
        "which": queries.applied(
            who=typed.get("name", "").strip()[:120],
            source=typed.get("source", "")[:120],
            country=typed.get("country", "")[:2],
        ),
    }


def narrows_applications() -> dict[str, Any]:
    """By what the list of applications can be narrowed, and what narrows it now."""
    here: dict[str, Any] = {"program_id": g.program.id}
    sources = joining_queries.came_by(orm.session, **here)
    countries = [(code, formats.country(code)) for code in queries.countries(orm.session, **here)]
    return {
        "name": request.args.get("name", "").strip(),
        "selects": [
            {"name": "source", "label": _("Source"), "options": [(one, came_by(one)) for one in sources]},
            {"name": "country", "label": _("Country"), "options": sorted(countries, key=lambda one: one[1])},
        ],
        "is_narrowed": any(request.args.get(name) for name in ("name", "source", "country")),
        "kept": filters(),
    }


def page() -> dict[str, Any]:
    """A page of the list: its partners in their order, each with what it brought in the days that were asked for."""
    found = queries.listed(orm.session, **asked(request.args), cursor=cursor())
    order = [row.partner_id for row in found.rows]
    facts = {line.partner_id: line for line in _facts(order)}
    here: dict[str, Any] = {"program_id": g.program.id}
    balances = ledger_queries.balances_of_partners(orm.session, **here, partner_ids=order)
    counts = partner_queries.counts_by_status(orm.session, **here)
    rows = [facts[one] for one in order if one in facts]
    return beside(order) | partner_sheets.table(rows, balances, counts, pager=pager(found))


def _facts(partner_ids: Collection[UUID]) -> list[partner_facts.PartnerFacts]:
    if not partner_ids:
        return []
    period = presenters.period(presenters.span())
    return partner_facts.facts_by_partner(
        orm.session, program_id=g.program.id, period=period, currency=g.program.currency, only=partner_ids,
        limit=len(partner_ids), tells_new=False,
    )  # fmt: skip


def beside(partner_ids: Collection[UUID]) -> dict[str, Any]:
    """What stands beside the figures of these partners, and by what the list can be narrowed."""
    here: dict[str, Any] = {"program_id": g.program.id}
    momentum = steering.momentum_of(orm.session, **here, partner_ids=partner_ids)
    counts = steering.counts_by_momentum(orm.session, **here)
    tags = care_queries.tags_of(orm.session, **here, partner_ids=partner_ids)
    leads = care_queries.leads_of(orm.session, **here, partner_ids=partner_ids)
    groups = plan_queries.groups_of(orm.session, **here, partner_ids=partner_ids)
    return {
        "beside": {
            one: {
                "pick": ids.public("ptn", one),
                "momentum": care_words.momentum(momentum[one].momentum) if one in momentum else None,
                "reason": care_words.reason(momentum[one]) if one in momentum else "",
                "tags": tags.get(one, []),
                "lead": leads.get(one),
                "group": groups.get(one),
            }
            for one in partner_ids
        },
        "momentum_chips": _momentum_chips(counts),
        "narrowed": _narrowed(),
        **_offered(),
        "segments": [_segment(row) for row in care_queries.segments(orm.session, **here)],
        "can_save": bool(_chosen()) and is_manager(),
        "kept": filters(),
    }


def _offered() -> dict[str, Any]:
    """What the list is narrowed by and its partners are given: tags, groups, people who lead."""
    here: dict[str, Any] = {"program_id": g.program.id}
    tags = care_queries.tags_in(orm.session, **here)
    groups = named.groups_offered(orm.session, **here)
    people = [(str(one.user_id), one.name) for one in care_queries.managers(orm.session, **here)]
    return {
        "tags_offered": tags,
        "groups_offered": groups,
        "managers": people,
        "selects": [
            {"name": "tag", "label": _("Tag"), "options": [(one, one) for one in tags]},
            {"name": "group", "label": _("Group"), "options": [(one, one) for one in groups]},
            {"name": "lead", "label": pgettext("partner", "Lead"), "options": people},
        ],
    }


@blueprint.post("/<slug>/partners/segments")
@access.console("manager")
def save_segment() -> BaseResponse:
    """Keep the present choice under a name."""
    chosen: dict[str, Any] = {name: value for name in KEPT if (value := request.form.get(name, "")[:120])}
    name = request.form.get("segment", "")

    def do() -> str:
        caring.save_segment(orm.session, name=name, filters=chosen, **_who())
        return str(_("Kept. It stands above the list."))

    return acted(url_for("console.partners", **chosen), do, names={"name": "segment"})


@blueprint.post("/<slug>/partners/segments/<uuid:segment_id>/delete")
@access.console("manager")
def delete_segment(segment_id: UUID) -> BaseResponse:
    """Forget a saved choice."""

    def do() -> str:
        caring.delete_segment(orm.session, program_id=g.program.id, segment_id=segment_id)
        return str(_("The choice is gone; its partners stay as they are."))

    return acted(url_for("console.partners"), do)


def _who() -> dict[str, Any]:
    return {"program_id": g.program.id, "actor": access.actor(), "now": request_now()}


def _chosen() -> dict[str, str]:
    return {name: value for name in KEPT if name != "days" and (value := request.args.get(name, ""))}


def _momentum_chips(counts: dict[Momentum, int]) -> list[dict[str, Any]]:
    chosen = presenters.chosen(Momentum, "momentum")
    return [
        presenters.chip(
            care_words.momentum(each).word, current=each is chosen, count=count, remove=each is chosen,
            momentum=None if each is chosen else each.value,
        )
        for each, count in counts.items()
        if count or each is chosen
    ]  # fmt: skip


def _narrowed() -> list[dict[str, Any]]:
    """The other filters that hold, each to be taken away."""
    found = [
        presenters.chip(value, current=True, remove=True, **{name: None})
        for name in ("tag", "group")
        if (value := request.args.get(name, ""))
    ]
    if (lead_id := _uuid(request.args.get("lead", ""))) is not None:
        people = {one.user_id: one.name for one in care_queries.managers(orm.session, program_id=g.program.id)}
        found.append(
            presenters.chip(people.get(lead_id, pgettext("partner", "Lead")), current=True, remove=True, lead=None)
        )
    return found


def _segment(row: Any) -> dict[str, Any]:
    chosen: dict[str, Any] = {name: str(value) for name, value in row.filters.items() if name in KEPT}
    return {
        "label": row.name,
        "url": url_for("console.partners", **chosen),
        "current": {name: value for name, value in chosen.items() if name != "days"} == _chosen(),
        "delete_url": url_for("console.delete_segment", segment_id=row.id),
    }


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
