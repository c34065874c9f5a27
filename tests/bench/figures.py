"""What a benchmark tells: a name with its unit, a value, and the goal it is held against."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; `goal` in words, empty when there is none."""

    name: str
    value: float
    goal: str = ""
