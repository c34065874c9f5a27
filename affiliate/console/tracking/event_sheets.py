"""How the pages of events are shaped."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from flask_babel import gettext as _

from affiliate.console import words
from affiliate.ingest import letters
from affiliate.tracking.rawlog import RawRequest

TEXT_LENGTH_MAX = 2_000


def requests(found: Sequence[RawRequest] | None) -> dict[str, Any]:
    """The requests, or that Redis does not answer (None)."""
    return {"answers": found is not None, "rows": [_request(each) for each in found or ()]}


def _request(each: RawRequest) -> dict[str, Any]:
    fine = HTTPStatus.OK <= each.status < HTTPStatus.BAD_REQUEST
    kind = "good" if fine else "wait" if each.status == HTTPStatus.CONFLICT else "bad"
    return {
        "at": each.received_at,
        "source": each.source,
        "what": each.what,
        "summary": [{"name": name, "value": value} for name, value in each.summary.items()],
        "sign": words.Sign(kind, str(each.status) if each.status else _("no answer"), "check" if fine else None),
        "reason": each.reason,
    }


def rejected(row: Any) -> dict[str, Any]:
    """A refused event with what it said."""
    return {"at": row.at, "kind": row.kind, "reason": words.reject_reason(row.reason), "text": _pretty(row.payload)}


def dead_letter(row: Any) -> dict[str, Any]:
    """An event that could not be stored, readable as far as possible."""
    return {
        "id": row.id,
        "at": row.at,
        "stream": row.stream,
        "entry": row.entry_id,
        "error": row.error,
        "text": letters.readable(row.payload, length_max=TEXT_LENGTH_MAX),
    }


def _pretty(payload: Any) -> str:
    return orjson.dumps(payload, option=orjson.OPT_INDENT_2).decode()[:TEXT_LENGTH_MAX]
