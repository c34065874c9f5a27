"""The questions of a form as its page shows them, with what was typed and what is wrong. Plain values."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from affiliate import formats
from affiliate.joining import answers
from affiliate.joining.questions import Question, QuestionKind
from affiliate.partners.facts import ChannelKind

_ROWS_AT_FIRST = 2


def fields(
    questions: Sequence[Question],
    typed: answers.Typed,
    files: Mapping[str, Mapping[str, Any]],
    problems: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Each question that is asked, in order."""
    return [_field(one, typed, files, problems) for one in questions if one.is_asked]


def words(sentence: str, is_ours: bool) -> str:  # noqa: FBT001 - a pair as `Question.label` gives it
    """A label in the reader's language: ours is translated, the program's is as the program wrote it."""
    return str(_(sentence)) if is_ours and sentence else sentence


def channel_kinds() -> list[tuple[str, str]]:
    """The kinds of places, with their words."""
    said: dict[ChannelKind, str] = {
        ChannelKind.WEBSITE: _("Website"),
        ChannelKind.BLOG: _("Blog"),
        ChannelKind.NEWSLETTER: _("Newsletter"),
        ChannelKind.YOUTUBE: "YouTube",
        ChannelKind.INSTAGRAM: "Instagram",
        ChannelKind.TIKTOK: "TikTok",
        ChannelKind.PODCAST: _("Podcast"),
        ChannelKind.FORUM: _("Forum or group"),
        ChannelKind.ADVERTS: _("Paid adverts"),
        ChannelKind.OTHER: _("Something else"),
    }
    return [(kind.value, said[kind]) for kind in ChannelKind]


def _field(
    one: Question, typed: answers.Typed, files: Mapping[str, Mapping[str, Any]], problems: Mapping[str, str]
) -> dict[str, Any]:
    language = formats.locale()
    said = list(typed.get(one.key, ()))
    shown: dict[str, Any] = {
        "key": one.key,
        "kind": one.kind.value,
        "label": words(*one.label(language)),
        "hint": words(*one.hint(language)),
        "is_required": one.is_required,
        "error": problems.get(one.key),
        "value": said[0] if said else "",
        "file": files.get(one.key, {}).get("name"),
    }
    if one.kind is QuestionKind.CHANNELS:
        shown["rows"] = _rows(typed)
        shown["kinds"] = channel_kinds()
    shown["options"] = [
        {"value": str(place), "text": text, "is_chosen": str(place) in said}
        for place, text in enumerate(one.offered(language), start=1)
    ]
    return shown


def _rows(typed: answers.Typed) -> list[dict[str, str]]:
    """The rows that were filled, one more to fill, and at least a few."""
    rows = answers.channel_rows(typed)
    empty = {"kind": "", "address": "", "people": ""}
    count = min(max(len(rows) + 1, _ROWS_AT_FIRST), answers.CHANNELS_MAX)
    return [*rows, *(dict(empty) for _place in range(count - len(rows)))]
