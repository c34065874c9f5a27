"""The page of what is agreed with a partner: who leads it, its trial, responsibilities, shared goals. Only managers agree."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _

from affiliate import formats
from affiliate.accounts import access
from affiliate.console import roles, words
from affiliate.console.blueprint import blueprint, can, show
from affiliate.console.goals import goal_sheets
from affiliate.console.partners import care_words
from affiliate.console.queries import partners as queries
from affiliate.console.queries.beside import beside
from affiliate.console.work import work_people
from affiliate.relations import agreeing, care_queries, care_sheets, leading, rounds
from affiliate.relations import care_words as shared
from affiliate.relations.care_models import PartnerCare, PartnerGoal
from affiliate.relations.care_queries import DutyLine, Manager
from affiliate.relations.models import Side
from affiliate.relations.rounds import Cadence
from affiliate.steering import queries as steering
from affiliate.steering.models import PartnerMomentum
from affiliate.web import orm, request_now

TRIAL_DAYS = 60
_STEPS = ("pending", "in_progress", "on_track", "done")


@blueprint.get('/<slug>/partners/<public("ptn"):partner_id>/care')
@access.console(*roles.CARE)
def partner_care(partner_id: UUID) -> str:
    """What is agreed with the partner, and how it stands."""
    row = queries.of_one(orm.session, program_id=g.program.id, partner_id=partner_id)
    if row is None:
        raise access.NotHere
    here: dict[str, Any] = {"program_id": g.program.id, "partner_id": partner_id}
    managers = care_queries.managers(orm.session, program_id=g.program.id)
    care = care_queries.care_of(orm.session, **here)
    goals = list(care_queries.goals_of(orm.session, **here))
    momentum = steering.momentum_of(orm.session, program_id=g.program.id, partner_ids=[partner_id]).get(partner_id)
    duties = care_queries.duties_of(orm.session, **here)
    return show(
        "partners/partner_care.html",
        partner={"name": row.Partner.name, "url": url_for("console.partner", partner_id=partner_id)},
        partner_uuid=partner_id,
        tabs=tabs(partner_id, "partner_care", applied=row.Application is not None),
        momentum=momentum_of(momentum),
        leads=_leads(care, managers),
        trial=_trial(care),
        trial_form=_trial_form(care),
        tags=care_queries.tags_of(orm.session, program_id=g.program.id, partner_ids=[partner_id]).get(partner_id, []),
        tags_offered=care_queries.tags_in(orm.session, program_id=g.program.id),
        duties=[_duty(line) for line in duties],
        choices=_choices(managers),
        goals=_goals(goals),
    )


def tabs(partner_id: UUID, current: str, *, applied: bool) -> list[dict[str, Any]]:
    """The pages of one partner that this person may open; who did not apply has no application to weigh."""
    labels = {
        "partner": _("Figures"),
        "partner_care": _("What is agreed"),
        "partner_contacts": _("Contacts and creatives"),
        "weighed": _("Application weighed"),
    }
    return [
        {"label": label, "url": url_for(f"console.{page}", partner_id=partner_id), "current": page == current}
        for page, label in labels.items()
        if can(page) and (applied or page != "weighed")
    ]


def momentum_of(row: PartnerMomentum | None) -> dict[str, Any] | None:
    """A partner's momentum with its reason and what one could do; none where it was not judged yet."""
    if row is None:
        return None
    return {
        "sign": care_words.momentum(row.momentum),
        "reason": care_words.reason(row),
        "advice": care_words.advice(row),
        "since": row.since,
    }


def slipping(partner_id: UUID) -> list[dict[str, Any]]:
    """What slips again and again: the partner's days as such, whatever they were for, then its responsibilities, whenever they are due next."""
    here = (g.program.id, partner_id)
    rows = beside(orm.session, {"duties": care_queries.duties_placed(*here), "ended": care_queries.last_rounds(*here)})
    told = [care_sheets.duty(DutyLine(*line), today=goal_sheets.today()) for line in rows["duties"]]
    url = url_for("console.partner_care", partner_id=partner_id) + "#duties"
    ended = rounds.last_of_each([one.rounds for one in reversed(rows["ended"])])
    return _unreliable(ended) + [one | {"url": url} for one in told if one["again"]]


def _unreliable(ended: list[str]) -> list[dict[str, Any]]:
    """That the partner misses its days, if it does."""
    if not rounds.is_repeated(ended):
        return []
    told = _(
        "%(slipped)s of its last %(duties)s responsibilities were missed or late.",
        slipped=formats.number(rounds.slipped(ended)), duties=formats.number(len(ended)),
    )  # fmt: skip
    return [{"slipped": told}]


