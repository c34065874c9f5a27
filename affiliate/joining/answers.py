"""Answers as they were typed, read by the questions of a form: what they are, and what is wrong with them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from affiliate.joining.questions import Question, QuestionKind
from affiliate.partners.facts import REACH_MAX, ChannelKind

N_ = str  # marks a sentence for the translators

LINE_LENGTH_MAX = 300
TEXT_LENGTH_MAX = 2_000
ADDRESS_LENGTH_MAX = 500
CHANNELS_MAX = 8
TYPED_NAMES_MAX = 120
TYPED_LENGTH_MAX = 4_000
_DIGITS_MAX = 11
_GROUPING = str.maketrans("", "", " .,'\u00a0\u202f_")
_LINES_KEPT = "\n\t"

Typed = Mapping[str, Sequence[str]]
"""What a form sent, by the name of the field."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers by the key of their question, and a sentence for each that is wrong."""

    values: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer beside its question, for whoever reads the application. `file` is its name when it is one."""

    key: str
    label: str
    is_ours: bool
    lines: tuple[str, ...]
    file: str | None = None


def kept(typed: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """What was typed, bounded, so that a draft can be shown as it was left."""
    names = [name for name in typed if len(name) <= LINE_LENGTH_MAX][:TYPED_NAMES_MAX]
    return {name: [value[:TYPED_LENGTH_MAX] for value in typed[name][:CHANNELS_MAX]] for name in names}


def read(questions: Sequence[Question], typed: Typed, files: Mapping[str, Mapping[str, Any]]) -> Answers:
    """The answers to the questions that are asked. `files` are those that came with the draft, by question."""
    answers = Answers()
    for one in questions:
        if not one.is_asked:
            continue
        value, problem = _read(one, typed, files)
        if problem is None and one.is_required and not value:
            problem = _NEEDED.get(one.kind, N_("Answer this question."))
        if problem is not None:
            answers.problems[one.key] = problem
        elif value not in (None, "", [], False) or one.kind is QuestionKind.YES_NO:
            answers.values[one.key] = value
    return answers


def shown(asked: Sequence[Question], answers: Mapping[str, Any], language: str) -> list[Shown]:
    """Each question that has an answer, in the order of the form, in the reader's language."""
    rows = []
    for one in asked:
        value = answers.get(one.key)
        if value in (None, "", []):
            continue
        label, is_ours = one.label(language)
        if one.kind is QuestionKind.FILE and isinstance(value, Mapping):
            rows.append(Shown(one.key, label, is_ours, (), str(value.get("name", ""))))
        else:
            rows.append(Shown(one.key, label, is_ours, _lines(one, value, language)))
    return rows


def channel_rows(typed: Typed) -> list[dict[str, str]]:
    """The rows of channels as they were typed, one for each that has something in it."""
    columns = [typed.get(f"channels-{name}", ()) for name in ("kind", "address", "people")]
    count = min(max(map(len, columns), default=0), CHANNELS_MAX)
    rows = [
        dict(zip(("kind", "address", "people"), (column[at] if at < len(column) else "" for column in columns), strict=True))
        for at in range(count)
    ]  # fmt: skip
    return [row for row in rows if row["address"].strip() or row["people"].strip()]


def _read(one: Question, typed: Typed, files: Mapping[str, Mapping[str, Any]]) -> tuple[Any, str | None]:
    if one.kind is QuestionKind.FILE:
        return dict(files[one.key]) if one.key in files else None, None
    if one.kind is QuestionKind.CHANNELS:
        return channels(channel_rows(typed))
    said = list(typed.get(one.key, ()))
    if one.kind is QuestionKind.CHOICES:
        return _choices(one, said)
    text = said[0] if said else ""
    return _READERS[one.kind](one, text)


def _line(_one: Question, text: str) -> tuple[Any, str | None]:
    text = "".join(filter(str.isprintable, " ".join(text.split())))
    return text, N_("Keep it below 300 characters.") if len(text) > LINE_LENGTH_MAX else None


def _text(_one: Question, text: str) -> tuple[Any, str | None]:
    text = "".join(c for c in text.replace("\r\n", "\n") if c.isprintable() or c in _LINES_KEPT).strip()
    return text, N_("Keep it below 2,000 characters.") if len(text) > TEXT_LENGTH_MAX else None


