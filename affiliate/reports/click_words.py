"""Why a click does not count, in words."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from affiliate.ingest.models import ClickVerdict


def not_counted(verdict: ClickVerdict) -> str:
    """The reason in a few words; a reason without words of its own shows its name."""
    return {
        ClickVerdict.BOT: _("A program, not a person"),
        ClickVerdict.PREFETCH: _("Loaded ahead or as a preview; nobody looked"),
        ClickVerdict.HEAD: _("A check of the address without opening it"),
        ClickVerdict.EMBEDDED: _("Loaded inside another page, as a picture or frame"),
        ClickVerdict.DUPLICATE: _("The same visitor again within seconds"),
        ClickVerdict.OWN_TEAM: _("The program's own people"),
        ClickVerdict.LINK_PAUSED: _("The link was paused"),
        ClickVerdict.LINK_EXPIRED: _("The link had ended"),
        ClickVerdict.PARTNER_INACTIVE: _("The membership was not active"),
        ClickVerdict.PROGRAM_INACTIVE: _("The program was not running"),
        ClickVerdict.PAST_RETENTION: _("It arrived later than clicks are kept"),
    }.get(verdict, verdict.value)


def reasons(found: Mapping[ClickVerdict, int]) -> list[dict[str, Any]]:
    """How many clicks did not count for which reason, for templates."""
    return [{"words": not_counted(verdict), "clicks": clicks} for verdict, clicks in found.items()]
