"""The console's pages. Importing this module registers all of them on the blueprint."""

from affiliate.console import (
    adjustments,
    attribution,
    books,
    channels,
    choice,
    commissions,
    creatives,
    events,
    fraud,
    fraud_rules,
    goals,
    newsletter_previews,
    newsletters,
    order_import,
    orders,
    papers,
    partners,
    payment,
    payout_steps,
    payouts,
    performance,
    plans,
    program,
    recruiting,
    simulations,
    tax_settings,
    today,
    tracking,
    validation,
    ways_in,
)
from affiliate.console.blueprint import blueprint

__all__ = [
    "adjustments", "attribution", "blueprint", "books", "channels", "choice", "commissions", "creatives", "events", "fraud", "fraud_rules", "goals", "newsletter_previews", "newsletters", "order_import", "orders", "papers", "partners", "payment", "payout_steps", "payouts", "performance", "plans", "program", "recruiting", "simulations", "tax_settings", "today", "tracking", "validation", "ways_in",
]  # fmt: skip
