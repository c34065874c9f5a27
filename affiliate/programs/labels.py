"""Labels that the shop's web analytics reads from the address on which a partner's visitor lands: a program's, one line each. Pure.

A line is `utm_source={program}`: a name, and a text in which macros stand for what a click knows. What does not depend on who clicks
is filled in once for each link; sub ids alone wait for the click.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

LABELS_MAX = 10
LINE_LENGTH_MAX = 160
SUBS = tuple(f"sub{number}" for number in range(1, 11))
MACROS = ("program", "partner", "link", *SUBS)
USUAL = (
    "utm_source={program}", "utm_medium=affiliate", "utm_campaign={link}", "utm_content={partner}", "utm_term={sub1}",
)  # fmt: skip
"""What most shops want. A program begins with none."""

_LINE = re.compile(r"(?P<name>(?:utm|mtm|pk|at)_[a-z0-9_]{1,36})=(?P<text>[^\x00-\x1f]{1,120})")
_MACRO = re.compile(r"\{([a-z0-9]+)\}")
_PARTNER, _LINK = "ptn_[0-9a-z]{26}", "[0-9a-z_-]{1,64}"  # whosever they are


class Label(NamedTuple):
    """A label of a link. `pair` stands in addresses as it is, but for the sub ids that it waits for."""

    name: str
    pair: str
    subs: tuple[str, ...]

    def of_click(self, subs: Mapping[str, str]) -> str:
        """The pair for a click with these sub ids; empty where it names none of those that the label asks for."""
        if not any(subs.get(name) for name in self.subs):
            return ""
        pair = self.pair
        for name in self.subs:
            pair = pair.replace(f"{{{name}}}", quote(subs.get(name, ""), safe=""))
        return pair


def clean(line: str) -> str:
    """A line as it is stored: without spaces around its parts, its name in lower case."""
    name, equals, text = line.strip().partition("=")
    return f"{name.strip().lower()}{equals}{text.strip()}"


def unknown(line: str) -> list[str]:
    """The macros of a line that there are not; a brace that belongs to none counts as one."""
    named = [name for name in _MACRO.findall(line) if name not in MACROS]
    return named or [brace for brace in "{}" if brace in _MACRO.sub("", line)]


def is_label(line: str) -> bool:
    """Whether a cleaned line is a name of web analytics and a text. With each macro once, arrivals are told in linear time."""
    macros = _MACRO.findall(line)
    return len(line) <= LINE_LENGTH_MAX and len(set(macros)) == len(macros) and _LINE.fullmatch(line) is not None


def names(lines: Iterable[str]) -> list[str]:
    """The names of the parameters, in order."""
    return [line.partition("=")[0] for line in lines]


def of_link(lines: Iterable[str], *, program: str, partner: str, link: str, without: str) -> tuple[Label, ...]:
    """The labels of a link: all is percent-encoded and filled in but the sub ids. No label takes the name `without`, the click id's."""
    known = {"program": program, "partner": partner, "link": link}
    found = ((name, text) for name, _, text in (line.partition("=") for line in lines) if name != without)
    return tuple(_filled(name, text, known) for name, text in found)


def own(parameters: Mapping[str, str], lines: tuple[str, ...], *, program: str) -> frozenset[str]:
    """The parameters of an arrival that are labels of this program: none, unless a label is there that tells the program or a partner.

    A program whose labels tell neither knows its visitors by all of those that wait for no sub id.
    """
    read = _read(lines, program)
    fitting = {one.name for one in read if one.shape.fullmatch(parameters.get(one.name, ""))}
    telling = [one.name for one in read if one.is_telling]
    wanted = telling or [one.name for one in read if not one.has_subs]
    is_ours = any(name in fitting for name in wanted) if telling else bool(wanted) and fitting.issuperset(wanted)
    return frozenset(fitting) if is_ours else frozenset()


class _Shape(NamedTuple):
    """What a label looks like on arrival, whatever link it is of."""

    name: str
    shape: re.Pattern[str]
    is_telling: bool
    has_subs: bool


@lru_cache(maxsize=1_024)
def _read(lines: tuple[str, ...], program: str) -> tuple[_Shape, ...]:
    return tuple(_shape(*line.partition("=")[::2], program) for line in lines)


def _shape(name: str, text: str, program: str) -> _Shape:
    parts = _MACRO.split(text)  # texts and the names of macros by turns
    macros = frozenset(parts[1::2])
    if not macros.isdisjoint(SUBS):  # visitors write those as they like: nothing is told by them
        return _Shape(name, re.compile(".*", re.DOTALL), is_telling=False, has_subs=True)
    known = {"program": re.escape(program), "partner": _PARTNER, "link": _LINK}
    pattern = "".join(known[part] if at % 2 else re.escape(part) for at, part in enumerate(parts))
    return _Shape(name, re.compile(pattern), is_telling=not macros.isdisjoint({"program", "partner"}), has_subs=False)


def _filled(name: str, text: str, known: Mapping[str, str]) -> Label:
    parts = _MACRO.split(text)
    subs = tuple(dict.fromkeys(part for part in parts[1::2] if part not in known))
    told = (
        quote(part, safe="") if at % 2 == 0 else quote(known[part], safe="") if part in known else f"{{{part}}}"
        for at, part in enumerate(parts)
    )
    return Label(name, f"{name}={''.join(told)}", subs)
