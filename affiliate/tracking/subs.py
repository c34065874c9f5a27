"""Sub ids: a partner's own labels on a link, normalised from the names that other systems use. Pure."""

from collections.abc import Iterable

SUB_LENGTH_MAX = 255

_OWN = {f"sub{number}": f"sub{number}" for number in range(1, 11)}
_NUMBERED = {
    "aff_sub": 5,  # TUNE
    "subid": 10,  # impact, affilinet
    "clickref": 6,  # Awin, Webgains
    "param": 5,  # Voluum
}
_FIRST = ("aff_sub", "subid", "clickref", "sid", "u1", "epi", "afftrack", "r")
_OTHERS = {
    "sharedid": "sub4",
    "ref_id": "sub9",
    "source_id": "sub10",
    "source": "sub10",  # beside sub1..3, sub1..8
    "uid": "sub9",
    "ext1": "sub10",  # Everflow, Affise: for its ext2 and ext3, beside sub1..8 and ref_id, there is no room
}

ALIASES: dict[str, str] = (
    {f"{stem}{number}": f"sub{number}" for stem, count in _NUMBERED.items() for number in range(1, count + 1)}
    | dict.fromkeys(_FIRST, "sub1")
    | _OTHERS
    | _OWN
)
"""Every name that is taken, in lower case, and the sub id it means."""


def clean(text: str, length_max: int) -> str:
    """The text without what cannot be printed, cut to a length: what a browser sends is not trusted to be text."""
    text = text[:length_max]
    return text if text.isprintable() else "".join(character for character in text if character.isprintable())


def normalised(parameters: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The sub ids among the parameters: our own names win over aliases, the first of equals wins, empty ones are left out."""
    own: dict[str, str] = {}
    other: dict[str, str] = {}
    for name, value in parameters:
        key = name.lower()
        target = ALIASES.get(key)
        if target is not None and (text := clean(value, SUB_LENGTH_MAX)):
            (own if key == target else other).setdefault(target, text)
    return other | own if other else own
