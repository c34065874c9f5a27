"""The settings of a partner in one place: each leads to its own page."""

from typing import Any

from flask import g, url_for
from flask_babel import gettext as _

from affiliate.accounts import access, role_words
from affiliate.portal.blueprint import blueprint, show


@blueprint.get("/<slug>/settings")
@access.partner
def preferences() -> str:
    """What can be set for the partner, and what each person sets for themselves."""
    groups = [
        {"title": g.partner.name, "entries": [each for each in _of_partner() if access.may(each["endpoint"])]},
        {"title": _("You"), "entries": _of_person()},
    ]
    return show("preferences.html", groups=groups, role=role_words.role(g.member_role))


def _of_partner() -> list[dict[str, Any]]:
    return [
        _entry("portal.profile", "id", _("Profile"), _("Name, website, and where you promote.")),
        _entry("portal.team", "users", _("Team"), _("Who else works for you here, and in which role.")),
        _entry("portal.postbacks", "webhook", _("Postbacks"), _("Tell your own system of each sale.")),
        _entry("portal.api_keys", "key", _("API keys"), _("Let your own tools read your numbers.")),
        _entry("portal.payment_details", "building-bank", _("How you are paid"), _("The account your money goes to.")),
        _entry("portal.tax_profile", "file-invoice", _("Tax profile"), _("What must stand on your invoices.")),
        _entry("portal.data", "shield-check", _("Your data"), _("A copy of everything, or be forgotten.")),
    ]


def _of_person() -> list[dict[str, Any]]:
    return [
        _entry("accounts.settings", "user", _("Your account"), _("Name, language, time zone, password, second factor, sessions.")),
        _entry("portal.telling", "bell", _("What you are told of"), _("By mail, in the portal and in your chats: payouts, cases, sales.")),
        _entry("mail.account", "mail", _("Newsletters"), _("Which newsletters you get, by program.")),
        _entry("privacy.account_data", "shield-check", _("Data of your account"), _("A copy of your account, or be forgotten")),
    ]  # fmt: skip


def _entry(endpoint: str, icon: str, label: str, text: str) -> dict[str, Any]:
    return {"endpoint": endpoint, "icon": icon, "label": label, "text": text, "url": url_for(endpoint)}
