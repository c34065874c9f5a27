"""The form of a commission plan: it reads what people type into a plan's document. `plan_shown` is the way back."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, FieldList, Form, FormField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from affiliate import amounts
from affiliate.console.forms import say
from affiliate.fields import DayField

N_ = str  # marks a sentence for the translators
RULES_MAX = 30
BLANK_RULES = 3
STEPS = 3
CAPS = ("order_minor", "day_minor", "month_minor", "total_minor", "day_orders", "month_orders", "total_orders")
BASE = ("with_tax", "with_shipping", "before_discount")
_NEEDED = _l("This is needed.")


def _stripped(text: str | None) -> str:
    return (text or "").strip()


def _text(label: Any, **more: Any) -> Any:
    return StringField(label, filters=[_stripped], **more)


class RuleForm(Form):  # type: ignore[misc] # the library is not typed
    """One rule beside the first: who, what, which customer, and what is paid then."""

    who = SelectField(
        _l("Who brought it"),
        choices=[
            SelectChoice("", _l("everybody")),
            SelectChoice("partner", _l("the partner")),
            SelectChoice("group", _l("partners in group")),
            SelectChoice("link", _l("the link with code")),
            SelectChoice("coupon", _l("the coupon")),
        ],
    )
    who_named = _text(_l("Name or code"))
    what = SelectField(
        _l("What was bought"),
        choices=[
            SelectChoice("", _l("everything")),
            SelectChoice("categories", _l("categories")),
            SelectChoice("skus", _l("articles (SKU)")),
        ],
    )
    what_named = _text(_l("Names, separated by commas"))
    customer = SelectField(
        _l("Customer"),
        choices=[
            SelectChoice("", _l("every customer")),
            SelectChoice("new", _l("new customers")),
            SelectChoice("returning", _l("returning customers")),
        ],
    )
    kind = _text(_l("Kind of act"))
    months = _text(_l("First months only"))
    rate = _text(_l("Percentage"))
    fixed = _text(_l("Amount an order"))

    def is_blank(self) -> bool:
        """Whether nothing was said in this row."""
        return not any(field.data for field in self)


class StepForm(Form):  # type: ignore[misc] # the library is not typed
    """A volume step of the first rule."""

    above = _text(_l("Above"))
    rate = _text(_l("Percentage"))
    fixed = _text(_l("Amount an order"))


class PlanForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A draft. The first rule pays for everything that no other rule pays for."""

    name = _text(_l("Name"), description=_l("Stands in each explanation, for example Autumn 2026."))
    currency = SelectField(
        _l("Currency of its amounts"),
        default="",
        description=_l("Commissions are always in the program's, by the rate of the day before the order."),
    )
    rate = _text(_l("Percentage"))
    fixed = _text(_l("Amount an order"))
    with_tax = BooleanField(_l("Tax counts"))
    with_shipping = BooleanField(_l("Shipping counts"))
    before_discount = BooleanField(_l("Discounts do not lower the base"))
    rules = FieldList(FormField(RuleForm), max_entries=RULES_MAX)
    counts = SelectField(
        _l("Steps count"),
        choices=[SelectChoice("orders", _l("orders")), SelectChoice("amount", _l("the sum of the bases"))],
    )
    period = SelectField(
        _l("Over"),
        choices=[
            SelectChoice("month", _l("a month")),
            SelectChoice("quarter", _l("a quarter")),
            SelectChoice("lifetime", _l("all time")),
        ],
    )
    mode = SelectField(
        _l("A step pays for"),
        choices=[
            SelectChoice("above", _l("what lies above it")),
            SelectChoice("all", _l("every order of that time")),
        ],
    )
    steps = FieldList(FormField(StepForm), min_entries=STEPS, max_entries=STEPS)
    order_minor = _text(_l("For one order"))
    day_minor = _text(_l("A day"))
    month_minor = _text(_l("A month"))
    total_minor = _text(_l("In all"))
    day_orders = _text(_l("Orders a day"))
    month_orders = _text(_l("Orders a month"))
    total_orders = _text(_l("Orders in all"))
    first_bonus = _text(_l("Bonus for the first sale"))
    milestone = _text(_l("Milestone: sale number"))
    milestone_bonus = _text(_l("Bonus for it"))
    recruiter = _text(_l("Recruiter's share"))
    recruiter_2 = _text(_l("The recruiter's own recruiter"))
    recruiter_3 = _text(_l("One level above"))

    def document(self, *, currency: str, named: "Named") -> dict[str, Any] | None:
        """The plan's document, or nothing when a field cannot be read; then it is said at the field."""
        reading = _Reading(currency, named)
        first = reading.pay(self)
        if steps := [
            reading.pay(step) | {"above": reading.volume(step.above, self.counts.data)}
            for step in self.steps
            if step.above.data
        ]:
            first["tiers"] = {"counts": self.counts.data, "period": self.period.data, "mode": self.mode.data, "steps": steps}  # fmt: skip
        others = [reading.rule(row.form) for row in self.rules if not row.form.is_blank()]
        says_nothing = others and not (self.rate.data or self.fixed.data or steps)
        document = {
            "currency": self.currency.data or None,
            "rules": others if says_nothing else [first, *others],
            "base": {name: True for name in BASE if self[name].data},
            "caps": {name: reading.volume(self[name], name.rpartition("_")[2]) for name in CAPS if self[name].data},
            "bonuses": reading.bonuses(self),
            "recruiter_bps": reading.percent(self.recruiter),
            "further_recruiters_bps": [
                reading.percent(row) or 0 for row in (self.recruiter_2, self.recruiter_3) if row.data
            ],
        }
        return None if reading.is_wrong else document


