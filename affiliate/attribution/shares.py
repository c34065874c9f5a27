"""How a sale is divided between contacts: the models, as whole basis points that always add up to all of it. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Context, Decimal

from affiliate.attribution.policy import Model, Policy
from affiliate.money import BPS_PER_UNIT

_EXACT = Context(prec=40)
_SCALE = 10**18


def shares(moments: Sequence[datetime], policy: Policy) -> list[int]:
    """The basis points of each contact, given oldest first; they add up to 10,000, and a part too small for one is 0."""
    return apportion(_WEIGHTS[policy.model](moments, policy))


def apportion(weights: Sequence[int]) -> list[int]:
    """10,000 basis points by weight. What rounding down leaves goes to the largest remainders, of equal ones to the latest."""
    whole = sum(weights)
    cut = [divmod(weight * BPS_PER_UNIT, whole) for weight in weights]
    result = [quotient for quotient, _ in cut]
    by_claim = sorted(range(len(cut)), key=lambda index: (-cut[index][1], -index))
    for index in by_claim[: BPS_PER_UNIT - sum(result)]:
        result[index] += 1
    return result


def _first(moments: Sequence[datetime], _policy: Policy) -> list[int]:
    return [1] + [0] * (len(moments) - 1)


def _last(moments: Sequence[datetime], _policy: Policy) -> list[int]:
    return [0] * (len(moments) - 1) + [1]


def _linear(moments: Sequence[datetime], _policy: Policy) -> list[int]:
    return [1] * len(moments)


def _position_based(moments: Sequence[datetime], policy: Policy) -> list[int]:
    """First and last have their weights; those between share theirs alike. Of two, first and last share all."""
    first, middle, last = policy.weights
    between = len(moments) - 2
    if between < 0:
        return [1]
    if between == 0:
        return [first, last]
    return [first * between, *[middle] * between, last * between]


def _time_decay(moments: Sequence[datetime], policy: Policy) -> list[int]:
    """Half the weight for each half-life before the latest contact: decimals, so that every machine finds the same."""
    half_life = timedelta(days=policy.half_life_days) // timedelta(microseconds=1)
    ages = [(moments[-1] - moment) // timedelta(microseconds=1) for moment in moments]
    halves = [_EXACT.power(Decimal(2), _EXACT.divide(Decimal(-age), Decimal(half_life))) for age in ages]
    return [int(_EXACT.multiply(half, Decimal(_SCALE))) for half in halves]


_WEIGHTS: dict[Model, Callable[[Sequence[datetime], Policy], list[int]]] = {
    Model.LAST_CLICK: _last,
    Model.FIRST_CLICK: _first,
    Model.LINEAR: _linear,
    Model.POSITION_BASED: _position_based,
    Model.TIME_DECAY: _time_decay,
}
