"""The form of an attribution policy: it reads what people type into a policy, and shows a policy as a form."""

from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from affiliate.attribution import policy as policies
from affiliate.attribution.policy import Binding, ChannelRule, Model, Policy
from affiliate.attribution.touches import Step
from affiliate.console.forms import say
from affiliate.fields import DayField
from affiliate.reports import policies as words

_PLACES = [SelectChoice("0", _l("off")), *(SelectChoice(str(place), str(place)) for place in range(1, len(Step) + 1))]
_WEIGHTS = ("first_weight", "middle_weight", "last_weight")


def _stripped(text: str | None) -> str:
    return (text or "").strip()


def _place(step: Step) -> str:
    return f"place_{step.value}"


_STEPS = {
    Step.MANUAL: _l("A manager's word"),
    Step.CLICK_ID: _l("Signed click id"),
    Step.COUPON: _l("Coupon of a partner"),
    Step.VISITOR: _l("Cookie of the visitor"),
    Step.SITE: _l("Website of a partner"),
    Step.CUSTOMER: _l("Customer brought before"),
    Step.EMAIL: _l("E-mail address brought before"),
}


class LadderForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A place for each way to recognise who brought a customer."""


for _step, _label in _STEPS.items():
    setattr(LadderForm, _place(_step), SelectField(_label, choices=_PLACES))


class PolicyForm(LadderForm):
    """Who gets a sale. The ladder is read from a place for each step; two steps of one place keep the usual order."""

    seen_version = HiddenField()
    model = SelectField(
        _l("Who gets the sale"),
        choices=lambda: [SelectChoice(model.value, words.model(model)) for model in Model],
        description=_l("Last and first click give it to one partner; the others divide it."),
    )
    window_days = IntegerField(
        _l("Attribution window, days"), description=_l("How long a contact counts before an order.")
    )
    kind_windows = TextAreaField(
        _l("Other windows by kind of order"), filters=[_stripped], description=_l("One a line, for example lead: 7")
    )
    first_weight = StringField(_l("First contact, %"), filters=[_stripped])
    middle_weight = StringField(_l("Those between, %"), filters=[_stripped])
    last_weight = StringField(_l("Last contact, %"), filters=[_stripped], description=_l("For shares by position."))
    half_life_days = IntegerField(_l("Half-life, days"), description=_l("For shares by age."))
    classes_outrank = BooleanField(
        _l("Preferred partners go first"), description=_l("Then standard ones, then those of low class.")
    )
    binding = SelectField(
        _l("A known customer belongs to"),
        choices=[
            SelectChoice(Binding.FIRST.value, _l("the first partner")),
            SelectChoice(Binding.LAST.value, _l("the last partner")),
        ],
    )
    binding_days = IntegerField(
        _l("For how many days"),
        validators=[Optional()],
        description=_l("Empty: for ever. Only where the ways above ask."),
    )
    channels = TextAreaField(
        _l("Other paid channels"),
        filters=[_stripped],
        description=_l("One a line with overrule, yield or ignore, for example google_ads: overrule"),
    )
    other_channels = SelectField(
        _l("Any other channel"),
        choices=lambda: [SelectChoice(rule.value, words.channel_rule(rule)) for rule in ChannelRule],
    )
    starts_on = DayField(
        _l("From"),
        validators=[Optional()],
        description=_l("Orders from this day on. With a day in the past these are decided again."),
    )

    @classmethod
    def of(cls, policy: Policy) -> "PolicyForm":
        """The form with this policy, or with what was typed."""
        shown: dict[str, Any] = {
            "seen_version": str(policy.version),
            "model": policy.model.value,
            "kind_windows": "\n".join(f"{kind}: {days}" for kind, days in policy.kind_windows.items()),
            "channels": "\n".join(f"{name}: {rule.value}" for name, rule in policy.channels.items()),
            "other_channels": policy.other_channels.value,
            "binding": policy.binding.value,
        }
        shown |= {
            name: getattr(policy, name) for name in ("window_days", "half_life_days", "classes_outrank", "binding_days")
        }
        shown |= {name: f"{Decimal(bps) / 100:f}" for name, bps in zip(_WEIGHTS, policy.weights, strict=True)}
        places = {step: policy.ladder.index(step) + 1 if step in policy.ladder else 0 for step in Step}
        return cls(data=shown | {_place(step): str(place) for step, place in places.items()})

    @property
    def places(self) -> list[Any]:
        """The fields of the ladder."""
        return [self[_place(step)] for step in Step]

    def policy(self, newest: Policy) -> Policy | None:
        """The policy that was typed, numbered as the one that was seen; nothing when a field is wrong."""
        typed = Policy(
            version=int(self.seen_version.data) if str(self.seen_version.data).isdigit() else newest.version,
            window_days=self.window_days.data or 0,
            model=Model(self.model.data),
            weights=self._weights(),
            half_life_days=self.half_life_days.data or 0,
            ladder=self._ladder(),
            kind_windows=self._pairs(self.kind_windows, int),
            classes_outrank=bool(self.classes_outrank.data),
            channels=self._pairs(self.channels, ChannelRule),
            other_channels=ChannelRule(self.other_channels.data),
            binding=Binding(self.binding.data),
            binding_days=self.binding_days.data,
        )
        names = {"weights": "last_weight", "ladder": _place(Step.CLICK_ID)}
        for term, sentence in policies.problems(typed).items():
            say(self[names.get(term, term)], sentence)
        return None if self.errors else typed

    def starts_at(self, zone: str) -> datetime | None:
        """Midnight of the first day in the program's time zone."""
        if self.starts_on.data is None:
            return None
        return datetime.combine(self.starts_on.data, time(), ZoneInfo(zone)).astimezone(UTC)

    def _ladder(self) -> tuple[Step, ...]:
        place = {step: int(self[_place(step)].data) for step in Step}
        return tuple(sorted((step for step in Step if place[step]), key=lambda step: place[step]))

    def _weights(self) -> tuple[int, int, int]:
        first, middle, last = (self._bps(self[name]) for name in _WEIGHTS)
        return first, middle, last

    def _bps(self, field: Any) -> int:
        try:
            return int(Decimal(field.data.replace(",", ".")) * 100)
        except (InvalidOperation, ValueError, OverflowError):
            say(field, _("Write a percentage, for example 40."))
            return 0

    def _pairs(self, field: Any, read: Any) -> dict[str, Any]:
        """Lines of `name: value`."""
        found = {}
        for line in field.data.splitlines():
            name, colon, value = line.rpartition(":")
            try:
                found[name.strip().lower()] = read(value.strip())
            except ValueError:
                colon = ""
            if not colon:
                say(field, _("“%(line)s” cannot be read. Write a name, a colon and the rest.", line=line[:60]))
        return found