class Named:
    """Partners, links and coupons of a program by what people call them, and back."""

    def __init__(self, ids_by_name: Mapping[tuple[str, str], UUID]) -> None:
        self._ids = {(kind, name.casefold()): key for (kind, name), key in ids_by_name.items()}
        self.names = {key: name for (_kind, name), key in ids_by_name.items()}

    def find(self, kind: str, name: str) -> UUID | None:
        """Which one it is."""
        return self._ids.get((kind, name.casefold()))


class _Reading:
    """Reads numbers and names, and remembers whether one of them was wrong."""

    def __init__(self, currency: str, named: Named) -> None:
        self.currency, self.named, self.is_wrong = currency, named, False

    def pay(self, row: Any) -> dict[str, Any]:
        """What a row pays."""
        return {"rate_bps": self.percent(row.rate), "fixed_minor": self.amount(row.fixed)}

    def rule(self, row: Any) -> dict[str, Any]:
        """A rule's part of the document."""
        when: dict[str, Any] = {"customer": row.customer.data or None, "kind": row.kind.data or None}
        when["customer_months_max"] = self.count(row.months)
        if row.who.data == "group":
            when["group"] = row.who_named.data
        elif row.who.data:
            found = self.named.find(row.who.data, row.who_named.data)
            if found is None:
                self._wrong(row.who_named, N_("There is none of this name in the program."))
            when[row.who.data] = str(found)
        if row.what.data:
            names = [name.strip() for name in row.what_named.data.split(",") if name.strip()]
            if not names:
                self._wrong(row.what_named, N_("Name at least one."))
            when[row.what.data] = names
        return {"when": when} | self.pay(row)

    def bonuses(self, form: PlanForm) -> list[dict[str, Any]]:
        """The bonus for the first sale, and for a milestone."""
        first, later = self.amount(form.first_bonus), self.amount(form.milestone_bonus)
        found: list[dict[str, Any]] = [{"orders": 1, "amount_minor": first}] if first is not None else []
        if later is not None:
            number = self.count(form.milestone)
            if number is None:
                self._wrong(form.milestone, N_("Write a whole number, for example 100."))
            found.append({"orders": number, "amount_minor": later})
        return found

    def volume(self, field: Any, counts: str) -> int | None:
        """A number of orders, or an amount."""
        return self.count(field) if counts == "orders" else self.amount(field)

    def percent(self, field: Any) -> int | None:
        return self._read(field, amounts.read_percent)

    def count(self, field: Any) -> int | None:
        return self._read(field, amounts.read_count)

    def amount(self, field: Any) -> int | None:
        return self._read(field, lambda text: amounts.read(text, self.currency).amount_minor)

    def _read(self, field: Any, read: Any) -> int | None:
        if not field.data:
            return None
        try:
            return int(read(field.data))
        except amounts.BadNumber as wrong:
            self._wrong(field, str(wrong))
            return None

    def _wrong(self, field: Any, sentence: str) -> None:
        self.is_wrong = True
        say(field, sentence)


class PublishForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """From which day a draft counts."""

    starts_on = DayField(
        _l("From"),
        validators=[InputRequired(_NEEDED)],
        description=_l("Orders from this day on. Earlier orders keep their plan."),
    )

    def starts_at(self, zone: str) -> datetime:
        """The first instant of the day in the program's time zone."""
        return datetime.combine(self.starts_on.data, time(), ZoneInfo(zone)).astimezone(UTC)


class ExampleForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """An example order and what it must earn."""

    name = _text(_l("What it shows"), description=_l("For example: shoes and a shirt, with tax."))
    amount = _text(_l("Paid by the customer"))
    tax = _text(_l("Tax in it"))
    shipping = _text(_l("Shipping in it"))
    items = _text(_l("Items"), description=_l("Category and amount, for example: shoes 80; shirts 20"))
    customer = SelectField(
        _l("Customer"),
        choices=[
            SelectChoice("", _l("unknown")),
            SelectChoice("new", _l("new customers")),
            SelectChoice("returning", _l("returning customers")),
        ],
    )
    expected = _text(_l("Must earn"))

    def values(self, currency: str) -> dict[str, Any] | None:
        """What `add_example` takes, or nothing when a field cannot be read."""
        reading = _Reading(currency, Named({}))
        order: dict[str, Any] = {
            "amount_minor": reading.amount(self.amount) or 0,
            "tax_minor": reading.amount(self.tax) or 0,
            "shipping_minor": reading.amount(self.shipping) or 0,
            "items": self._items(currency, reading),
            "currency": currency,
        }
        if self.customer.data:
            order["new_customer"] = self.customer.data == "new"
        expected = reading.amount(self.expected)
        if expected is None and not reading.is_wrong:
            say(self.expected, str(_NEEDED))
        return None if reading.is_wrong or expected is None else {"name": self.name.data, "order": order, "expected_minor": expected}  # fmt: skip

    def _items(self, currency: str, reading: _Reading) -> list[dict[str, Any]]:
        found = []
        for number, line in enumerate(part.strip() for part in self.items.data.split(";") if part.strip()):
            category, _space, text = line.rpartition(" ")
            try:
                minor = amounts.read(text, currency).amount_minor
            except amounts.BadNumber as wrong:
                reading.is_wrong = True
                say(self.items, str(wrong))
                return []
            found.append({"sku": f"line-{number + 1}", "group": category.strip() or None, "amount_minor": minor})
        return found