def _number(_one: Question, text: str) -> tuple[Any, str | None]:
    if not text.strip():
        return None, None
    found = whole_number(text)
    return found, N_("Write a number, for example 2400.") if found is None else None


def _address(_one: Question, text: str) -> tuple[Any, str | None]:
    text = web_address(text)
    return text, None if not text or is_web_address(text) else N_("This is not a web address.")


def _yes_no(_one: Question, text: str) -> tuple[Any, str | None]:
    return bool(text), None


def _choice(one: Question, text: str) -> tuple[Any, str | None]:
    if not text:
        return None, None
    place = _place(one, text)
    return place, N_("Choose one of the options.") if place is None else None


def _choices(one: Question, said: Sequence[str]) -> tuple[Any, str | None]:
    places = [_place(one, text) for text in said]
    if None in places:
        return None, N_("Choose among the options.")
    return sorted({place for place in places if place is not None}), None


def _place(one: Question, text: str) -> str | None:
    """An option is stored by its place, from 1 on: its words are those of the reader's language."""
    count = max((len(offered) for offered in one.options.values()), default=0)
    is_one = text.isascii() and text.isdigit() and len(text) <= len(str(count)) and 1 <= int(text) <= count
    return str(int(text)) if is_one else None


def channels(rows: Sequence[Mapping[str, str]]) -> tuple[Any, str | None]:
    """Typed rows as they are kept, or what is wrong with them."""
    found = []
    for row in rows:
        people = whole_number(row["people"]) if row["people"].strip() else None
        address = "".join(filter(str.isprintable, " ".join(row["address"].split())))
        if row["people"].strip() and people is None:
            return None, N_("Write how many people as a number, for example 2400.")
        if not address or len(address) > ADDRESS_LENGTH_MAX:
            return None, N_("Write the address or the name of each place.")
        kind = row["kind"] if row["kind"] in set(ChannelKind) else ChannelKind.OTHER.value
        found.append({"kind": kind, "address": address, "people": people})
    return found, None


def whole_number(text: str) -> int | None:
    """A number as people type it, with or without grouping; nothing if it is none, or more than there are people."""
    digits = text.strip().translate(_GROUPING)
    if not digits.isascii() or not digits.isdigit() or len(digits) > _DIGITS_MAX:
        return None
    return int(digits) if int(digits) <= REACH_MAX else None


def web_address(text: str) -> str:
    """A web address as people type it: with https:// in front."""
    text = "".join(filter(str.isprintable, text.strip()))
    return f"https://{text}" if text and "://" not in text else text


def is_web_address(text: str) -> bool:
    """Whether a browser would open it: http or https, with a host, without spaces."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    has_shape = parts.scheme in {"http", "https"} and "." in parts.netloc and not any(map(str.isspace, text))
    return has_shape and len(text) <= ADDRESS_LENGTH_MAX


def _lines(one: Question, value: Any, language: str) -> tuple[str, ...]:
    if one.kind is QuestionKind.CHANNELS and not isinstance(value, str):
        return tuple(_channel_line(row) for row in value)
    if one.kind in {QuestionKind.CHOICE, QuestionKind.CHOICES}:
        offered = one.offered(language)
        places = value if isinstance(value, list) else [value]
        return tuple(offered[int(place) - 1] for place in places if 0 < int(place) <= len(offered))
    return tuple(str(value).split("\n"))


def _channel_line(row: Mapping[str, Any]) -> str:
    return f"{row['address']} ({row['people']:,})" if row["people"] is not None else str(row["address"])


_READERS = {
    QuestionKind.LINE: _line,
    QuestionKind.TEXT: _text,
    QuestionKind.NUMBER: _number,
    QuestionKind.ADDRESS: _address,
    QuestionKind.YES_NO: _yes_no,
    QuestionKind.CHOICE: _choice,
}
_NEEDED = {
    QuestionKind.CHANNELS: N_("Name at least one place and about how many people it reaches."),
    QuestionKind.FILE: N_("Choose a file."),
    QuestionKind.YES_NO: N_("Tick this box."),
    QuestionKind.CHOICE: N_("Choose one."),
    QuestionKind.CHOICES: N_("Choose at least one."),
}
