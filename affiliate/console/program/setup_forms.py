"""The forms of the set-up assistant: few fields, in plain words. What is wrong is said at its field, and what was typed stays."""

import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit

from babel.numbers import get_currency_name
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from affiliate import amounts, formats, money
from affiliate.accounts.forms import time_zones
from affiliate.commissions import terms
from affiliate.console.forms import say, say_all
from affiliate.programs import rules
from affiliate.programs.models import Program, SetupWay
from affiliate.programs.rules import ValidationStart

_FIRST = ("EUR", "USD", "GBP", "PLN", "CHF", "CZK", "SEK", "DKK")
_DAYS = _l("Write a whole number of days.")


def _stripped(text: str | None) -> str:
    return (text or "").strip()


def slug_of(name: str) -> str:
    """A name as it can stand in addresses: “Casa Ondera” is `casa-ondera`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")


def hosts_of(shop_url: str) -> list[str]:
    """The hosts that a shop at this address has: its own, and the one with or without `www.`."""
    try:
        netloc = rules.clean_host(urlsplit(shop_url).netloc)
    except ValueError:
        return []
    if not netloc or "." not in netloc.partition(":")[0]:
        return [netloc] if netloc else []
    return [netloc, netloc.removeprefix("www.") if netloc.startswith("www.") else f"www.{netloc}"]


class ShopForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """The shop: what it is called, where it is, in which currency it pays its partners."""

    name = StringField(
        _l("Name of the program"), filters=[_stripped], description=_l("Partners see it, for example Casa Ondera.")
    )
    shop_url = StringField(_l("Address of the shop"), filters=[_stripped])
    allowed_hosts = TextAreaField(
        _l("Hosts that links may lead to"),
        description=_l("One a line. Left empty: the host of the shop's address, with and without www."),
    )
    time_zone = SelectField(_l("Time zone"), choices=lambda: [SelectChoice(zone) for zone in time_zones()])

    def hosts(self) -> list[str]:
        """The hosts that were typed, or those that follow from the address."""
        typed = [rules.clean_host(line) for line in (self.allowed_hosts.data or "").splitlines() if line.strip()]
        return typed or hosts_of(self.shop_url.data)

    def values(self) -> dict[str, Any]:
        """What `programs.service` takes; nothing is missing."""
        return {
            "name": self.name.data, "shop_url": self.shop_url.data, "allowed_hosts": self.hosts(),
            "time_zone": self.time_zone.data,
        }  # fmt: skip

    def validate(self, extra_validators: Any = None) -> bool:
        """Check each field by the rules of programs."""
        fine = super().validate(extra_validators)
        found = rules.problems(self.values())
        if "shop_url" in found and not (self.allowed_hosts.data or "").strip():
            found.pop("allowed_hosts", None)  # they follow from the address
        say_all(self, {name: [sentence] for name, sentence in found.items()})
        return fine and not self.errors


class NewForm(ShopForm):
    """The same for a program that does not exist yet: name in addresses and currency are chosen once."""

    currency = SelectField(
        _l("Currency"), description=_l("Commissions and payouts are kept in it. It stays."),
        choices=lambda: [SelectChoice(code, f"{code} · {get_currency_name(code, locale=formats.locale())}") for code in _currencies()],
    )  # fmt: skip
    slug = StringField(
        _l("Name in addresses"), filters=[_stripped], description=_l("Left empty, it follows from the name. It stays.")
    )

    def wanted_slug(self) -> str:
        """What was typed, or what follows from the name."""
        return self.slug.data.lower() or slug_of(self.name.data)


class PayForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """What partners earn of every order, in its simplest form; the editor of plans has the rest."""

    rate = StringField(
        _l("Part of each order, percent"), filters=[_stripped], description=_l("For example 8. Empty: none.")
    )
    fixed = StringField(_l("Amount for each order"), filters=[_stripped], description=_l("Beside it or instead of it."))
    with_tax = BooleanField(_l("The percentage is taken of the price with tax"))
    with_shipping = BooleanField(_l("Shipping counts as well"))

    def document(self, currency: str) -> dict[str, Any] | None:
        """The plan, or nothing when something cannot be read."""
        pay: dict[str, Any] = {}
        for field, name, read in (
            (self.rate, "rate_bps", amounts.read_percent),
            (self.fixed, "fixed_minor", lambda text: amounts.read(text, currency).amount_minor),
        ):
            try:
                pay |= {name: read(field.data)} if field.data else {}
            except amounts.BadNumber as wrong:
                say(field, str(wrong))
        if not pay and not self.errors:
            say(self.rate, "Say what is paid: a percentage, an amount, or both. Zero is an answer.")
        base = {name: True for name in ("with_tax", "with_shipping") if self[name].data}
        return None if self.errors else terms.simple(**pay) | ({"base": base} if base else {})


class CountingForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """How long a visit counts, and how long one waits for returns before an order is paid."""

    window_days = IntegerField(
        _l("A click counts for, days"),
        validators=[InputRequired(_DAYS)],
        description=_l("An order within these days is the partner's. 30 is usual."),
    )
    validation_days = IntegerField(
        _l("Wait for returns, days"),
        validators=[InputRequired(_DAYS)],
        description=_l("Only then a commission is approved. Your term for returns and a few days more."),
    )
    validation_start = SelectField(
        _l("Counted from"),
        choices=[
            SelectChoice("order", _l("the order")),
            SelectChoice("payment", _l("its payment")),
            SelectChoice("shipping", _l("its shipping")),
            SelectChoice("delivery", _l("its delivery")),
        ],
        coerce=ValidationStart,
    )
    payout_min = StringField(
        _l("Smallest payout"), filters=[_stripped], description=_l("Less is carried to the next run.")
    )

    @classmethod
    def of(cls, program: Program) -> "CountingForm":
        """The form with what is stored, or with what was typed."""
        least = money.Money(program.payout_min_minor, program.currency).text()
        shown = {"window_days": program.attribution_window_days, "validation_days": program.validation_days}
        return cls(data=shown | {"validation_start": program.validation_start, "payout_min": least})

    def values(self, currency: str) -> dict[str, Any] | None:
        """The settings that were typed, with the window; nothing when one of them is wrong."""
        try:
            least = amounts.read(self.payout_min.data or "0", currency).amount_minor
        except amounts.BadNumber as wrong:
            say(self.payout_min, str(wrong))
            return None
        values = {name: self[name].data for name in ("validation_days", "validation_start")}
        values |= {"attribution_window_days": self.window_days.data, "payout_min_minor": least}
        names = {"attribution_window_days": "window_days", "payout_min_minor": "payout_min"}
        say_all(self, {name: [sentence] for name, sentence in rules.problems(values).items()}, names)
        return None if self.errors else values


class WayForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """How the shop will report its orders."""

    way = RadioField(
        _l("How does the shop tell of an order?"),
        choices=[
            SelectChoice("server", _l("Its server calls ours: the surest way")),
            SelectChoice("pixel", _l("An image on the page that thanks, signed by the server")),
            SelectChoice("tag", _l("The tag alone: quick, but each order is verified by hand")),
            SelectChoice("postback", _l("Another tracker passes it on")),
        ],
        coerce=SetupWay,
        default=SetupWay.SERVER.value,
    )


def _currencies() -> list[str]:
    return [*_FIRST, *sorted(money.currencies() - set(_FIRST))]
