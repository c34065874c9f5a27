"""The list of new creatives in a newsletter: looked up once for all readers who may use the same, and put into its blocks as Markdown."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from affiliate import ids, settings
from affiliate.creatives import queries
from affiliate.creatives.models import Creative, CreativeVersion
from affiliate.creatives.queries import Reader, Wanted
from affiliate.newsletters import words
from affiliate.newsletters.content import N_, Block, BlockKind, Draft
from affiliate.programs import addresses
from affiliate.programs.models import Program

SHOWN_MAX = 6
_SEE_PAGE = N_("See the program's page")
_MARKS = re.compile(r"([\\`*_\[\]()<>#!|~])")


def has_list(draft: Draft) -> bool:
    """Whether the issue tells of new creatives."""
    return any(block.kind is BlockKind.CREATIVES for block in draft.blocks)


def with_creatives(
    session: Session, draft: Draft, *, program: Program, at: datetime, group: str | None = None,
    for_prospects: bool = False,
) -> Draft:  # fmt: skip
    """The draft with the newest creatives of `at` below the words of its blocks for them: those that the reader may use.

    That is what is there for everybody, and for partners of a group what is meant for it. Prospects cannot open the library:
    they read what it is called, and are led to the program's page.
    """
    if not has_list(draft):
        return draft
    found = queries.offered(
        session, program_id=program.id, reader=None if group is None else Reader(None, group),
        wanted=Wanted(is_new=True), now=at, limit=SHOWN_MAX,
    )  # fmt: skip
    base = addresses.pages(program.own_host, settings.current())
    library = "" if for_prospects else f"{base}/portal/{program.slug}/creatives"
    lines = [f"- {_named(creative, version, library)}" for creative, version in found]
    return _below(draft, lines, page=f"{base}/p/{program.slug}" if for_prospects else "")


def _named(creative: Creative, version: CreativeVersion, library: str) -> str:
    size = f" ({version.width} × {version.height})" if version.width else ""
    title = _plain(creative.title)
    return f"[{title}]({library}/{ids.public('crv', creative.id)}){size}" if library else f"{title}{size}"


def _plain(title: str) -> str:
    """A title that stays text: no mark of Markdown in it works, and no brace names a field."""
    return _MARKS.sub(r"\\\1", title.replace("{", "(").replace("}", ")"))


def _below(draft: Draft, lines: Sequence[str], *, page: str) -> Draft:
    """With the lines in every block for them that has words, in each language. `page`: where one line more leads, if there is one."""
    if not lines:
        return draft

    def told(language: str) -> str:
        seen = f"\n\n[{words.say(_SEE_PAGE, language)}]({page})" if page else ""
        return "\n".join(lines) + seen

    def longer(block: Block) -> Block:
        texts = {
            language: {**said, "body": f"{said['body']}\n\n{told(language)}"} if said.get("body", "").strip() else said
            for language, said in block.texts.items()
        }
        return replace(block, texts=texts)

    return replace(
        draft, blocks=[longer(block) if block.kind is BlockKind.CREATIVES else block for block in draft.blocks]
    )
