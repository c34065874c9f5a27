"""The models: a table of cases for each, and parts that always add up."""

from datetime import timedelta

import pytest
from event_cast import NOW
from hypothesis import given
from hypothesis import strategies as st

from affiliate.attribution.policy import Model, Policy
from affiliate.attribution.shares import apportion, shares


def divided(model: Model, *days: float, **terms: object) -> list[int]:
    """The parts of contacts so many days before the order, oldest first."""
    policy = Policy(**{"version": 1, "model": model} | terms)  # type: ignore[arg-type] # what a test says
    return shares([NOW - timedelta(days=age) for age in days], policy)


@pytest.mark.parametrize(
    ("model", "ages", "expected"),
    [
        (Model.LAST_CLICK, (3, 2, 1), [0, 0, 10_000]),
        (Model.FIRST_CLICK, (3, 2, 1), [10_000, 0, 0]),
        (Model.LINEAR, (1,), [10_000]),
        (Model.LINEAR, (2, 1), [5000, 5000]),
        (Model.LINEAR, (3, 2, 1), [3333, 3333, 3334]),
        (Model.POSITION_BASED, (1,), [10_000]),
        (Model.POSITION_BASED, (2, 1), [5000, 5000]),
        (Model.POSITION_BASED, (3, 2, 1), [4000, 2000, 4000]),
        (Model.POSITION_BASED, (4, 3, 2, 1), [4000, 1000, 1000, 4000]),
        (Model.POSITION_BASED, (5, 4, 3, 2, 1), [4000, 666, 667, 667, 4000]),
        (Model.TIME_DECAY, (8,), [10_000]),
        (Model.TIME_DECAY, (8, 8), [5000, 5000]),
        (Model.TIME_DECAY, (7, 0), [3333, 6667]),
        (Model.TIME_DECAY, (14, 7, 0), [1429, 2857, 5714]),
        (Model.TIME_DECAY, (21, 14), [3333, 6667]),
        (Model.TIME_DECAY, (2100, 0), [0, 10_000]),
    ],
)
def test_each_model_divides_as_its_name_says(model: Model, ages: tuple[float, ...], expected: list[int]) -> None:
    assert divided(model, *ages) == expected


def test_weights_and_half_life_are_the_programs_own() -> None:
    assert divided(Model.POSITION_BASED, 3, 2, 1, weights=(1000, 3000, 6000)) == [1000, 3000, 6000]
    assert divided(Model.POSITION_BASED, 2, 1, weights=(1000, 3000, 6000)) == [1429, 8571]
    assert divided(Model.TIME_DECAY, 2, 1, half_life_days=1) == [3333, 6667]


@given(st.lists(st.integers(0, 10**20), min_size=1, max_size=60).filter(any))
def test_parts_are_within_one_of_their_exact_value_and_add_up(weights: list[int]) -> None:
    parts = apportion(weights)
    assert sum(parts) == 10_000
    assert all(
        abs(part * sum(weights) - 10_000 * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True)
    )


@given(st.lists(st.floats(0, 400), min_size=1, max_size=20), st.sampled_from(Model))
def test_every_model_gives_the_whole(ages: list[float], model: Model) -> None:
    parts = divided(model, *sorted(ages, reverse=True))
    assert sum(parts) == 10_000
    assert len(parts) == len(ages)
