"""The shop's server side: it posts an order to the API as any shop would, over HTTP, and keeps what was answered."""

import json
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 5
_BODY_BYTES_MAX = 64 * 1024
_DETAIL_LENGTH_MAX = 300  # it is kept in a cookie

Problem = Literal["no_key", "no_answer", "refused"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the API answered, or why there is no answer. `detail` is for the shop's developer."""

    status: int | None = None
    conversion: str | None = None
    problem: Problem | None = None
    detail: str = ""


def kept(receipt: Receipt) -> dict[str, Any]:
    """What the cookie holds of an answer."""
    return asdict(receipt)


def post_order(body: dict[str, Any], *, base_url: str, key_file: Path) -> Receipt:
    """Post an order, with five seconds for the answer. Never raises: the customer's order stands whatever happens here."""
    key = _key(key_file)
    if key is None:
        return Receipt(problem="no_key", detail=str(key_file)[:_DETAIL_LENGTH_MAX])
    try:
        status, answer = _post(f"{base_url}/api/v1/conversions", json.dumps(body).encode(), key)
    except (OSError, HTTPException, ValueError) as error:
        return Receipt(problem="no_answer", detail=(str(error) or type(error).__name__)[:_DETAIL_LENGTH_MAX])
    if status in {HTTPStatus.OK, HTTPStatus.ACCEPTED}:
        return Receipt(status=status, conversion=str(answer.get("id", "")))
    return Receipt(status=status, problem="refused", detail=str(answer.get("message", ""))[:_DETAIL_LENGTH_MAX])


def _key(key_file: Path) -> str | None:
    """The demo's API key. Read each time: a demo that was loaded again has another one."""
    try:
        return str(json.loads(key_file.read_text())["api_key"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _post(url: str, body: bytes, key: str) -> tuple[int, dict[str, Any]]:
    parts = urlsplit(url)
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    headers = {"Host": parts.netloc, "Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        connection.request("POST", parts.path, body, headers)
        response = connection.getresponse()
        text = response.read(_BODY_BYTES_MAX)
    finally:
        connection.close()
    answer = json.loads(text)
    return response.status, answer if isinstance(answer, dict) else {}


def _connection(scheme: str, host: str, port: int | None) -> HTTPConnection:
    if scheme == "https":
        return HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS)
    # Browsers know that names below `localhost` are this machine (RFC 6761); many C libraries do not.
    address = "127.0.0.1" if host.endswith(".localhost") else host
    return HTTPConnection(address, port, timeout=TIMEOUT_SECONDS)
