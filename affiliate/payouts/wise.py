"""The template of Wise's batch file: its columns, in their order, and what each one holds. Pure: text in, rows out.

Wise hands each customer a template of its own and takes a file only under that very head, so the head is data of the
account that pays. A line is a column: `name` alone where we know what belongs there, or `receiverType = PERSON`, or
`Reference = {reference}`.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass

N_ = str  # marks a sentence for the translators
TEXT_LENGTH_MAX = 4_000
COLUMNS_MAX = 60
USUAL = "name,recipientEmail,sourceCurrency,targetCurrency,amountCurrency,amount,paymentReference"
"""The head that Wise documents for payments to e-mail addresses."""

_PLACE = re.compile(r"\{([^{}]*)\}")
_PLACES = ("holder", "email", "iban", "bic", "amount", "currency", "source", "reference")
_KNOWN = {
    "{holder}": ("name", "fullname", "accountholder", "accountholdername", "recipientname"),
    "{email}": ("email", "recipientemail"),
    "{iban}": ("iban", "accountnumberiban"),
    "{bic}": ("bic", "swift", "swiftcode", "swiftbic", "bicswift"),
    "{currency}": ("targetcurrency", "currency"),
    "{source}": ("sourcecurrency",),
    "{amount}": ("amount",),
    "{reference}": ("paymentreference", "reference"),
    "target": ("amountcurrency",),
}
_USUAL_VALUES = {title: value for value, titles in _KNOWN.items() for title in titles}


class BadTemplate(ValueError):  # noqa: N818 - read as a kind
    """The columns cannot be read. `sentence` is an English source for gettext, with the values in `values`."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence % values)
        self.sentence, self.values = sentence, values


@dataclass(frozen=True, slots=True)
class Template:
    """Checked columns: each with its title and its value, in which `{places}` are filled per payment."""

    columns: tuple[tuple[str, str], ...]

    @property
    def head(self) -> list[str]:
        """The titles, as the file begins with them."""
        return [title for title, _value in self.columns]

    @property
    def text(self) -> str:
        """The template as it is kept, a column a line."""
        return "\n".join(f"{title} = {value}" for title, value in self.columns)

    def asks_for(self, place: str) -> bool:
        """Whether some column holds this of a payment."""
        return any(f"{{{place}}}" in value for _title, value in self.columns)

    def row(self, facts: Mapping[str, str]) -> list[str]:
        """A payment's cells; what it does not have stays empty."""
        return [_PLACE.sub(lambda found: facts.get(found[1], ""), value) for _title, value in self.columns]


def read(text: str) -> Template:
    """The template in a text: a column a line, or the one line of titles as Wise's own file begins.

    Raises:
        BadTemplate: too long, a title that says nothing to us, a place that we do not have, a title twice, no amount, or
            nothing by which Wise would know whom to pay.
    """
    if len(text) > TEXT_LENGTH_MAX:
        raise BadTemplate(N_("This is longer than %(count)s characters."), count=TEXT_LENGTH_MAX)
    template = Template(tuple(_column(number, line) for number, line in enumerate(_lines(text), start=1)))
    titles = template.head
    if len(titles) > COLUMNS_MAX:
        raise BadTemplate(N_("There are more than %(count)s columns."), count=COLUMNS_MAX)
    if twice := next((title for place, title in enumerate(titles) if title in titles[:place]), None):
        raise BadTemplate(N_("The column “%(title)s” is there twice."), title=twice)
    if not template.asks_for("amount"):
        raise BadTemplate(N_("No column holds the amount. One must say {amount}."))
    if not (template.asks_for("email") or template.asks_for("iban")):
        raise BadTemplate(N_("No column says whom to pay. One must say {email} or {iban}."))
    return template


def _lines(text: str) -> list[str]:
    lines = [line.strip() for line in text.removeprefix("\ufeff").splitlines() if line.strip()]
    if len(lines) == 1 and "=" not in lines[0]:
        return [cell.strip() for cell in next(csv.reader(lines))]
    return lines


def _column(number: int, line: str) -> tuple[str, str]:
    title, sign, value = (part.strip() for part in line.partition("="))
    if not title:
        raise BadTemplate(N_("Column %(number)s has no title."), number=number)
    if not sign:
        usual = _USUAL_VALUES.get(re.sub(r"[^a-z]", "", title.lower()))
        if usual is None:
            raise BadTemplate(
                N_("Say what stands in “%(title)s”: write %(title)s = and a value or a place."), title=title
            )
        return title, usual
    for place in _PLACE.findall(value):
        if place not in _PLACES:
            known = ", ".join(f"{{{each}}}" for each in _PLACES)
            raise BadTemplate(
                N_("“%(title)s” asks for {%(place)s}. There are %(known)s."), title=title, place=place, known=known
            )
    return title, value
