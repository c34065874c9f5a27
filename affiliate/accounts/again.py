"""The page again, as the answer to what was typed wrong into one of its forms: what was typed stays, and why it is refused stands beside it.

A page may have many small forms and dialogs, each of which posts to an address of its own. A form asks `sent_to` by that
address what to show in its fields: on every other page, and in every other form, that is nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import current_app, flash, g, make_response, redirect, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers.response import Response

from affiliate import formats
from affiliate.accounts import access
from affiliate.errors import Invalid

_WRONG = 422


@dataclass
class Sent:
    """What was sent to an address and refused: the fields as they were typed, and what is wrong with which.

    `unplaced` is what no field of the page has taken: it stands at the top of the page.
    """

    path: str = ""
    typed: MultiDict[str, str] = field(default_factory=MultiDict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    placed: set[str] = field(default_factory=set)
    unplaced: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether anything was sent to the form that asks."""
        return bool(self.path)

    def value(self, name: str, usual: Any = "") -> Any:
        """What was typed into a field; `usual` where nothing was sent."""
        return self.typed.get(name, usual)

    def error(self, name: str) -> str:
        """What is wrong with a field, said there; empty when nothing is."""
        self.placed.add(name)
        return " ".join(self.errors.get(name, ()))


def sent_to(*addresses: str | None) -> Sent:
    """What was sent to one of these addresses and refused in this request; an empty one if nothing was."""
    paths = [urlsplit(address).path for address in addresses if address]
    found: Sent | None = g.get("sent") if paths else None
    return found if found is not None and found.path in paths else Sent()


def keep(errors: Mapping[str, Sequence[str]] | None = None, names: Mapping[str, str] | None = None) -> None:
    """Keep what was typed for the page that answers; `names` says where a wrong value has another name in the form."""
    said: dict[str, list[str]] = {}
    for name, sentences in (errors or {}).items():
        said.setdefault((names or {}).get(name, name), []).extend(_(sentence) for sentence in sentences)
    g.sent = Sent(request.path, request.form, said)


def answer(back: str, refusal: Invalid, names: Mapping[str, str] | None = None) -> Response:
    """The page that was left, with what is wrong at its fields; a sentence that belongs to none of them stands at its top."""
    keep(refusal.errors, names)
    sent: Sent = g.sent
    page = page_at(back, status=_WRONG)
    if page.status_code != _WRONG:
        flash(formats.reason(refusal), "error")
        return page
    astray = sent.errors.keys() - sent.placed
    if not astray:
        return page
    sent.unplaced = [text for name in sent.errors for text in sent.errors[name] if name in astray]
    sent.errors = {name: texts for name, texts in sent.errors.items() if name not in astray}
    return page_at(back, status=_WRONG)  # once more: the top of a page is written before its fields


def page_at(address: str, *, status: int) -> Response:
    """The page at this address, as the answer to this request; a page that asks for more rights is led to."""
    target = urlsplit(address)
    adapter = current_app.create_url_adapter(request)
    if adapter is None:
        raise RuntimeError("there is no request")
    rule, arguments = adapter.match(target.path, method="GET", return_rule=True)
    asked = access.declaration_of(current_app, rule.endpoint, "GET")
    if asked is None or (asked.fresh and not g.declaration.fresh) or not g.declaration.roles <= asked.roles:
        return redirect(address, 303)
    arguments = {name: value for name, value in arguments.items() if name != "slug"}
    request.url_rule, request.view_args, request.method = rule, arguments, "GET"  # else forms would take what was sent
    request.path, request.query_string = target.path, target.query.encode()  # where its links lead back to
    request.args = MultiDict(parse_qsl(target.query))
    return make_response(current_app.view_functions[rule.endpoint](**arguments), status)
