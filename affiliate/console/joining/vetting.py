"""Applications weighed: the score with its parts, what reviewers say, what the rules suggest."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from babel.numbers import format_decimal
from flask import g, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import formats
from affiliate.accounts import access
from affiliate.console import presenters, roles, words
from affiliate.console.blueprint import acted, blueprint, is_manager, manages_all, show
from affiliate.console.partners import partner_care, partner_sheets
from affiliate.console.queries import partners as queries
from affiliate.vetting import service
from affiliate.vetting import words as vetting_words
from affiliate.vetting.queries import Review, Twin
from affiliate.vetting.rubric import MARK_MAX, Because, Criterion, Part
from affiliate.vetting.service import Vetted
from affiliate.web import orm, request_now


@blueprint.get('/<slug>/partners/<public("ptn"):partner_id>/weighed')
@access.console(*roles.SETTINGS)
def weighed(partner_id: UUID) -> str | BaseResponse:
    """One application: score, parts, suggestion, reviewers; whoever did not apply has none."""
    row = queries.of_one(orm.session, program_id=g.program.id, partner_id=partner_id)
    if row is None:
        raise access.NotHere
    found = _found(row.Enrollment.id)
    if found is None:
        return redirect(url_for("console.partner", partner_id=partner_id), 303)
    mine = next((one for one in found.reviews if one.reviewer_id == current_user.id), None)
    return show(
        "joining/weighed.html",
        partner={
            "name": row.Partner.name,
            "url": url_for("console.partner", partner_id=partner_id),
            "id": str(row.Partner.id),
        },
        partner_uuid=partner_id,
        tabs=partner_care.tabs(partner_id, "weighed", applied=True),
        acts=partner_sheets.act_urls(partner_id, row.Enrollment.status),
        sign=words.enrollment(row.Enrollment.status),
        summary=summary(found),
        facts=_facts(found),
        score=[_part(part) for part in found.weighed.parts],
        reviews=[_review(one, found.digest) for one in found.reviews],
        twins=_twins(found),
        criteria=[_criterion(each, mine) for each in Criterion],
        marks=list(range(MARK_MAX + 1)),
        note=mine.note if mine else "",
    )


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/weighed')
@access.console("manager")
def assess(partner_id: UUID) -> BaseResponse:
    """Say what one thinks of an application."""
    row = queries.of_one(orm.session, program_id=g.program.id, partner_id=partner_id)
    found = _found(row.Enrollment.id) if row is not None else None
    if found is None:
        raise access.NotHere

    def act() -> str:
        service.assess(
            orm.session, program_id=g.program.id, facts=found.facts, reviewer_id=current_user.id, marks=_marks(),
            evidence={each: request.form.get(f"evidence-{each.value}", "") for each in Criterion},
            note=request.form.get("note", ""), actor=access.actor(), now=request_now(),
        )  # fmt: skip
        return str(_("Kept. The score is made anew."))

    return acted(url_for("console.weighed", partner_id=partner_id), act)


def summary(found: Vetted) -> dict[str, Any]:
    """The score, and what the rules suggest with their reasons."""
    result = found.weighed
    return {
        "score": formats.number(result.score),
        "sign": vetting_words.advice(result.advice),
        "because": [vetting_words.because(each) for each in result.because],
    }


def of_applications(enrollment_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What the rules say of the applications on a page, by enrollment: score, suggestion, and what makes them doubt."""
    found = service.vetted(orm.session, program_id=g.program.id, enrollment_ids=enrollment_ids)
    return {
        enrollment_id: summary(one)
        | {
            "url": url_for("console.weighed", partner_id=one.facts.partner_id),
            "doubts": [vetting_words.because(each) for each in one.weighed.because if each in _DOUBTS],
        }
        for enrollment_id, one in found.items()
    }


_DOUBTS = frozenset({Because.DUPLICATE, Because.DISPOSABLE, Because.CONFLICT, Because.UNCONFIRMED})
"""What a list says beside the suggestion; that little is known says the score itself."""


def _found(enrollment_id: UUID) -> Vetted | None:
    found = service.vetted(orm.session, program_id=g.program.id, enrollment_ids=[enrollment_id])
    return found.get(enrollment_id)


def _facts(found: Vetted) -> list[dict[str, str]]:
    facts = found.facts
    channels = ", ".join(map(presenters.channel, facts.channels))
    told = {
        _("Reach a month, as stated"): formats.number(facts.reach) if facts.reach else "",
        _("Channels"): channels,
        _("Website"): facts.website,
        _("Audience"): facts.audience,
        _("Experience"): facts.experience,
        _("References"): facts.references,
        _("What it offers"): facts.offers,
        _("Conflicts of interest"): facts.conflicts,
        _("Why"): facts.why,
        _("Files"): formats.number(facts.files) if facts.files else "",
    }
    return [{"name": name, "value": value} for name, value in told.items() if value]


def _part(part: Part) -> dict[str, Any]:
    mark = part.mark_hundredths
    shown = None if mark is None else format_decimal(Decimal(mark).scaleb(-2), locale=formats.locale())
    return {
        "name": vetting_words.criterion(part.criterion),
        "weight": part.weight,
        "mark": mark or 0,
        "of": MARK_MAX * 100,
        "told": _("not known") if shown is None else _("%(mark)s of %(most)s", mark=shown, most=MARK_MAX),
        "source": "" if mark is None else _("by reviewers") if part.by_reviewers else _("by the facts"),
    }


def _review(one: Review, digest: str) -> dict[str, Any]:
    """What a reviewer marked; what was written with it is the managers' own, as their notes are."""
    evidence, note = (one.evidence, one.note) if is_manager() else ({}, "")
    marks = [
        {"name": vetting_words.criterion(key), "mark": mark, "evidence": evidence.get(key, "")}
        for key, mark in one.marks.items()
    ]
    return {"who": one.reviewer, "at": one.at, "marks": marks, "note": note, "is_old": one.digest != digest}


def _twins(found: Vetted) -> list[dict[str, Any]]:
    """Who looks like the same person. Of partners elsewhere only that there are some, except for who manages all programs."""
    if manages_all():
        return [_twin(one) for one in found.twins]
    here = [_twin(one) for one in found.twins if one.status is not None]
    if len(here) == len(found.twins):
        return here
    return [*here, {"name": vetting_words.because(Because.DUPLICATE)}]


def _twin(one: Twin) -> dict[str, Any]:
    return {
        "name": one.name,
        "url": url_for("console.partner", partner_id=one.partner_id) if one.status is not None else None,
        "sign": words.enrollment(one.status) if one.status is not None else None,
        "by": ", ".join(vetting_words.shared(each) for each in one.by),
    }


def _criterion(each: Criterion, mine: Review | None) -> dict[str, Any]:
    return {
        "key": each.value,
        "name": vetting_words.criterion(each),
        "help": vetting_words.meaning(each),
        "mark": mine.marks.get(each) if mine else None,
        "evidence": mine.evidence.get(each, "") if mine else "",
    }


def _marks() -> dict[Criterion, int]:
    found = {}
    for each in Criterion:
        if text := request.form.get(each.value, ""):
            found[each] = int(text) if text.isdecimal() and len(text) == 1 else -1
    return found
