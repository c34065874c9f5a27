"""The first steps of a new partner on its home page, with help where one is stuck; nothing once all are done."""

from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from affiliate.accounts import access
from affiliate.joining.steps import Done, Step, StepKind, first_steps


def told(done: Done, *, now: datetime) -> list[dict[str, Any]]:
    """Each step with its address (null for who may not open it), what it is good for, and whether it is done."""
    return [_line(step) for step in first_steps(done, now=now)]


def _line(step: Step) -> dict[str, Any]:
    names: dict[StepKind, tuple[str, str, str]] = {
        StepKind.PROFILE: (
            _("Say where you promote"),
            _("Your website and your country stand in your profile."),
            "portal.profile",
        ),
        StepKind.LINK: (
            _("Make your first link"),
            _("Paste the address of any page of the shop."),
            "portal.new_link",
        ),
        StepKind.CREATIVE: (
            _("Use a banner or a text"),
            _("Copy its code with your link; done with its first click."),
            "portal.creatives",
        ),
        StepKind.CLICK: (_("Get your first click"), _("It appears within seconds."), "portal.links"),
        StepKind.PAYOUT: (
            _("Say where your money goes"),
            _("Without an account nothing can be paid to you."),
            "portal.payment_details",
        ),
        StepKind.TAXES: (
            _("Enter your tax profile"),
            _("It says which paper your payouts need, and what must stand on it."),
            "portal.tax_profile",
        ),
    }
    name, note, endpoint = names[step.kind]
    if step.is_stuck:
        note = _("No click yet? Open your link and test it: the page says what would be counted.")
    url = url_for(endpoint) if access.may(endpoint) else None
    return {"name": name, "note": note, "url": url, "is_done": step.is_done, "is_next": step.is_next}
