"""The page of the fraud rules: what each does, from which number on, and what a change would have done last month."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate.accounts import access
from affiliate.console import presenters, roles
from affiliate.console.blueprint import blueprint, show
from affiliate.console.program.changes import last_changes
from affiliate.console.queries import fraud as money
from affiliate.errors import Conflict, Invalid
from affiliate.fraud import effects, policy, queries, service, words
from affiliate.fraud.effects import Effect
from affiliate.fraud.policy import Policy
from affiliate.fraud.rules import AUTOMATIC, Rule, RuleSetting
from affiliate.fraud.signals import Action, Verdict
from affiliate.web import orm, request_now

LINES_LENGTH_MAX = 6_000
_DIGITS_MAX = 9
Answer = str | tuple[str, int] | BaseResponse


@blueprint.get("/<slug>/fraud/rules")
@access.console(*roles.SETTINGS)
def fraud_rules() -> str:
    """The settings in force."""
    return _page(_present(), seen=_present().version)


@blueprint.post("/<slug>/fraud/rules/try")
@access.console("manager")
def try_fraud_rules() -> Answer:
    """What the settings as typed would have done to the orders of the last 30 days. Nothing is changed."""
    wanted, seen = _typed(), _number(request.form.get("version", ""), 0)
    if wrong := policy.problems(wanted):
        return _page(wanted, seen=seen, errors=wrong), 422
    effect = effects.of(orm.session, program_id=g.program.id, wanted=wanted, now=request_now())
    return _page(wanted, seen=seen, effect=_effect(effect))


@blueprint.post("/<slug>/fraud/rules")
@access.console("manager")
def save_fraud_rules() -> Answer:
    """Switch the settings on, for orders judged from now on."""
    wanted, seen = _typed(), _number(request.form.get("version", ""), 0)
    try:
        version = service.save_settings(
            orm.session, program_id=g.program.id, wanted=wanted, seen=seen, actor=access.actor(), now=request_now()
        )
    except Invalid as refusal:
        wrong = {name: sentences[0] for name, sentences in refusal.errors.items()}
        return _page(wanted, seen=seen, errors=wrong), 422
    except Conflict as refusal:
        return _page(wanted, seen=seen, errors={"": str(refusal)}), 409
    flash(_("Saved as version %(version)s. It counts for orders from now on.", version=version), "success")
    return redirect(url_for("console.fraud_rules"), 303)


def _present() -> Policy:
    return queries.policies(orm.session, program_ids={g.program.id})[g.program.id]


def _typed() -> Policy:
    """The settings in the form. What is no number is -1, which no limit allows."""
    settings = {
        rule.name: RuleSetting(_action(rule), {name: _number(_text(f"{rule.name}.{name}"), -1) for name in rule.limits})
        for rule in AUTOMATIC
    }
    return Policy(
        rules=settings,
        brand_terms=policy.clean_terms(_text("brand_terms").splitlines()),
        banned_hosts=policy.clean_hosts(_text("banned_hosts").splitlines()),
        answer_days=_number(_text("answer_days"), -1),
    )


def _action(rule: Rule) -> Action:
    try:
        return Action(_text(f"{rule.name}.action"))
    except ValueError:
        return rule.usual


def _text(name: str) -> str:
    return request.form.get(name, "").strip()[:LINES_LENGTH_MAX]


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else otherwise


def _page(
    shown: Policy, *, seen: int, errors: Mapping[str, str] | None = None, effect: dict[str, Any] | None = None
) -> str:
    told = {name: _(sentence) for name, sentence in (errors or {}).items()}
    return show(
        "rules/fraud_rules.html",
        rules=[_rule(rule, shown.of(rule.name), told) for rule in AUTOMATIC],
        actions=[{"value": action.value, "label": words.action(action)} for action in Action],
        brand_terms="\n".join(shown.brand_terms),
        banned_hosts="\n".join(shown.banned_hosts),
        answer_days=shown.answer_days,
        errors=told,
        version=seen,
        effect=effect,
        trail=last_changes("fraud.settings"),
    )


def _rule(rule: Rule, wanted: RuleSetting, errors: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": rule.name,
        "label": words.rule(rule.name),
        "means": words.meaning(rule.name),
        "action": wanted.action.value,
        "limits": [
            {
                "name": f"{rule.name}.{name}",
                "label": words.limit(name),
                "value": wanted.limits[name],
                "least": limit.least,
                "most": limit.most,
                "error": errors.get(f"{rule.name}.{name}"),
            }
            for name, limit in rule.limits.items()
        ],
    }


def _effect(effect: Effect) -> dict[str, Any]:
    """Counts and money, before and after, and how often each rule speaks."""
    amounts = money.reckoned(orm.session, program_id=g.program.id, pairs=effect.before.keys() | effect.after.keys())
    rows = []
    for verdict in (Verdict.FLAG, Verdict.REJECT):
        cells = {}
        for side, stopped in (("before", effect.before), ("after", effect.after)):
            pairs = [pair for pair, found in stopped.items() if found is verdict]
            cells[side] = {
                "orders": len(pairs),
                "amount": presenters.amount(sum(amounts.get(pair, 0) for pair in pairs)),
            }
        rows.append({"label": words.verdict(verdict), **cells})
    spoke = Counter(effect.spoke).most_common()
    return {
        "tried": effect.tried,
        "is_whole": effect.is_whole,
        "rows": rows,
        "spoke": [{"name": words.rule(name), "value": str(count)} for name, count in spoke],
    }
