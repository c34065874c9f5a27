"""The terms of a partner's money beside the metrics: what each state, each column of a list and each sum means.

Pages take these from here, so that a word means the same on each of them.
"""

from collections.abc import Iterable

from flask_babel import gettext as _

from affiliate.commissions.models import CommissionStatus
from affiliate.payouts.models import PayoutStatus
from affiliate.reports import words

Term = dict[str, str]
"""A term for `ui.meanings` and `ui.help`: `label` is what it is called, `help` what it means."""

USUAL = (CommissionStatus.PENDING, CommissionStatus.APPROVED, CommissionStatus.IN_PAYOUT, CommissionStatus.PAID)
"""The way that most commissions go."""


def term(label: str, text: str) -> Term:
    """A term of this dictionary."""
    return {"label": label, "help": text}


def commission(status: CommissionStatus) -> str:
    """What it means that a commission has this status."""
    return {
        CommissionStatus.UNVERIFIED: _("The shop has not confirmed the order yet. Until it does, the sale does not count."),
        CommissionStatus.TEST: _("An order that tries whether everything works. It is never paid."),
        CommissionStatus.UNDER_REVIEW: _("Something about the sale is unusual. A person looks at it before it goes on."),
        CommissionStatus.PENDING: _("The customer may still return the order. When that time is over, it is approved."),
        CommissionStatus.APPROVED: _("It is certain that you earn it, and it is in no payout yet."),
        CommissionStatus.IN_PAYOUT: _("A payout that is being prepared, or is on its way to you."),
        CommissionStatus.PAID: _("It was sent to you with a payout."),
        CommissionStatus.REVERSED: _("The order came back or was cancelled, and the commission with it."),
        CommissionStatus.DECLINED: _("The program does not pay it. The reason stands beside it."),
    }[status]  # fmt: skip


def payout(status: PayoutStatus) -> str:
    """What it means that a payout has this status."""
    return {
        PayoutStatus.PROPOSED: _("It is being prepared: a second person looks at it, or it waits for your invoice."),
        PayoutStatus.APPROVED: _("It is released, and on its way to you."),
        PayoutStatus.PAID: _("It was sent to the account that you named."),
        PayoutStatus.FAILED: _("It did not arrive; its sales are in the next payout"),
        PayoutStatus.CANCELLED: _("Its sales are in the next payout"),
    }[status]


def states(found: Iterable[CommissionStatus] = ()) -> list[Term]:
    """What the states of commissions mean: the usual ones, and those that were found beside."""
    every = {*USUAL, *found}
    return [term(words.commission(one).word, commission(one)) for one in CommissionStatus if one in every]


def payout_states() -> list[Term]:
    """What the states of payouts mean."""
    return [term(words.payout(one).word, payout(one)) for one in PayoutStatus]


def payable() -> Term:
    """What of the approved is paid next."""
    text = _("What the next payout brings: all that is approved, less what came back of earlier sales, from the minimum payout on.")  # fmt: skip
    return term(_("Payable"), text)


def set_off() -> Term:
    """What a payout takes back."""
    return term(_("Set off"), _("Sales that were paid before and came back since. A payout is less by them."))


def way() -> dict[str, Term]:
    """The stations of the money on the home page."""
    return {
        "pending": term(_("Pending"), commission(CommissionStatus.PENDING)),
        "approved": term(_("Approved"), commission(CommissionStatus.APPROVED)),
        "sent": term(_("In payout"), commission(CommissionStatus.IN_PAYOUT)),
        "paid": term(_("Paid"), _("What was sent to you since the beginning of the year.")),
    }


def sale_columns() -> dict[str, str]:
    """What the columns of a list of sales hold, by their keys; states are told one by one."""
    return {
        "from": _("The link or the coupon that brought the customer."),
        "basket": _("What the customer paid for the order, with tax and shipping."),
        "approved": _("When it became certain that you earn it."),
        "matures": _("Until then the customer may still return the order."),
        "clicked": _("When the visitor followed your link."),
        "subs": _("Labels of your own that stand beside each click and sale, for example the post or the campaign."),
        "country": _("Where the visitor was, as far as the address of the computer tells."),
        "device": _("What the visitor followed your link with."),
        "referrer": _("The site with the link, as far as the visitor's browser told."),
        "earned": _("Your commission for the order, less what was taken back of it."),
    }


def of_sales(heads: dict[str, str], columns: Iterable[str], found: Iterable[CommissionStatus] = ()) -> list[Term]:
    """What a list of sales shows: its columns as `heads` call them, and the states."""
    told = sale_columns()
    return [*(term(heads[key], told[key]) for key in columns if key in told), *states(found)]


def of_payouts() -> list[Term]:
    """What a list of payouts shows."""
    return [
        *payout_states(),
        term(_("Earned"), _("What its sales and bonuses come to.")),
        set_off(),
        term(_("Amount"), _("What you get: what was earned, less what is set off, with the taxes that are added or withheld.")),
        term(_("Bonuses and corrections"), _("Amounts that the program entered by hand, each with its reason.")),
    ]  # fmt: skip
