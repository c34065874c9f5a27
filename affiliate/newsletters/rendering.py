"""An issue in one language becomes a mail: once to MJML, HTML with inlined styles and text, then reader by reader.

Two kinds of marks keep words and markup apart. Each holds a random number, so that nobody can write one. Marks of *parts*
stand in the MJML, which therefore never sees what a person wrote; the parts come in afterwards, as clean HTML. Marks of *fields*
stand where a reader's own values go: escaped in HTML, in one line in text and headers.
"""

import html
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

import jinja2

from affiliate.newsletters import content, markdown, words
from affiliate.newsletters.content import Block, BlockKind, Draft

_HREF = re.compile(r'href="([^"]*)"')
_REPEATED_BLANKS = re.compile(r"\n{3,}")
MARKER_SUB = "sub10"
"""The label that the reader's own link carries, so that results know what came through the issue."""


def first_name(name: str) -> str:
    """The first word of a person's name; of an account without a name, nothing."""
    return next(iter(name.split()), "")


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose newsletter it is."""

    program_name: str
    shop_url: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose values go into the fields. `link` is the address of the reader's own link, or null for a partner without one.

    `picture` is the address of the one that tells of an opening; empty for who has not agreed to tell.
    """

    name: str
    partner_name: str
    link: str | None
    portal_link: str
    new_link: str
    stop_link: str
    marker: str
    picture: str = ""

    def values(self, program_name: str, targets: Mapping[str, str]) -> dict[str, str]:
        """The value of each field. `targets` are the pages that offers lead to, by the field of their link."""
        known = {
            "first_name": first_name(self.name),
            "name": self.name,
            "partner_name": self.partner_name,
            "program_name": program_name,
            "portal_link": self.portal_link,
            "stop_link": self.stop_link,
        }
        return known | {field: self._own_link(url) for field, url in {"my_link": "", **targets}.items()}

    def _own_link(self, landing_url: str) -> str:
        if self.link is None:
            return self.new_link
        landing = f"&url={quote(landing_url, safe='')}" if landing_url else ""
        return f"{self.link}?{MARKER_SUB}={self.marker}{landing}"


@dataclass(frozen=True, slots=True)
class Mail:
    """What one reader gets."""

    subject: str
    html: str
    text: str


Pieces = tuple[str, ...]
"""A text cut at its fields: words and names of fields in turn, so that a reader costs no search."""


@dataclass(frozen=True, slots=True)
class _Fields:
    """The marks of fields of one compilation."""

    nonce: str
    names: list[str]

    def mark(self, name: str) -> str:
        """The mark of a field; one that does not exist is left out, so that a mail never shows a brace."""
        if name not in self.names:
            return ""
        return f"f{self.nonce}{self.names.index(name):03d}z"

    def marked(self, text: str) -> str:
        """The text with marks in the place of its fields."""
        parts = content.split(text)
        return "".join(part if at % 2 == 0 else self.mark(part) for at, part in enumerate(parts))

    def pieces(self, text: str) -> Pieces:
        """What stands between the marks, and the names of the fields that they stand for, in turn."""
        parts = re.split(rf"f{self.nonce}(\d{{3}})z", text)
        return tuple(part if at % 2 == 0 else self.names[int(part)] for at, part in enumerate(parts))


def _filled(pieces: Pieces, values: Mapping[str, str]) -> str:
    """The text with values in the place of its fields."""
    return "".join(piece if at % 2 == 0 else values[piece] for at, piece in enumerate(pieces))


@dataclass(frozen=True, slots=True)
class Compiled:
    """An issue in one language, ready for any number of readers."""

    language: str
    sender: Sender
    subject: Pieces
    html: Pieces
    text: Pieces
    targets: Mapping[str, str]
    your_link: str  # what stands above the link of a reader who has one
    no_link: str  # and of one who has none
    is_empty: bool  # not one block: a frame around nothing

    def for_reader(self, reader: Reader) -> Mail:
        """The mail of one reader."""
        values = reader.values(self.sender.program_name, self.targets)
        values["own_words"] = self.no_link if reader.link is None else self.your_link
        lines = {name: _in_one_line(value) for name, value in values.items()}
        escaped = {name: html.escape(value) for name, value in lines.items()}
        subject = " ".join(_filled(self.subject, lines).split())
        page = _filled(self.html, escaped)
        if reader.picture:
            page = _with_picture(page, reader.picture)
        return Mail(subject, page, _filled(self.text, lines))


def _with_picture(page: str, address: str) -> str:
    """The mail with a dot at its end that nobody sees. What people wrote holds no tags, so the last `</body>` is ours."""
    before, end, after = page.rpartition("</body>")
    return f'{before}<img src="{html.escape(address)}" width="1" height="1" alt="">{end}{after}'


