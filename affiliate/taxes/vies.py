"""What the European Commission's VIES says of a VAT number. Off unless an operator sets `AFFILIATE_VIES_URL`."""

from dataclasses import dataclass
from urllib.parse import quote

import orjson

from affiliate import outgoing
from affiliate.outgoing import CallFailed

_BYTES_MAX = 20_000
_PREFIX_LENGTH = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the number is valid (nothing: no answer), and whose it is where the country tells."""

    is_valid: bool | None
    name: str | None = None


def ask(*, url: str, vat_id: str, loopback: bool = False) -> Answer:
    """Look a number of the European Union up. `url` is the service's base, `…/vies/rest-api`; never raises for its silence."""
    country, number = quote(vat_id[:_PREFIX_LENGTH]), quote(vat_id[_PREFIX_LENGTH:])
    try:
        text = outgoing.get(f"{url}/ms/{country}/vat/{number}", bytes_max=_BYTES_MAX, loopback=loopback)
        found = orjson.loads(text)
    except (CallFailed, orjson.JSONDecodeError):
        return Answer(None)
    if not isinstance(found, dict) or found.get("userError") not in {"VALID", "INVALID"}:
        return Answer(None)  # the service is up, the register of that country is not
    name = found.get("name")
    return Answer(bool(found.get("isValid")), name if isinstance(name, str) and name.strip("- ") else None)
