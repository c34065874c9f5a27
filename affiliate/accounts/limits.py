"""Limits on guessing: by account and by address, counted in Redis under keyed hashes, in memory while Redis is away.

By account only failures count, so that nobody locks themselves out by working; by address everything counts.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

import redis
from flask import Flask, Response, g, request, session
from flask_babel import gettext as _
from flask_limiter import Limiter, RateLimitExceeded, RequestLimit
from flask_login import current_user
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import signing
from affiliate.settings import Settings

ADDRESS = "30 per minute; 200 per hour"
ACCOUNT = "10 per 15 minutes; 60 per day"
SECOND_FACTOR = "5 per 5 minutes; 30 per day"
MAILS_PER_ACCOUNT = "5 per hour"
APPLICATIONS = "20 per hour; 60 per day"
DRAFTS = "300 per hour; 900 per day"
NEW_DRAFTS = "20 per hour; 60 per day"  # each makes a row, and a file is drawn anew and kept
LINK_TESTS = "10 per minute"  # a request of ours waits for a stranger's server
POSTBACK_TESTS = "20 per hour"
SIGN_UPS = "10 per hour; 30 per day"  # for news: each writes a mail to an address that anybody may have typed
PARTNER_KEYS = "120 per minute"  # of all keys of a partner in a program: tools of strangers
FEEDS = "60 per hour"  # of one address: a feed is megabytes, and changes by the day
FEED_CALLERS = "120 per minute"  # a price engine fetches those of many partners, and nobody guesses many
_IPV6_PREFIX = 64  # one customer's own network
REDIS_SECONDS_MAX = 0.2  # after which we count in memory: a slow Redis slows nobody down
_EXTENSION = "affiliate_limits"
_SIGN_IN = ("security.login", "security.verify", "security.change_password")
_SECOND_FACTOR = ("security.two_factor_token_validation", "security.mf_recovery")


@dataclass(frozen=True, slots=True)
class _Limits:
    """The limits of an application, which other packages put on their endpoints when these are registered."""

    app: Flask
    limiter: Limiter
    key: bytes

    def keyed(self, name: str, identity: Callable[[], str]) -> Callable[[], str]:
        """Who is counted, as a keyed hash."""
        return lambda: signing.keyed_hash(self.key, f"{name}:{identity()}")

    def limit(
        self,
        endpoints: Iterable[str],
        scope: str,
        allowed: str,
        *,
        methods: Iterable[str] | None = ("POST",),
        **how: Any,
    ) -> None:
        """Let so much through these endpoints together."""
        shared = self.limiter.shared_limit(
            allowed, scope=scope, methods=None if methods is None else list(methods), **how
        )
        views: dict[str, Callable[..., Any]] = self.app.view_functions
        for name in endpoints:
            views[name] = shared(views[name])

    def limit_by(self, endpoints: Iterable[str], scope: str, allowed: str, who: Callable[[], str], **how: Any) -> None:
        """The same for each person, partner or mailbox that `who` names."""
        self.limit(endpoints, scope, allowed, key_func=self.keyed(scope, who), **how)


def init_app(app: Flask, settings: Settings) -> None:
    """Put the limits before Flask-Security's views; call it after they are registered."""
    key = signing.derive(settings.secret_key, "limits")
    waits: dict[str, Any] = {"socket_timeout": REDIS_SECONDS_MAX, "socket_connect_timeout": REDIS_SECONDS_MAX}
    limiter = Limiter(
        lambda: signing.keyed_hash(key, f"address:{_address()}"),
        storage_uri=_storage(settings.redis_url),
        storage_options=waits,
        strategy="sliding-window-counter",
        key_prefix="aff:limit",
        in_memory_fallback_enabled=True,
        swallow_errors=True,
    )
    limiter.init_app(app)
    app.register_error_handler(RateLimitExceeded, lambda error: _too_many(app, limiter, error))
    limits = app.extensions[_EXTENSION] = _Limits(app, limiter, key)
    limits.limit((*_SIGN_IN, *_SECOND_FACTOR, "security.forgot_password", "security.reset_password"), "door", ADDRESS)
    limits.limit_by(_SIGN_IN, "account", ACCOUNT, _account, deduct_when=_failed)
    limits.limit_by(_SECOND_FACTOR, "code", SECOND_FACTOR, _second_factor, deduct_when=_failed)
    limits.limit_by(["security.forgot_password"], "mail", MAILS_PER_ACCOUNT, _typed_account)


def _of(app: Flask) -> _Limits:
    found: _Limits = app.extensions[_EXTENSION]
    return found


