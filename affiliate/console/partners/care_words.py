"""Words about the momentum of partners for pages."""

from flask_babel import gettext as _
from flask_babel import pgettext

from affiliate import formats
from affiliate.console.words import Sign
from affiliate.reports.momentum import SPAN_DAYS, Momentum, Reason
from affiliate.steering.models import PartnerMomentum


def momentum(of: Momentum) -> Sign:
    """Where a partner is heading."""
    return {
        Momentum.RISING: Sign("good", pgettext("partner", "Rising"), "trending-up"),
        Momentum.STEADY: Sign("", pgettext("partner", "Steady"), "minus"),
        Momentum.FADING: Sign("wait", pgettext("partner", "Fading"), "trending-down"),
        Momentum.DORMANT: Sign("hold", pgettext("partner", "Asleep"), "moon"),
        Momentum.NEEDS_SUPPORT: Sign("wait", pgettext("partner", "Needs support"), "help-circle"),
    }[of]


def reason(of: PartnerMomentum) -> str:
    """Why, with the numbers that were compared."""
    now, before, days = formats.number(of.now), formats.number(of.before), SPAN_DAYS
    return {
        Reason.NEVER_STARTED: _("No click and no sale since it was let in."),
        Reason.JUST_BEGUN: _("It has just begun."),
        Reason.SILENT: _("No click and no sale in %(days)s days.", days=days),
        Reason.CLICKS_WITHOUT_SALES: _("%(now)s valid clicks in %(days)s days, and no sale.", now=now, days=days),
        Reason.FEW_SALES: _(
            "Sales in %(days)s days: %(now)s. At the program's usual rate its clicks would have brought %(usual)s.",
            now=now,
            usual=before,
            days=days,
        ),
        Reason.SALES_CHANGED: _(
            "%(now)s sales in %(days)s days, %(before)s in those before.", now=now, before=before, days=days
        ),
        Reason.CLICKS_CHANGED: _(
            "%(now)s clicks in %(days)s days, %(before)s in those before.", now=now, before=before, days=days
        ),
        Reason.TOO_LITTLE: _("Too little happened to tell."),
    }[of.reason]


def advice(of: PartnerMomentum) -> str:
    """What one could do."""
    by_reason = {
        Reason.NEVER_STARTED: _("Write and offer help with the first link."),
        Reason.CLICKS_WITHOUT_SALES: _("Look at where its links lead, and whom it reaches."),
        Reason.FEW_SALES: _("Talk about whom it reaches and what its links promise: many come, few buy."),
        Reason.JUST_BEGUN: _("Leave it some weeks, and ask whether it has all that it needs to begin."),
        Reason.TOO_LITTLE: _("Send it something new to show, and see whether more comes of it."),
    }
    by_state = {
        Momentum.RISING: _("Thank them, and agree on a goal."),
        Momentum.STEADY: _("Nothing presses. Propose a goal a little above what it brings now."),
        Momentum.FADING: _("Ask what has changed, and offer something new to show."),
        Momentum.DORMANT: _("Ask whether they still want to take part."),
    }
    return by_reason.get(of.reason) or by_state[of.momentum]
