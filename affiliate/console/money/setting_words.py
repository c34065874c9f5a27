"""What settings and the details of acts are called in the history, by their columns."""

from flask_babel import gettext as _


def setting(name: str) -> str:
    """A setting or detail by its column."""
    named = _of_papers() | _of_acts() | _of_programs()
    return named.get(name) or name.removesuffix("_minor").replace("_", " ")


def _of_papers() -> dict[str, str]:
    """What is set of taxes, papers and payouts."""
    return {
        "accent": _("Colour"),
        "adjustment_limit_minor": _("Bonuses and corrections that need no second person, up to"),
        "base_share_bps": _("Share taxed"),
        "cadence": _("When runs are due"),
        "country": _("Country"),
        "demands_profile": _("Pay nobody without a tax profile"),
        "is_one_person": _("One person may propose and approve"),
        "legal_name": _("Company name"),
        "net_days": _("Days to wait after the approval of a commission"),
        "new_account": _("Another account that pays"),
        "note": _("Note"),
        "offers_self_billing": _("Write invoices for partners who agree to it"),
        "other_address": _("Another address"),
        "other_tax_number": _("Another tax number"),
        "other_vat_id": _("Another VAT ID"),
        "stamp_above_minor": _("Stamp duty above"),
        "stamp_minor": _("Stamp duty"),
        "tax_number": _("Tax number"),
        "text": _("Text"),
        "valid_from": _("From"),
        "vat_bps": _("VAT"),
        "vat_id": _("VAT number"),
        "wise_template": _("Columns of your Wise template"),
    }


def _of_acts() -> dict[str, str]:
    """What an act was about."""
    return {
        "blocked": _("Left out"),
        "code": _("Code"),
        "effective_from": _("From"),
        "ends_on": _("Ends before"),
        "failed": _("Failed"),
        "fixed_minor": _("Amount"),
        "has_logo": _("Own logo"),
        "invited": _("Invited by mail"),
        "parts": _("Copied"),
        "agreed": _("Agreed"),
        "count": _("Number"),
        "days": _("Days"),
        "done": _("Done"),
        "end": _("Ends before"),
        "first": _("First"),
        "kind": _("Kind"),
        "host": _("Host"),
        "language": _("Language"),
        "paper": _("Paper"),
        "rule": _("Rule"),
        "due_on": _("Due"),
        "how_often": _("How often"),
        "side": _("Who"),
        "tag": _("Tag"),
        "task": _("Task"),
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
    }


def _of_programs() -> dict[str, str]:
    """What is set of a program."""
    return {
        "allowed_hosts": _("Hosts that links may lead to"),
        "application_answer_days": _("Applications are answered within, days"),
        "attribution_window_days": _("Attribution window, days"),
        "audience": _("Who fits"),
        "case_answer_days": _("Cases are answered within, days"),
        "channel_signs": _("Signs of other paid channels"),
        "click_parameter": _("Name of the click id in addresses"),
        "cookie_by_default": _("Set the cookie without asking"),
        "description": _("Description"),
        "fallback_url": _("Where unknown links lead"),
        "landing_labels": _("Labels for web analytics"),
        "metric": _("What counts"),
        "mission": _("In one sentence"),
        "name": _("Name"),
        "payout_min_minor": _("Minimum payout"),
        "policy_version": _("Policy version"),
        "reason": _("Reason"),
        "reason_code": _("Reason"),
        "shop_url": _("Address of the shop"),
        "target": _("Target"),
        "terms": _("Terms"),
        "time_zone": _("Time zone"),
        "total_minor": _("Total"),
        "validation_days": _("Validation period, days"),
        "validation_start": _("The validation period starts with"),
        "version": _("Version"),
    }
