"""Markdown as it may stand in a mail: no HTML of its own, no pictures (they would be fetched, and tell who reads). As HTML and as text."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_TAGS = {"p", "br", "strong", "em", "a", "ul", "ol", "li", "h3", "h4", "blockquote", "code", "hr"}
_NOT_HERE = ["image", "html_block", "html_inline", "code", "fence"]
_HEADINGS = {"h1": "h3", "h2": "h3", "h5": "h4", "h6": "h4"}  # below the block's own title


@lru_cache(maxsize=1)
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # here, because few processes ever lay out a mail

    return MarkdownIt("commonmark", {"html": False}).disable(_NOT_HERE)


@lru_cache(maxsize=1)
def _lenient_parser() -> "MarkdownIt":
    """One that takes any address of a link, and takes it as it is written."""
    from markdown_it import MarkdownIt

    class Lenient(MarkdownIt):
        def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - the library's
            return True

        def normalizeLink(self, url: str) -> str:  # noqa: N802 - the library's
            return url

    return Lenient("commonmark", {"html": False}).disable(_NOT_HERE)


def addresses(text: str) -> list[str]:
    """Where the links of a text lead, in the spelling that its HTML has."""
    return _addresses(_parser, text)


def targets(text: str) -> list[str]:
    """What is written as the address of a link, of whatever kind of link, and also where it is none that a mail could keep."""
    return _addresses(_lenient_parser, text)


def _addresses(parser: "Callable[[], MarkdownIt]", text: str) -> list[str]:
    if not {"[", "<"}.intersection(text):  # every link has one of them
        return []
    inner = (token for block in parser().parse(text) for token in block.children or [])
    return [str(token.attrGet("href") or "") for token in inner if token.type == "link_open"]


def to_html(text: str) -> str:
    """Clean HTML. Addresses of links may be relative: `content.problems` has refused those that lead nowhere."""
    import nh3  # here, too

    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        token.tag = _HEADINGS.get(token.tag, token.tag)
    html = parser.renderer.render(tokens, parser.options, {})
    return nh3.clean(
        html, tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"}, link_rel=None
    )


def to_text(text: str) -> str:
    """The same as plain text: addresses in brackets behind their words, a blank line between paragraphs."""
    text_so_far = ""
    marks: list[str] = []
    counts: list[int] = []
    for token in _parser().parse(text):
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            counts.append(int(token.attrGet("start") or 1) if token.type.startswith("ordered") else 0)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            counts.pop()
        elif token.type == "list_item_open":
            marks.append(f"{counts[-1]}. " if counts[-1] else "- ")
            counts[-1] += bool(counts[-1])
        elif token.type == "blockquote_open":
            marks.append("> ")
        elif token.type in {"list_item_close", "blockquote_close"}:
            marks.pop()
        elif token.type == "inline":
            apart = "\n" if counts and text_so_far else "\n\n"
            text_so_far += apart + "".join(marks[-1:]) + _inline(token.children or [])
        elif token.type == "hr":
            text_so_far += "\n\n---"
    return text_so_far.strip("\n")


def _inline(tokens: "Iterable[Token]") -> str:
    targets: list[str] = []
    parts = []
    for token in tokens:
        if token.type == "link_open":
            targets.append(str(token.attrGet("href") or ""))
        elif token.type == "link_close":
            parts.append(f" ({targets.pop()})")
        else:
            parts.append(_PRINTED.get(token.type, _nothing)(token))
    return "".join(parts)


def _nothing(_token: "Token") -> str:
    return ""


_PRINTED: "Mapping[str, Callable[[Token], str]]" = {
    "text": lambda token: token.content,
    "text_special": lambda token: token.content,
    "code_inline": lambda token: token.content,
    "softbreak": lambda _token: "\n",
    "hardbreak": lambda _token: "\n",
}
