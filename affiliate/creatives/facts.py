"""What is said about a creative beside its content, and the checks of it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from affiliate.creatives import kinds
from affiliate.errors import Invalid
from affiliate.links import hosts

N_ = str  # marks a sentence for the translators

GROUPS_MAX = 20
_TITLE_LENGTH_MAX = 120
_CAMPAIGN_LENGTH_MAX = 60


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said about a creative beside its content. Times are instants; `ends_at` null: it is offered until it is retired."""

    title: str
    campaign: str = ""
    language: str = ""
    landing_url: str = ""
    group_names: Sequence[str] = field(default_factory=tuple)
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def checked(facts: Facts, *, allowed_hosts: Iterable[str], now: datetime) -> dict[str, Any]:
    """The columns that facts become.

    Raises:
        Invalid: names each wrong one.
    """
    title, campaign = (" ".join(text.split()) for text in (facts.title, facts.campaign))
    landing_url = hosts.completed(facts.landing_url) if facts.landing_url.strip() else ""
    starts_at = facts.starts_at or now
    wrong: dict[str, list[str]] = {}
    if not 0 < len(title) <= _TITLE_LENGTH_MAX or not title.isprintable():
        wrong["title"] = [N_("Write a title of at most 120 characters.")]
    if len(campaign) > _CAMPAIGN_LENGTH_MAX or not campaign.isprintable():
        wrong["campaign"] = [N_("At most 60 characters.")]
    if facts.language and facts.language not in kinds.LANGUAGES:
        wrong["language"] = [N_("Choose one of the languages.")]
    if landing_url and hosts.landing_problem(landing_url, allowed_hosts) is not None:
        wrong["landing_url"] = [N_("This is no address of the shop's pages.")]
    if facts.ends_at is not None and facts.ends_at <= starts_at:
        wrong["last_on"] = [N_("It ends before it begins. Choose a later day.")]
    if len(facts.group_names) > GROUPS_MAX:
        wrong["groups"] = [N_("At most 20 groups can be named.")]
    if wrong:
        raise Invalid(wrong)
    return {
        "title": title, "campaign": campaign, "language": facts.language, "landing_url": landing_url,
        "starts_at": starts_at, "ends_at": facts.ends_at,
    }  # fmt: skip
