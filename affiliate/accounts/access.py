"""Who may call which route. Each view carries exactly one declaration; a hook before every request enforces it.

A route without a declaration is refused, and a guard test fails for it. Nobody signed in: pages lead to the sign-in,
machines get 401. No right: 404, so that nobody learns what exists. A key without the scope: 403, because its holder
is known and can ask for more.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_security.utils import check_and_update_authn_fresh

from affiliate import errors, web
from affiliate.accounts import bearer, keys, queries, typed
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.accounts.bearer import BearerKey
from affiliate.accounts.models import GrantRole, User
from affiliate.accounts.resolvers import Resolvers
from affiliate.accounts.roles import EVERYBODY, PROMOTES, MemberRole

_ATTRIBUTE = "declared_access"
_EXTENSION = "affiliate_access"
FRESH_FOR = timedelta(minutes=15)
FRESH_GRACE = timedelta(minutes=15)
View = TypeVar("View", bound=Callable[..., Any])


class RoleMissing(errors.Forbidden):
    """The person belongs to the partner, but not in a role for this."""

    code = "role_missing"

    def __init__(self) -> None:
        super().__init__("Your role in this partner account does not include this. Ask one of its owners.")


class NotForPartners(errors.Forbidden):
    """The key is a partner's, and this is for keys of the program."""

    code = "not_for_partners"

    def __init__(self) -> None:
        super().__init__("This is for keys of the program. A partner's key reads that partner's own rows.")


class NotHere(errors.NotFound):
    """There is no such page for this caller."""

    def __init__(self) -> None:
        super().__init__("There is nothing here for you. Check the address, or sign in with another account.")


@dataclass(frozen=True, slots=True)
class Declaration:
    """Who may call a route: its kind and, by kind, the roles or the scope. `fresh` asks for a recent password.

    `members` are roles of a partner's people; none named: everybody reads, and owners and marketers change.
    `from_memory`: a key that the tracker holds in memory is enough, so that events are taken while SQL is away.
    `partners_too`: the view takes keys of partners, and reads only their rows for them.
    `keeps`: fields that are typed again for the person, if the password is asked for first (`typed`).
    """

    kind: str
    roles: frozenset[GrantRole] = frozenset()
    members: frozenset[MemberRole] = frozenset()
    scope: str = ""
    fresh: bool = False
    from_memory: bool = False
    partners_too: bool = False
    keeps: tuple[str, ...] = ()

    def __call__(self, view: View) -> View:
        """Mark a view. A second mark is a mistake, found when the module is loaded."""
        if hasattr(view, _ATTRIBUTE):
            raise TypeError(f"{view.__qualname__} already declares who may call it")
        setattr(view, _ATTRIBUTE, self)
        return view

    def members_for(self, method: str) -> frozenset[MemberRole]:
        """The roles of a partner's people that may call it so."""
        return self.members or (EVERYBODY if method in web.SAFE_METHODS else PROMOTES)


public = Declaration("public")
"""Anybody."""

signed_in = Declaration("signed_in")
"""Any signed-in person."""

partner = Declaration("partner")
"""A member of a partner enrolled in the program of `<slug>`. Sets `g.program`, `g.partner`, `g.enrollment`, `g.member_role`.

Everybody may read; what changes something is for owners and marketers. `partner_with` names other roles.
"""


def partner_with(members: frozenset[MemberRole]) -> Declaration:
    """The same for members in these roles alone, whatever the method."""
    return replace(partner, members=members)


def console(*roles: str) -> Declaration:
    """A person with one of these roles in the program of `<slug>`, or in all (asked for where the route has no slug).

    Admins always pass. Sets `g.program`, `g.roles`, the person's roles there, and `g.roles_everywhere`, those of them for all programs.
    """
    return Declaration("console", roles=frozenset(GrantRole(role) for role in roles))


def key(scope: str, *, from_memory: bool = False) -> Declaration:
    """An API key of the program with this scope, as bearer. Sets `g.api_key`. Keys of partners are refused."""
    if scope not in keys.SCOPES:
        raise ValueError(f"unknown scope {scope!r}")
    return Declaration("key", scope=scope, from_memory=from_memory)


def any_key(scope: str) -> Declaration:
    """The same, or a key of a partner: the view must read only the rows of `g.api_key.partner_id` where there is one."""
    if scope not in keys.PARTNER_SCOPES:
        raise ValueError(f"{scope!r} is no scope of partners")
    return Declaration("key", scope=scope, partners_too=True)


def fresh(declaration: Declaration, *, keeps: Collection[str] = ()) -> Declaration:
    """The same, and the person has typed the password in the last minutes: for what moves money or opens doors.

    `keeps` are fields of its form that the page finds in `typed` afterwards; none of them may be a secret.
    """
    return replace(declaration, fresh=True, keeps=tuple(keeps))


@dataclass(frozen=True, slots=True)
class _State:
    resolvers: Resolvers
    endpoints: dict[str, Declaration]
    keys: bearer.Keys


def init_app(app: Flask, *, resolvers: Resolvers) -> None:
    """Enforce the declarations of this app's routes."""
    app.extensions[_EXTENSION] = _State(resolvers, {"static": public}, bearer.Keys(resolvers.key_in_memory))
    app.before_request(_enforce)
    app.after_request(_keep_private)
    app.teardown_request(_note_key_use)


def declare(app: Flask, endpoint: str, declaration: Declaration) -> None:
    """Declare a route whose view is a library's own."""
    _state(app).endpoints[endpoint] = declaration


