"""An attribution policy in words: its rule in short for an explanation, and sentence by sentence for whoever sets it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats
from affiliate.attribution.policy import Binding, ChannelRule, Model, Policy
from affiliate.attribution.touches import Step

_BOUND = (Step.CUSTOMER, Step.EMAIL)


def model(model: Model) -> str:
    """The name of a model."""
    return {
        Model.LAST_CLICK: _("Last click"),
        Model.FIRST_CLICK: _("First click"),
        Model.LINEAR: _("Shared equally"),
        Model.POSITION_BASED: _("Shared by position"),
        Model.TIME_DECAY: _("Shared by age"),
    }[model]


def step(step: Step) -> str:
    """A way to recognise who brought a customer."""
    return {
        Step.MANUAL: _("A manager's word"),
        Step.CLICK_ID: _("Signed click id"),
        Step.COUPON: _("Coupon of a partner"),
        Step.VISITOR: _("Cookie of the visitor"),
        Step.SITE: _("Website of a partner"),
        Step.CUSTOMER: _("Customer brought before"),
        Step.EMAIL: _("E-mail address brought before"),
    }[step]


def channel_rule(rule: ChannelRule) -> str:
    """What another channel does, as a choice."""
    return {
        ChannelRule.OVERRULES: _("takes the sale if the customer came through it last"),
        ChannelRule.YIELDS: _("is shown, and a partner's contact wins"),
        ChannelRule.IGNORED: _("counts for nothing"),
    }[rule]


def days(count: int) -> str:
    """So many days."""
    return ngettext("%(num)s day", "%(num)s days", count)


def rule(trace: Mapping[str, Any], *, default_days: int) -> str:
    """The rule of a decided order in short: “Last click, 30 days”."""
    window = days(int(trace.get("window_days", default_days)))
    name = str(trace.get("model", Model.LAST_CLICK))
    known = model(Model(name)) if name in set(Model) else name
    return _("%(model)s, %(days)s", model=known, days=window)


def rung(outcome: str) -> str:
    """What a step of the ladder came to."""
    return {
        "found": _("found"),
        "not_found": _("not found"),
        "not_needed": _("not needed"),
        "outranked": _("partner of a lower class"),
        "overruled": _("another channel came later"),
    }.get(outcome, outcome)


def sentences(policy: Policy) -> list[str]:
    """The policy as sentences that a person would say, the most important first."""
    return [
        _who_gets_it(policy),
        _window(policy),
        _ways(policy),
        *_bound(policy),
        *_classes(policy),
        *_channels(policy),
    ]


def _who_gets_it(policy: Policy) -> str:
    first, middle, last = (formats.percent_bps(part) for part in policy.weights)
    return {
        Model.LAST_CLICK: _("The partner whose contact came last before the order gets the whole sale."),
        Model.FIRST_CLICK: _("The partner whose contact came first gets the whole sale."),
        Model.LINEAR: _("Every contact that counts gets an equal part of the sale."),
        Model.POSITION_BASED: _(
            "The first contact gets %(first)s, the last %(last)s, and those between share %(middle)s.",
            first=first,
            middle=middle,
            last=last,
        ),
        Model.TIME_DECAY: _(
            "Later contacts get more: a contact has half the weight of one that is %(days)s younger.",
            days=days(policy.half_life_days),
        ),
    }[policy.model]


def _window(policy: Policy) -> str:
    said = _("A contact counts for %(days)s.", days=days(policy.window_days))
    kinds = [
        _("%(days)s for orders of the kind “%(kind)s”", days=days(count), kind=kind)
        for kind, count in policy.kind_windows.items()
    ]
    return f"{said} {_('Other windows: %(list)s.', list=', '.join(kinds))}" if kinds else said


def _ways(policy: Policy) -> str:
    return _(
        "We look in this order, and the first that is found decides: %(list)s.",
        list=", ".join(step(each) for each in policy.ladder),
    )


def _bound(policy: Policy) -> list[str]:
    if not any(each in policy.ladder for each in _BOUND):
        return []
    said = (
        _("A customer belongs to the first partner that brought an order.")
        if policy.binding is Binding.FIRST
        else _("A customer belongs to the last partner that brought an order.")
    )
    if policy.binding_days is None:
        return [said]
    return [f"{said} {_('This ends after %(days)s.', days=days(policy.binding_days))}"]


def _classes(policy: Policy) -> list[str]:
    if not policy.classes_outrank:
        return [_("All partners compete alike.")]
    return [_("Preferred partners go before standard ones, and these before those of low class.")]


def _channels(policy: Policy) -> list[str]:
    said = [
        _("%(channel)s: %(what)s.", channel=name, what=channel_rule(rule)) for name, rule in policy.channels.items()
    ]
    return [*said, _("Any other paid channel: %(what)s.", what=channel_rule(policy.other_channels))]
