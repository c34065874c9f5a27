"""The page of the fraud rules: what each does, from which number on, and what a change would have done last month."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate.accounts import access
from affiliate.console import presenters, roles
from affiliate.console.blueprint import blueprint, show
from affiliate.console.program.changes import last_changes
from affiliate.errors import Conflict, Invalid
from affiliate.fraud import policy, queries, service, words
from affiliate.fraud.policy import Policy
from affiliate.fraud.rules import AUTOMATIC, Rule, RuleSetting
from affiliate.fraud.signals import Action, Verdict
from affiliate.replay import trials
from affiliate.replay.models import FraudTrial, ReplayStatus
from affiliate.web import orm, request_now

LINES_LENGTH_MAX = 6_000
_DIGITS_MAX = 9
Answer = str | tuple[str, int] | BaseResponse


@blueprint.get("/<slug>/fraud/rules")
@access.console(*roles.SETTINGS)
def fraud_rules() -> str:
    """The settings in force, with the way to the last trial of others."""
    present, trial = _present(), trials.of_program(orm.session, program_id=g.program.id)
    return _page(present, seen=present.version, tried_at=trial.created_at if trial else None)


@blueprint.get("/<slug>/fraud/rules/try")
@access.console(*roles.SETTINGS)
def fraud_trial() -> Answer:
    """The settings that a job tries, or has tried last, and what came of it so far; without any, the rules in force."""
    trial = trials.of_program(orm.session, program_id=g.program.id)
    if trial is None:
        return redirect(url_for("console.fraud_rules"))
    return _page(trials.wanted_of(trial), seen=trial.base_version, trial=trial)


@blueprint.post("/<slug>/fraud/rules/try")
@access.console("manager")
def try_fraud_rules() -> Answer:
    """What the settings as typed would have done to the orders of the last 30 days; of very many a job tells. Nothing is changed."""
    wanted, seen = _typed(), _number(request.form.get("version", ""), 0)
    if wrong := policy.problems(wanted):
        return _page(wanted, seen=seen, errors=wrong), 422
    trial = trials.ask(orm.session, program_id=g.program.id, wanted=wanted, now=request_now())
    if trial.status is ReplayStatus.RUNNING:
        return redirect(url_for("console.fraud_trial"), 303)
    return _page(wanted, seen=seen, trial=trial)


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
    shown: Policy, *, seen: int, errors: Mapping[str, str] | None = None, trial: FraudTrial | None = None,
    tried_at: datetime | None = None,
) -> str:  # fmt: skip
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
        effect=_effect(trial) if trial else None,
        tried_at=tried_at,
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


def _effect(trial: FraudTrial) -> dict[str, Any]:
    """Counts and money, before and after, how often each rule speaks, and of how many orders that is told."""
    totals = trials.Totals.read(trial.totals)
    return {
        "done": trial.done,
        "total": max(trial.total, trial.done),
        "at": trial.created_at,
        "version": trial.base_version,
        "is_running": trial.status is ReplayStatus.RUNNING,
        "is_failed": trial.status is ReplayStatus.FAILED,
        "rows": [
            {"label": words.verdict(verdict)} | {side: _stopped(totals, side, verdict) for side in trials.SIDES}
            for verdict in (Verdict.FLAG, Verdict.REJECT)
        ],
        "spoke": [{"name": words.rule(name), "value": str(count)} for name, count in totals.spoke.most_common()],
    }


def _stopped(totals: trials.Totals, side: str, verdict: Verdict) -> dict[str, Any]:
    orders, minor = totals.of(side, verdict)
    return {"orders": orders, "amount": presenters.amount(minor)}
