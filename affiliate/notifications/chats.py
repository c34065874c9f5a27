"""What a chat is told, in the form that each kind of chat reads. Pure: values in, the body of a POST out."""

import enum
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_MARKDOWN = re.compile(r"([\\`*_\[\]~])")  # which an adaptive card would take for markup
_SLACK = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class ChatKind(enum.StrEnum):
    """What reads at the other end of a chat hook, and so in which form it is told."""

    SLACK = "slack"  # and what speaks like it: Mattermost, Rocket.Chat
    TEAMS = "teams"  # an adaptive card
    JSON = "json"  # anything else: plain facts, signed


class ChatEvent(enum.StrEnum):
    """What a chat is told of."""

    ALARM = "alarm"  # a watched figure crossed its limit
    LATE = "late"  # each morning, if anything: what is late in the program
    NOTICE = "notice"  # something that a partner is told
    TEST = "test"  # by the button


@dataclass(frozen=True, slots=True)
class Message:
    """A title, some lines, and one address to go to; already in the reader's language, everything plain text."""

    title: str
    lines: Sequence[str]
    url: str
    url_label: str


def body(kind: ChatKind, *, event: ChatEvent, program: str, at: str, message: Message) -> str:
    """The JSON to post. `program` is the slug, `at` an ISO 8601 instant: for machines alone."""
    written: dict[str, Any]
    if kind is ChatKind.SLACK:
        written = _slack(message)
    elif kind is ChatKind.TEAMS:
        written = _teams(message)
    else:
        written = {
            "event": event.value, "program": program, "at": at, "title": message.title, "lines": list(message.lines),
            "url": message.url,
        }  # fmt: skip
    return json.dumps(written, ensure_ascii=False)


def _slack(message: Message) -> dict[str, Any]:
    title, *lines = (_without_marks(text) for text in (message.title, *message.lines))
    link = f"<{message.url}|{_without_marks(message.url_label)}>"
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join([f"*{title}*", *lines, link])}}
    return {"text": title, "blocks": [section]}


def _without_marks(text: str) -> str:
    """Text in which Slack finds no mention, link or channel."""
    return "".join(_SLACK.get(letter, letter) for letter in text)


def _teams(message: Message) -> dict[str, Any]:
    title = {"type": "TextBlock", "text": _escaped(message.title), "weight": "Bolder", "size": "Medium", "wrap": True}
    lines = [{"type": "TextBlock", "text": _escaped(line), "wrap": True} for line in message.lines]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [title, *lines],
        "actions": [{"type": "Action.OpenUrl", "title": message.url_label, "url": message.url}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)
