"""What every test's own application and database would compile again is compiled once per process.

That is the templates, the rules of addresses, and the SQL of statements. Half of the time of a test went there.
"""

import tempfile
from collections.abc import Hashable
from typing import Any

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from affiliate.accounts import passwords

PASSWORD_COST = (passwords.TIME_COST, passwords.MEMORY_COST_KIB)  # the product's own
_folder = tempfile.TemporaryDirectory(prefix="affiliate-templates-")  # removed when the run ends
_rules: dict[Hashable, Rule] = {}
_compile = Rule.compile
_statements: dict[type[DefaultDialect], LRUCache[Any, Any]] = {}
_STATEMENTS_MAX = 10_000  # all that the product has, several times over


def keep() -> None:
    """From now on. A template is compiled again when its text has changed."""
    passwords.TIME_COST, passwords.MEMORY_COST_KIB = 1, 64  # a sign-in was mostly this
    Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": FileSystemBytecodeCache(_folder.name)}
    Rule.compile = _compile_once  # type: ignore[method-assign]
    # A statement is kept by its dialect. Here all engines of one kind speak to servers of one version, in the same words.
    DefaultDialect.__hash__ = lambda dialect: hash(type(dialect))  # type: ignore[method-assign]
    DefaultDialect.__eq__ = lambda dialect, other: type(dialect) is type(other)  # type: ignore[method-assign,assign]
    Engine._compiled_cache = property(_statements_of, lambda _engine, _own: None)  # type: ignore[assignment]


def _compile_once(rule: Rule) -> None:
    """Werkzeug makes these parts and functions from nothing but this; they take all else from the rule that asks them."""
    known = tuple(rule.map.converters.values())
    made_of = (
        rule.rule,
        rule.subdomain,
        rule.host,
        rule.merge_slashes,
        rule.map.host_matching,
        repr(rule.defaults),
        known,
    )
    if made_of not in _rules:
        _compile(rule)
        _rules[made_of] = rule
    like = _rules[made_of]
    rule._parts, rule._trace, rule._converters = like._parts, like._trace, like._converters
    rule.arguments = set(like.arguments)
    rule._build, rule._build_unknown = (build.__func__.__get__(rule) for build in (like._build, like._build_unknown))


def _statements_of(engine: Engine) -> LRUCache[Any, Any]:
    return _statements.setdefault(type(engine.dialect), LRUCache(_STATEMENTS_MAX))
