"""All pages of the portal: importing this module puts them on the blueprint."""

from affiliate.portal import (
    cases,
    commissions,
    creatives,
    home,
    link_import,
    links,
    newsletters,
    papers,
    payment,
    payouts,
    postbacks,
    preferences,
    statement,
    statistics,
    team,
)
from affiliate.portal.blueprint import blueprint

__all__ = [
    "blueprint",
    "cases",
    "commissions",
    "creatives",
    "home",
    "link_import",
    "links",
    "newsletters",
    "papers",
    "payment",
    "payouts",
    "postbacks",
    "preferences",
    "statement",
    "statistics",
    "team",
]
