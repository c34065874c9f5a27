"""What every test's own application would compile again is compiled once: its templates and the builders of its addresses."""

import tempfile
from collections.abc import Callable, Hashable
from typing import Any

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule

_folder = tempfile.TemporaryDirectory(prefix="affiliate-templates-")  # removed when the run ends
_builders: dict[Hashable, Callable[..., Any]] = {}
_compile_builder = Rule._compile_builder


def keep() -> None:
    """From now on. A template is compiled again when its text has changed."""
    Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": FileSystemBytecodeCache(_folder.name)}
    Rule._compile_builder = _builder_of  # type: ignore[method-assign]


def _builder_of(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:  # noqa: FBT002 - werkzeug's signature
    """Werkzeug writes this function from nothing but these, and takes all else from the rule that it is called on."""
    made_of = (append_unknown, rule.rule, repr(rule._trace), repr(rule.defaults))
    if made_of not in _builders:
        _builders[made_of] = _compile_builder(rule, append_unknown)
    return _builders[made_of]
