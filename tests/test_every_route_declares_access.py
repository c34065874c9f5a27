"""Every route of the application says who may call it, and every route that changes something asks for a token or a key."""

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from affiliate import web
from affiliate.accounts import access

_CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
# Called by programs and other sites without a cookie that speaks for anybody.
_MACHINES = (*web.MACHINE_PATHS, "/r/")


def routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Each rule with each of its methods, but those that Flask answers by itself."""
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods or ()):
            if method != "OPTIONS" or not getattr(rule, "provide_automatic_options", False):
                yield rule, method


def test_every_route_declares_who_may_call_it(app: Flask) -> None:
    undeclared = [f"{method} {rule}" for rule, method in routes(app) if _declaration(app, rule, method) is None]
    assert undeclared == []
    assert len(list(routes(app))) > 20


def test_what_changes_something_asks_for_a_token_or_a_key(app: Flask) -> None:
    open_routes = [
        f"{method} {rule}"
        for rule, method in routes(app)
        if method in _CHANGING and _is_exempt(app, rule) and not str(rule).startswith(_MACHINES)
    ]
    assert open_routes == []


def test_a_machine_is_never_asked_for_a_token(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    client = app.test_client()
    for rule, method in routes(app):
        if method in _CHANGING and str(rule).startswith(_MACHINES) and not rule.arguments:
            answer = client.open(str(rule), method=method)
            assert "CSRF" not in answer.text, rule


def test_keys_open_the_api_alone_and_pages_ask_for_people(app: Flask) -> None:
    for rule, method in routes(app):
        declaration = _declaration(app, rule, method)
        assert declaration is not None
        if declaration.kind == "key":
            assert str(rule).startswith("/api/"), rule
        if str(rule).startswith(("/portal/<", "/console/<")):
            assert declaration.kind in {"partner", "console"}, rule
            assert "slug" in rule.arguments, rule


def test_a_page_that_posts_is_refused_without_a_token(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    client = app.test_client()
    for rule, method in routes(app):
        if method in _CHANGING and not str(rule).startswith(_MACHINES) and not rule.arguments:
            assert client.open(str(rule), method=method).status_code == 400, rule


@pytest.mark.parametrize("kind", ["partner", "console"])
def test_pages_of_partners_and_managers_are_found(app: Flask, kind: str) -> None:
    """The checks above would pass on an application without pages."""
    found = [rule for rule, method in routes(app) if (got := _declaration(app, rule, method)) and got.kind == kind]
    assert found


def _declaration(app: Flask, rule: Rule, method: str) -> access.Declaration | None:
    return access.declaration_of(app, rule.endpoint, method)


def _is_exempt(app: Flask, rule: Rule) -> bool:
    view = app.view_functions[rule.endpoint]
    blueprint = app.blueprints.get(rule.endpoint.rpartition(".")[0])
    name = f"{view.__module__}.{view.__name__}"
    return name in web.csrf._exempt_views or blueprint in web.csrf._exempt_blueprints
