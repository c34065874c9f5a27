"""All that is set for a program, on one page: in groups, each with what it is for, what it says now, and where it is changed."""

from email.utils import parseaddr
from typing import Any
from zoneinfo import ZoneInfo

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats
from affiliate.accounts import access
from affiliate.accounts import queries as accounts
from affiliate.attribution import queries as attribution
from affiliate.canary import queries as canary
from affiliate.canary.models import CanaryState
from affiliate.commissions import plan_queries
from affiliate.console import roles, words
from affiliate.console.blueprint import blueprint, can, settings, show, tends_all
from affiliate.console.queries import named
from affiliate.fraud import queries as fraud
from affiliate.fraud.rules import AUTOMATIC
from affiliate.fraud.signals import Action
from affiliate.joining import queries as joining
from affiliate.money import Money
from affiliate.payouts import queries as payouts
from affiliate.payouts import wise
from affiliate.programs import branding, sender
from affiliate.reports import plan_words
from affiliate.reports import policies as policy_words
from affiliate.taxes import queries as taxes
from affiliate.taxes import words as tax_words
from affiliate.web import orm, request_now

Line = dict[str, Any]


@blueprint.get("/<slug>/settings/overview")
@access.console(*roles.SETTINGS)
def settings_overview() -> str:
    """Every setting's place, with what it says now."""
    groups = [
        {"name": _("What partners and visitors see"), "lines": _seen()},
        {"name": _("Who gets a sale, and what it earns"), "lines": _earned()},
        {"name": _("When it is paid"), "lines": _paid()},
        {"name": _("Who works with it"), "lines": _people()},
    ]
    return show("program/settings_overview.html", groups=groups)


def _line(name: str, told: str, page: str, *says: str, **place: Any) -> Line:
    """A setting with the page on which it is changed, for who may open that one."""
    url = url_for(f"console.{page}", **place) if can(page) else None
    return {"name": name, "told": told, "url": url, "says": [one for one in says if one]}


def _seen() -> list[Line]:
    program = g.program
    texts = joining.texts(orm.session, program_ids=[program.id]).get(program.id, {})
    languages = ", ".join(formats.LANGUAGES[one] for one in sorted(texts) if one in formats.LANGUAGES)
    return [
        _line(
            _("Name, shop and hosts"), _("Where links may lead, and where unknown ones do."),
            "settings", program.name, ", ".join(program.allowed_hosts),
        ),
        _line(
            _("Labels for web analytics"), _("What the shop's analytics reads of a partner's visit."), "settings",
            *(program.landing_labels or [_("None.")]), _anchor="s5",
        ),
        _line(
            _("Logo and colour"), _("On the public page and in the portal."), "brand",
            program.accent or "", _("Own logo") if branding.logo_id(orm.session, program_id=program.id) else "",
        ),
        _line(
            _("Sender of mails"), _("The name and address that partners read."),
            "brand", *_sender(), _anchor="sender",
        ),
        _line(
            _("Own host"), _("Where links, portal and public page are."), "brand",
            program.own_host or _("None: our address."), _anchor="domain",
        ),
        _line(
            _("Public page"), _("What the program says of itself in each language."),
            "public_page", languages, language="en",
        ),
        _line(_("Application form"), _("What applicants are asked."), "application_form"),
        _line(_("How applications are weighed"), _("What counts how much, and what is suggested."), "weights"),
    ]  # fmt: skip


def _sender() -> list[str]:
    own = sender.of_programs(orm.session, [g.program.id])[g.program.id]
    return [own.name, own.address or parseaddr(settings().mail_from)[1]]


