"""Where a partner's money can go, as a pure module: the fields of each kind, checked, made uniform, and masked for pages.

The libraries that know banks and addresses are loaded where details are read: the tables need only the kinds.
"""

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

N_ = str  # marks a sentence for the translators
HOLDER_LENGTH_MAX = 70
NOTE_LENGTH_MAX = 300
_DOT = "•"
_POLISH_ACCOUNT = re.compile(r"\d{26}")
_PREFIX_NUMBER_BANK = re.compile(r"(?:(\d{1,6})-)?(\d{2,10})/(\d{4})")
_CHECKED_AT_HOME = frozenset({"BE", "CZ", "EE", "ES", "FI", "FR", "IT", "NO", "PT", "SI", "SK"})
"""Countries whose own numbers have check digits: elsewhere a wrong digit would become a right IBAN of somebody else."""

_ACCOUNT_NUMBER = re.compile(r"[0-9A-Za-z]{4,34}")


class MethodKind(enum.StrEnum):
    """By what means a partner is paid."""

    BANK = "bank"
    PAYPAL = "paypal"
    WISE = "wise"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Details:
    """Checked details. `fields` go into the vault; `masked` may be shown."""

    kind: MethodKind
    fields: dict[str, str]
    masked: str


class BadDetails(ValueError):  # noqa: N818 - read as a kind
    """`errors` names each wrong field with one sentence."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("The details are wrong.")
        self.errors = dict(errors)


def read(kind: MethodKind, given: Mapping[str, str], *, country: str | None = None) -> Details:
    """Check what was typed and make it uniform. An account may be typed as people of `country` write it.

    Raises:
        BadDetails: names each wrong field.
    """
    values = {name: " ".join(str(given.get(name) or "").split()) for name in _FIELDS[kind]}
    return _READERS[kind](values | {"country": country or ""})


_Reader = Callable[[dict[str, str]], Details]


def _bank(values: dict[str, str]) -> Details:
    errors = {}
    if not 1 < len(values["holder"]) <= HOLDER_LENGTH_MAX:
        errors["holder"] = N_("Write the name of the account's holder, in up to 70 characters.")
    fields: dict[str, str] = {}
    try:
        fields = _account(values["account"], values["routing"], values["country"])
    except ValueError as wrong:
        errors["account"] = str(wrong)
    if errors:
        raise BadDetails(errors)
    number = fields.get("iban") or fields["number"]
    masked = f"{number[:4]} {_DOT * 4} {number[-4:]}" if "iban" in fields else f"{_DOT * 4} {number[-4:]}"
    return Details(MethodKind.BANK, fields | {"holder": values["holder"]}, masked)


def _account(text: str, routing: str, country: str) -> dict[str, str]:
    """An IBAN with the BIC it follows from, from whatever way of writing it; with a routing number it is an American account."""
    from schwifty import IBAN
    from schwifty.exceptions import SchwiftyException
    from stdnum.us import rtn

    compact = re.sub(r"[\s-]", "", text).upper()
    if routing:
        if not rtn.is_valid(routing) or not _ACCOUNT_NUMBER.fullmatch(compact):
            raise ValueError(N_("This routing number and account number do not fit an account in the United States."))
        return {"number": compact, "routing": rtn.compact(routing), "country": "US"}
    if _POLISH_ACCOUNT.fullmatch(compact):
        compact = f"PL{compact}"
    try:
        if country in _CHECKED_AT_HOME and not compact[:2].isalpha():
            iban = IBAN.from_bban(country, _at_home(text), validate_bban=True)
        else:
            iban = IBAN(compact, validate_bban=True)
    except SchwiftyException as wrong:
        raise ValueError(N_("This is not an IBAN: a letter or digit is wrong. Copy it from your bank.")) from wrong
    return {"iban": str(iban), "country": iban.country_code} | ({"bic": str(iban.bic)} if iban.bic else {})


def _at_home(text: str) -> str:
    """A domestic number as it stands inside the IBAN. Czechs and Slovaks write `prefix-number/bank`."""
    if found := _PREFIX_NUMBER_BANK.fullmatch(re.sub(r"\s", "", text)):
        prefix, number, bank = found.groups(default="")
        return f"{bank}{prefix:0>6}{number:0>10}"
    return re.sub(r"[^0-9A-Za-z]", "", text).upper()


def _address(kind: MethodKind) -> _Reader:
    def read_address(values: dict[str, str]) -> Details:
        from email_validator import EmailNotValidError, validate_email

        try:
            email = validate_email(values["email"], check_deliverability=False).normalized
        except EmailNotValidError as wrong:
            raise BadDetails({"email": N_("Write the e-mail address of your account there.")}) from wrong
        name, _, domain = email.partition("@")
        holder = {"holder": values["holder"]} if "holder" in values else {}
        return Details(kind, {"email": email} | holder, f"{name[0]}{_DOT * 3}@{domain}"[:80])

    return read_address


def _other(values: dict[str, str]) -> Details:
    if not 0 < len(values["note"]) <= NOTE_LENGTH_MAX:
        raise BadDetails({"note": N_("Say how to pay you, in up to 300 characters.")})
    return Details(MethodKind.OTHER, {"note": values["note"]}, f"{values['note'][:3]}{_DOT * 3}")


_FIELDS = {
    MethodKind.BANK: ("holder", "account", "routing"),
    MethodKind.PAYPAL: ("email",),
    MethodKind.WISE: ("holder", "email"),
    MethodKind.OTHER: ("note",),
}
_READERS: dict[MethodKind, _Reader] = {
    MethodKind.BANK: _bank,
    MethodKind.PAYPAL: _address(MethodKind.PAYPAL),
    MethodKind.WISE: _address(MethodKind.WISE),
    MethodKind.OTHER: _other,
}
