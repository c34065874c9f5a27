"""Which labels count under their own name: the first so many of an owner on a UTC day. The others count together as OTHER.

Whoever sends clicks chooses sub ids and referrers; without a cap they would choose the size of the rollups too. A label that
was admitted stays admitted, and one that came too late stays out, so that the counts can be recomputed from the clicks.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from affiliate.ingest import bulk, queries
from affiliate.ingest.rollup_models import ClickLabel, LabelKind, Owner

Use = tuple[LabelKind, str, str, int, str]
"""A label of an owner: kind, the digits of program and owner, the day since 1970, the label. Quicker to compare than an `Owner`."""

LABELS_MAX = 200  # for each partner, or each program, and UTC day
_OWNERS_REMEMBERED_MAX = 10_000
_USES_REMEMBERED_MAX = 200_000
_ADDED = "labels_added"
_USED = "labels_used"
_NAMES = (*Owner._fields, "label")


@dataclass(frozen=True, slots=True)
class _Known:
    labels: frozenset[str]

    def answers(self, wanted: set[str]) -> bool:
        return len(self.labels) >= LABELS_MAX or wanted <= self.labels


_NONE = _Known(frozenset())
_remembered: WeakKeyDictionary[Any, dict[Owner, _Known]] = WeakKeyDictionary()
"""By engine: what was seen in committed rows, which only ever grow. As many labels as there are rows are all of them."""
_uses: WeakKeyDictionary[Any, set[Use]] = WeakKeyDictionary()
"""By engine: of these, what clicks used. Nearly every click's labels are here, and nothing more is asked about them."""


def counted(session: Session) -> AbstractSet[Use]:
    """The labels that are known to count under their own name; there may be others."""
    return _uses.setdefault(session.get_bind().engine, set())


def count_from_now(session: Session, uses: AbstractSet[Use]) -> None:
    """These were admitted; `remember` makes them known when that was committed."""
    session.info.setdefault(_USED, set()).update(uses)


def admitted(session: Session, wanted: Mapping[Owner, set[str]], *, admits: bool) -> dict[Owner, frozenset[str]]:
    """Of each owner the labels that count under their own name; with `admits`, new ones are taken in while there is room.

    Whoever commits calls `remember`; who does not, only makes the next batch read more.
    """
    memory = _remembered.setdefault(session.get_bind().engine, {})
    found = {
        owner: memory[owner].labels for owner in wanted if owner in memory and memory[owner].answers(wanted[owner])
    }
    unsure = {owner: names for owner, names in wanted.items() if owner not in found}
    if not unsure:
        return found
    if admits:  # two batches at once would both take the last room
        bulk.lock(session, bulk.Lock.LABELS, {owner.owner_id.int for owner in unsure})
    rows, added = [], {}
    for owner, known in _stored(session, memory, list(unsure)).items():
        room = max(0, LABELS_MAX - len(known)) if admits else 0
        new = sorted(unsure[owner] - known)[:room]
        of_owner = (owner.kind.value, owner.program_id.hex, owner.owner_id.hex, owner.day.isoformat())
        rows += [(*of_owner, label) for label in new]
        found[owner] = known.union(new)
        if new:
            added[owner] = _Known(found[owner])
    if rows:
        session.info.setdefault(_ADDED, {}).update(added)
        bulk.insert_new_labels(session, ClickLabel.metadata.tables[ClickLabel.__tablename__], _NAMES, rows)
    return found


def remember(session: Session) -> None:
    """What this session's transaction added was committed: the next batch need not read it again."""
    engine = session.get_bind().engine
    _remembered.setdefault(engine, {}).update(session.info.pop(_ADDED, {}))
    known = _uses.setdefault(engine, set())
    if len(known) > _USES_REMEMBERED_MAX:
        known.clear()
    known.update(session.info.pop(_USED, ()))


def _stored(session: Session, memory: dict[Owner, _Known], owners: list[Owner]) -> dict[Owner, frozenset[str]]:
    """The stored labels of these owners: those in memory where the rows are as many, else the rows."""
    counts = queries.click_label_counts(session, owners=owners)
    found = {owner: memory.get(owner, _NONE).labels for owner in owners}
    stale = [owner for owner in owners if len(found[owner]) != counts.get(owner, 0)]
    if not stale:
        return found
    stored = queries.click_labels(session, owners=stale)
    read = {owner: frozenset(stored.get(owner, ())) for owner in stale}
    if _ADDED not in session.info:  # else they may be our own, and never be committed
        if len(memory) > _OWNERS_REMEMBERED_MAX:
            memory.clear()
        memory.update({owner: _Known(names) for owner, names in read.items()})
    return found | read
