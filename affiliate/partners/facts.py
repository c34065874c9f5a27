"""What an application tells about its applicant, as plain values: for those who weigh it, and for pages. Pure."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

REACH_MAX = 10_000_000_000  # more people than there are


class ChannelKind(enum.StrEnum):
    """Where somebody promotes."""

    WEBSITE = "website"
    BLOG = "blog"
    NEWSLETTER = "newsletter"
    YOUTUBE = "youtube"
    INSTAGRAM = "instagram"
    TIKTOK = "tiktok"
    PODCAST = "podcast"
    FORUM = "forum"
    ADVERTS = "adverts"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Channel:
    """One place where somebody promotes; `people` is how many it reaches in a month, null when that was not said."""

    kind: ChannelKind
    address: str
    people: int | None


@dataclass(frozen=True, slots=True)
class ApplicationFacts:
    """An application as its weighing reads it. Texts are empty where nothing was said.

    `answered` of `asked` questions have an answer. `source` says through what the applicant came (`invitation:…`,
    `article:…`, or the word that a recruiting address carried); `recruiter_id` is the partner whose link it was.
    """

    application_id: UUID
    enrollment_id: UUID
    partner_id: UUID
    submitted_at: datetime
    confirmed_at: datetime | None
    country: str
    website: str
    channels: tuple[Channel, ...]
    audience: str
    experience: str
    references: str
    offers: str
    conflicts: str
    why: str
    asked: int
    answered: int
    files: int
    source: str
    recruiter_id: UUID | None

    @property
    def reach(self) -> int:
        """How many people all channels reach in a month, as far as that was said."""
        return sum(channel.people or 0 for channel in self.channels)

    @property
    def is_invited(self) -> bool:
        """Whether the program invited the applicant itself."""
        return self.source.startswith("invitation:")


def channels(answer: Any) -> tuple[Channel, ...]:
    """The channels of an answer. One that is plain text, of an application taken in by hand, is one channel without a number."""
    if isinstance(answer, str):
        return (Channel(ChannelKind.OTHER, answer.strip(), None),) if answer.strip() else ()
    return tuple(
        Channel(ChannelKind(row["kind"]), str(row["address"]), row["people"]) for row in answer or () if row["address"]
    )


def text(answers: Mapping[str, Any], key: str) -> str:
    """One answer in words, trimmed; empty if there is none."""
    found = answers.get(key)
    return found.strip() if isinstance(found, str) else ""


def is_file(answer: Any) -> bool:
    """Whether an answer is a file."""
    return isinstance(answer, Mapping) and "file_id" in answer
