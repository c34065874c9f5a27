"""The kinds of mail that a partner's people and managers get, who gets which, where else it is told, and what nobody can switch off. Pure.

Newsletters have kinds of their own, by program; mails about one's own account (a new password) belong to nobody's choice.
"""

import enum

from affiliate.accounts import roles


class MailKind(enum.StrEnum):
    """What a mail is about: first those to a partner's people, then those to managers."""

    MEMBERSHIP = "membership"  # the answer to an application
    PAYMENT_DETAILS = "payment_details"  # money shall go elsewhere: object in time
    INVOICES = "invoices"  # an invoice is wanted, or was refused
    PAID = "paid"
    DAY = "day"  # what came in and what was decided yesterday, in one mail
    CASES = "cases"
    AGREED = "agreed"  # tasks and goals that were agreed on
    CREATIVES = "creatives"
    STORIES = "stories"  # the program would like to tell about the partner
    POSTBACKS = "postbacks"  # an address was switched off
    LATE = "late"  # each morning, if anything: what is late in a program
    ALARMS = "alarms"  # a watched figure crossed its limit
    COMPLAINTS = "complaints"  # a case waits for an answer
    ANSWERS = "answers"  # an applicant answered a question
    DUTIES = "duties"  # tasks and goals that were agreed on with partners


REQUIRED = frozenset({MailKind.MEMBERSHIP, MailKind.PAYMENT_DETAILS, MailKind.INVOICES})
"""Law, contract or safety ask for these: they are always sent."""

TO_MANAGERS = frozenset({MailKind.LATE, MailKind.ALARMS, MailKind.COMPLAINTS, MailKind.ANSWERS, MailKind.DUTIES})

OPTIONAL = tuple(kind for kind in MailKind if kind not in REQUIRED)

IN_PORTAL = tuple(kind for kind in MailKind if kind not in TO_MANAGERS | {MailKind.MEMBERSHIP, MailKind.DAY})
"""What a partner's people are told in the portal too. Who reads there is a member already, and home tells of each day."""

IN_CHATS = tuple(kind for kind in MailKind if kind in IN_PORTAL or kind is MailKind.DAY)
"""What a partner may have told to its own chats."""

_ROLES = {
    MailKind.PAYMENT_DETAILS: roles.MONEY,
    MailKind.INVOICES: roles.MONEY,
    MailKind.PAID: roles.MONEY,
    MailKind.STORIES: roles.PROMOTES,
    MailKind.POSTBACKS: roles.PROMOTES,
}


def roles_of(kind: MailKind) -> frozenset[roles.MemberRole]:
    """Whose mail it is, by role: what a person may not see is not written to them either."""
    return _ROLES.get(kind, roles.EVERYBODY)
