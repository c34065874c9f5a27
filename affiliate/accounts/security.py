"""Flask-Security as we use it: sign-in, sign-out, password reset and change, second factor, recovery codes.

Flask-Security commits by itself: its views call `datastore.commit()` after a sign-in, a changed password, a second
factor. This is the one place where a request commits before its edge does; what it wrote then stays, also if
something later in the same request failed.
"""

import base64
from typing import Any

import segno
from flask import Flask, g, redirect, request, url_for
from flask_babel import force_locale
from flask_security import FSQLALiteUserDatastore, MailUtil, PasswordUtil, RoleMixin, Security, Totp
from flask_security.babel import FsDomain
from flask_security.mail_util import EmailValidateException
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import errors, formats, mailer, settings, signing, web
from affiliate.accounts import access, limits, mails, passwords, sessions, words
from affiliate.accounts.people import SignInUser
from affiliate.accounts.resolvers import Resolvers
from affiliate.settings import Settings

_EMAIL_LENGTH_MAX = 255
_RESET = "security/email/reset_instructions"
ISSUER = "Partner program"  # what an authenticator app shows above the code
_ENDPOINTS = {
    "login": access.public,
    "logout": access.public,  # signing out twice is no mistake
    "forgot_password": access.public,
    "reset_password": access.public,
    "two_factor_token_validation": access.public,  # between password and code nobody is signed in yet
    "two_factor_rescue": access.public,
    "tf_select": access.public,
    "mf_recovery": access.public,
    "verify": access.signed_in,
    "change_password": access.signed_in,
    "two_factor_setup": access.signed_in,
    "two_factor_setup_validate": access.signed_in,
    "mf_recovery_codes": access.signed_in,
}


def init_app(app: Flask, configured: Settings, *, resolvers: Resolvers) -> None:
    """Give the app sign-in, and enforce who may call its routes."""
    access.init_app(app, resolvers=resolvers)
    app.config.update(_config(configured))
    security = Security(
        app,
        _Datastore(web.orm, SignInUser, RoleMixin),  # no table of roles: rights are grants
        mail_util_cls=_MailUtil,
        password_util_cls=_PasswordUtil,
        totp_cls=_Totp,
    )
    security.want_json(lambda _request: False)  # pages only: the API knows keys
    security.i18n_domain = _Domain(app)  # type: ignore[no-untyped-call] # the library's constructor
    app.view_functions["security.two_factor_rescue"] = _rescue
    for name, declaration in _ENDPOINTS.items():
        access.declare(app, f"security.{name}", declaration)
    sessions.init_app(app)
    limits.init_app(app, configured)
    app.before_request(_refuse_foreign_next)


def _refuse_foreign_next() -> None:
    """Where to go after the sign-in is a path of ours; the library would also follow, or stumble over, other addresses."""
    if request.blueprint != "security":
        return
    if any(target and not _is_ours(target) for target in (request.args.get("next"), request.form.get("next"))):
        raise errors.Malformed("The address to go on to after the sign-in is none of ours.")


def _is_ours(target: str) -> bool:
    """A path, or the whole address of this very host: before it asks for the code, the library names the sign-in page like that."""
    return web.is_own_path(target.removeprefix(request.host_url.removesuffix("/")))


def _config(configured: Settings) -> dict[str, Any]:
    second_factor_key = signing.derive(configured.secret_key, "second factor")
    options = {
        "password_salt": "unused: argon2 salts each hash itself",
        "password_hash": "argon2",
        "password_schemes": ["argon2"],
        "password_single_hash": {"argon2"},
        "hashing_schemes": ["hex_sha256"],  # of the password's hash, in reset links; the usual one takes 300 ms
        "deprecated_hashing_schemes": [],
        "password_hash_passlib_options": {
            "argon2__time_cost": passwords.TIME_COST,
            "argon2__memory_cost": passwords.MEMORY_COST_KIB,
            "argon2__parallelism": passwords.PARALLELISM,
        },
        "join_user_roles": False,
        "user_identity_attributes": [{"email": {"mapper": _address, "case_insensitive": False}}],
        "return_generic_responses": True,
        "static_folder": None,
        "recoverable": True,
        "changeable": True,
        "two_factor": True,
        "two_factor_enabled_methods": ["authenticator"],
        "two_factor_rescue_email": False,
        "two_factor_authenticator_validity": 30,  # seconds of clock difference that are forgiven
        "two_factor_post_setup_view": "/account/",
        "totp_secrets": {"1": base64.b64encode(second_factor_key).decode()},
        "totp_issuer": ISSUER,
        "multi_factor_recovery_codes": True,
        "multi_factor_recovery_codes_n": 10,
        "multi_factor_recovery_codes_keys": [base64.urlsafe_b64encode(second_factor_key)],
        "freshness": access.FRESH_FOR,
        "freshness_grace_period": access.FRESH_GRACE,
        "api_enabled_methods": ["session"],
        "email_plaintext": False,  # our own letters, in the person's language
        "email_html": False,
        "post_login_view": "/welcome",
        "post_logout_view": "/login",
        "post_change_view": "/account/",
        "post_verify_view": "/account/",
        "post_reset_view": "/login",
    }
    return {f"SECURITY_{name.upper()}": value for name, value in options.items()} | words.library_messages()


