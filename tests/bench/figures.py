"""What a benchmark tells: a name with its unit, a value, and the goal it is held against."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; `goal` in words, empty when there is none."""

    name: str
    value: float
    goal: str = ""

    @property
    def is_missed(self) -> bool:
        """Whether the value is on the wrong side of its goal (`<= 5`, `>= 10,000`)."""
        sign, _, text = self.goal.replace(",", "").partition(" ")
        return (sign == "<=" and self.value > float(text)) or (sign == ">=" and self.value < float(text))
