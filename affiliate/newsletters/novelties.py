"""The list of new creatives in a newsletter: looked up once for an issue, and put into its blocks as Markdown."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from affiliate import ids, settings
from affiliate.creatives import queries
from affiliate.creatives.queries import Wanted
from affiliate.newsletters.content import BlockKind, Draft
from affiliate.programs import addresses
from affiliate.programs.models import Program

SHOWN_MAX = 6
_MARKS = re.compile(r"([\\`*_\[\]()<>#!|~])")


def with_creatives(session: Session, draft: Draft, *, program: Program, at: datetime) -> Draft:
    """The draft with the newest creatives of `at` below the words of its blocks for them: those that every partner may use."""
    if not any(block.kind is BlockKind.CREATIVES for block in draft.blocks):
        return draft
    found = queries.offered(
        session, program_id=program.id, reader=None, wanted=Wanted(is_new=True), now=at, limit=SHOWN_MAX
    )
    base = f"{addresses.pages(program.own_host, settings.current())}/portal/{program.slug}/creatives"
    lines = []
    for creative, version in found:
        size = f" ({version.width} × {version.height})" if version.width else ""
        lines.append(f"- [{_plain(creative.title)}]({base}/{ids.public('crv', creative.id)}){size}")
    return _below(draft, lines)


def _plain(title: str) -> str:
    """A title that stays text: no mark of Markdown in it works, and no brace names a field."""
    return _MARKS.sub(r"\\\1", title.replace("{", "(").replace("}", ")"))


def _below(draft: Draft, lines: Sequence[str]) -> Draft:
    told = "\n".join(lines)
    blocks = []
    for block in draft.blocks:
        if block.kind is BlockKind.CREATIVES and lines:
            texts = {
                language: {**said, "body": f"{said['body']}\n\n{told}"} if said.get("body", "").strip() else said
                for language, said in block.texts.items()
            }
            blocks.append(replace(block, texts=texts))
        else:
            blocks.append(block)
    return replace(draft, blocks=blocks)
