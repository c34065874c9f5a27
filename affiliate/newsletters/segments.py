"""Whom an issue goes to: partners by status, groups, tags, language, performance and a saved choice, and prospects by language. Pure."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from affiliate.newsletters.content import LANGUAGES
from affiliate.reports.momentum import Momentum

STATUSES = ("approved", "paused", "pending")
DAYS = (30, 90, 365)
CHOSEN_MAX = 500
"""Groups, and tags, in one choice."""
_WORD_MAX = 40


class Performance(enum.StrEnum):
    """What a partner has brought in the last days."""

    ANY = "any"
    SOLD = "sold"
    CLICKED = "clicked"  # valid clicks, and no sale
    QUIET = "quiet"  # neither


@dataclass(frozen=True, slots=True)
class Segment:
    """The rules; empty `languages`, `groups` and `tags` are all, an empty `momentum` too. Who has chosen no language counts as the issue's own.

    Of several languages, groups or tags any will do; what is chosen of different kinds must hold together.
    `choice` is the id of a saved choice of partners; one that was deleted means nobody at all, whatever else is chosen.
    `prospects`: it goes to people as well who asked for news and are no partners; of them the languages alone say something.
    """

    statuses: tuple[str, ...] = ("approved",)
    languages: tuple[str, ...] = ()
    performance: Performance = Performance.ANY
    days: int = 90
    groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    momentum: str = ""
    choice: str = ""
    prospects: bool = False

    def document(self) -> dict[str, Any]:
        """The segment as it is stored."""
        found = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def read(document: Mapping[str, Any]) -> Segment:
    """A segment as it was stored or typed; what does not exist is left out, and nobody chosen means approved partners.

    Documents from before several could be chosen name one `group` and one `tag`.
    """
    prospects = bool(document.get("prospects"))
    statuses = tuple(status for status in STATUSES if status in document.get("statuses", ()))
    performance, momentum = document.get("performance"), str(document.get("momentum"))
    return Segment(
        statuses if statuses or prospects else ("approved",),
        tuple(language for language in LANGUAGES if language in document.get("languages", ())),
        Performance(performance) if performance in list(Performance) else Performance.ANY,
        document["days"] if document.get("days") in DAYS else 90,
        _words(document.get("groups", (document.get("group"),))),
        _words(document.get("tags", (document.get("tag"),))),
        momentum if momentum in list(Momentum) else "",
        str(document.get("choice") or "")[:_WORD_MAX],
        prospects,
    )


def _words(values: Sequence[Any]) -> tuple[str, ...]:
    """Each once and in order, so that the same choice is the same however it was ticked."""
    return tuple(sorted({str(value)[:_WORD_MAX] for value in values if value})[:CHOSEN_MAX])
