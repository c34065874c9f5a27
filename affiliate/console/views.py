"""The console's pages. Importing this module registers all of them on the blueprint."""

from affiliate.console import (
    attribution,
    books,
    choice,
    commissions,
    events,
    fraud,
    fraud_rules,
    goals,
    newsletter_previews,
    newsletters,
    order_import,
    orders,
    partners,
    payment,
    payout_steps,
    payouts,
    performance,
    plans,
    program,
    recruiting,
    simulations,
    today,
    tracking,
    validation,
    ways_in,
)
from affiliate.console.blueprint import blueprint

__all__ = [
    "attribution", "blueprint", "books", "choice", "commissions", "events", "fraud", "fraud_rules", "goals", "newsletter_previews", "newsletters", "order_import", "orders", "partners", "payment", "payout_steps", "payouts", "performance", "plans", "program", "recruiting", "simulations", "today", "tracking", "validation", "ways_in",
]  # fmt: skip
