"""What a program asks its applicants: questions of ours, and its own. Pure; sentences are English sources for gettext."""

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

N_ = str  # marks a sentence for the translators

LANGUAGES = ("en", "it", "pl")
QUESTIONS_MAX = 30
OPTIONS_MAX = 20
LABEL_LENGTH_MAX = 200
HINT_LENGTH_MAX = 300
OPTION_LENGTH_MAX = 100
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
RESERVED = frozenset(
    {
        "name",
        "email",
        "partner_name",
        "website",
        "country",
        "terms",
        "terms_accepted_at",
        "terms_language",
        "terms_version",
    }
)
"""What every applicant is asked, whatever the program adds."""


class QuestionKind(enum.StrEnum):
    """What an answer looks like."""

    LINE = "line"
    TEXT = "text"
    NUMBER = "number"
    ADDRESS = "address"
    YES_NO = "yes_no"
    CHOICE = "choice"
    CHOICES = "choices"
    CHANNELS = "channels"
    FILE = "file"


WITH_OPTIONS = frozenset({QuestionKind.CHOICE, QuestionKind.CHOICES})
OWN_KINDS = tuple(kind for kind in QuestionKind if kind is not QuestionKind.CHANNELS)
"""What a program's own question may be: channels are asked once, by ours."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `labels`, `hints` and `options` by language; a question of ours without words of the program has ours."""

    key: str
    kind: QuestionKind
    is_required: bool = False
    is_asked: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        """Whether every program may ask it, and its answer is read by rules."""
        return self.key in OURS

    def label(self, language: str) -> tuple[str, bool]:
        """The question in a language, and whether it is a sentence of ours that wants translating."""
        return _said(self.labels, language) or _ours(self.key, 0)

    def hint(self, language: str) -> tuple[str, bool]:
        """The hint below it, likewise; empty if there is none."""
        return _said(self.hints, language) or _ours(self.key, 1)

    def offered(self, language: str) -> Sequence[str]:
        """The options in a language, in the order in which they are kept."""
        found = self.options.get(language) or ()
        return found or next((self.options[one] for one in LANGUAGES if self.options.get(one)), ())


OURS: Mapping[str, tuple[str, str]] = {
    "channels": (
        N_("Where you promote, and how many people you reach"),
        N_("One row for each place. About right is right enough."),
    ),
    "why": (N_("Why does this program suit you?"), ""),
    "audience": (N_("Who listens to you?"), N_("Age, country, interests: what you know of them.")),
    "experience": (N_("What have you promoted so far?"), N_("With numbers, if you may tell them.")),
    "references": (N_("Work that we can look at"), N_("Addresses of posts, films or issues, one a line.")),
    "offers": (
        N_("What else do you recommend or sell?"),
        N_("Your own products, and other programs you take part in."),
    ),
    "conflicts": (
        N_("Is there a conflict of interest?"),
        N_("For example: you work for a competitor, or for us. Write “none” if there is none."),
    ),
    "kit": (N_("Media kit or statistics"), N_("A PDF or a picture of up to 3 MB.")),
}
"""The questions that every program may ask, with our words for them. Their answers are read by rules."""

_KIND_OF_OURS = {"channels": QuestionKind.CHANNELS, "kit": QuestionKind.FILE}


def standard_kind(key: str) -> QuestionKind | None:
    """What the answer to a question of ours looks like; nothing for a program's own."""
    return _KIND_OF_OURS.get(key, QuestionKind.TEXT) if key in OURS else None


STANDARD: tuple[Question, ...] = tuple(
    Question(key, _KIND_OF_OURS.get(key, QuestionKind.TEXT), is_required=key == "channels", is_asked=key != "kit")
    for key in OURS
)
"""What a program asks that never changed its form."""


def to_documents(questions: Iterable[Question]) -> list[dict[str, Any]]:
    """Questions as they are stored."""
    return [
        {
            "key": one.key,
            "kind": one.kind.value,
            "is_required": one.is_required,
            "is_asked": one.is_asked,
            "labels": dict(one.labels),
            "hints": dict(one.hints),
            "options": {language: list(options) for language, options in one.options.items()},
        }
        for one in questions
    ]


def from_documents(documents: Iterable[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Stored questions."""
    return tuple(
        Question(
            document["key"], QuestionKind(document["kind"]), document["is_required"], document["is_asked"],
            document["labels"], document["hints"], document["options"],
        )
        for document in documents
    )  # fmt: skip


def complete(questions: Sequence[Question]) -> tuple[Question, ...]:
    """The form with those of our questions that it does not know yet, not asked, at its end."""
    known = {one.key for one in questions}
    missing = (Question(one.key, one.kind, is_asked=False) for one in STANDARD if one.key not in known)
    return (*questions, *missing)


def problems(questions: Sequence[Question]) -> dict[str, list[str]]:
    """What is wrong with a form, by the key of the question; `form` for all of it."""
    found: dict[str, list[str]] = {}
    if len(questions) > QUESTIONS_MAX:
        found["form"] = [N_("A form has up to 30 questions.")]
    keys = [one.key for one in questions]
    for one in questions:
        wrong = [sentence for applies, sentence in _checks(one, keys) if applies]
        if wrong:
            found[one.key] = wrong
    return found


def _checks(one: Question, keys: Sequence[str]) -> Iterable[tuple[bool, str]]:
    texts = [*one.labels.values(), *one.hints.values()]
    options = [option for offered in one.options.values() for option in offered]
    counts = {len(offered) for offered in one.options.values() if offered}
    return (
        (_KEY.fullmatch(one.key) is None or one.key in RESERVED, N_("This question has no name that can be stored.")),
        (keys.count(one.key) > 1, N_("Two questions have the same name.")),
        (not one.is_ours and not any(one.labels.values()), N_("Write the question in at least one language.")),
        (not one.is_ours and one.kind not in OWN_KINDS, N_("Choose what the answer looks like.")),
        (
            any(len(text) > LABEL_LENGTH_MAX for text in one.labels.values())
            or any(len(text) > HINT_LENGTH_MAX for text in one.hints.values()),
            N_("A question has up to 200 characters, its hint up to 300."),
        ),
        (any(not text.isprintable() for text in texts), N_("A question and its hint stand in one line each.")),
        (one.kind in WITH_OPTIONS and not options, N_("Write the options, one a line.")),
        (len(counts) > 1, N_("Write the same options in each language, in the same order.")),
        (
            max(counts, default=0) > OPTIONS_MAX or any(len(option) > OPTION_LENGTH_MAX for option in options),
            N_("Up to 20 options of 100 characters each."),
        ),
    )


def _said(words: Mapping[str, str], language: str) -> tuple[str, bool] | None:
    found = words.get(language) or next((words[one] for one in LANGUAGES if words.get(one)), "")
    return (found, False) if found else None


def _ours(key: str, place: int) -> tuple[str, bool]:
    return (OURS[key][place], True) if key in OURS else ("", False)
