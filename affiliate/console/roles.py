"""Which roles open which pages of the console, and on which page each begins.

Managers may open every page: in a small program one person holds all of it. The four narrower roles and readers see the
program's figures, partners and orders, and change only what is theirs: cases (logistics), what arrived (tech), creatives,
newsletters and invitations (marketing). Books and payouts are for who does the money, and for readers. Readers see besides
what is set, how the program pays, what the shop sent, what is agreed with partners and what is said to them; keys, payment
details, papers, addresses of people outside and the team stay closed to them. A page that two roles share shows its forms to those who may send them.
"""

from collections.abc import Collection

from affiliate.accounts.models import GrantRole

EVERYBODY = tuple(role for role in GrantRole if role not in {GrantRole.PARTNER, GrantRole.ADMIN})
"""Who sees partners, orders, figures."""
BOOKS = (GrantRole.MANAGER, GrantRole.FINANCE, GrantRole.READER)
"""Who sees what moves money. Only the first two move it."""
LOGISTICS = (GrantRole.MANAGER, GrantRole.LOGISTICS)
"""Who answers complaints."""
SEES_CASES = (*LOGISTICS, GrantRole.READER)
"""Who reads complaints."""
TECH = (GrantRole.MANAGER, GrantRole.TECH)
"""Who looks after what arrives, and tries again what could not be stored."""
SEES_TRACKING = (*TECH, GrantRole.READER)
"""Who sees how the shop is connected and what it sent last. Keys, and what was refused or not stored, are for the first two."""
MARKETING = (GrantRole.MANAGER, GrantRole.MARKETING)
"""Who puts up creatives, writes newsletters, invites."""
SEES_MARKETING = (*MARKETING, GrantRole.READER)
"""Who sees creatives and newsletters."""
SETTINGS = (GrantRole.MANAGER, GrantRole.READER)
"""Who sees what is set and how applications are weighed. Only managers change it."""
CARE = (GrantRole.MANAGER, GrantRole.FINANCE, GrantRole.LOGISTICS, GrantRole.MARKETING, GrantRole.READER)
"""Who sees what is agreed with a partner and what went between: everybody who works with partners. Only managers agree."""

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
