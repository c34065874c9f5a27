"""Words of the history: acts, things and settings. What has no word yet shows its own name."""

from flask_babel import gettext as _

from affiliate.accounts.words import ROLES
from affiliate.console import words
from affiliate.programs.models import GoalMetric

N_ = str  # marks a word for the translators; it is translated where it is said

_ACTS = {
    "adjustment.decline": N_("declined a bonus or correction"),
    "adjustment.enter": N_("entered a bonus or correction"),
    "adjustment.post": N_("posted a bonus or correction"),
    "api_key.create": N_("made an API key"),
    "api_key.revoke": N_("revoked an API key"),
    "commission.approve": N_("approved a commission"),
    "commission.decline": N_("declined a commission"),
    "coupon.create": N_("bound a coupon to a partner"),
    "coupon.pause": N_("paused a coupon"),
    "coupon.resume": N_("switched a coupon on again"),
    "case.accept": N_("accepted a case"),
    "case.answer": N_("answered a case"),
    "case.ask": N_("asked back in a case"),
    "case.decline": N_("declined a case"),
    "case.open": N_("opened a case"),
    "case.withdraw": N_("withdrew a case"),
    "creative.add": N_("added a creative"),
    "creative.approve": N_("approved a partner's material"),
    "creative.change": N_("changed a creative"),
    "creative.propose": N_("proposed material"),
    "creative.refuse": N_("refused a partner's material"),
    "creative.retire": N_("let a creative end"),
    "creative.version": N_("put up a new version of a creative"),
    "dead_letters.replay": N_("tried events again that could not be stored"),
    "dead_letters.discard": N_("threw away an event that could not be stored"),
    "enrollment.approve": N_("let a partner in"),
    "enrollment.ban": N_("banned a partner"),
    "enrollment.pause": N_("paused a partner"),
    "enrollment.reject": N_("refused a partner"),
    "enrollment.resume": N_("let a partner go on"),
    "fraud.appeal": N_("appealed against a review"),
    "fraud.pass": N_("let an order pass"),
    "fraud.reject": N_("rejected an order"),
    "fraud.review": N_("put an order under review"),
    "fraud.settings": N_("changed the fraud rules"),
    "goal.create": N_("added a goal"),
    "grant.give": N_("gave a person a role"),
    "grant.limit": N_("set how much a person may approve"),
    "grant.revoke": N_("took a role from a person"),
    "link.create": N_("made a link"),
    "link.edit": N_("changed a link"),
    "link.pause": N_("paused a link"),
    "link.resume": N_("switched a link on again"),
    "newsletter.ask_consent": N_("asked a partner about its story"),
    "newsletter.create": N_("began a newsletter"),
    "newsletter.decline_consent": N_("declined a story about itself"),
    "newsletter.give_consent": N_("agreed to a story about itself"),
    "newsletter.lift_suppression": N_("let an address get newsletters again"),
    "newsletter.resend": N_("sent one newsletter mail again"),
    "newsletter.resume": N_("let a newsletter go on"),
    "newsletter.schedule": N_("ordered the sending of a newsletter"),
    "newsletter.stop": N_("stopped a newsletter"),
    "newsletter.undo": N_("took a newsletter back"),
    "payout_run.approve": N_("approved a payout run"),
    "payout_run.cancel": N_("took a payout run back"),
    "payout_run.pay": N_("marked a payout run as paid"),
    "payout_run.propose": N_("proposed a payout run"),
    "payout_run.export": N_("made a file for the bank"),
    "payout_run.fail": N_("noted that payouts did not arrive"),
    "payout_run.results": N_("took in what the bank says"),
    "payout.take_out": N_("took a payout out of a run"),
    "invoice.accept": N_("accepted a partner's invoice"),
    "invoice.file": N_("sent an invoice"),
    "invoice.refuse": N_("refused a partner's invoice"),
    "partner.ask_vies": N_("had VIES asked about a VAT number"),
    "partner.tax_profile": N_("entered a tax profile"),
    "partner.payout_details": N_("entered payment details"),
    "partner.block_payment": N_("stopped paying a partner"),
    "partner.enter_cost": N_("noted what a partner costs"),
    "partner.remove_cost": N_("removed a cost of a partner"),
    "partner.lift_payment_block": N_("let a partner be paid again"),
    "payout_run.set_aside": N_("set payouts aside that wait for an invoice"),
    "program.confirm_tax_rule": N_("had a tax rule confirmed"),
    "program.tax_examples": N_("took over examples of tax rules"),
    "program.tax_rule": N_("added a tax rule"),
    "program.tax_settings": N_("entered the buyer's data"),
    "program.payout_policy": N_("changed how the program pays"),
    "plan.draft": N_("drafted a commission plan"),
    "plan.change": N_("changed a draft of a commission plan"),
    "plan.simulate": N_("tried a commission plan on the past"),
    "plan.publish": N_("published a commission plan"),
    "plan.discard": N_("threw a draft of a commission plan away"),
    "plan.add_example": N_("saved an example order"),
    "plan.remove_example": N_("deleted an example order"),
    "partner.terms": N_("changed a partner's group or recruiter"),
    "validation.upload": N_("uploaded a validation file"),
    "validation.confirm": N_("validated orders by a file"),
    "attribution_policy.publish": N_("published an attribution policy"),
    "conversion.credit": N_("gave an order to a partner"),
    "conversion.verify": N_("verified an order by hand"),
    "enrollment.attribution_terms": N_("changed a partner's class or window"),
    "replay.start": N_("started a replay"),
    "replay.stop": N_("stopped a replay"),
    "replay.resume": N_("let a replay go on"),
    "program.create": N_("made the program"),
    "program.go_live": N_("set the program live"),
    "program.pause": N_("paused the program"),
    "program.rotate_pixel_secret": N_("replaced the pixel secret"),
    "program.rotate_postback_token": N_("replaced the postback token"),
    "program.update": N_("changed settings"),
}


