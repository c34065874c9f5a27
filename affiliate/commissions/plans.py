"""Every write on plans: drafts, publishing, and the examples that hold a plan to its word.

A published plan never changes. It is published from a moment on, never before orders that have their commission.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from marshmallow import ValidationError
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.commissions import documents, examples, plan_queries, queries
from affiliate.commissions.models import CommissionPlan, PlanExample
from affiliate.currencies import queries as currencies
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.ledger import service as ledger_service
from affiliate.money import AMOUNT_MINOR_MAX

N_ = str  # marks a sentence for the translators
EXAMPLES_MAX = 50


class UnknownPlan(NotFound):
    """There is no such plan or example in this program."""


class PlanExists(Conflict):
    """Another plan of the program starts at the same moment."""

    code = "plan_exists"


class PlanPublished(Conflict):
    """The plan is in force or will be: it can no longer be changed."""

    code = "plan_published"

    def __init__(self) -> None:
        super().__init__(N_("This plan is published and stays as it is. Make a new one instead."))


class ExamplesBroken(Conflict):
    """The plan pays something else for an example than what was promised."""

    code = "examples_broken"

    def __init__(self, broken: Sequence[examples.Checked]) -> None:
        super().__init__(N_("This plan breaks a saved example. Change the plan, or the example."))
        self.broken = broken


def create_plan(
    session: Session,
    *,
    program_id: UUID,
    name: str,
    terms: Mapping[str, Any],
    effective_from: datetime,
    actor: Actor,
    now: datetime,
) -> CommissionPlan:
    """Draft a plan and publish it at once.

    Raises:
        Invalid, PlanExists, ExamplesBroken: as `draft` and `publish` do.
    """
    plan = draft(session, program_id=program_id, name=name, terms=terms, actor=actor, now=now)
    return publish(session, plan_id=plan.id, program_id=program_id, effective_from=effective_from, actor=actor, now=now)


def draft(
    session: Session, *, program_id: UUID, name: str, terms: Mapping[str, Any], actor: Actor, now: datetime
) -> CommissionPlan:
    """A new plan that nobody is paid by yet.

    Raises:
        Invalid: names each wrong part.
    """
    values = _checked(name, terms)
    plan = CommissionPlan(
        id=ids.new_at(now), program_id=program_id, created_by_id=actor.id if actor.kind == "user" else None,
        created_at=now, updated_at=now, **values,
    )  # fmt: skip
    session.add(plan)
    session.flush()
    _record(session, "plan.draft", plan.id, program_id, values, actor=actor, now=now)
    return plan


def change_draft(
    session: Session,
    *,
    plan_id: UUID,
    program_id: UUID,
    name: str,
    terms: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> None:
    """Other terms for a draft.

    Raises:
        Invalid: names each wrong part.
        PlanPublished: it is no draft any more.
    """
    values = _checked(name, terms)
    _guarded(session, plan_id, program_id, **values, updated_at=now)
    _record(session, "plan.change", plan_id, program_id, values, actor=actor, now=now)


def publish(
    session: Session, *, plan_id: UUID, program_id: UUID, effective_from: datetime, actor: Actor, now: datetime
) -> CommissionPlan:
    """Let a draft count for orders from a moment on; earlier orders keep their plan.

    Raises:
        UnknownPlan, PlanPublished: it is no draft of this program.
        Invalid: the start lies before orders that already have their commission.
        PlanExists: another plan starts at the same moment.
        ExamplesBroken: a saved example would be paid otherwise.
    """
    ledger_service.lock_books(session, program_ids=[program_id])
    plan = _known(session, plan_id, program_id)
    if queries.has_commission_since(session, program_id=program_id, since=effective_from):
        sentence = N_("Orders since then already have their commission. Choose a later start.")
        raise Invalid({"effective_from": [sentence]})
    broken = [one for one in check_examples(session, plan=plan, now=now) if not one.holds]
    if broken:
        raise ExamplesBroken(broken)
    if plan_queries.starts_at(session, program_id=program_id, at=effective_from):
        raise PlanExists(N_("Another plan starts at the same moment. Choose another start."))
    _guarded(session, plan_id, program_id, effective_from=effective_from, published_at=now, updated_at=now)
    details = {"name": plan.name, "terms": plan.terms, "effective_from": effective_from.isoformat()}
    _record(session, "plan.publish", plan_id, program_id, details, actor=actor, now=now)
    session.refresh(plan)
    return plan


def discard(session: Session, *, plan_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Throw a draft away.

    Raises:
        PlanPublished: it is no draft any more.
    """
    _known(session, plan_id, program_id)
    change = sa.delete(CommissionPlan).where(_is_draft(plan_id, program_id))
    if cast("CursorResult[Any]", session.execute(change)).rowcount != 1:
        raise PlanPublished
    _record(session, "plan.discard", plan_id, program_id, {}, actor=actor, now=now)


