"""The first steps of a new partner on its home page, with help where one is stuck; nothing once all are done."""

from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from affiliate.accounts import access
from affiliate.joining.steps import Done, Step, StepKind, first_steps


def told(done: Done, *, now: datetime) -> list[dict[str, Any]]:
    """Each step with its address (null for who may not open it), whether it is done, and what helps with it now (of the others "")."""
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
    name, hint, endpoint = names[step.kind]
    note = _help(step.kind) if step.is_stuck else hint if step.is_next else ""
    url = url_for(endpoint) if access.may(endpoint) else None
    return {"name": name, "note": note, "url": url, "is_done": step.is_done, "is_next": step.is_next}


def _help(kind: StepKind) -> str:
    """What helps who has not come past a step for long."""
    told: dict[StepKind, str] = {
        StepKind.PROFILE: _("No website of your own? The address of your channel serves as well. Choose a country, too."),
        StepKind.LINK: _("Not sure where to lead? Open the shop, copy the address of the page that you like best, and paste it."),
        StepKind.CREATIVE: _("Nothing that suits you? A text can be copied as it is, and what you make yourself you can propose."),
        StepKind.CLICK: _("No click yet? Open your link and test it: the page says what would be counted."),
        StepKind.PAYOUT: _("It takes a minute. What you enter is kept encrypted, and only its end is shown from then on."),
        StepKind.TAXES: _("Not sure what applies? Begin with who you are: a person or a business. You can change all of it later."),
    }  # fmt: skip
    return told[kind]
