"""Whom an issue goes to: partners by status, group, language and performance, and prospects by language. Pure."""

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from affiliate.newsletters.content import LANGUAGES
from affiliate.reports.momentum import Momentum

STATUSES = ("approved", "paused", "pending")
DAYS = (30, 90, 365)


class Performance(enum.StrEnum):
    """What a partner has brought in the last days."""

    ANY = "any"
    SOLD = "sold"
    CLICKED = "clicked"  # valid clicks, and no sale
    QUIET = "quiet"  # neither


@dataclass(frozen=True, slots=True)
class Segment:
    """The rules; empty `languages` are all, an empty `group`, `tag` and `momentum` too. Who has chosen no language counts as the issue's own.

    `prospects`: it goes to people as well who asked for news and are no partners; of them the languages alone say something.
    """

    statuses: tuple[str, ...] = ("approved",)
    languages: tuple[str, ...] = ()
    performance: Performance = Performance.ANY
    days: int = 90
    group: str = ""
    tag: str = ""
    momentum: str = ""
    prospects: bool = False

    def document(self) -> dict[str, Any]:
        """The segment as it is stored."""
        return {**asdict(self), "statuses": list(self.statuses), "languages": list(self.languages)}


def read(document: Mapping[str, Any]) -> Segment:
    """A segment as it was stored or typed; what does not exist is left out, and nobody chosen means approved partners."""
    prospects = bool(document.get("prospects"))
    statuses = tuple(status for status in STATUSES if status in document.get("statuses", ()))
    performance, momentum = document.get("performance"), str(document.get("momentum"))
    return Segment(
        statuses if statuses or prospects else ("approved",),
        tuple(language for language in LANGUAGES if language in document.get("languages", ())),
        Performance(performance) if performance in list(Performance) else Performance.ANY,
        document["days"] if document.get("days") in DAYS else 90,
        str(document.get("group") or "")[:40],
        str(document.get("tag") or "")[:40],
        momentum if momentum in list(Momentum) else "",
        prospects,
    )
