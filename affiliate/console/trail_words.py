"""Words of the history: acts, things and settings. What has no word yet shows its own name."""

from flask_babel import gettext as _

from affiliate.accounts.words import ROLES
from affiliate.console import words
from affiliate.programs.models import GoalMetric


def action(code: str) -> str:
    """An act, from its code noun.verb."""
    acts: dict[str, str] = {
        "api_key.create": _("made an API key"),
        "api_key.revoke": _("revoked an API key"),
        "commission.approve": _("approved a commission"),
        "commission.decline": _("declined a commission"),
        "coupon.create": _("bound a coupon to a partner"),
        "coupon.pause": _("paused a coupon"),
        "coupon.resume": _("switched a coupon on again"),
        "dead_letters.replay": _("tried events again that could not be stored"),
        "dead_letters.discard": _("threw away an event that could not be stored"),
        "enrollment.approve": _("let a partner in"),
        "enrollment.ban": _("banned a partner"),
        "enrollment.pause": _("paused a partner"),
        "enrollment.reject": _("refused a partner"),
        "enrollment.resume": _("let a partner go on"),
        "fraud.appeal": _("appealed against a review"),
        "fraud.pass": _("let an order pass"),
        "fraud.reject": _("rejected an order"),
        "fraud.review": _("put an order under review"),
        "fraud.settings": _("changed the fraud rules"),
        "goal.create": _("added a goal"),
        "grant.give": _("gave a person a role"),
        "grant.limit": _("set how much a person may approve"),
        "grant.revoke": _("took a role from a person"),
        "link.create": _("made a link"),
        "link.edit": _("changed a link"),
        "link.pause": _("paused a link"),
        "link.resume": _("switched a link on again"),
        "newsletter.ask_consent": _("asked a partner about its story"),
        "newsletter.create": _("began a newsletter"),
        "newsletter.decline_consent": _("declined a story about itself"),
        "newsletter.give_consent": _("agreed to a story about itself"),
        "newsletter.lift_suppression": _("let an address get newsletters again"),
        "newsletter.resend": _("sent one newsletter mail again"),
        "newsletter.resume": _("let a newsletter go on"),
        "newsletter.schedule": _("ordered the sending of a newsletter"),
        "newsletter.stop": _("stopped a newsletter"),
        "newsletter.undo": _("took a newsletter back"),
        "payout_run.approve": _("approved a payout run"),
        "payout_run.cancel": _("took a payout run back"),
        "payout_run.pay": _("marked a payout run as paid"),
        "payout_run.propose": _("proposed a payout run"),
        "payout_run.export": _("made a file for the bank"),
        "payout_run.fail": _("noted that payouts did not arrive"),
        "payout_run.results": _("took in what the bank says"),
        "payout.take_out": _("took a payout out of a run"),
        "partner.payout_details": _("entered payment details"),
        "partner.block_payment": _("stopped paying a partner"),
        "partner.lift_payment_block": _("let a partner be paid again"),
        "program.payout_policy": _("changed how the program pays"),
        "plan.draft": _("drafted a commission plan"),
        "plan.change": _("changed a draft of a commission plan"),
        "plan.simulate": _("tried a commission plan on the past"),
        "plan.publish": _("published a commission plan"),
        "plan.discard": _("threw a draft of a commission plan away"),
        "plan.add_example": _("saved an example order"),
        "plan.remove_example": _("deleted an example order"),
        "partner.terms": _("changed a partner's group or recruiter"),
        "validation.upload": _("uploaded a validation file"),
        "validation.confirm": _("validated orders by a file"),
        "attribution_policy.publish": _("published an attribution policy"),
        "conversion.credit": _("gave an order to a partner"),
        "enrollment.attribution_terms": _("changed a partner's class or window"),
        "replay.start": _("started a replay"),
        "replay.stop": _("stopped a replay"),
        "replay.resume": _("let a replay go on"),
        "program.create": _("made the program"),
        "program.go_live": _("set the program live"),
        "program.pause": _("paused the program"),
        "program.rotate_pixel_secret": _("replaced the pixel secret"),
        "program.rotate_postback_token": _("replaced the postback token"),
        "program.update": _("changed settings"),
    }
    return acts.get(code, code)


def subject(kind: str) -> str:
    """The kind of a thing, as a filter."""
    kinds: dict[str, str] = {
        "api_key": _("API keys"),
        "commission": _("Commissions"),
        "conversion": _("Orders"),
        "coupon": _("Coupons"),
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
