"""Every write of vetting: the rubric, and what reviewers say. And the weighing of applications as pages read it. Never commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict, Invalid
from affiliate.fraud import identity
from affiliate.partners import queries as partners
from affiliate.partners.facts import ApplicationFacts
from affiliate.vetting import queries, rubric
from affiliate.vetting.models import Assessment, RubricSettings
from affiliate.vetting.queries import Review, Twin
from affiliate.vetting.rubric import MARK_MAX, Criterion, Rubric, Weighed

N_ = str  # marks a sentence for the translators

TEXT_LENGTH_MAX = 2_000
EVIDENCE_LENGTH_MAX = 500


class TooManyReviews(Conflict):
    """As many people as may have weighed this application."""

    code = "too_many_reviews"


@dataclass(frozen=True, slots=True)
class Vetted:
    """An application with all that speaks for and against it."""

    facts: ApplicationFacts
    weighed: Weighed
    reviews: Sequence[Review]
    twins: Sequence[Twin]
    is_disposable: bool = False

    def weighed_by(self, other: Rubric) -> Weighed:
        """What another rubric would make of it."""
        marks = [review.marks for review in self.reviews]
        return rubric.weigh(other, self.facts, marks, twins=len(self.twins), is_disposable=self.is_disposable)

    @property
    def digest(self) -> str:
        """The name of the present facts; a review of others is out of date."""
        return rubric.digest(self.facts)


def vetted(session: Session, *, program_id: UUID, enrollment_ids: Sequence[UUID]) -> dict[UUID, Vetted]:
    """The applications of these enrollments, weighed as of now, by enrollment."""
    found = partners.application_facts(session, program_id=program_id, enrollment_ids=enrollment_ids)
    if not found:
        return {}
    used = queries.rubric_of(session, program_id=program_id)
    reviews = queries.reviews_of(session, application_ids=[facts.application_id for facts in found])
    mails = queries.mails_of(session, partner_ids=[facts.partner_id for facts in found])
    websites = {facts.partner_id: facts.website for facts in found}
    twins = queries.twins_of(session, program_id=program_id, mails=mails, websites=websites)
    told = {}
    for facts in found:
        said, alike = reviews.get(facts.application_id, []), twins.get(facts.partner_id, [])
        is_disposable = any(map(identity.is_disposable, mails.get(facts.partner_id, ())))
        marks = [review.marks for review in said]
        weighed = rubric.weigh(used, facts, marks, twins=len(alike), is_disposable=is_disposable)
        told[facts.enrollment_id] = Vetted(facts, weighed, said, alike, is_disposable)
    return told


def set_rubric(session: Session, *, program_id: UUID, wanted: Rubric, actor: Actor, now: datetime) -> None:
    """Weigh the program's applications by this rubric from now on, those that wait too.

    Raises:
        Invalid: names each wrong part.
    """
    wrong = rubric.problems(wanted)
    if wrong:
        raise Invalid({field: [sentence] for field, sentence in wrong.items()})
    weights = {criterion.value: weight for criterion, weight in wanted.weights.items()}
    values: dict[str, Any] = {
        "weights": weights,
        "accept_from": wanted.accept_from,
        "refuse_below": wanted.refuse_below,
    }
    values["updated_at"] = now
    if not db.insert_new(session, RubricSettings, [{"program_id": program_id, **values}]):
        session.execute(sa.update(RubricSettings).where(RubricSettings.program_id == program_id).values(values))
    audit.record(
        session, actor=actor, action="rubric.set", subject_kind="program", subject_id=program_id, program_id=program_id,
        details=weights | {"accept_from": wanted.accept_from, "refuse_below": wanted.refuse_below}, now=now,
    )  # fmt: skip


def assess(
    session: Session, *, program_id: UUID, facts: ApplicationFacts, reviewer_id: UUID, marks: Mapping[Criterion, int],
    evidence: Mapping[Criterion, str], note: str, actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """Say what one reviewer thinks of an application; saying it again replaces what was said.

    Raises:
        Invalid: no mark at all, or one that does not exist. TooManyReviews: twenty people have weighed it.
    """
    if not marks or any(not 0 <= mark <= MARK_MAX for mark in marks.values()):
        raise Invalid({"marks": [N_("Give at least one mark, each from 0 to 4.")]})
    said = {key.value: text.strip()[:EVIDENCE_LENGTH_MAX] for key, text in evidence.items() if text.strip()}
    values: dict[str, Any] = {
        "marks": {key.value: mark for key, mark in marks.items()}, "evidence": said, "updated_at": now,
        "note": note.strip()[:TEXT_LENGTH_MAX], "facts_digest": rubric.digest(facts),
    }  # fmt: skip
    others = queries.reviews_of(session, application_ids=[facts.application_id]).get(facts.application_id, [])
    if len(others) >= queries.REVIEWS_MAX and reviewer_id not in {one.reviewer_id for one in others}:
        raise TooManyReviews(N_("Twenty people have weighed this application. That is enough to decide."))
    key = {"application_id": facts.application_id, "reviewer_id": reviewer_id}
    row = {"id": ids.new_at(now), "program_id": program_id, **key, **values}
    if not db.insert_new(session, Assessment, [row]):
        mine = (Assessment.application_id == facts.application_id, Assessment.reviewer_id == reviewer_id)
        session.execute(sa.update(Assessment).where(*mine).values(values))
    audit.record(
        session, actor=actor, action="application.assess", subject_kind="enrollment", subject_id=facts.enrollment_id,
        program_id=program_id, details={"partner_id": str(facts.partner_id), "marks": values["marks"]}, now=now,
    )  # fmt: skip
