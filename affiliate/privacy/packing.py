"""Tables of a copy as CSV: what is no plain value is written as JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from affiliate import exports
from affiliate.accounts.models import AuditEvent


def table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The rows under these names."""
    return exports.csv_text(names, ([_plain(value) for value in row] for row in rows))


def acts(events: Iterable[AuditEvent]) -> str:
    """What people did, without the details, which tell of others too."""
    rows = ((each.occurred_at, each.action, each.subject_kind, each.subject_id) for each in events)
    return table(["occurred_at", "action", "subject_kind", "subject_id"], rows)


def _plain(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value