def limit_applications(
    app: Flask, endpoint: str, *, saved_by: tuple[str, ...] = (), begun_by: tuple[str, ...] = ()
) -> None:
    """Slow down the form that anybody may send and that writes a mail: by address, and by the person it is sent for.

    `saved_by` are the endpoints by which it saves itself while somebody types, `begun_by` those that make a new draft for a
    form without `draft`, and keep the files that came with it.
    """
    limits = _of(app)
    limits.limit(saved_by, "drafts", DRAFTS)
    limits.limit(begun_by, "new drafts", NEW_DRAFTS, exempt_when=_goes_on)
    limits.limit([endpoint], "applications", APPLICATIONS)
    limits.limit_by([endpoint], "applicant", MAILS_PER_ACCOUNT, _applicant, deduct_when=_passed)


def limit_sign_ups(app: Flask, endpoint: str) -> None:
    """Slow down the form for news: by address, and by the mailbox that it writes to."""
    limits = _of(app)
    limits.limit([endpoint], "sign-ups", SIGN_UPS)
    limits.limit_by([endpoint], "signed up", MAILS_PER_ACCOUNT, _applicant)


def limit_tests(app: Flask, *, links: str, postbacks: str) -> None:
    """Slow down the endpoints by which we call an address that a partner typed: links by person, postbacks by partner."""
    limits = _of(app)
    limits.limit_by([links], "link tests", LINK_TESTS, _person)
    limits.limit_by([postbacks], "postback tests", POSTBACK_TESTS, _partner, exempt_when=_is_no_test)


def limit_partner_keys(app: Flask, endpoints: Iterable[str]) -> None:
    """Slow down the keys of a partner on these endpoints, all of them together."""
    how: dict[str, Any] = {"methods": None, "exempt_when": _is_no_partner_key}  # they only read
    _of(app).limit_by(endpoints, "partner keys", PARTNER_KEYS, _key_owner, **how)


def limit_feeds(app: Flask, endpoint: str) -> None:
    """Slow down what programs fetch at secret addresses: each address, and each caller."""
    limits = _of(app)
    limits.limit([endpoint], "feed callers", FEED_CALLERS, methods=None)
    limits.limit_by([endpoint], "feeds", FEEDS, _secret_address, methods=None)


def _storage(redis_url: str) -> str:
    return f"redis+{redis_url}" if redis_url.startswith("unix:") else redis_url


def _address() -> str:
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    return str(ip_network((address, _IPV6_PREFIX), strict=False)) if address.version == 6 else str(address)  # noqa: PLR2004 - IPv6


def _typed_account() -> str:
    return request.form.get("email", "").strip().lower()


def _account() -> str:
    # Whose password is being guessed: never a name that the guesser may choose beside it.
    return _typed_account() if request.endpoint == "security.login" else str(getattr(current_user, "email", ""))


def _applicant() -> str:
    return _typed_account() or str(getattr(current_user, "email", "")) or _address()


def _goes_on() -> bool:
    """Whether a draft that was begun before is saved, without a new file."""
    return bool(request.form.get("draft")) and not any(file.filename for file in request.files.values())


def _person() -> str:
    return str(current_user.get_id() or _address())


def _partner() -> str:
    return str(g.partner.id)


def _secret_address() -> str:
    return str((request.view_args or {}).get("token"))


def _key_owner() -> str:
    return f"{g.api_key.program_id}:{g.api_key.partner_id}"


def _is_no_partner_key() -> bool:
    return g.get("api_key") is None or g.api_key.partner_id is None


def _is_no_test() -> bool:
    return (request.view_args or {}).get("act") != "test"


def _second_factor() -> str:
    return str(session.get("tf_user_id") or current_user.get_id() or _address())


def _failed(response: Response) -> bool:
    """Anything but the way onward."""
    return response.location is None


def _passed(response: Response) -> bool:
    return response.location is not None


def _too_many(app: Flask, limiter: Limiter, _error: RateLimitExceeded) -> BaseResponse:
    seconds = _seconds_to_wait(limiter.current_limit) if limiter.current_limit else 60
    minutes = math.ceil(seconds / 60)
    refusal = TooManyRequests(_("Too many tries. Try again in %(minutes)s min.", minutes=minutes), retry_after=seconds)
    return app.make_response(app.handle_http_exception(refusal))


def _seconds_to_wait(breached: RequestLimit) -> int:
    """Until the window ends; a whole window where Redis went away after it refused."""
    try:
        left = math.ceil(breached.reset_at - time.time())
    except redis.RedisError:
        return breached.limit.get_expiry()
    return max(1, min(left, breached.limit.get_expiry()))  # the end is rounded up to a second behind it
