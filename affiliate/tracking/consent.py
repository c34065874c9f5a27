"""Whether a visitor agreed to be recognised, from what their browser and the address say. Pure.

A refusal anywhere beats a consent anywhere: Sec-GPC, `cons=0`, a TCF string without the first purpose. Only where nobody
said anything does the program's default decide.
"""

from base64 import urlsafe_b64decode
from collections.abc import Mapping

from affiliate.tracking.eventtypes import Consent

NAMES = frozenset({"cons", "gdpr", "gdpr_consent"})
"""The parameters of an address that are read here."""

_WORDS = {"1": True, "0": False}  # of `cons`
_TCF_PURPOSE_1_BIT = 152  # "store and access information on a device", in the core of a version 2 string
_TCF_VERSION = 2
_TCF_LENGTH_MAX = 4_000
_VERSION_BITS = 6


def state(parameters: Mapping[str, str], *, has_opted_out: bool, default: bool) -> Consent:
    """What is known: `given` or `refused` by the visitor, `default` where the program takes silence for consent, else `none`."""
    tcf = _of_tcf(parameters) if "gdpr" in parameters or "gdpr_consent" in parameters else None
    words = (_WORDS.get(parameters.get("cons", "")), tcf)
    if has_opted_out or False in words:
        return "refused"
    if True in words:
        return "given"
    return "default" if default else "none"


def allows(consent: Consent) -> bool:
    """Whether a cookie may be set and a visitor recognised."""
    return consent in {"given", "default"}


def _of_tcf(parameters: Mapping[str, str]) -> bool | None:
    """What `gdpr` and `gdpr_consent` say, as publishers and consent managers write them into addresses.

    Where the regulation does not apply (`gdpr=0`) they say nothing; where it does, a string that cannot be read is no consent.
    """
    text = parameters.get("gdpr_consent")
    if parameters.get("gdpr") == "0" or (text is None and parameters.get("gdpr") != "1"):
        return None
    return _allows_storage(text or "")


def _allows_storage(text: str) -> bool:
    """Whether the core of a TCF string consents to the first purpose."""
    core = text[:_TCF_LENGTH_MAX].partition(".")[0]
    try:
        raw = urlsafe_b64decode(core + "=" * (-len(core) % 4))
    except ValueError:
        return False
    byte, bit = divmod(_TCF_PURPOSE_1_BIT, 8)
    if len(raw) <= byte or raw[0] >> (8 - _VERSION_BITS) != _TCF_VERSION:
        return False
    return bool(raw[byte] >> (7 - bit) & 1)
