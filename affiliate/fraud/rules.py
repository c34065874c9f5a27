"""The fraud rules, one ordered list, and the verdict on a credit. Pure: facts and settings in, verdict with its findings out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from affiliate.fraud import orders, pace, people, traffic
from affiliate.fraud.facts import Facts
from affiliate.fraud.signals import Action, Check, Evidence, Verdict


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold that a program may move: its usual value and how far it may be moved."""

    usual: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule by its name, what it does unless the program says otherwise, and its thresholds. Without a check, only people apply it."""

    name: str
    usual: Action
    check: Check | None = None
    limits: Mapping[str, Limit] = field(default_factory=dict)


_PERCENT = Limit(40, 5, 100)
_BPS = Limit(100, 0, 5_000)
_TIMES = Limit(5, 2, 100)

RULES: tuple[Rule, ...] = (
    Rule("self_referral", Action.REJECT, people.self_referral),
    Rule("banned_referrer", Action.REJECT, people.banned_referrer),
    Rule("unconfirmed", Action.REJECT, orders.unconfirmed, {"days": Limit(30, 1, 365)}),
    Rule("replayed_order", Action.FLAG, orders.replayed_order, {"reports": Limit(3, 1, 100)}),
    Rule("varied_order_id", Action.FLAG, orders.varied_order_id, {"bps": _BPS}),
    Rule("told_otherwise", Action.FLAG, orders.told_otherwise, {"bps": _BPS}),
    Rule("tampered_click", Action.FLAG, traffic.tampered_click),
    Rule("machine_network", Action.FLAG, traffic.machine_network, {"orders": Limit(3, 1, 1_000), "times": _TIMES}),
    Rule("brand_bidding", Action.FLAG, traffic.brand_bidding),
    Rule("lookalike_referrer", Action.FLAG, people.lookalike_referrer),
    Rule("partner_ring", Action.FLAG, people.partner_ring),
    Rule("duplicate_partner", Action.FLAG, people.duplicate_partner),
    Rule("disposable_mail", Action.FLAG, people.disposable_mail),
    Rule("one_place", Action.FLAG, people.one_place, {"customers": Limit(5, 2, 1_000)}),
    Rule("click_flood", Action.FLAG, traffic.click_flood, {"clicks": Limit(30, 3, 10_000)}),
    Rule("too_fast", Action.FLAG, traffic.too_fast, {"seconds": Limit(5, 1, 600), "orders": Limit(5, 1, 50)}),
    Rule("too_flat", Action.FLAG, traffic.too_flat, {"orders": Limit(30, 10, 50), "early_percent": Limit(15, 1, 50)}),
    Rule("high_rate", Action.FLAG, traffic.high_rate, {"orders": Limit(10, 3, 10_000), "clicks": Limit(200, 10, 10**6), "times": _TIMES}),
    Rule("low_rate", Action.FLAG, traffic.low_rate, {"clicks": Limit(2_000, 100, 10**6), "times": Limit(20, 2, 1_000)}),
    Rule("coupon_leak", Action.FLAG, pace.coupon_leak, {"orders": Limit(10, 3, 10_000), "times": _TIMES}),
    Rule("velocity", Action.FLAG, pace.velocity, {"orders": Limit(10, 3, 10_000), "history": Limit(10, 1, 10_000), "times": Limit(4, 2, 100)}),
    Rule("refund_farming", Action.FLAG, pace.refund_farming, {"orders": Limit(20, 5, 10_000), "percent": _PERCENT, "times": Limit(3, 2, 100)}),
    Rule("missing_disclosure", Action.FLAG),
    Rule("by_hand", Action.FLAG),
)  # fmt: skip
"""Tried in this order. All that speak are kept; the strongest action counts, and of equals the first is the reason."""

BY_NAME = {rule.name: rule for rule in RULES}
AUTOMATIC = tuple(rule for rule in RULES if rule.check is not None)
MANUAL = tuple(rule for rule in RULES if rule.check is None)
_STRENGTH = {Action.OFF: 0, Action.FLAG: 1, Action.REJECT: 2}
_VERDICT = {Action.OFF: Verdict.PASS, Action.FLAG: Verdict.FLAG, Action.REJECT: Verdict.REJECT}


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """What a program wants of one rule."""

    action: Action
    limits: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that spoke, what it calls for, and the numbers that made it speak."""

    rule: str
    action: Action
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a credit, its reason (the rule that decided), and all that spoke."""

    verdict: Verdict
    reason: str | None
    findings: tuple[Finding, ...]


def usual(rule: Rule) -> RuleSetting:
    """What a rule does in a program that has not said anything."""
    return RuleSetting(rule.usual, {name: limit.usual for name, limit in rule.limits.items()})


def judge(facts: Facts, *, settings: Mapping[str, RuleSetting]) -> Judgement:
    """Try every rule that is on. A rule that its settings do not name does what it usually does."""
    found = []
    for rule in AUTOMATIC:
        wanted = settings.get(rule.name) or usual(rule)
        if wanted.action is Action.OFF or rule.check is None:
            continue
        signal = rule.check(facts, wanted.limits)
        if signal is not None:
            action = min(wanted.action, signal.at_most, key=_STRENGTH.__getitem__)
            found.append(Finding(rule.name, action, signal.evidence))
    return decide(found)


def decide(findings: Sequence[Finding]) -> Judgement:
    """The verdict that follows from what spoke."""
    strongest = max(findings, key=lambda finding: _STRENGTH[finding.action], default=None)  # the first of equals
    if strongest is None:
        return Judgement(Verdict.PASS, None, ())
    return Judgement(_VERDICT[strongest.action], strongest.rule, tuple(findings))
