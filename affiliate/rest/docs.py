"""The API's manual: the OpenAPI document as a page that needs no script."""

from typing import Any

from apispec import APISpec
from flask import Blueprint, current_app, render_template

from affiliate.accounts import access

docs = Blueprint("api_manual", __name__)
EXTENSION = "affiliate_openapi"
_METHODS = ("get", "post", "put", "patch", "delete")


@docs.get("/api/docs")
@access.public
def manual() -> str:
    """Every operation with its parameters, body and answers."""
    spec: APISpec = current_app.extensions[EXTENSION].document
    document = spec.to_dict()
    return render_template("rest/docs.html", operations=_operations(document), schemas=_schemas(document))


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        _operation(path, method, item[method])
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]


def _operation(path: str, method: str, found: dict[str, Any]) -> dict[str, Any]:
    body = found.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return {
        "id": f"{method}{path}".replace("/", "-").replace("{", "").replace("}", ""),
        "path": path,
        "method": method.upper(),
        "summary": found.get("summary", ""),
        "description": found.get("description", ""),
        "parameters": [_resolved(parameter) for parameter in found.get("parameters", []) if "name" in parameter],
        "body": _name(body) if body else None,
        "partners_scope": _partners_scope(found),
        "answers": [(status, answer.get("description", "")) for status, answer in found.get("responses", {}).items()],
    }


def _partners_scope(found: dict[str, Any]) -> str | None:
    """The scope by which a partner's own key may call it; null if it may not."""
    return next((one["partnerKey"][0] for one in found.get("security", ()) if "partnerKey" in one), None)


def _resolved(parameter: dict[str, Any]) -> dict[str, Any]:
    schema = parameter.get("schema", {})
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "type": schema.get("type", ""),
        "text": parameter.get("description", ""),
    }


def _schemas(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = document.get("components", {}).get("schemas", {})
    return [{"name": name, "fields": _fields(schema)} for name, schema in sorted(found.items())]


def _fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = set(schema.get("required", ()))
    return [
        {"name": name, "type": _name(field), "required": name in required, "text": field.get("description", "")}
        for name, field in schema.get("properties", {}).items()
    ]


def _name(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    variants = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if variants:
        return " | ".join(_name(variant) for variant in variants)
    kind = schema.get("type", "object")
    words = " | ".join(kind) if isinstance(kind, list) else str(kind)
    return f"list of {_name(schema['items'])}" if words == "array" and "items" in schema else words
