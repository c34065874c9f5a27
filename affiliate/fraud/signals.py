"""What a rule says when it speaks, and how strongly it may be acted upon. Pure."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from affiliate.fraud.facts import Facts

Evidence = Mapping[str, int | str]
Limits = Mapping[str, int]


class Action(enum.StrEnum):
    """What a program does when a rule speaks."""

    OFF = "off"
    FLAG = "flag"
    REJECT = "reject"


class Verdict(enum.StrEnum):
    """What becomes of a credit."""

    PASS = "pass"  # noqa: S105 - a verdict
    FLAG = "flag"  # under review: the commission is reckoned and waits, no approval and no payout
    REJECT = "reject"  # no commission


@dataclass(frozen=True, slots=True)
class Signal:
    """A rule speaks: the numbers that made it, never personal data. `at_most` is all that they can bear."""

    evidence: Evidence = field(default_factory=dict)
    at_most: Action = Action.REJECT


Check = Callable[[Facts, Limits], Signal | None]
