"""What our pages use of Tabler: `make styles` writes static/css/tabler.css from the whole of it below static/vendor.

Tabler styles all that anybody might want: 80 KB compressed, for which the first paint of every page waited. A rule stays when
each class and attribute it asks for is a word of our templates or scripts (Python names none of Tabler's), a variable when
somebody reads it, keyframes when something moves by them. What stays is neither changed nor moved, so that pages look as with
the whole file.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import tinycss2
from tinycss2.ast import Declaration, Node, QualifiedRule

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "static/vendor/tabler-core-1.6.1/tabler.min.css"
TRIMMED = ROOT / "static/css/tabler.css"
_NOTICE = """@charset "UTF-8";
/*! Of Tabler 1.6.1 what our pages use, written by `make styles`. MIT licence: vendor/tabler-core-1.6.1/LICENSE. */
"""
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_SAID = re.compile(r'gettext\(\s*"[^"]*"(,\s*"[^"]*")?|\b_\(\s*"[^"]*"')
_WORD = re.compile(r"[A-Za-z][\w-]*")
_DATA = re.compile(r"\bdataset\.(\w+)")
_CAPITAL = re.compile(r"[A-Z]")
_READ = re.compile(r"var\(\s*(--[\w-]+)")
_MOVES = re.compile(r"animation(?:-name)?:([^;}]*)")
_GROUPS, _ALTERNATIVES = frozenset({"media", "supports"}), frozenset({"is", "where", "has"})


class _Used(NamedTuple):
    """What is used of a style sheet; without `names` all its variables and keyframes are."""

    words: set[str]
    names: set[str] | None = None


def trimmed() -> str:
    """The style sheet that belongs to our pages as they are now."""
    ours = "".join(path.read_text() for path in (ROOT / "static/css").glob("*.css") if path != TRIMMED)
    rules = tinycss2.parse_stylesheet(SOURCE.read_text(), skip_comments=True, skip_whitespace=True)
    used = _Used(_words())
    while True:  # what nobody reads may be all that reads another
        kept = list(_kept(rules, used))
        names = _names(ours + "".join(kept))
        if names == used.names:
            return _NOTICE + "".join(f"{rule}\n" for rule in kept)
        used = used._replace(names=names)


def _words() -> set[str]:
    """Whatever could be a class. What is said to people could not: a "card" in a sentence is none."""
    pages = (path.read_text() for path in (ROOT / "affiliate/templates").rglob("*.html"))
    scripts = (path.read_text() for path in (ROOT / "static/js").glob("*.js"))
    texts = (*(_SAID.sub("", _COMMENT.sub("", page)) for page in pages), *map(_as_pages_say, scripts))
    return {word for text in texts for word in _WORD.findall(text)}


def _as_pages_say(script: str) -> str:
    """A script with its data attributes by the names that style sheets know: `dataset.bsTheme` is `data-bs-theme`."""
    return _DATA.sub(lambda found: "data-" + _CAPITAL.sub(r"-\g<0>", found[1]).lower(), script)


def _names(styles: str) -> set[str]:
    """The variables that are read and the keyframes that are named."""
    return {*_READ.findall(styles), *(name for moves in _MOVES.findall(styles) for name in _WORD.findall(moves))}


def _kept(rules: Iterable[Node], used: _Used) -> Iterator[str]:
    for rule in rules:
        prelude = tinycss2.serialize(rule.prelude)
        if isinstance(rule, QualifiedRule):
            selectors = [
                tinycss2.serialize(each).strip() for each in _parted(rule.prelude) if _is_met(each, used.words)
            ]
            content = _declarations(rule.content, used.names)
            if selectors and content:
                yield f"{','.join(selectors)}{{{content}}}"
        elif rule.at_keyword in _GROUPS:
            inner = "".join(_kept(tinycss2.parse_rule_list(rule.content, skip_whitespace=True), used))
            if inner:
                yield f"@{rule.at_keyword}{prelude}{{{inner}}}"
        elif rule.at_keyword != "charset" and (used.names is None or prelude.strip() in used.names):
            yield tinycss2.serialize([rule])


def _parted(tokens: Iterable[Node]) -> list[list[Node]]:
    """The selectors of a list."""
    parts: list[list[Node]] = [[]]
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _is_met(selector: list[Node], words: set[str]) -> bool:
    """Whether it may choose an element of ours. What `:not(…)` leaves out need not exist; of `:is(…)` one is enough."""
    return all(
        (before != "." or token.type != "ident" or token.value in words)
        and (token.type != "[] block" or token.content[0].value in words)
        and (token.type != "function" or token.lower_name not in _ALTERNATIVES or _any_is_met(token.arguments, words))
        for before, token in zip([None, *selector], selector, strict=False)
    )


def _any_is_met(selectors: Iterable[Node], words: set[str]) -> bool:
    return any(_is_met(each, words) for each in _parted(selectors))


def _declarations(content: Iterable[Node], names: set[str] | None) -> str:
    """The declarations without variables that nobody reads."""
    told = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    return tinycss2.serialize([each for each in told if names is None or _is_read(each, names)])


def _is_read(node: Node, names: set[str]) -> bool:
    return not isinstance(node, Declaration) or not node.name.startswith("--") or node.name in names


if __name__ == "__main__":
    TRIMMED.write_text(trimmed())
