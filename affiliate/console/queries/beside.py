"""Several short lists by one statement: their rows stand beside one another by their places."""

from collections import namedtuple
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

PLACE = "place"
"""The column by which each list numbers its rows, from one on."""


def beside(session: Session, lists: Mapping[str, sa.Select[*tuple[Any, ...]]]) -> dict[str, list[Any]]:
    """The rows of each list in their order, as tuples with the names of what was asked for and without the place.

    What is no whole row of a table must have a name of its own.
    """
    if not lists:
        return {}
    parts = {name: rows.cte(f"list_{name}") for name, rows in lists.items()}
    places = sa.union(*(sa.select(part.c[PLACE]) for part in parts.values())).subquery()
    columns = {name: _columns(rows, parts[name]) for name, rows in lists.items()}
    joined: sa.FromClause = places
    for part in parts.values():
        joined = joined.outerjoin(part, part.c[PLACE] == places.c[PLACE])
    flat = [column for mine in columns.values() for column in mine]
    kinds = {name: _kind(rows) for name, rows in lists.items()}
    found: dict[str, list[Any]] = {name: [] for name in lists}
    for row in session.execute(sa.select(*flat).select_from(joined).order_by(places.c[PLACE])):
        start = 0
        for name, mine in columns.items():
            place, *told = row[start : start + len(mine)]
            start += len(mine)
            if place is not None:
                found[name].append(kinds[name](*told))
    return found


def _kind(rows: sa.Select[*tuple[Any, ...]]) -> type[Any]:
    names = [str(asked["name"]) for asked in rows.column_descriptions if asked["name"] != PLACE]
    return namedtuple("Row", names)  # noqa: PYI024 - its fields are known when it is asked


def _columns(rows: sa.Select[*tuple[Any, ...]], part: sa.CTE) -> list[Any]:
    """The place, then what was asked for: whole rows of a table as such."""
    found = [part.c[PLACE]]
    for asked in rows.column_descriptions:
        if asked["expr"] is asked["entity"]:
            found.append(aliased(asked["entity"], part))
        elif asked["name"] != PLACE:
            found.append(part.c[asked["name"]])
    return found
