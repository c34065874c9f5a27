"""Words about creatives for pages: kinds, states, languages, and the icon of each kind."""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import pgettext

from affiliate import formats
from affiliate.creatives.kinds import CreativeKind
from affiliate.creatives.models import Creative, CreativeStatus

ICONS = {
    CreativeKind.BANNER: "photo",
    CreativeKind.TEXT: "link",
    CreativeKind.POST: "speakerphone",
    CreativeKind.MAIL: "mail",
    CreativeKind.HTML: "code",
    CreativeKind.VIDEO: "player-play",
    CreativeKind.DOCUMENT: "book",
    CreativeKind.FEED: "package",
}


def kind(of: CreativeKind) -> str:
    """A kind of creative."""
    words: dict[CreativeKind, str] = {
        CreativeKind.BANNER: _("Banner"),
        CreativeKind.TEXT: _("Text link"),
        CreativeKind.POST: _("Ready post"),
        CreativeKind.MAIL: _("Mail text"),
        CreativeKind.HTML: _("HTML snippet"),
        CreativeKind.VIDEO: _("Video"),
        CreativeKind.DOCUMENT: _("Brand guide or document"),
        CreativeKind.FEED: _("Product feed"),
    }
    return words[of]


def language(code: str) -> str:
    """The language of a creative by its own name."""
    return formats.LANGUAGES.get(code, "")


def state(creative: Creative, *, now: datetime) -> tuple[str, str, str | None]:
    """Where a creative is: the colour, the word, and an icon of its own where the colour's would mislead."""
    if creative.status is CreativeStatus.PROPOSED:
        return "wait", pgettext("creative", "Waits for the program"), None
    if creative.status is CreativeStatus.REFUSED:
        return "bad", pgettext("creative", "Not approved"), None
    if creative.ends_at is not None and creative.ends_at <= now:
        return "", pgettext("creative", "Ended"), "calendar"
    if creative.starts_at > now:
        return "acc", pgettext("creative", "Starts on %(day)s") % {"day": formats.day(creative.starts_at)}, "calendar"
    if creative.ends_at is not None:
        return "wait", pgettext("creative", "Until %(day)s") % {"day": formats.day(creative.ends_at)}, "calendar"
    return "good", pgettext("creative", "Offered"), None
