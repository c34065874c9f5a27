"""Which passwords are good, and how they are hashed. Follows NIST SP 800-63B-4, section 3.1.1.

At least 15 characters for everybody: the rule allows 8 where a second factor is always asked for, but a person may
switch it off again, and the hash does not tell how long the password was. No rules about kinds of characters, no
expiry. Refused are passwords made of nothing but common words, runs of keys and the person's own name or address.
"""

import enum
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from argon2 import PasswordHasher

LENGTH_MIN = 15
LENGTH_MAX = 128
TIME_COST, MEMORY_COST_KIB, PARALLELISM = 2, 19_456, 1  # argon2id as OWASP advises for small machines
_ORIGINAL_MIN = 8  # points that are left when everything common is taken out: 2 a letter, 1 a digit (a year is cheap)
_RUN_MIN = 3

_WORDS = """
    abc123 access admin administrator affiliate baseball batman charlie cheese chocolate computer correcthorse
    correcthorsebatterystaple daniel default dragon family football freedom friends george google hello hockey hunter
    iloveyou internet jennifer jessica jordan letmein login london lovely manager master michael michelle monkey
    mustang mypassword nothing office partner partnerprogram passw0rd password passwort pepper please princess
    program qazwsx root samsung secret shadow starwars summer sunshine superman test thomas trustno1 user welcome
    whatever winter ciao amore juventus napoli polska haslo kochanie matrix zaq12wsx andrea francesco
""".split()  # noqa: SIM905 - ninety quoted words are harder to read
_KEYS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "yxcvbnm",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1qa2ws3ed4rf5tg6yh7uj",
)


class PasswordProblem(enum.StrEnum):
    """Why a password is refused."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    COMMON = "common"


def normalize(password: str) -> str:
    """One form for what looks alike, so that a password typed on another keyboard still fits."""
    return unicodedata.normalize("NFKC", password)


def problem(password: str, *, about: Iterable[str] = ()) -> PasswordProblem | None:
    """Why this password is refused, or null. `about` are the person's name, address and the like."""
    if len(password) < LENGTH_MIN:
        return PasswordProblem.TOO_SHORT
    if len(password) > LENGTH_MAX:
        return PasswordProblem.TOO_LONG
    if _originality(password.lower(), about) < _ORIGINAL_MIN:
        return PasswordProblem.COMMON
    return None


def hash_of(password: str) -> str:
    """The argon2id hash of a password, with a salt of its own."""
    hasher = PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_COST_KIB, parallelism=PARALLELISM)
    return hasher.hash(normalize(password))


def _originality(password: str, about: Iterable[str]) -> int:
    """What belongs to no common word, run of keys, repetition, or word about the person, in points."""
    words = set(_WORDS) | {part for text in about for part in _parts(text.lower())}
    original = position = 0
    unit = _unit(password)  # "tree1tree1tree1" is worth no more than "tree1"
    while position < len(unit):
        taken = max(_word_at(unit, position, words), _run_at(unit, position))
        original += 0 if taken else _worth(unit[position])
        position += taken or 1
    return original if unit == password else min(original, _ORIGINAL_MIN - 1)


def _worth(character: str) -> int:
    return 1 if character.isdigit() else 2 if character.isalnum() else 0


def _parts(text: str) -> set[str]:
    separated = "".join(character if character.isalnum() else " " for character in text).split()
    return {part for part in [*separated, text] if len(part) >= _RUN_MIN}


def _unit(password: str) -> str:
    """The piece that the password repeats, or the whole password."""
    start = (password + password).find(password, 1)
    return password[:start]


def _word_at(text: str, position: int, words: set[str]) -> int:
    return max((len(word) for word in words if text.startswith(word, position)), default=0)


@lru_cache(maxsize=1)
def _neighbours() -> set[str]:
    both = [*_KEYS, *(keys[::-1] for keys in _KEYS)]
    return {keys[i : i + _RUN_MIN] for keys in both for i in range(len(keys) - _RUN_MIN + 1)}


def _run_at(text: str, position: int) -> int:
    """The length of the run that begins here: neighbours on the keyboard or in the alphabet, or one character again and again."""
    end = position
    while _is_run(text[end : end + _RUN_MIN]):
        end += 1
    return end - position + _RUN_MIN - 1 if end > position else 0


def _is_run(piece: str) -> bool:
    return len(piece) == _RUN_MIN and (piece in _neighbours() or len(set(piece)) == 1)
