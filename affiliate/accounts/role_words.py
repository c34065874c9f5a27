"""Words about the roles of a partner's people."""

from flask_babel import gettext as _

from affiliate.accounts.roles import MemberRole


def role(kind: MemberRole) -> str:
    """What a role is called."""
    return {
        MemberRole.OWNER: _("Owner"),
        MemberRole.MARKETER: _("Marketer"),
        MemberRole.FINANCE: _("Finance"),
        MemberRole.READER: _("Read only"),
    }[kind]


def explained(kind: MemberRole) -> str:
    """What a role may do."""
    return {
        MemberRole.OWNER: _("may do everything, also change where money goes and who is in the team."),
        MemberRole.MARKETER: _("makes links, uses creatives, opens cases; sees no payouts and papers."),
        MemberRole.FINANCE: _("sees payouts and papers, sends invoices; makes no links."),
        MemberRole.READER: _("sees everything and changes nothing."),
    }[kind]
