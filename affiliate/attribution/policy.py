"""What a program says about who wins: one immutable value for each version. Pure.

`terms` is its stored form, plain JSON; what a term leaves out has the value that it has here.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from affiliate.attribution.touches import Step
from affiliate.money import BPS_PER_UNIT

N_ = str  # marks a sentence for the translators

DAYS_MAX = 365
BINDING_DAYS_MAX = 3650
CHANNELS_MAX = 50
NAME_LENGTH_MAX = 40


class Model(enum.StrEnum):
    """How a sale is divided between the contacts that count."""

    LAST_CLICK = "last_click"
    FIRST_CLICK = "first_click"
    LINEAR = "linear"
    POSITION_BASED = "position_based"
    TIME_DECAY = "time_decay"


class ChannelRule(enum.StrEnum):
    """What another paid channel does to a partner's sale."""

    OVERRULES = "overrule"  # the sale is its own if the customer came through it last
    YIELDS = "yield"  # kept and shown; a partner's contact wins
    IGNORED = "ignore"  # kept, and counts for nothing


class Binding(enum.StrEnum):
    """Which partner a known customer belongs to."""

    FIRST = "first"
    LAST = "last"


LADDER = (Step.MANUAL, Step.CLICK_ID, Step.COUPON, Step.VISITOR, Step.SITE)
"""The most certain way first."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the program says about who wins. Days are whole; weights are basis points of first, middle and last contact."""

    version: int
    window_days: int = 30
    model: Model = Model.LAST_CLICK
    weights: tuple[int, int, int] = (4000, 2000, 4000)
    half_life_days: int = 7
    ladder: tuple[Step, ...] = LADDER
    kind_windows: Mapping[str, int] = field(default_factory=dict)
    classes_outrank: bool = False
    channels: Mapping[str, ChannelRule] = field(default_factory=dict)
    other_channels: ChannelRule = ChannelRule.YIELDS
    binding: Binding = Binding.FIRST
    binding_days: int | None = None  # none: for ever

    def channel_rule(self, channel: str) -> ChannelRule:
        """What is said about this channel."""
        return self.channels.get(channel.lower(), self.other_channels)

    @property
    def terms(self) -> dict[str, Any]:
        """The policy as it is stored, without its version."""
        return {
            "window_days": self.window_days,
            "model": self.model.value,
            "weights": list(self.weights),
            "half_life_days": self.half_life_days,
            "ladder": [step.value for step in self.ladder],
            "kind_windows": dict(self.kind_windows),
            "classes_outrank": self.classes_outrank,
            "channels": {name: rule.value for name, rule in self.channels.items()},
            "other_channels": self.other_channels.value,
            "binding": self.binding.value,
            "binding_days": self.binding_days,
        }

    @classmethod
    def of(cls, version: int, terms: Mapping[str, Any]) -> "Policy":
        """The policy of stored terms.

        Raises:
            ValueError, TypeError: they are none; ask `problems` first for what a person wrote.
        """
        found = {name: _READERS[name](value) for name, value in terms.items()}
        return cls(version, **found)


def _channels(value: Mapping[str, str]) -> dict[str, ChannelRule]:
    return {name.lower(): ChannelRule(rule) for name, rule in value.items()}


def _weights(value: list[int]) -> tuple[int, int, int]:
    first, middle, last = value
    return first, middle, last


_READERS: dict[str, Any] = {
    "window_days": int,
    "model": Model,
    "weights": _weights,
    "half_life_days": int,
    "ladder": lambda steps: tuple(Step(step) for step in steps),
    "kind_windows": dict,
    "classes_outrank": bool,
    "channels": _channels,
    "other_channels": ChannelRule,
    "binding": Binding,
    "binding_days": lambda days: days,
}


def problems(policy: Policy) -> dict[str, str]:
    """One sentence for each wrong term; empty when the policy may be published."""
    wrong = {}
    if not 1 <= policy.window_days <= DAYS_MAX:
        wrong["window_days"] = N_("Choose from 1 to 365 days.")
    if not all(
        0 < len(kind) <= NAME_LENGTH_MAX and 1 <= days <= DAYS_MAX for kind, days in policy.kind_windows.items()
    ):
        wrong["kind_windows"] = N_("Give each kind of order from 1 to 365 days.")
    if min(policy.weights) < 0 or sum(policy.weights) != BPS_PER_UNIT or policy.weights[0] + policy.weights[2] == 0:
        wrong["weights"] = N_("First, middle and last contact must add up to 100 %, and the middle cannot have all.")
    if not 1 <= policy.half_life_days <= DAYS_MAX:
        wrong["half_life_days"] = N_("Choose from 1 to 365 days.")
    if not policy.ladder or len(set(policy.ladder)) != len(policy.ladder):
        wrong["ladder"] = N_("Choose at least one way, each once.")
    if policy.binding_days is not None and not 1 <= policy.binding_days <= BINDING_DAYS_MAX:
        wrong["binding_days"] = N_("Choose from 1 to 3,650 days, or leave it empty: for ever.")
    if len(policy.channels) > CHANNELS_MAX or any(not 0 < len(name) <= NAME_LENGTH_MAX for name in policy.channels):
        wrong["channels"] = N_("Name at most 50 channels, each with up to 40 characters.")
    return wrong
