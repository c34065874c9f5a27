"""The letters of accounts: choosing a password, the first as well, and the news that it was changed."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from affiliate.mailer import Letter


def letter(template: str, *, base_url: str, context: Mapping[str, Any]) -> Letter:
    """The letter for one of Flask-Security's occasions, in the language that is in force."""
    return _LETTERS[template](base_url, context)


def _reset(base_url: str, context: Mapping[str, Any]) -> Letter:
    # Our own address, never the one that the request came to: that is the asker's to choose.
    address = base_url + url_for("security.reset_password", token=context["reset_token"])
    return Letter(
        subject=_("Choose a password"),
        paragraphs=[
            _("Hello %(name)s,", name=context["user"].name),
            _("Here you can choose a password. The link works once, for 24 hours."),
            _("If you did not ask for it, do nothing: your account stays as it is."),
        ],
        act=(_("Choose a password"), address),
        why=_("You get this mail because somebody asked for a password for this address."),
    )


def _changed(base_url: str, context: Mapping[str, Any]) -> Letter:
    return Letter(
        subject=_("Your password was changed"),
        paragraphs=[
            _("Hello %(name)s,", name=context["user"].name),
            _("Your password was changed just now, and you were signed out on all other browsers."),
            _("If it was not you, choose a new password at once."),
        ],
        act=(_("It was not me"), base_url + url_for("security.forgot_password")),
        why=_("You get this mail because your account is at stake. It cannot be switched off."),
    )


_LETTERS: dict[str, Callable[[str, Mapping[str, Any]], Letter]] = {
    "security/email/reset_instructions": _reset,
    "security/email/reset_notice": _changed,
    "security/email/change_notice": _changed,
}
