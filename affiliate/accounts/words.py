"""What the pages of sign-in and account say. The library's own messages are replaced where we say it better."""

from flask_babel import lazy_gettext as _l

from affiliate.accounts.models import GrantRole
from affiliate.accounts.passwords import LENGTH_MAX, LENGTH_MIN, PasswordProblem

BAD_ADDRESS = _l("This is not an e-mail address. Check it for typing errors.")

ROLES = {
    GrantRole.PARTNER: _l("Partner"),
    GrantRole.MANAGER: _l("Manager"),
    GrantRole.FINANCE: _l("Finance"),
    GrantRole.ADMIN: _l("Administrator"),
    GrantRole.READER: _l("Read only"),
    GrantRole.LOGISTICS: _l("Logistics"),
    GrantRole.TECH: _l("Web and tech"),
    GrantRole.MARKETING: _l("Marketing"),
}

_PASSWORD = {
    PasswordProblem.TOO_SHORT: _l("Use at least %(count)s characters; a sentence is fine.", count=LENGTH_MIN),
    PasswordProblem.TOO_LONG: _l("Use at most %(count)s characters.", count=LENGTH_MAX),
    PasswordProblem.COMMON: _l("This password is easy to guess. Add words that only you would think of."),
}

_LIBRARY = {
    "GENERIC_AUTHN_FAILED": (_l("The e-mail address or the password is wrong."), "error"),
    "EMAIL_NOT_PROVIDED": (_l("Type your e-mail address."), "error"),
    "PASSWORD_NOT_PROVIDED": (_l("Type the password."), "error"),
    "INVALID_EMAIL_ADDRESS": (BAD_ADDRESS, "error"),
    "INVALID_PASSWORD": (_l("This is not your password."), "error"),
    "RETYPE_PASSWORD_MISMATCH": (_l("The two passwords are not the same."), "error"),
    "PASSWORD_IS_THE_SAME": (_l("The new password is the old one. Choose another."), "error"),
    "PASSWORD_CHANGE": (_l("Your password is changed. Other browsers are signed out."), "success"),
    "PASSWORD_RESET_REQUEST": (
        _l("If there is an account for this address, a mail with a link is on its way."),
        "success",
    ),
    "PASSWORD_RESET_NO_LOGIN": (_l("Your password is set. Sign in with it."), "success"),
    "PASSWORD_RESET_EXPIRED": (_l("This link is too old. Ask for a new one."), "error"),
    "INVALID_RESET_PASSWORD_TOKEN": (_l("This link was used already or is not complete. Ask for a new one."), "error"),
    "REAUTHENTICATION_REQUIRED": (_l("Type your password again: this page can change who may act for you."), "warning"),
    "REAUTHENTICATION_SUCCESSFUL": (_l("Thank you."), "success"),
    "UNAUTHENTICATED": (_l("Sign in to see this page."), "warning"),
    "TWO_FACTOR_INVALID_TOKEN": (
        _l("This code is wrong, used or too old. Wait for the next one in your app."),
        "error",
    ),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": (_l("You are signed in."), "success"),
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": (
        _l("The second factor is on. Get your recovery codes now, for the day the phone is gone."),
        "success",
    ),
    "TWO_FACTOR_DISABLED": (_l("The second factor is off."), "success"),
    "TWO_FACTOR_SETUP_EXPIRED": (_l("This took too long. Start again."), "error"),
    "TWO_FACTOR_PERMISSION_DENIED": (_l("Sign in first."), "error"),
    "INVALID_RECOVERY_CODE": (_l("This is not one of your unused recovery codes."), "error"),
    "NO_RECOVERY_CODES_SETUP": (_l("You have no recovery codes yet."), "info"),
    "DISABLED_ACCOUNT": (_l("This account is closed. Write to the program's managers."), "error"),
    "INVALID_REDIRECT": (_l("This link led away from here and was not followed."), "error"),
}


def library_messages() -> dict[str, tuple[object, str]]:
    """The messages as Flask-Security's configuration wants them."""
    return {f"SECURITY_MSG_{name}": message for name, message in _LIBRARY.items()}


def password_message(problem: PasswordProblem) -> str:
    """Why a password is refused, and what to do instead."""
    return str(_PASSWORD[problem])
