"""The console's pages. Importing this module registers all of them on the blueprint."""

from affiliate.console import (
    books,
    choice,
    commissions,
    events,
    goals,
    orders,
    partners,
    payouts,
    program,
    today,
    tracking,
)
from affiliate.console.blueprint import blueprint

__all__ = [
    "blueprint", "books", "choice", "commissions", "events", "goals", "orders", "partners", "payouts", "program", "today", "tracking",
]  # fmt: skip
