"""Which labels count under their own name: the first so many of an owner on a UTC day. The others count together as OTHER.

Whoever sends clicks chooses sub ids and referrers; without a cap they would choose the size of the rollups too. A label that
was admitted stays admitted, and one that came too late stays out, so that the counts can be recomputed from the clicks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from affiliate import db
from affiliate.ingest import bulk, queries
from affiliate.ingest.rollup_models import ClickLabel, Owner

LABELS_MAX = 200  # for each partner, or each program, and UTC day
_OWNERS_REMEMBERED_MAX = 10_000
_LOCK = 2
_ADDED = "labels_added"


@dataclass(frozen=True, slots=True)
class _Known:
    labels: frozenset[str]

    def answers(self, wanted: set[str]) -> bool:
        return len(self.labels) >= LABELS_MAX or wanted <= self.labels


_remembered: WeakKeyDictionary[Any, dict[Owner, _Known]] = WeakKeyDictionary()
"""By engine: what was seen in committed rows, which only ever grow."""


def admitted(session: Session, wanted: Mapping[Owner, set[str]], *, admits: bool) -> dict[Owner, frozenset[str]]:
    """Of each owner the labels that count under their own name; with `admits`, new ones are taken in while there is room."""
    memory = _remembered.setdefault(session.get_bind().engine, {})
    found = {
        owner: memory[owner].labels for owner in wanted if owner in memory and memory[owner].answers(wanted[owner])
    }
    unsure = {owner: names for owner, names in wanted.items() if owner not in found}
    if not unsure:
        return found
    if admits:  # two batches at once would both take the last room
        bulk.lock(session, _LOCK, {owner.owner_id.int for owner in unsure})
    stored = queries.click_labels(session, owners=list(unsure))
    if _ADDED not in session.info:  # else they may be our own, and never be committed
        if len(memory) > _OWNERS_REMEMBERED_MAX:
            memory.clear()
        memory.update({owner: _Known(frozenset(stored.get(owner, ()))) for owner in unsure})
    rows = []
    for owner, names in unsure.items():
        known = stored.get(owner, set())
        room = max(0, LABELS_MAX - len(known)) if admits else 0
        new = sorted(names - known)[:room]
        rows += [owner._asdict() | {"label": label} for label in new]
        found[owner] = frozenset(known.union(new))
    if rows:
        session.info[_ADDED] = True
        db.insert_new(session, ClickLabel, rows)
    return found
