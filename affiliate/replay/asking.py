"""What a person at the command line asks of a replay, read and checked."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from affiliate import days
from affiliate.attribution import policy as policies
from affiliate.attribution import queries as attribution
from affiliate.attribution.policy import Model, Policy
from affiliate.attribution.touches import Step
from affiliate.errors import Invalid
from affiliate.programs.models import Program
from affiliate.replay.engine import Question

EPOCH = datetime.fromtimestamp(0, UTC)


def question(
    session: Session, *, program: Program, terms: Mapping[str, Any], first: str | None, until: str | None, now: datetime
) -> Question:
    """The question; without any term the one whether each order would be decided as it was.

    `terms` are `model`, `window_days`, `ladder` (step names by comma), `classes_outrank`; what is None stays as it is. Days
    are of the program's time zone; `until` is the first one after the period.

    Raises:
        Invalid: names what cannot be read.
    """
    changed = _read(terms)
    starts_at, ends_at = _moment(first, program, "from") or EPOCH, _moment(until, program, "to") or now
    if not changed:
        return Question(program, None, starts_at, ends_at)
    newest = attribution.terms(session, program_ids=[program.id])[program.id][0].policy
    proposal = Policy.of(newest.version + 1, newest.terms | changed)
    if wrong := policies.problems(proposal):
        raise Invalid({name: [sentence] for name, sentence in wrong.items()})
    return Question(program, proposal, starts_at, ends_at)


def _read(terms: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in terms.items() if value is not None}
    if "ladder" in given:
        given["ladder"] = _words("ladder", given["ladder"].split(","), [step.value for step in Step])
    if "model" in given:
        _words("model", [given["model"]], [model.value for model in Model])
    return given


def _words(name: str, words: Sequence[str], known: Sequence[str]) -> list[str]:
    if strange := [word for word in words if word not in known]:
        raise Invalid({name: [f"{strange[0]!r} is none of {', '.join(known)}."]})
    return list(words)


def _moment(text: str | None, program: Program, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        day = datetime.fromisoformat(text)
        days.read(day.date().isoformat())
    except ValueError:
        raise Invalid({name: [f"{text!r} is no date. Write it as 2026-11-01."]}) from None
    return day if day.tzinfo else datetime.combine(day.date(), time(), ZoneInfo(program.time_zone)).astimezone(UTC)
