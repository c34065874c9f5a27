"""How a partner says that a post is advertising, by country: a dated table of words. Pure.

Each entry names the rule that it follows and the day on which we read it, or what the authority says of it. It is help, not
legal advice: a program may ask for more. “Affiliate link” alone is nowhere enough: readers do not know the word. The words stand in the language of the post, so that its readers understand them; `{brand}` is who is promoted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from affiliate.countries import EEA


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What a country asks for. `labels` open a post, by language."""

    country: str  # ISO 3166; empty for everywhere else
    rule: str  # empty where we know none
    read_on: date
    labels: Mapping[str, str]

    def label(self, language: str, *, brand: str) -> str:
        """The words at the beginning of a post; English where we have none in its language."""
        return (self.labels.get(language) or self.labels["en"]).replace("{brand}", brand)


def sentence(language: str) -> str:
    """The whole sentence, for articles and mails: what it is, and what follows for whoever buys."""
    return _SENTENCES.get(language) or _SENTENCES["en"]


_READ_ON = date(2026, 11, 22)
_SENTENCES = {
    "en": "Advertising: this holds partner links. If you buy through them, I earn a commission; you pay the same price.",
    "it": "Pubblicità: questo contenuto ha link di affiliazione. Se acquisti da qui ricevo una commissione; per te il prezzo non cambia.",
    "pl": "Reklama: ten materiał zawiera linki partnerskie. Jeśli przez nie kupisz, otrzymam prowizję; zapłacisz tyle samo.",
}

_PLAIN = {
    "en": "Advertising: partner link, {brand}",
    "it": "Pubblicità: link affiliato, {brand}",
    "pl": "Reklama: link partnerski, {brand}",
}
EUROPE = Disclosure("", "Directive 2005/29/EC on unfair commercial practices, annex I, point 11", _READ_ON, _PLAIN)
"""Where the directive holds and we know no rule of the country's own: in the Union and the European Economic Area."""

EVERYWHERE = Disclosure("", "", _READ_ON, _PLAIN)
"""Plain words, by no rule that we know of: for all other countries, and for who names none."""

_BY_COUNTRY = (
    Disclosure(
        "IT",
        "IAP, Regolamento Digital Chart (30 October 2024)",
        _READ_ON,
        {
            "en": "#adv Advertising: affiliate link, {brand}",
            "it": "#pubblicità Link affiliato {brand}",
            "pl": "#adv Reklama: link partnerski, {brand}",
        },
    ),
    Disclosure(
        "PL",
        "UOKiK, recommendations on marking advertising (26 September 2022)",
        _READ_ON,
        {
            "en": "[Advertising] partner link, {brand}",
            "it": "[Pubblicità] link affiliato, {brand}",
            "pl": "[Materiał reklamowy] link partnerski, {brand}",
        },
    ),
    Disclosure(
        "DE",
        "UWG § 5a (4); Medienanstalten, Werbekennzeichnung bei Online-Medien (May 2022)",
        _READ_ON,
        {
            "en": "Werbung / Advertising: affiliate link, {brand}",
            "it": "Werbung / Pubblicità: link affiliato, {brand}",
            "pl": "Werbung / Reklama: link partnerski, {brand}",
        },
    ),
    Disclosure(
        "GB",
        "CAP Code, rule 2.1; ASA, advice on affiliate marketing",
        _READ_ON,
        {
            "en": "Ad: affiliate link, {brand}",
            "it": "Ad / Pubblicità: link affiliato, {brand}",
            "pl": "Ad / Reklama: link partnerski, {brand}",
        },
    ),
    Disclosure(
        "US",
        "FTC Endorsement Guides, 16 CFR 255, and the FTC's answers on affiliate links",
        _READ_ON,
        {
            "en": "#ad I earn a commission from {brand} through this link",
            "it": "#ad Pubblicità: da questo link ricevo una commissione di {brand}",
            "pl": "#ad Reklama: z tego linku otrzymuję prowizję od {brand}",
        },
    ),
)
_TABLE = {entry.country: entry for entry in _BY_COUNTRY}


def for_country(country: str | None) -> Disclosure:
    """What the partner's country asks for: its own rule, else that of Europe where it holds, else plain words by no rule."""
    code = (country or "").upper()
    return _TABLE.get(code) or (EUROPE if code in EEA else EVERYWHERE)
