"""What was typed into the editor of a newsletter, read without losing any of it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from affiliate import days, formats
from affiliate.links import hosts
from affiliate.newsletters import content, segments, service
from affiliate.newsletters.content import PARTS, Block, BlockKind, Draft, IssueKind
from affiliate.newsletters.models import NewsletterIssue
from affiliate.newsletters.segments import Segment

SHARED = frozenset({"url", "partner"})
Typed = MultiDict[str, str]
_TIME_LENGTH_MAX = 20
_BLOCK_ID = re.compile("[0-9a-z]{1,40}")


@dataclass(frozen=True, slots=True)
class Written:
    """All that a form of the editor holds of an issue, and the version of the issue that its writer saw."""

    draft: Draft
    segment: Segment
    kind: IssueKind
    in_archive: bool
    version: int

    def has_other_readers(self, than: "Written") -> bool:
        """Whether others may be meant: who refuses this kind, and in which language who has none reads, decide as well."""
        mine, theirs = ((one.segment, one.kind, one.draft.language) for one in (self, than))
        return mine != theirs


def stored(issue: NewsletterIssue) -> Written:
    """An issue as it stands."""
    segment = segments.read(issue.segment)
    return Written(service.draft_of(issue), segment, issue.kind, issue.in_archive, issue.version)


def written(
    typed: Typed, stands: Written, language: str, partner_id: Callable[[str], UUID | None]
) -> tuple[Written, dict[str, str]]:
    """What stands with what was typed in one language, and what cannot be stored of it, by field."""
    changed, errors = draft(typed, stands.draft, language, partner_id)
    kind = typed.get("kind")
    found = Written(
        changed, segment(typed), IssueKind(kind) if kind in list(IssueKind) else stands.kind, "in_archive" in typed,
        number(typed.get("version", "")),
    )  # fmt: skip
    return found, errors


def number(text: str) -> int:
    """The version that the person saw; anything odd is none that there was."""
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0


def place(language: str, name: str, block: Block | None = None) -> str:
    """The name of a field, which is also where `content.problems` puts its problems."""
    if block is None:
        return f"{language}-{name}"
    return f"{block.id}-{name}" if name in SHARED else f"{language}-{block.id}-{name}"


def draft(
    typed: Typed, stored: Draft, language: str, partner_id: Callable[[str], UUID | None]
) -> tuple[Draft, dict[str, str]]:
    """The stored draft with what was typed in one language, and what cannot be stored of it, by field."""
    errors: dict[str, str] = {}
    said = {name: _read(typed, place(language, name), name, errors) for name in ("subject", "preheader")}
    changed = replace(stored, language=_language(typed.get("main_language", stored.language), stored.language))
    if _says(said, stored.texts, language):
        changed = content.with_envelope(changed, language, said)
    blocks = [_block(typed, block, language, partner_id, errors) for block in _with_removed(typed, stored.blocks)]
    return replace(changed, blocks=blocks), errors


def _with_removed(typed: Typed, stored: Sequence[Block]) -> list[Block]:
    """The stored blocks, and at their places those of the form that somebody removed since it was read: what is typed there is not lost."""
    blocks, known = list(stored), {block.id for block in stored}
    for at, (block_id, _colon, kind) in enumerate(text.partition(":") for text in typed.getlist("block")):
        is_gone = block_id not in known and kind in list(BlockKind) and _BLOCK_ID.fullmatch(block_id)
        if is_gone and len(blocks) < content.BLOCKS_MAX:
            blocks.insert(at, Block(block_id, BlockKind(kind), {}))
            known.add(block_id)
    return blocks


def _block(
    typed: Typed, block: Block, language: str, partner_id: Callable[[str], UUID | None], errors: dict[str, str]
) -> Block:
    parts = PARTS[block.kind]
    names = [name for name in parts if name not in SHARED]
    if not any(place(language, name, block) in typed for name in names):
        return block  # added by somebody else since the page was read
    texts = {name: _read(typed, place(language, name, block), name, errors) for name in names}
    if _says(texts, block.texts, language):
        block = replace(block, texts={**block.texts, language: texts})
    if "url" in parts:
        url = _read(typed, place(language, "url", block), "url", errors)
        block = replace(block, url=hosts.completed(url) if block.kind is BlockKind.OFFER else url)
    if "partner" in parts:
        block = replace(block, partner_id=_partner(typed, place(language, "partner", block), partner_id, errors))
    return block


def _says(typed: Mapping[str, str], stored: Mapping[str, Any], language: str) -> bool:
    """Whether there are words to store. A language that was only looked at changes no issue, and no story that has its consent."""
    return any(typed.values()) or language in stored


def _partner(typed: Typed, name: str, partner_id: Callable[[str], UUID | None], errors: dict[str, str]) -> str:
    wanted = typed.get(name, "").strip()
    found = partner_id(wanted) if wanted else None
    if wanted and found is None:
        errors[name] = str(_("There is no partner “%(name)s” in this program.", name=wanted[:120]))
    return str(found) if found else ""


def _read(typed: Typed, name: str, kind: str, errors: dict[str, str]) -> str:
    text = typed.get(name, "").replace("\r\n", "\n").strip()
    limit = content.LENGTHS_MAX[kind]
    if len(text) > limit:
        errors[name] = str(_("This is too long: %(limit)s characters are the limit.", limit=formats.number(limit)))
    return text if kind == "body" else " ".join(text.split())


def _language(text: str, otherwise: str) -> str:
    return text if text in content.LANGUAGES else otherwise


def segment(typed: Typed) -> Segment:
    """The choice of readers."""
    days = typed.get("days", "")
    return segments.read(
        {
            "statuses": typed.getlist("statuses"), "languages": typed.getlist("languages"),
            "groups": typed.getlist("groups"), "tags": typed.getlist("tags"), "momentum": typed.get("momentum", ""),
            "choice": typed.get("choice", ""), "prospects": "prospects" in typed,
            "performance": typed.get("performance"), "days": int(days) if re.fullmatch("[0-9]{1,3}", days) else 0,
        }
    )  # fmt: skip


def times(typed: Typed, zone: str) -> tuple[datetime | None, datetime | None] | None:
    """When to send: an instant of the program's zone, or a wall clock of each reader; neither is at once. None: unreadable."""
    when = typed.get("when", "now")
    if when == "now":
        return None, None
    try:
        wall = datetime.fromisoformat(f"{typed.get('day', '')}T{typed.get('hour', '')}").replace(tzinfo=None)
    except ValueError:
        return None
    if not days.is_ours(wall.date()):
        return None
    if when == "reader":
        return None, wall
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC), None


def shown_times(typed: Mapping[str, Any]) -> dict[str, Any]:
    """What the form of the sending shows: what was typed, or at once in quiet hours kept."""
    is_typed = "when" in typed
    return {
        "when": typed.get("when", "now"),
        "day": typed.get("day", ""),
        "hour": typed.get("hour", "09:00"),
        "quiet": "quiet" in typed if is_typed else True,
    }


def kept_times(typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed of the sending, for the address of the page that comes next; nothing if that shows the same by itself."""
    if shown_times(typed) == shown_times({}):
        return {}
    return {name: typed[name][:_TIME_LENGTH_MAX] for name in ("when", "day", "hour", "quiet") if name in typed}
