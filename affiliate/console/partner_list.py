"""What the list of partners is narrowed by, kept choices of it, and acts on several partners at once."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import ids
from affiliate.accounts import access
from affiliate.commissions import recruiting
from affiliate.console import care_words, presenters
from affiliate.console.blueprint import FILTERS, acted, blueprint, filters, is_manager
from affiliate.console.queries import named
from affiliate.console.queries import partners as queries
from affiliate.errors import Invalid
from affiliate.relations import care_queries, caring
from affiliate.reports.momentum import Momentum
from affiliate.steering import queries as steering
from affiliate.web import orm, request_now

PICKED_MAX = 100
_KEPT = (*(name for name in FILTERS if name in {"tag", "group", "momentum", "lead", "status", "name", "days"}),)


def which() -> list[sa.ColumnElement[bool]]:
    """What the address narrows the list to."""
    return queries.which(
        program_id=g.program.id,
        tag=request.args.get("tag", "")[:40],
        group=request.args.get("group", "")[:40],
        momentum=presenters.chosen(Momentum, "momentum"),
        lead_id=_uuid(request.args.get("lead", "")),
    )


def beside(partner_ids: Collection[UUID]) -> dict[str, Any]:
    """What stands beside the figures of these partners, and by what the list can be narrowed."""
    here: dict[str, Any] = {"program_id": g.program.id}
    momentum = steering.momentum_of(orm.session, **here, partner_ids=partner_ids)
    counts = steering.counts_by_momentum(orm.session, **here)
    tags = care_queries.tags_of(orm.session, **here, partner_ids=partner_ids)
    leads = care_queries.leads_of(orm.session, **here, partner_ids=partner_ids)
    return {
        "beside": {
            one: {
                "pick": ids.public("ptn", one),
                "momentum": care_words.momentum(momentum[one].momentum) if one in momentum else None,
                "reason": care_words.reason(momentum[one]) if one in momentum else "",
                "tags": tags.get(one, []),
                "lead": leads.get(one),
            }
            for one in partner_ids
        },
        "momentum_chips": _momentum_chips(counts),
        "narrowed": _narrowed(),
        "tags_offered": care_queries.tags_in(orm.session, **here),
        "groups_offered": named.groups_offered(orm.session, **here),
        "managers": [(str(one.user_id), one.name) for one in care_queries.managers(orm.session, **here)],
        "segments": [_segment(row) for row in care_queries.segments(orm.session, **here)],
        "can_save": bool(_chosen()) and is_manager(),
        "kept": filters(),
    }


@blueprint.post("/<slug>/partners/act/<any(tag, untag, group, lead):act>")
@access.console("manager")
def act_on_partners(act: str) -> BaseResponse:
    """Tag the chosen partners, take a tag off, put them into a group, or give them a lead."""
    picked = list(_picked())
    word = request.form.get("group" if act == "group" else "tag", "")
    doing: dict[str, Callable[[], int]] = {
        "tag": lambda: caring.tag(orm.session, partner_ids=picked, text=word, **_who()),
        "untag": lambda: caring.untag(orm.session, partner_ids=picked, text=word, **_who()),
        "group": lambda: _group(picked, word),
        "lead": lambda: _lead(picked, _uuid(request.form.get("lead", ""))),
    }

    def do() -> str:
        if not picked:
            raise Invalid({"partner": [_("Choose from 1 to 1,000 partners.")]})
        done = doing[act]()
        return ngettext("Changed: %(num)d partner.", "Changed: %(num)d partners.", done)

    return acted(_back(), do)


@blueprint.post("/<slug>/partners/segments")
@access.console("manager")
def save_segment() -> BaseResponse:
    """Keep the present choice under a name."""
    chosen: dict[str, Any] = {name: value for name in _KEPT if (value := request.form.get(name, "")[:120])}
    name = request.form.get("segment", "")

    def do() -> str:
        caring.save_segment(orm.session, name=name, filters=chosen, **_who())
        return str(_("Kept. It stands above the list."))

    return acted(url_for("console.partners", **chosen), do)


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


def _group(picked: Sequence[UUID], word: str) -> int:
    """The same group for all; who recruited each stays as it is."""
    here = care_queries.enrolled_among(orm.session, program_id=g.program.id, partner_ids=picked)
    recruiters = named.recruiters_of(orm.session, program_id=g.program.id, partner_ids=here)
    for one in here:
        recruiting.set_partner_terms(
            orm.session, partner_id=one, group_name=word, recruiter_id=recruiters.get(one), **_who()
        )
    return len(here)


def _lead(picked: Sequence[UUID], lead_id: UUID | None) -> int:
    """The same lead for all; a deputy who becomes lead leaves that seat."""
    here = care_queries.enrolled_among(orm.session, program_id=g.program.id, partner_ids=picked)
    for one in here:
        care = care_queries.care_of(orm.session, program_id=g.program.id, partner_id=one)
        deputy_id = care.deputy_id if care is not None and care.deputy_id != lead_id else None
        caring.set_leads(orm.session, partner_id=one, lead_id=lead_id, deputy_id=deputy_id, **_who())
    return len(here)


def _picked() -> Iterator[UUID]:
    for text in request.form.getlist("partner")[:PICKED_MAX]:
        with suppress(ids.BadPublicId):
            yield ids.parse("ptn", text)


def _back() -> str:
    kept: dict[str, Any] = {name: value for name in _KEPT if (value := request.form.get(f"keep-{name}", "")[:120])}
    return url_for("console.partners", **kept)


def _chosen() -> dict[str, str]:
    return {name: value for name in _KEPT if name != "days" and (value := request.args.get(name, ""))}


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
    chosen: dict[str, Any] = {name: str(value) for name, value in row.filters.items() if name in _KEPT}
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