# --- examples


def add_example(
    session: Session,
    *,
    program_id: UUID,
    name: str,
    order: Mapping[str, Any],
    expected_minor: int,
    actor: Actor,
    now: datetime,
) -> PlanExample:
    """Promise what an order earns: every plan published later must pay exactly that.

    Raises:
        Invalid: there is no name, an amount cannot be, or there are too many examples.
    """
    wrong = examples.problems(order)
    if not 0 < len(name.strip()) <= documents.NAME_LENGTH_MAX:
        wrong["name"] = [N_("Give the example a name of up to 120 characters.")]
    if not 0 <= expected_minor <= AMOUNT_MINOR_MAX:
        wrong["expected"] = [N_("Write an amount of zero or more.")]
    if len(plan_queries.examples(session, program_id=program_id)) >= EXAMPLES_MAX:
        wrong["name"] = [N_("A program has at most 50 examples. Delete one first.")]
    if wrong:
        raise Invalid(wrong)
    example = PlanExample(
        id=ids.new_at(now), program_id=program_id, name=name.strip(), order=dict(order), expected_minor=expected_minor,
        created_by_id=actor.id if actor.kind == "user" else None, created_at=now,
    )  # fmt: skip
    session.add(example)
    session.flush()
    details = {"name": example.name, "expected_minor": expected_minor}
    _record(session, "plan.add_example", example.id, program_id, details, actor=actor, now=now)
    return example


def remove_example(session: Session, *, example_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Take a promise back.

    Raises:
        UnknownPlan: it is not there (any more).
    """
    gone = sa.delete(PlanExample).where(PlanExample.id == example_id, PlanExample.program_id == program_id)
    if cast("CursorResult[Any]", session.execute(gone)).rowcount != 1:
        raise UnknownPlan(N_("There is no such example."))
    _record(session, "plan.remove_example", example_id, program_id, {}, actor=actor, now=now)


def check_examples(session: Session, *, plan: CommissionPlan, now: datetime) -> list[examples.Checked]:
    """What a plan, draft or not, pays for each saved example of its program; other currencies by the rates of now."""
    saved = plan_queries.examples(session, program_id=plan.program_id)
    currency = plan_queries.currency_of(session, program_id=plan.program_id)
    value = examples.as_plan(plan.id, plan.name, plan.terms)
    met = {value.currency(currency), *(examples.currency_of(one.order, currency) for one in saved)}
    known = currencies.rates(session, currencies=met, moments=[now] if len(met) > 1 else [])
    return examples.check(saved, plan=value, currency=currency, known=known, at=now)


# ---


def _checked(name: str, terms: Mapping[str, Any]) -> dict[str, Any]:
    wrong: dict[str, list[str]] = {}
    if not 0 < len(name.strip()) <= documents.NAME_LENGTH_MAX:
        wrong["name"] = [N_("Give the plan a name of up to 120 characters.")]
    document: dict[str, Any] = {}
    try:
        document = documents.clean(terms)
    except ValidationError as refusal:
        wrong |= documents.sentences(refusal)
    if wrong:
        raise Invalid(wrong)
    return {"name": name.strip(), "terms": document}


def _known(session: Session, plan_id: UUID, program_id: UUID) -> CommissionPlan:
    plan = plan_queries.plan(session, plan_id=plan_id, program_id=program_id)
    if plan is None:
        raise UnknownPlan(N_("There is no such plan."))
    return plan


def _is_draft(plan_id: UUID, program_id: UUID) -> sa.ColumnElement[bool]:
    mine = sa.and_(CommissionPlan.id == plan_id, CommissionPlan.program_id == program_id)
    return sa.and_(mine, CommissionPlan.published_at.is_(None))


def _guarded(session: Session, plan_id: UUID, program_id: UUID, **values: Any) -> None:
    change = sa.update(CommissionPlan).where(_is_draft(plan_id, program_id)).values(**values)
    result = session.execute(change, execution_options={"synchronize_session": "fetch"})
    if cast("CursorResult[Any]", result).rowcount != 1:
        raise PlanPublished


def _record(
    session: Session,
    action: str,
    subject_id: UUID,
    program_id: UUID,
    details: dict[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="plan", subject_id=subject_id,
        program_id=program_id, details=details, now=now,
    )  # fmt: skip
