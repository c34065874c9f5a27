"""Values of this process as a table that a statement can join: arrays on PostgreSQL, a VALUES list on SQLite."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from affiliate import db

_TYPES: Mapping[Any, sa.types.TypeEngine[Any]] = {
    UUID: sa.Uuid(),
    datetime: db.UtcDateTime(),
    str: sa.String(),
    str | None: sa.String(),
}


def table(session: Session, name: str, rows: Sequence[Any]) -> Any:
    """Values of a dataclass as a table that a statement can join."""
    fields = type(rows[0]).__dataclass_fields__
    types = {field: _TYPES[about.type] for field, about in fields.items()}
    columns = [sa.column(field, kind) for field, kind in types.items()]
    if is_postgresql(session):
        arrays = (
            sa.literal([getattr(row, field) for row in rows], postgresql.ARRAY(kind)) for field, kind in types.items()
        )
        return sa.func.unnest(*arrays).table_valued(*columns, name=name).render_derived()
    data = [tuple(getattr(row, field) for field in types) for row in rows]
    return sa.values(*columns, name=name).data(data).cte(name)


def is_postgresql(session: Session) -> bool:
    """Whether the session talks to PostgreSQL."""
    return session.get_bind().dialect.name == "postgresql"