def _leads(care: PartnerCare | None, managers: list[Manager]) -> dict[str, Any]:
    since = {one.user_id: one.since for one in managers}
    new = leading.newcomers(since, now=request_now())
    names = {one.user_id: one.name for one in managers}
    chosen = {"lead": care.lead_id if care else None, "deputy": care.deputy_id if care else None}
    return {
        "lead": str(chosen["lead"] or ""),
        "deputy": str(chosen["deputy"] or ""),
        "lead_name": names.get(chosen["lead"]) if chosen["lead"] else None,
        "deputy_name": names.get(chosen["deputy"]) if chosen["deputy"] else None,
        "may_lead": [(str(one.user_id), one.name) for one in managers if one.user_id not in new],
        "may_stand_in": [(str(one.user_id), one.name) for one in managers],
        "new": ", ".join(one.name for one in managers if one.user_id in new),
    }


def _trial(care: PartnerCare | None) -> dict[str, Any] | None:
    if care is None or care.trial_ends_on is None:
        return {"graduated_at": care.graduated_at} if care is not None and care.graduated_at else None
    [facts] = care_queries.trial_facts(orm.session, program=g.program, rows=[care])
    standing = work_people.trial_standing(care, facts)
    return {
        "scope": care.trial_scope,
        "orders": facts.orders,
        "orders_min": care.trial_orders_min,
        "orders_max": care.trial_orders_max,
        "last_on": care.trial_ends_on - timedelta(days=1),
        "told": shared.trial(standing, facts.orders) if standing else "",
        "standing": standing.value if standing else "",
    }


def _trial_form(care: PartnerCare | None) -> dict[str, str]:
    """What the form of a trial begins with: the terms of the one that runs, or the usual ones."""
    if care is None or care.trial_ends_on is None:
        first = goal_sheets.today()
        last = first + timedelta(days=TRIAL_DAYS - 1)
        return {
            "scope": "",
            "first": first.isoformat(),
            "last": last.isoformat(),
            "orders_min": "5",
            "orders_max": "50",
        }
    first = care.trial_starts_on or goal_sheets.today()
    return {
        "scope": care.trial_scope,
        "first": first.isoformat(),
        "last": (care.trial_ends_on - timedelta(days=1)).isoformat(),
        "orders_min": str(care.trial_orders_min),
        "orders_max": str(care.trial_orders_max),
    }


def _duty(line: DutyLine) -> dict[str, Any]:
    duty = line.duty
    place: dict[str, Any] = {"partner_id": duty.partner_id, "duty_id": duty.id}
    return care_sheets.duty(line, today=goal_sheets.today()) | {
        "acts": [
            {"label": shared.duty_act(step), "url": url_for("console.move_duty", act=step, **place), "is_done": step == "done"}
            for step in _STEPS
            if step != duty.status.value
        ],
        "end_url": url_for("console.move_duty", act="end", **place),
        "change_url": url_for("console.change_duty", **place),
        "form": {
            "task": duty.task,
            "side": duty.side.value,
            "owner": str(duty.owner_id or ""),
            "cadence": duty.cadence.value,
            "first_on": (duty.due_on or goal_sheets.today()).isoformat(),
        },
    }  # fmt: skip


def _choices(managers: list[Manager]) -> dict[str, Any]:
    return {
        "cadences": [(each.value, shared.cadence(each)) for each in Cadence],
        "sides": [(each.value, shared.side(each)) for each in Side],
        "people": [(str(one.user_id), one.name) for one in managers],
        "metrics": [(each.value, words.goal_metric(each)) for each in agreeing.SHARED],
        "first_on": goal_sheets.today().isoformat(),
        "last_on": (goal_sheets.today() + timedelta(days=goal_sheets.USUAL_DAYS - 1)).isoformat(),
    }


def _goals(goals: list[PartnerGoal]) -> list[dict[str, Any]]:
    reached = agreeing.progress(orm.session, program=g.program, goals=goals)
    notes = care_queries.goal_notes(orm.session, goal_ids=[goal.id for goal in goals])
    changes = care_queries.goal_changes(orm.session, goals=goals)
    told: dict[str, Any] = {"currency": g.program.currency, "today": goal_sheets.today()}
    return [
        care_sheets.goal(goal, found, notes.get(goal.id, []), changes[goal.id], **told)
        for goal, found in zip(goals, reached, strict=True)
    ]