def action(code: str) -> str:
    """An act, from its code noun.verb."""
    return _(_ACTS[code]) if code in _ACTS else code


def subject(kind: str) -> str:
    """The kind of a thing, as a filter."""
    kinds: dict[str, str] = {
        "adjustment": _("Bonuses and corrections"),
        "partner_cost": _("Costs of partners"),
        "api_key": _("API keys"),
        "case": _("Cases"),
        "commission": _("Commissions"),
        "conversion": _("Orders"),
        "coupon": _("Coupons"),
        "creative": _("Creatives"),
        "enrollment": _("Partners"),
        "goal": _("Goals"),
        "link": _("Links"),
        "newsletter": _("Newsletters"),
        "payout_run": _("Payouts"),
        "plan": _("Commission plans"),
        "program": _("Program"),
        "user": _("People"),
    }
    return kinds.get(kind, kind)


def setting(name: str) -> str:
    """A setting or detail by its column."""
    settings: dict[str, str] = {
        "accent": _("Colour"),
        "blocked": _("Left out"),
        "code": _("Code"),
        "effective_from": _("From"),
        "ends_on": _("Ends before"),
        "failed": _("Failed"),
        "fixed_minor": _("Amount"),
        "kind": _("How it pays"),
        "landing_url": _("Landing page"),
        "left_minor": _("Left"),
        "partners": _("Partners"),
        "rate_bps": _("Percentage"),
        "role": _("Role"),
        "slug": _("Name in addresses"),
        "starts_on": _("From"),
        "subject": _("Subject"),
        "stored": _("Stored"),
        "target_minor": _("Target"),
        "allowed_hosts": _("Hosts that links may lead to"),
        "attribution_window_days": _("Attribution window, days"),
        "audience": _("Who fits"),
        "case_answer_days": _("Cases are answered within, days"),
        "channel_signs": _("Signs of other paid channels"),
        "click_parameter": _("Name of the click id in addresses"),
        "cookie_by_default": _("Set the cookie without asking"),
        "description": _("Description"),
        "fallback_url": _("Where unknown links lead"),
        "metric": _("What counts"),
        "mission": _("In one sentence"),
        "name": _("Name"),
        "payout_min_minor": _("Minimum payout"),
        "policy_version": _("Policy version"),
        "reason": _("Reason"),
        "shop_url": _("Address of the shop"),
        "target": _("Target"),
        "terms": _("Terms"),
        "time_zone": _("Time zone"),
        "total_minor": _("Total"),
        "validation_days": _("Validation period, days"),
        "validation_start": _("The validation period starts with"),
        "version": _("Version"),
    }
    return settings.get(name) or name.removesuffix("_minor").replace("_", " ")


def value(name: str, code: str) -> str:
    """A value that is a code of ours, in words; any other as it is."""
    words_of: dict[tuple[str, str], str] = {
        ("kind", "percent"): _("A percentage of the sale"),
        ("kind", "fixed"): _("A fixed amount for each sale"),
    }
    words_of |= {("role", role.value): str(word) for role, word in ROLES.items()}
    words_of |= {("metric", metric.value): words.goal_metric(metric) for metric in GoalMetric}
    return words_of.get((name, code), code)
