"""What a person may do for a partner. Pure."""

import enum


class MemberRole(enum.StrEnum):
    """The role of a person among a partner's people."""

    OWNER = "owner"
    MARKETER = "marketer"  # links, creatives, cases, postbacks; sees nothing of payment details and papers
    FINANCE = "finance"  # payouts, papers, invoices; makes no links
    READER = "reader"  # sees what a finance person and a marketer see, changes nothing


EVERYBODY = frozenset(MemberRole)
OWNER = frozenset({MemberRole.OWNER})
PROMOTES = frozenset({MemberRole.OWNER, MemberRole.MARKETER})
"""Who changes what is shown to visitors, and how sales are told."""
MONEY = frozenset({MemberRole.OWNER, MemberRole.FINANCE})
"""Who acts on payouts and papers."""
SEES_MONEY = MONEY | {MemberRole.READER}
"""Who sees payouts, papers and where money goes."""
WORKS = PROMOTES | MONEY
"""Everybody but those who only read."""
