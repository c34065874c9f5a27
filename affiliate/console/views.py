"""The console's pages. Importing this module registers all of them on the blueprint."""

from affiliate.console import (
    books,
    choice,
    commissions,
    events,
    fraud,
    fraud_rules,
    goals,
    newsletter_previews,
    newsletters,
    orders,
    partners,
    payouts,
    plans,
    program,
    today,
    tracking,
    ways_in,
)
from affiliate.console.blueprint import blueprint

__all__ = [
    "blueprint", "books", "choice", "commissions", "events", "fraud", "fraud_rules", "goals", "newsletter_previews", "newsletters", "orders", "partners", "payouts", "plans", "program", "today", "tracking", "ways_in",
]  # fmt: skip
