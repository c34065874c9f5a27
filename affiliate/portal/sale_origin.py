"""Where the sales of the list of earnings came from, as its address asks for it: what their clicks told, read, said, and led to."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import g, request, url_for
from flask_babel import gettext as _

from affiliate.creatives.models import Creative
from affiliate.ingest.devices import COMPUTER, PHONE, TABLET
from affiliate.ingest.rollup_models import OTHER
from affiliate.reports import dimensions, sales
from affiliate.reports.asked import By
from affiliate.reports.dimensions import Scope
from affiliate.taxes import words as countries
from affiliate.web import orm

COLUMNS = {By.SUB: "sub1", By.CREATIVE: "creative", By.COUNTRY: "country", By.DEVICE: "device", By.REFERRER: "referrer_host"}  # fmt: skip
"""By what the list can be narrowed, and the field of `sales.Wanted` for it; addresses have it under its name in reports."""
NOTHING = "(none)"
"""Stands in an address for sales that have none: without a sub id, from an unknown country."""
_LENGTH_MAX = 120
_DEVICES = (PHONE, TABLET, COMPUTER)
Told = Mapping[By, str]
"""What is asked for; empty text for sales that have none."""


def read() -> dict[By, str]:
    """What this request's address asks for; what no sale can have counts as not asked."""
    found = {by: _read(by, request.args.get(by.value, "").strip()[:_LENGTH_MAX]) for by in COLUMNS}
    return {by: value for by, value in found.items() if value is not None}


def _read(by: By, text: str) -> str | None:
    if not text or text == NOTHING:
        return "" if text else None
    if by is By.COUNTRY:
        return text.upper() if len(text) == 2 and text.isascii() and text.isalpha() else None  # noqa: PLR2004 - ISO 3166
    if by is By.DEVICE:
        return text if text in _DEVICES else None
    return text.lower() if by is By.REFERRER else text


def url(by: By, value: str, *, first: date, last: date, **more: Any) -> str | None:
    """The list of a partner's sales with this origin in these days, both included; null where rows of reports hold many together."""
    if by not in COLUMNS or value == OTHER:
        return None
    arguments: dict[str, Any] = {"first": first.isoformat(), "last": last.isoformat(), by.value: value or NOTHING}
    return url_for("portal.commissions", **arguments, **more)


def said(told: Told) -> dict[By, str]:
    """What is asked for in words: “Country: Italy”; one query where a creative is named."""
    return {by: f"{dimensions.label(by)[1]}: {_word(by, value)}" for by, value in told.items()}


def _word(by: By, value: str) -> str:
    if by is not By.CREATIVE:
        return dimensions.word(by, value)
    creative_id = dimensions.creative_id(value)
    if not sales.knows_creative(orm.session, program_id=g.program.id, partner_id=g.partner.id, creative=value):
        return value or _("Without a creative")  # perhaps another partner's: its title is not told
    titles = dimensions.names_of(orm.session, Scope(g.program, g.partner.id), Creative, (Creative.title,), [creative_id])  # fmt: skip
    return titles[creative_id][0] if creative_id in titles else value or _("Without a creative")


def fields(told: Told) -> dict[str, Any]:
    """The fields of the form with what was chosen: what is typed as it stands in the address, choices as (value, word, is chosen).

    A creative is chosen by its row of a report or on its own page: the form only carries it on.
    """
    country, device = (_shown(told, by) for by in (By.COUNTRY, By.DEVICE))
    unknown = (NOTHING, _("Unknown"))
    places = [unknown, *countries.countries()]
    devices = [*((one, dimensions.word(By.DEVICE, one)) for one in _DEVICES), unknown]
    return {
        "sub": _shown(told, By.SUB),
        "referrer": _shown(told, By.REFERRER),
        "countries": [(code, word, code == country) for code, word in places],
        "devices": [(one, word, one == device) for one, word in devices],
    }


def _shown(told: Told, by: By) -> str:
    return (told[by] or NOTHING) if by in told else ""