def _rescue() -> BaseResponse:
    """Who lost the phone uses a recovery code; the library would also offer to write to an address that nobody reads."""
    return redirect(url_for("security.mf_recovery"))


class _Domain(FsDomain):
    """The library's own words in its own translations, and ours (lazy strings) in ours."""

    def gettext(self, string: Any, **variables: Any) -> str:
        """The words in the reader's language, as plain text that fits into a cookie."""
        return str(super().gettext(str(string), **variables))  # type: ignore[no-untyped-call] # as above


def _address(text: str) -> str | None:
    return text.strip().lower() if "@" in text else None


class _Datastore(FSQLALiteUserDatastore):
    """The users' table for Flask-Security."""

    def mf_get_recovery_codes(self, user: Any) -> list[str]:
        """The codes that are left; while one is being used, nobody else can use it."""
        _hold(user)
        return list(user.mf_recovery_codes or [])

    def mf_set_recovery_codes(self, user: Any, rcs: list[str] | None) -> None:
        """New codes in place of the old ones."""
        super().mf_set_recovery_codes(user, rcs)
        sessions.record(user, "user.make_recovery_codes")

    def mf_delete_recovery_code(self, user: Any, idx: int) -> bool:
        """Use a code up. A new list, because the ORM does not see a change inside one."""
        codes = list(user.mf_recovery_codes or [])
        if idx >= len(codes):
            return False
        user.mf_recovery_codes = codes[:idx] + codes[idx + 1 :]
        sessions.record(user, "user.use_recovery_code")
        return True


class _Totp(Totp):
    """A code works once: the time step of the last one is kept with the person."""

    def generate_qrcode(self, username: str, totp: str) -> str:
        """The picture to scan, on white also where the page is dark."""
        return segno.make(self.get_totp_uri(username, totp)).svg_data_uri(scale=4, border=4, light="#fff")

    def get_last_counter(self, user: Any) -> int | None:
        """The step of the last code."""
        _hold(user)
        counter: int | None = user.tf_last_counter
        return counter

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        """Remember the step of this code."""
        user.tf_last_counter = tmatch.counter


def _hold(user: Any) -> None:
    """Lock the person's row until the request ends, so that one code cannot be used twice at the same moment."""
    if request.method not in web.SAFE_METHODS:
        web.orm.session.refresh(user, with_for_update=True)


class _PasswordUtil(PasswordUtil):
    """Our password rules, for the library's forms."""

    def normalize(self, password: str) -> str:
        """One form for what looks alike."""
        return passwords.normalize(password)

    def validate(self, password: str, is_register: bool, **kwargs: Any) -> tuple[list[Any] | None, str]:  # noqa: ARG002, FBT001 - the library's signature
        """What is wrong with a new password, and its normal form."""
        normal = self.normalize(password)
        user = kwargs.get("user")
        about = (user.email, user.name) if user else ()
        problem = passwords.problem(normal, about=about)
        return ([words.password_message(problem)] if problem else None), normal


class _MailUtil(MailUtil):
    """The library's mails become letters in our outbox, within the request's transaction."""

    def normalize(self, email: str) -> str:
        """The form in which addresses are stored; addresses of a private network are welcome."""
        address = _address(email)
        if address is None or len(address) > _EMAIL_LENGTH_MAX:
            raise EmailValidateException(str(words.BAD_ADDRESS))
        return address

    validate = normalize

    def send_mail(self, template: str, *_rendered: Any, **context: Any) -> None:
        """Write the letter in the person's language."""
        if template == _RESET:  # as long as the library takes for an address without an account
            passwords.hash_of("nobody's password")
        user = context["user"]
        language = user.locale or formats.locale()
        with force_locale(language):
            # The installation, whatever host was asked: who manages a program has its host in hand, and would read the link.
            letter = mails.letter(template, base_url=settings.current().base_url, context=context)
        mailer.post(
            web.orm.session, recipient=user.email, letter=letter, locale=language, program=g.get("host_program"),
            now=web.request_now(),
        )  # fmt: skip
