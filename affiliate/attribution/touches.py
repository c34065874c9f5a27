"""The words of attribution: what a touch is, how it is recognised, and the closed lists of why it wins nothing. Pure."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from affiliate.partners.classes import PartnerClass


class Step(enum.StrEnum):
    """A way to recognise who brought a customer."""

    MANUAL = "manual"  # a manager said so
    CLICK_ID = "click_id"  # the order names a click by its signed id
    COUPON = "coupon"  # the order used a code that is bound to a partner
    VISITOR = "visitor"  # the browser that ordered is one that clicked, known by a cookie with consent
    SITE = "site"  # it came from a partner's confirmed website, without any code of it
    CUSTOMER = "customer_id"  # the shop's customer was brought by a partner before
    EMAIL = "email_hash"  # the same, known by the hash of the address


CLAIMS = frozenset({Step.MANUAL, Step.COUPON, Step.CUSTOMER, Step.EMAIL})
"""Steps that say who it was, and take the whole sale. The others are contacts in time, between which a model may divide it."""


class TouchRefusal(enum.StrEnum):
    """Why a touch cannot win."""

    TAMPERED_CLICK_ID = "tampered_click_id"
    UNKNOWN_CLICK = "unknown_click"
    UNKNOWN_COUPON = "unknown_coupon"
    NOT_VALID = "not_valid"  # the click itself was refused: a robot, a picture, a stopped link
    PARTNER_INACTIVE = "partner_inactive"
    OWN_PURCHASE = "own_purchase"  # the customer is one of the partner's own people
    AFTER_CONVERSION = "after_conversion"
    OUTSIDE_WINDOW = "outside_window"
    BINDING_ENDED = "binding_ended"  # the customer was brought too long ago
    STEP_OFF = "step_off"  # the program does not recognise anybody in this way


FLAWS = frozenset(TouchRefusal) - {
    *(TouchRefusal.AFTER_CONVERSION, TouchRefusal.OUTSIDE_WINDOW, TouchRefusal.BINDING_ENDED, TouchRefusal.STEP_OFF)
}
"""What is wrong with a touch by itself, whatever the policy says."""


class NotNeeded(enum.StrEnum):
    """Why a good touch did not win."""

    LOWER_STEP = "lower_step"
    LOWER_CLASS = "lower_class"
    EARLIER_CLICK = "earlier_click"
    LATER_CLICK = "later_click"
    SHARE_TOO_SMALL = "share_too_small"
    OTHER_CHANNEL = "other_channel"
    # of the touches of other channels themselves
    CHANNEL_IGNORED = "channel_ignored"
    CHANNEL_YIELDS = "channel_yields"
    EARLIER_CHANNEL = "earlier_channel"


class Unattributed(enum.StrEnum):
    """Why a conversion has no credit."""

    NO_TOUCH = "no_touch"
    ALL_REFUSED = "all_refused"  # there were touches; the trace says why each was refused
    OTHER_CHANNEL = "other_channel"  # a partner would have had it, but another paid channel came last


Kind = Literal["click", "coupon", "binding", "manual", "channel"]


@dataclass(frozen=True, slots=True)
class Touch:
    """A contact of the customer with a partner, or with another paid channel (`channel`; then nobody's).

    `steps` are the ways in which it is recognised, `flaw` what is already known to be wrong with it, `window_days` what the
    partner was promised instead of the program's window.
    """

    kind: Kind
    at: datetime
    steps: tuple[Step, ...] = ()
    id: UUID | None = None
    code: str | None = None
    partner_id: UUID | None = None
    link_id: UUID | None = None
    partner_class: PartnerClass = PartnerClass.STANDARD
    window_days: int | None = None
    channel: str | None = None
    flaw: TouchRefusal | None = None

    @property
    def order(self) -> tuple[datetime, str]:
        """By time, and by id within one instant."""
        return self.at, str(self.id or self.channel or "")
