"""Which roles open which pages of the console, and on which page each begins.

Managers may open every page: in a small program one person holds all of it. The four narrower roles and readers see the
program's figures, partners and orders, and change only what is theirs: cases (logistics), what arrived (tech), creatives,
newsletters and invitations (marketing). Books and payouts are for who does the money, and for readers.
"""

from collections.abc import Collection

from affiliate.accounts.models import GrantRole

EVERYBODY = tuple(role for role in GrantRole if role not in {GrantRole.PARTNER, GrantRole.ADMIN})
"""Who sees partners, orders, figures."""
BOOKS = (GrantRole.MANAGER, GrantRole.FINANCE, GrantRole.READER)
"""Who sees what moves money. Only the first two move it."""
LOGISTICS = (GrantRole.MANAGER, GrantRole.LOGISTICS)
"""Who answers complaints."""
TECH = (GrantRole.MANAGER, GrantRole.TECH)
"""Who looks after what arrives, and tries again what could not be stored."""
MARKETING = (GrantRole.MANAGER, GrantRole.MARKETING)
"""Who puts up creatives, writes newsletters, invites."""

VIEWS = {
    "logistics_view": (*LOGISTICS, GrantRole.FINANCE, GrantRole.READER),
    "tech_view": TECH,
    "marketing_view": (*MARKETING, GrantRole.FINANCE, GrantRole.READER),
    "finance_view": BOOKS,
}
"""The pages for four people, and who opens each."""

_STARTS = (
    (GrantRole.ADMIN, "today"),
    (GrantRole.MANAGER, "today"),
    (GrantRole.FINANCE, "today"),
    (GrantRole.MARKETING, "marketing_view"),
    (GrantRole.LOGISTICS, "logistics_view"),
    (GrantRole.TECH, "tech_view"),
    (GrantRole.READER, "performance"),
)


def start(roles: Collection[GrantRole]) -> str:
    """The page on which somebody with these roles begins: that of the widest one."""
    return next((f"console.{page}" for role, page in _STARTS if role in roles), "console.choose")