def declaration_of(app: Flask, endpoint: str, method: str) -> Declaration | None:
    """What the view of this endpoint declares for this method; null if it declares nothing."""
    state = _state(app)
    if endpoint in state.endpoints:
        return state.endpoints[endpoint]
    view = app.view_functions[endpoint]
    view_class = getattr(view, "view_class", None)
    handler = getattr(view_class, ("get" if method == "HEAD" else method.lower()), view) if view_class else view
    found: Declaration | None = getattr(handler, _ATTRIBUTE, None)
    return found


def key_at_hand(app: Flask, authorization: str, *, scope: str, now: datetime) -> BearerKey | None:
    """The key in this header, for who answers in front of the app: `bearer.Keys.at_hand`."""
    return _state(app).keys.at_hand(authorization, scope=scope, now=now)


def actor() -> Actor:
    """Who acts in this request: the key, the signed-in person, or the system for a visitor."""
    if (api_key := g.get("api_key")) is not None:
        return Actor(kind="key", id=api_key.id)
    if current_user.is_authenticated:
        return Actor(kind="user", id=current_user.id, acting_for=g.get("acting", {}).get("partner_id"))
    return SYSTEM


def _state(app: Flask) -> _State:
    state: _State = app.extensions[_EXTENSION]
    return state


def _enforce() -> ResponseReturnValue | None:
    g.declaration = declaration = _declared()
    if declaration.kind == "public":
        return None
    if declaration.kind == "key":
        _enter_key(declaration)
        return None
    if not current_user.is_authenticated:
        return _door("security.login")
    if declaration.fresh and not check_and_update_authn_fresh(FRESH_FOR, FRESH_GRACE):
        typed.keep(declaration.keeps)
        return _door("security.verify")
    _ENTER[declaration.kind](declaration, current_user)
    return None


def _enter_key(declaration: Declaration) -> None:
    state = _state(current_app)
    found = state.keys.read(scope=declaration.scope, from_memory=declaration.from_memory)
    if found.partner_id is not None:
        if not declaration.partners_too:
            raise NotForPartners
        if not state.resolvers.is_welcome(web.orm.session, partner_id=found.partner_id, program_id=found.program_id):
            raise bearer.unauthorized("The partner of this key does not take part in the program any more.")
    g.api_key = found


def _note_key_use(_error: BaseException | None) -> None:
    if (found := g.get("api_key")) is not None:
        _state(current_app).keys.note_use(found)


def _keep_private(response: Response) -> Response:
    """What was made for one caller is kept by nobody: not by a proxy, not by the browser after the sign-out."""
    if "Cache-Control" not in response.headers and (g.get("declaration", public).kind != "public" or _is_for_one()):
        response.headers["Cache-Control"] = "private, no-store"
    return response


def _is_for_one() -> bool:
    """Whether a page that is open to all was made for one person: behind a secret address, or for who is signed in."""
    if "token" in (request.view_args or {}):
        return True
    # Nobody is read from the database here: this may be the answer that says it is away.
    return "_login_user" in g and bool(current_user.is_authenticated)


def _declared() -> Declaration:
    rule = request.url_rule
    if rule is None:
        return public  # no such route: the router's own 404 or 405 follows
    if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
        return public  # answered by Flask with the list of methods, without the view
    declaration = declaration_of(current_app, rule.endpoint, request.method)
    if declaration is None:
        raise RuntimeError(f"{rule.endpoint} does not declare who may call it")
    return declaration


def _enter_partner(declaration: Declaration, person: User) -> None:
    program = _program_of_slug()
    found = _state(current_app).resolvers.membership(web.orm.session, user_id=person.id, program_id=program.id)
    if found is None:
        raise NotHere
    partner, enrollment, role = found
    if role not in declaration.members_for(request.method):
        raise RoleMissing
    g.program, g.partner, g.enrollment, g.member_role = program, partner, enrollment, role


def may(endpoint: str, method: str = "GET") -> bool:
    """Whether the partner's person of this request could call this endpoint: pages leave out what would be refused."""
    declaration, role = declaration_of(current_app, endpoint, method), g.get("member_role")
    return declaration is not None and role is not None and role in declaration.members_for(method)


def _enter_console(declaration: Declaration, person: User) -> None:
    program = _program_of_slug() if "slug" in (request.view_args or {}) else None
    program_id = program.id if program is not None else None
    roles, everywhere = queries.roles_by_reach(web.orm.session, user_id=person.id, program_id=program_id)
    if not roles & (declaration.roles | {GrantRole.ADMIN}):
        raise NotHere
    g.program, g.roles, g.roles_everywhere = program, roles, everywhere


_ENTER: Mapping[str, Callable[[Declaration, User], None]] = {
    "signed_in": lambda _declaration, _person: None,
    "partner": _enter_partner,
    "console": _enter_console,
}


def _program_of_slug() -> Any:
    slug = str((request.view_args or {})["slug"])
    program = _state(current_app).resolvers.program_by_slug(web.orm.session, slug=slug)
    if program is None:
        raise NotHere
    return program


def _door(endpoint: str) -> ResponseReturnValue:
    """Lead the person to sign in (or to confirm the password) and back here afterwards."""
    if web.is_machine_request():
        raise bearer.unauthorized("Sign in first.")
    address = url_for(endpoint, next=_way_back())
    if request.headers.get("HX-Request"):  # htmx would put the whole sign-in page into a corner of this one
        return "", 204, {"HX-Redirect": address}
    return redirect(address)


def _way_back() -> str:
    if request.method in web.SAFE_METHODS:
        return request.full_path.rstrip("?")
    came_from = urlsplit(request.referrer or "")
    return came_from.path if came_from.netloc == request.host else "/"
