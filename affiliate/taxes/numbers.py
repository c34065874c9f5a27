"""VAT numbers: their form and check digits, offline. Whether somebody really holds one, VIES says (`vies`)."""

import re

from affiliate.countries import EU

N_ = str  # marks a sentence for the translators
_PREFIX = {"GR": "EL"}
_PLAIN = re.compile(r"[A-Z0-9]{4,20}")


class BadVatId(ValueError):  # noqa: N818 - read as a kind
    """Not a VAT number of this country; the message says so."""


def read_vat_id(text: str, *, country: str) -> str:
    """The number in its plain form, with the country's prefix in the European Union.

    Raises:
        BadVatId: another country's, or wrong by its form or check digit.
    """
    from stdnum import get_cc_module  # loads a module for each country: only who enters a number pays for it
    from stdnum.exceptions import ValidationError

    number = re.sub(r"[\s.\-/]", "", text).upper()
    prefix = _PREFIX.get(country, country)
    rules = get_cc_module("eu" if country in EU else country.lower(), "vat")
    if country in EU and not number.startswith(prefix):
        number = prefix + number
    if rules is None:
        if _PLAIN.fullmatch(number):
            return number
        raise BadVatId(N_("This is not a VAT number: it has 4 to 20 letters and digits."))
    try:
        return str(rules.validate(number))
    except ValidationError as wrong:
        raise BadVatId(N_("This is not a VAT number of that country. Check its letters and digits.")) from wrong
