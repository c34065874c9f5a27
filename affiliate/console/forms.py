"""The forms of the console. Each gives plain values; what is wrong is said at its field, and what was typed stays."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from affiliate import amounts
from affiliate.accounts import keys
from affiliate.accounts.forms import time_zones
from affiliate.console import words
from affiliate.fields import DayField
from affiliate.money import Money
from affiliate.programs import labels, rules, signs
from affiliate.programs.models import GoalMetric, Program

_NEEDED = _l("This is needed.")
_AS_TYPED = [
    name
    for name in rules.SETTINGS
    if name not in {"allowed_hosts", "channel_signs", "landing_labels", "payout_min_minor"}
]
"""The settings that a field of their own name holds as they are stored."""


def _stripped(text: str | None) -> str:
    return (text or "").strip()


def moment(text: str | None) -> datetime | None:
    """When the person read what the form changes; null where the page sent nothing that we had written into it."""
    try:
        found = datetime.fromisoformat(text or "")
        return found.astimezone(UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):  # the last: a year beside the calendar, once its zone is taken off
        return None


def say(field: Field, sentence: str) -> None:
    """Add a sentence to what is wrong with a field."""
    field.errors = [*field.errors, _(sentence)]


def say_all(form: FlaskForm, errors: Mapping[str, Sequence[str]], names: Mapping[str, str] | None = None) -> None:
    """Put the sentences of a refused service call at their fields; `names` says where a value has another name here."""
    for name, sentences in errors.items():
        field = form[(names or {}).get(name, name)]
        for sentence in sentences:
            say(field, sentence)


class SettingsForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """The settings of a program. `seen_at` is when the person read them, so that two people do not overwrite one another."""

    seen_at = HiddenField()
    name = StringField(_l("Name of the program"), filters=[_stripped])
    mission = StringField(
        _l("In one sentence"), filters=[_stripped], description=_l("Stands under the name on the public page.")
    )
    description = TextAreaField(_l("What you sell, and why it is good to recommend"), filters=[_stripped])
    audience = TextAreaField(
        _l("Who fits"), filters=[_stripped], description=_l("Which partners you look for, and which not.")
    )
    terms = TextAreaField(
        _l("Terms"),
        filters=[_stripped],
        description=_l("Partners read them before they apply. Other languages: on the public page of each."),
    )
    accent = StringField(
        _l("Colour"),
        filters=[_stripped, str.lower],
        description=_l("Of the public page, for example #0a5a6e. Empty: ours."),
    )
    shop_url = StringField(_l("Address of the shop"), filters=[_stripped])
    allowed_hosts = TextAreaField(
        _l("Hosts that links may lead to"),
        description=_l("One a line, for example www.shop.example. All others are refused."),
    )
    fallback_url = StringField(
        _l("Where unknown links lead"), filters=[_stripped], description=_l("Empty: a friendly page that says so.")
    )
    click_parameter = StringField(
        _l("Name of the click id in addresses"),
        filters=[_stripped],
        description=_l("The shop's pages must expect the same name."),
    )
    cookie_by_default = BooleanField(
        _l("Set the cookie without asking"), description=_l("Only where your visitors' consent is settled otherwise.")
    )
    channel_signs = TextAreaField(
        _l("Signs of other paid channels"),
        description=_l(
            "One a line: a parameter of the shop's address and the channel it stands for, for example gclid: google_ads "
            "or utm_campaign=spring*: search_ads. The first that fits counts."
        ),
    )
    landing_labels = TextAreaField(
        _l("Labels for web analytics"),
        description=_l(
            "One a line, for example utm_source={program}. Macros: {program}, {partner}, {link}, {sub1} to {sub10}. A label "
            "that an address has already stays as it is. Empty: none."
        ),
    )
    time_zone = SelectField(_l("Time zone"), choices=lambda: [SelectChoice(zone) for zone in time_zones()])
    validation_days = IntegerField(
        _l("Validation period, days"),
        description=_l("The shop's term for returns and a few days more, so that returns come before the money goes."),
    )
    validation_start = SelectField(
        _l("The validation period starts with"),
        choices=[
            SelectChoice("order", _l("the order")),
            SelectChoice("payment", _l("its payment")),
            SelectChoice("shipping", _l("its shipping")),
            SelectChoice("delivery", _l("its delivery")),
        ],
        coerce=rules.ValidationStart,
        description=_l("The shop reports these moments. Cash on delivery always waits for the payment."),
    )
    case_answer_days = IntegerField(
        _l("Cases are answered within, days"), description=_l("Partners read it, and both sides are reminded.")
    )
    application_answer_days = IntegerField(
        _l("Applications are answered within, days"),
        description=_l("Applicants read it, and managers are told what waits longer."),
    )
    payout_min = StringField(
        _l("Minimum payout"), filters=[_stripped], description=_l("Smaller balances are carried to the next run.")
    )

    @classmethod
    def of(cls, program: Program) -> "SettingsForm":
        """The form with what is stored, or with what was typed."""
        shown = {name: getattr(program, name) for name in _AS_TYPED}
        shown["allowed_hosts"] = "\n".join(program.allowed_hosts)
        shown["channel_signs"] = "\n".join(program.channel_signs)
        shown["landing_labels"] = "\n".join(program.landing_labels)
        shown["payout_min"] = Money(program.payout_min_minor, program.currency).text()
        form = cls(data=shown | {"seen_at": program.updated_at.isoformat()})
        form.currency = program.currency
        return form

    currency: str
    minimum: Money | None = None

    def validate(self, extra_validators: Any = None) -> bool:
        """Check each field by the rules of programs."""
        fine = super().validate(extra_validators)
        try:
            self.minimum = amounts.read(self.payout_min.data, self.currency)
        except amounts.BadNumber as wrong:
            say(self.payout_min, str(wrong))
        values = {name: value for name, value in self.changes().items() if value is not None or name == "fallback_url"}
        for name, sentence in rules.problems(values).items():
            say(self[name if name != "payout_min_minor" else "payout_min"], sentence)
        return fine and not self.errors

    def changes(self) -> dict[str, Any]:
        """The settings as they were typed; an unreadable number is missing."""
        values = {name: self[name].data for name in _AS_TYPED}
        values["allowed_hosts"] = [
            rules.clean_host(line) for line in self.allowed_hosts.data.splitlines() if line.strip()
        ]
        values["channel_signs"] = [signs.clean(line) for line in self.channel_signs.data.splitlines() if line.strip()]
        typed = [labels.clean(line) for line in self.landing_labels.data.splitlines()]
        values["landing_labels"] = list(dict.fromkeys(filter(None, typed)))
        values["payout_min_minor"] = None if self.minimum is None else self.minimum.amount_minor
        return values

    def seen(self) -> datetime | None:
        """When the person read the settings."""
        return moment(self.seen_at.data)


class GoalForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A target for a period. People name its last day; the books keep the first day after it. `people` may own it: ids and names."""

    metric = SelectField(
        _l("What counts"), choices=lambda: [SelectChoice(each.value, words.goal_metric(each)) for each in GoalMetric]
    )
    target = StringField(_l("Target"), filters=[_stripped], validators=[InputRequired(_NEEDED)])
    starts_on = DayField(_l("First day"), validators=[InputRequired(_NEEDED)])
    last_on = DayField(_l("Last day"), validators=[InputRequired(_NEEDED)])
    owner = SelectField(_l("Owner"), default=lambda: str(current_user.id), description=_l("Who answers for it."))

    def __init__(self, people: Mapping[UUID, str], **given: Any) -> None:
        super().__init__(**given)
        self.owner.choices = [SelectChoice(str(user_id), name) for user_id, name in people.items()]

    def values(self, *, currency: str) -> dict[str, Any] | None:
        """What `add_goal` takes, or nothing when the target cannot be read."""
        metric = GoalMetric(self.metric.data)
        try:
            target = read_target(metric, self.target.data, currency)
        except amounts.BadNumber as wrong:
            say(self.target, str(wrong))
            return None
        ends_on = self.last_on.data + timedelta(days=1)
        days = {"starts_on": self.starts_on.data, "ends_on": ends_on}
        return {"metric": metric, "target": target, **days, "owner_id": UUID(self.owner.data)}


def read_target(metric: GoalMetric, text: str, currency: str) -> int:
    """What was typed as target: minor units for money, basis points for a share, else a number of things.

    Raises:
        BadNumber: it cannot be read.
    """
    if metric in {GoalMetric.REVENUE, GoalMetric.COST}:
        return amounts.read(text, currency).amount_minor
    return amounts.read_percent(text) if metric is GoalMetric.NEW_CUSTOMER_SHARE else amounts.read_count(text)


class ApiKeyForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A new API key."""

    name = StringField(
        _l("What it is for"), filters=[_stripped], validators=[InputRequired(_NEEDED), Length(max=120)],
        description=_l("For example the shop's server."),
    )  # fmt: skip
    scopes = SelectMultipleField(
        _l("What it may do"), choices=lambda: [SelectChoice(scope, f"{scope}: {words.scope(scope)}") for scope in keys.SCOPES], validators=[InputRequired(_l("Choose at least one."))],
        widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(),
    )  # fmt: skip
    is_test = BooleanField(_l("Test key"), description=_l("Its orders take the live path, and never count or pay."))
