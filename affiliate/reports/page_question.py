"""What is asked of a report that is a page of its own, and the table that answers it in a mail or for people without an account."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.programs.models import Program
from affiliate.reports.periods import Period

ROWS_MAX = 20
Table = list[list[str]]
"""Text, its head first; nothing at all where there is no row."""
TOTAL = "="
"""The name of the row that all others add up to."""


def by_name(_partner_id: UUID, name: str) -> str:
    """What a partner is called: by its name."""
    return name


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for: which program, with which arguments, over which days, at which moment, how many rows, partners called how."""

    session: Session
    program: Program
    given: Mapping[str, str]
    period: Period
    now: datetime
    size: int = ROWS_MAX
    called: Callable[[UUID, str], str] = by_name


def with_head(head: list[str], rows: Table) -> Table:
    """The rows below their head, all as wide as the widest."""
    width = max(map(len, rows), default=0)
    return [head[:width], *(row + [""] * (width - len(row)) for row in rows)] if rows else []
