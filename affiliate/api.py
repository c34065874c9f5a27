"""What all API blueprints share: the OpenAPI document, money and id fields, and paging by cursor."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from apispec import APISpec
from flask import Response, current_app, json, request
from flask_smorest import Api
from marshmallow import Schema, ValidationError, fields

from affiliate import ids, money

OPENAPI_VERSION = "3.1.0"
Row = TypeVar("Row")
_AMOUNT_PATTERN = r"^-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,6})?$"


class AmountText(fields.Field[str]):
    """An amount as text, `"49.90"`. The currency's decimals are checked where the currency is known.

    An own class instead of `Decimal(as_string=True)`: apispec writes that one as a number into the OpenAPI document.
    """

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # noqa: ARG002 - marshmallow's signature
        return None if value is None else str(value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:  # noqa: ARG002 - as above
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValidationError("Write the amount as text, for example “49.90”.")
        return str(value)


class PublicId(fields.Field[UUID]):
    """A UUID in its public form with a prefix, `com_…`."""

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        shape = {"pattern": f"^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"}
        super().__init__(**kwargs | {"metadata": shape | kwargs.get("metadata", {})})
        self.prefix = prefix

    def _serialize(self, value: UUID | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # noqa: ARG002 - marshmallow's signature
        return None if value is None else ids.public(self.prefix, value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> UUID:  # noqa: ARG002 - as above
        try:
            return ids.parse(self.prefix, str(value))
        except ids.BadPublicId as error:
            raise ValidationError(f"Not an id that starts with {self.prefix}_.") from error


class MoneySchema(Schema):
    """`{"amount": "49.90", "currency": "EUR"}`."""

    amount = fields.Method("amount_text", metadata={"type": "string", "format": "decimal", "pattern": _AMOUNT_PATTERN})
    currency = fields.String()

    def amount_text(self, value: money.Money) -> str:
        """The amount with exactly the currency's decimals."""
        return value.text()


class ErrorSchema(Schema):
    """The one shape of an error."""

    code = fields.String(required=True)
    message = fields.String(required=True)
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


class DescribedApi(Api):  # type: ignore[misc]  # smorest carries no types
    """The blueprints of the API, and their OpenAPI document.

    The document is written when it is first asked for: writing it takes longer than all the rest of a start, and most
    processes are never asked. Errors are rendered by `web`, not by smorest.
    """

    ERROR_SCHEMA = ErrorSchema

    def __init__(self) -> None:
        self._document: APISpec | None = None
        self._blueprints: list[Any] = []
        self._writing = threading.Lock()
        super().__init__()

    def register_blueprint(self, blueprint: Any) -> None:
        """Add its routes to the application, and later itself to the document."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._blueprints.append(blueprint)

    @property
    def document(self) -> APISpec:
        """The OpenAPI document of all blueprints."""
        with self._writing:
            if self._document is None:
                self._document = self._write()
        return self._document

    def _write(self) -> APISpec:
        super()._init_spec()
        self.register_field(AmountText, "string", "decimal")
        self.register_field(PublicId, "string", None)
        self.ma_plugin.converter.add_attribute_function(
            lambda _self, field, **_: {"pattern": _AMOUNT_PATTERN} if isinstance(field, AmountText) else {}
        )
        document: APISpec = self.spec
        for blueprint in self._blueprints:
            blueprint.register_views_in_doc(self, self._app, document, name=blueprint.name, parameters=None)
            document.tag({"name": blueprint.name, "description": blueprint.description})
        return document

    def _init_spec(self, **_options: Any) -> None:
        """Not yet: see `document`."""

    def _openapi_json(self) -> Response:
        return current_app.response_class(
            json.dumps(self.document.to_dict(), indent=2, sort_keys=False), mimetype="application/json"
        )

    def _register_error_handlers(self) -> None:
        """None: one handler renders all errors, in `web`."""


def config(*, title: str, version: str) -> dict[str, Any]:
    """The settings of flask-smorest."""
    return {
        "API_TITLE": title,
        "API_VERSION": version,
        "OPENAPI_VERSION": OPENAPI_VERSION,
        "OPENAPI_URL_PREFIX": "/api/v1",
        "OPENAPI_JSON_PATH": "openapi.json",
        "API_SPEC_OPTIONS": {
            "components": {
                "securitySchemes": {
                    "key": {"type": "http", "scheme": "bearer", "description": "A key of the program."},
                    "partnerKey": {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "A key of a partner: it reads, and that partner's own rows alone.",
                    },
                }
            },
            "security": [{"key": []}],
        },
    }


def field_errors(messages: Any) -> dict[str, list[str]]:
    """Nested messages of marshmallow as `{"items.0.amount": ["…"]}`; the part of the request they came from is left out."""
    flat: dict[str, list[str]] = {}

    def walk(path: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(f"{path}.{key}" if path else str(key), inner)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            flat[path] = [str(entry) for entry in value]
        else:
            flat[path] = [str(value)]

    if (
        isinstance(messages, Mapping)
        and len(messages) == 1
        and set(messages) <= {"json", "query", "path", "form", "json_or_form", "files"}
    ):
        messages = next(iter(messages.values()))
    walk("", messages)
    return flat


def paged(rows: Sequence[Row], *, size: int, key: Callable[[Row], UUID]) -> tuple[list[Row], dict[str, str]]:
    """The page out of `size + 1` rows, and its `Link` header when there is a next one."""
    page = list(rows[:size])
    if len(rows) <= size:
        return page, {}
    arguments = request.args.to_dict() | {"cursor": ids.public("cur", key(page[-1]))}
    return page, {"Link": f'<{request.base_url}?{urlencode(arguments)}>; rel="next"'}
