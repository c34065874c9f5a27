"""What people read about funnels."""

from flask_babel import gettext as _

from affiliate import formats
from affiliate.ingest.devices import COMPUTER, PHONE, TABLET
from affiliate.reports import funnel as funnels
from affiliate.reports.funnel import Funnel, Stage

SNIPPET = """\
<main data-aff-page="product"> … </main>
<button data-aff-press="cart"> … </button>
<main data-aff-page="checkout"> … </main>"""
"""For the shop's developer; beside the tag."""


def stage(one: Stage) -> str:
    """How far a visit came."""
    return {
        Stage.VISIT: _("Visit"),
        Stage.PRODUCT: _("Product"),
        Stage.CART: _("Cart"),
        Stage.CHECKOUT: _("Checkout"),
        Stage.ORDER: _("Order"),
        Stage.KEPT: _("Kept order"),
    }[one]


def hint(one: Stage) -> str:
    """What is counted there."""
    return {
        Stage.VISIT: _("Valid clicks"),
        Stage.PRODUCT: _("Looked at a product"),
        Stage.CART: _("Put something into the cart"),
        Stage.CHECKOUT: _("Began to pay"),
        Stage.ORDER: _("Ordered, credited to the click"),
        Stage.KEPT: _("Approved and not taken back, of those validated"),
    }[one]


def device(name: str) -> str:
    """What a visit was made with."""
    return {PHONE: _("Phone"), TABLET: _("Tablet"), COMPUTER: _("Computer")}.get(name) or _("Unknown")


def answer(funnel: Funnel) -> str | None:
    """The sentence of the page: what part of the visits ended in an order, and where most of them were lost."""
    found = {line.stage: line for line in funnels.lines(funnel)}
    bought = found[Stage.ORDER].of_visits_bps
    if bought is None:
        return None
    return _("%(share)s of the visits ended in an order, %(kept)s in one that is kept.", share=formats.percent_bps(bought), kept=formats.percent_bps(found[Stage.KEPT].of_visits_bps))  # fmt: skip


def points(bps: int) -> str:
    """A difference of two shares."""
    return _("%(number)s points", number=formats.percent_bps(bps).rstrip("% \u00a0\u202f"))