def _in_one_line(text: str) -> str:
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def compiled(
    draft: Draft,
    *,
    language: str,
    sender: Sender,
    counted: Mapping[str, str] | None = None,
    for_prospects: bool = False,
) -> Compiled:
    """The issue in one language, for people of partners or for prospects. Its stories must have their consent: see `service.shown`.

    `counted` are addresses of ours that lead to those in the issue; the text part keeps these as they are, to be read.
    """
    targets = {f"link_{at}": block.url for at, block in enumerate(draft.blocks) if block.kind is BlockKind.OFFER}
    fields = _Fields(secrets.token_hex(8), [*content.FIELDS, "stop_link", "own_words", *targets])
    ours = words.FOR_PROSPECTS if for_prospects else words.FOR_PARTNERS
    page = _Page(fields, language, draft, sender, counted=counted or {}, ours=ours)
    subject = fields.pieces(fields.marked(draft.envelope(language, "subject")))
    return Compiled(
        language, sender, subject, fields.pieces(page.html()), fields.pieces(page.text()), targets,
        words.say(ours.your_link, language), words.say(ours.no_link, language), not draft.blocks,
    )  # fmt: skip


class _Page:
    """One compilation, as HTML and as text."""

    def __init__(
        self, fields: _Fields, language: str, draft: Draft, sender: Sender, *, counted: Mapping[str, str],
        ours: words.Ours,
    ) -> None:  # fmt: skip
        self._fields, self._language, self._draft, self._sender = fields, language, draft, sender
        self._counted, self._ours = counted, ours
        self._parts: list[str] = []

    def html(self) -> str:
        import css_inline  # both here, because few processes ever lay out a mail
        import mjml

        skeleton = (
            _templates()
            .get_template("newsletters/issue.mjml")
            .render(
                language=self._language,
                preheader=self._part(html.escape(self._said("preheader"))),
                brand=self._part(html.escape(self._sender.program_name)),
                blocks=[self._block(at, block) for at, block in enumerate(self._draft.blocks)],
                why=self._part(html.escape(self._say(self._ours.why, program=self._sender.program_name))),
                stop=self._part(html.escape(self._say(self._ours.stop))),
                stop_link=self._fields.mark("stop_link"),
                shop=self._part(html.escape(self._sender.shop_url)),
            )
        )
        page = mjml.mjml2html(skeleton, disable_comments=True, fonts={})
        page = re.sub(rf"p{self._fields.nonce}(\d{{3}})z", lambda found: self._parts[int(found[1])], page)
        inliner = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
        return inliner.inline(_HREF.sub(self._sound_target, page))

    def text(self) -> str:
        blocks = [self._block_text(at, block) for at, block in enumerate(self._draft.blocks)]
        foot = [
            "-- ",
            self._say(self._ours.why, program=self._sender.program_name),
            f"{self._say(self._ours.stop)}: {self._fields.mark('stop_link')}",
            f"{self._sender.program_name}, {self._sender.shop_url}",
        ]
        return _REPEATED_BLANKS.sub("\n\n", "\n\n".join(filter(None, blocks))) + "\n\n" + "\n".join(foot) + "\n"

    def _part(self, clean: str) -> str:
        self._parts.append(clean)
        return f"p{self._fields.nonce}{len(self._parts) - 1:03d}z"

    def _said(self, name: str) -> str:
        return self._fields.marked(self._draft.envelope(self._language, name))

    def _say(self, sentence: str, **values: str) -> str:
        return words.say(sentence, self._language, **values)

    def _block(self, at: int, block: Block) -> dict[str, str]:
        said = {name: self._fields.marked(block.text(self._language, name)) for name in ("title", "body", "label")}
        return {
            "kind": block.kind.value,
            "title": self._part(html.escape(said["title"])) if said["title"] else "",
            "body": self._part(markdown.to_html(said["body"])),
            "label": self._part(html.escape(said["label"])) if said["label"] and block.url else "",
            "url": self._part(html.escape(block.url)),
            "own_link": self._fields.mark(f"link_{at}"),
            "own_words": self._fields.mark("own_words"),
        }

    def _block_text(self, at: int, block: Block) -> str:
        title, label = (self._fields.marked(block.text(self._language, name)) for name in ("title", "label"))
        body = markdown.to_text(self._fields.marked(block.text(self._language, "body")))
        own = self._fields.mark(f"link_{at}")
        act = f"{label}:\n{block.url}" if label and block.url else ""
        mine = f"{self._fields.mark('own_words')}\n{own}" if own else ""
        return "\n\n".join(filter(None, [f"# {title}" if title else "", body, act, mine]))

    def _sound_target(self, found: re.Match[str]) -> str:
        """A field may be a whole address, if it is one; anywhere else in an address it is left out."""
        addresses = [
            self._fields.mark(name) for name in self._fields.names if name.endswith("_link") or name.startswith("link_")
        ]
        if found[1] in addresses:
            return found[0]
        if (ours := self._counted.get(html.unescape(found[1]))) is not None:
            return f'href="{html.escape(ours)}"'
        return f'href="{"".join(self._fields.pieces(found[1])[::2])}"'


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("affiliate", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
