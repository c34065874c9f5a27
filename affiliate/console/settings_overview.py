"""All that is set for a program, on one page: in groups, each with what it is for, what it says now, and where it is changed."""

from typing import Any

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats
from affiliate.accounts import access
from affiliate.accounts import queries as accounts
from affiliate.attribution import queries as attribution
from affiliate.commissions import plan_queries
from affiliate.console import words
from affiliate.console.blueprint import blueprint, show
from affiliate.console.queries import named
from affiliate.fraud import queries as fraud
from affiliate.fraud.rules import AUTOMATIC
from affiliate.fraud.signals import Action
from affiliate.joining import queries as joining
from affiliate.money import Money
from affiliate.payouts import queries as payouts
from affiliate.reports import plan_words
from affiliate.reports import policies as policy_words
from affiliate.web import orm, request_now

Line = dict[str, Any]


@blueprint.get("/<slug>/settings/overview")
@access.console("manager")
def settings_overview() -> str:
    """Every setting's place, with what it says now."""
    groups = [
        {"name": _("What partners and visitors see"), "lines": _seen()},
        {"name": _("Who gets a sale, and what it earns"), "lines": _earned()},
        {"name": _("When it is paid"), "lines": _paid()},
        {"name": _("Who works with it"), "lines": _people()},
    ]
    return show("settings_overview.html", groups=groups)


def _line(name: str, told: str, url: str, *says: str) -> Line:
    return {"name": name, "told": told, "url": url, "says": [one for one in says if one]}


def _seen() -> list[Line]:
    program = g.program
    texts = joining.texts(orm.session, program_ids=[program.id]).get(program.id, {})
    languages = ", ".join(formats.LANGUAGES[one] for one in sorted(texts) if one in formats.LANGUAGES)
    return [
        _line(
            _("Name, shop and hosts"), _("Where links may lead, and where unknown ones do."),
            url_for("console.settings"), program.name, ", ".join(program.allowed_hosts),
        ),
        _line(_("Logo and colour"), _("On the public page and in the portal."), url_for("console.brand"), program.accent or ""),
        _line(
            _("Public page"), _("What the program says of itself in each language."),
            url_for("console.public_page", language="en"), languages,
        ),
        _line(_("Application form"), _("What applicants are asked."), url_for("console.application_form")),
        _line(_("How applications are weighed"), _("What counts how much, and what is suggested."), url_for("console.rubric")),
    ]  # fmt: skip


def _earned() -> list[Line]:
    program = g.program
    terms = attribution.terms(orm.session, program_ids=[program.id])[program.id]
    policy = attribution.in_force(terms, at=request_now())
    plan = plan_queries.in_force(orm.session, program_id=program.id, at=request_now())
    names = named.of_program(orm.session, program_id=program.id)
    told = {identifier: name for (_kind, name), identifier in names.items()}
    pays = plan_words.sentences(plan.terms, program.currency, told) if plan else [_("Nothing yet.")]
    return [
        _line(
            _("Attribution"), _("Changes are versions, and can be tried on past orders first."),
            url_for("console.attribution_policy"), *policy_words.sentences(policy),
        ),
        _line(
            _("Commission plan in force"), _("The most specific rule that fits an order counts. Plans can be tried on past orders first."),
            url_for("console.plans_list"), *pays,
        ),
        _line(
            _("Fraud rules"), _("A change shows what it would have done in the last 30 days."),
            url_for("console.fraud_rules"), _fraud(),
        ),
    ]  # fmt: skip


def _fraud() -> str:
    policy = fraud.policies(orm.session, program_ids=[g.program.id])[g.program.id]
    actions = [policy.of(rule.name).action for rule in AUTOMATIC]
    flags, rejects = actions.count(Action.FLAG), actions.count(Action.REJECT)
    return _("%(flags)s rules put under review, %(rejects)s reject.", flags=flags, rejects=rejects)


def _paid() -> list[Line]:
    program = g.program
    policy = payouts.policy_of(orm.session, program_id=program.id)
    least = formats.money(Money(program.payout_min_minor, program.currency))
    waits = ngettext("%(num)d day", "%(num)d days", program.validation_days)
    return [
        _line(
            _("Validation period"), _("How long a commission waits for returns."), url_for("console.settings"), waits,
            _("Smallest payout: %(amount)s", amount=least),
        ),
        _line(
            _("Payouts"), _("When runs are due, who approves, which account pays."), url_for("console.payout_policy"),
            words.cadence(policy.cadence),
        ),
        _line(_("Approval limits"), _("Up to which sum each person may approve."), url_for("console.payout_limits")),
        _line(_("Taxes and papers"), _("The buyer on invoices, and what is withheld."), url_for("console.tax_settings")),
    ]  # fmt: skip


def _people() -> list[Line]:
    keys = [one for one in accounts.api_keys(orm.session, program_id=g.program.id) if one.revoked_at is None]
    days = ngettext("%(num)d day", "%(num)d days", g.program.case_answer_days)
    return [
        _line(_("People and roles"), _("Who of your team may do what."), url_for("console.people")),
        _line(
            _("Tracking and keys"), _("The lines for the shop."), url_for("console.tracking"),
            ngettext("%(num)d key", "%(num)d keys", len(keys)),
        ),
        _line(_("Cases"), _("Within what time partners get an answer."), url_for("console.settings"), days),
        _line(_("Figures that are watched"), _("Thresholds with an alert."), url_for("console.kpis")),
        _line(_("Chats"), _("Where alerts go beside mail."), url_for("console.chats")),
    ]  # fmt: skip