def _earned() -> list[Line]:
    program = g.program
    terms = attribution.terms(orm.session, program_ids=[program.id])[program.id]
    policy = attribution.in_force(terms, at=request_now())
    plan = plan_queries.in_force(orm.session, program_id=program.id, at=request_now())
    names = named.of_plan(orm.session, program_id=program.id, document=plan.terms) if plan else {}
    pays = plan_words.sentences(plan.terms, program.currency, names) if plan else [_("Nothing yet.")]
    return [
        _line(
            _("Attribution"), _("Changes are versions, and can be tried on past orders first."),
            "attribution_policy", *policy_words.sentences(policy),
        ),
        _line(
            _("Commission plan in force"), _("The most specific rule that fits an order counts. Plans can be tried on past orders first."),
            "plans_list", *pays,
        ),
        _line(
            _("Fraud rules"), _("A change shows what it would have done in the last 30 days."),
            "fraud_rules", _fraud(),
        ),
        _line(
            _("Groups of partners"), _("Plans may pay a group otherwise. A partner's page and acts on many put partners into one."),
            "partners", ", ".join(named.groups_offered(orm.session, program_id=program.id)) or _("None yet."),
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
            _("Validation period"), _("How long a commission waits for returns."), "settings", waits,
            _("Smallest payout: %(amount)s", amount=least),
        ),
        _line(
            _("Payouts"), _("When runs are due, who approves, which account pays."), "payout_policy",
            words.cadence(policy.cadence),
            f"{_('Days to wait after the approval of a commission')}: {formats.number(policy.net_days)}",
            _("One person may propose and approve") if policy.is_one_person else "",
        ),
        _line(
            _("Columns of your Wise template"), _("The head of the file for Wise."), "payout_policy",
            ", ".join(wise.read(policy.wise_template).head) if policy.wise_template else _("The usual columns."),
        ),
        _line(_("Approval limits"), _("Up to which sum each person may approve."), "payout_limits"),
        *_taxes(),
    ]  # fmt: skip


def _taxes() -> list[Line]:
    here = {"program_id": g.program.id}
    buyer = taxes.settings_of(orm.session, **here)
    today = request_now().astimezone(ZoneInfo(g.program.time_zone)).date()
    rules = taxes.rules_on(orm.session, **here, day=today).values()
    unconfirmed = sum(one.confirmed_at is None for one in rules)
    return [
        _line(
            _("Buyer's data"), _("They stand on the papers of payouts that are proposed from now on."), "tax_settings",
            buyer.legal_name if buyer else _("Nobody has entered the buyer's data yet: payouts go out without papers."),
            _("Pay nobody without a tax profile") if buyer and buyer.demands_profile else "",
            _("Write invoices for partners who agree to it") if buyer and buyer.offers_self_billing else "",
        ),
        _line(
            _("Tax rules"), _("What is added and withheld, by kind of partner, from a day on. A payout keeps the rule of the day it was proposed."),
            "tax_rules", ", ".join(tax_words.rule_name(one.name) for one in rules) or _("No rule yet"),
            f"{_('To be confirmed by your accountant')}: {formats.number(unconfirmed)}" if unconfirmed else "",
        ),
    ]  # fmt: skip


def _people() -> list[Line]:
    keys = [one for one in accounts.api_keys(orm.session, program_id=g.program.id) if one.revoked_at is None]
    days = ngettext("%(num)d day", "%(num)d days", g.program.case_answer_days)
    answered = ngettext("%(num)d day", "%(num)d days", g.program.application_answer_days)
    return [
        _line(_("People and roles"), _("Who of your team may do what."), "people"),
        _line(
            _("Tracking and keys"), _("The lines for the shop."), "tracking",
            ngettext("%(num)d key", "%(num)d keys", len(keys)),
        ),
        _line(_("Applications"), _("Within what time applicants get an answer."), "settings", answered),
        _line(_("Cases"), _("Within what time partners get an answer."), "settings", days),
        _line(_("Figures that are watched"), _("Thresholds with an alert."), "kpis"),
        _line(_("Chats"), _("Where alerts go beside mail."), "chats"),
        *_canary(),
    ]  # fmt: skip


def _canary() -> list[Line]:
    """The installation's own test order, for those who look after all programs."""
    if not tends_all():
        return []
    run = canary.latest(orm.session)
    went = _("It went the whole way") if run and run.state is CanaryState.PASSED else _("It stopped on its way")
    said = f"{went}: {formats.instant(run.started_at)}" if run else _("None yet.")
    told = _("Every hour one goes the whole way by itself.")
    return [_line(_("Test order of the installation"), told, "tech_view", said)]
