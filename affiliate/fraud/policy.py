"""A program's fraud settings: what each rule does and where it begins. Pure: documents in, settings or sentences out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from affiliate.fraud import identity
from affiliate.fraud.rules import AUTOMATIC, RuleSetting, usual
from affiliate.fraud.signals import Action

N_ = str  # marks a sentence for the translators

ANSWER_DAYS = 14
ANSWER_DAYS_MAX = 90
WORDS_MAX = 50
WORD_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True)
class Policy:
    """What a program wants: by rule, the words of its brand, the sites it bans, and how long a review may take."""

    version: int = 0
    rules: Mapping[str, RuleSetting] = field(default_factory=dict)
    brand_terms: tuple[str, ...] = ()
    banned_hosts: tuple[str, ...] = ()
    answer_days: int = ANSWER_DAYS

    def of(self, rule: str) -> RuleSetting:
        """What it wants of one automatic rule."""
        return self.rules.get(rule) or _USUAL[rule]


_USUAL = {rule.name: usual(rule) for rule in AUTOMATIC}


def read(document: Mapping[str, Any], *, version: int) -> Policy:
    """The settings that a stored document holds. Rules that came later than the document do what they usually do."""
    told = document.get("rules", {})
    found = {}
    for name, standard in _USUAL.items():
        said = told.get(name, {})
        limits = {limit: int(said.get("limits", {}).get(limit, value)) for limit, value in standard.limits.items()}
        found[name] = RuleSetting(Action(said.get("action", standard.action)), limits)
    return Policy(
        version=version,
        rules=found,
        brand_terms=tuple(document.get("brand_terms", ())),
        banned_hosts=tuple(document.get("banned_hosts", ())),
        answer_days=int(document.get("answer_days", ANSWER_DAYS)),
    )


def document(policy: Policy) -> dict[str, Any]:
    """The settings as they are stored: whole, so that a later change of what is usual does not change them."""
    rules = {name: policy.of(name) for name in _USUAL}
    return {
        "rules": {name: {"action": one.action.value, "limits": dict(one.limits)} for name, one in rules.items()},
        "brand_terms": list(policy.brand_terms),
        "banned_hosts": list(policy.banned_hosts),
        "answer_days": policy.answer_days,
    }


def clean_terms(lines: Sequence[str]) -> tuple[str, ...]:
    """Words of the brand as they are compared: small, one space between."""
    return tuple(dict.fromkeys(term for line in lines if (term := " ".join(line.lower().split()))))


def clean_hosts(lines: Sequence[str]) -> tuple[str, ...]:
    """Sites as they are compared: the host alone."""
    return tuple(dict.fromkeys(host for line in lines if (host := identity.host_of(line.strip()))))


def problems(policy: Policy) -> dict[str, str]:
    """One sentence for each wrong part, by `rule.limit` or the name of the part; empty when all may be stored."""
    found = {}
    for rule in AUTOMATIC:
        given = policy.of(rule.name).limits
        for name, limit in rule.limits.items():
            if not limit.least <= given[name] <= limit.most:
                found[f"{rule.name}.{name}"] = N_("Choose a number within the limits that stand beside the field.")
    if not 1 <= policy.answer_days <= ANSWER_DAYS_MAX:
        found["answer_days"] = N_("Choose from 1 to 90 days.")
    for name, words in (("brand_terms", policy.brand_terms), ("banned_hosts", policy.banned_hosts)):
        if len(words) > WORDS_MAX or any(len(word) > WORD_LENGTH_MAX for word in words):
            found[name] = N_("Write at most 50 lines of 100 characters.")
    return found
