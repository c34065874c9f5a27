"""What every test's own application and database would compile again is compiled once per process.

That is the templates, the rules and builders of the addresses, and the SQL of statements. Half of the time of a test went there.
"""

import tempfile
from collections.abc import Callable, Hashable
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
_builders: dict[Hashable, Callable[..., Any]] = {}
_compile_builder = Rule._compile_builder
_statements: dict[type[DefaultDialect], LRUCache[Any, Any]] = {}
_STATEMENTS_MAX = 10_000  # all that the product has, several times over


def keep() -> None:
    """From now on. A template is compiled again when its text has changed."""
    passwords.TIME_COST, passwords.MEMORY_COST_KIB = 1, 64  # a sign-in was mostly this
    Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": FileSystemBytecodeCache(_folder.name)}
    Rule._compile_builder = _builder_of  # type: ignore[method-assign]
    # A statement is kept by its dialect. Here all engines of one kind speak to servers of one version, in the same words.
    DefaultDialect.__hash__ = lambda dialect: hash(type(dialect))  # type: ignore[method-assign]
    DefaultDialect.__eq__ = lambda dialect, other: type(dialect) is type(other)  # type: ignore[method-assign,assign]
    Engine._compiled_cache = property(_statements_of, lambda _engine, _own: None)  # type: ignore[assignment]


def _builder_of(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:  # noqa: FBT002 - werkzeug's signature
    """Werkzeug writes this function from nothing but these, and takes all else from the rule that it is called on."""
    made_of = (append_unknown, rule.rule, repr(rule._trace), repr(rule.defaults))
    if made_of not in _builders:
        _builders[made_of] = _compile_builder(rule, append_unknown)
    return _builders[made_of]


def _statements_of(engine: Engine) -> LRUCache[Any, Any]:
    return _statements.setdefault(type(engine.dialect), LRUCache(_STATEMENTS_MAX))
