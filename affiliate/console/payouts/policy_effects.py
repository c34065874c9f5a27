"""What a change of how the program pays, or of who buys, does: before and after, from when, and whom it would touch now."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import g
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats
from affiliate.console import words
from affiliate.console.queries import effects
from affiliate.money import Money
from affiliate.payouts.queries import Policy
from affiliate.payouts.schedule import Cadence, due_on
from affiliate.taxes import queries as taxes
from affiliate.taxes.figures import vat_status
from affiliate.taxes.models import TaxSettings
from affiliate.web import orm, request_now

Line = dict[str, Any]
MONTH = timedelta(days=30)
_BUYER = ("legal_name", "address", "country", "vat_id", "tax_number", "text")


def of_policy(before: Policy, after: Mapping[str, Any], *, has_account: bool) -> list[Line]:
    """Each part of the policy that would change. `after` has the fields of `Policy`; an account is never shown."""
    found = [
        changed(_("When runs are due"), words.cadence(before.cadence), words.cadence(after["cadence"]), _runs(), _next(after["cadence"])),
        changed(
            _("Days to wait after the approval of a commission"), formats.number(before.net_days),
            formats.number(after["net_days"]), _runs(), _payable(before.net_days, after["net_days"]),
        ),
        changed(
            _("Bonuses and corrections that need no second person, up to"), _amount(before.adjustment_limit_minor),
            _amount(after["adjustment_limit_minor"]), _("Counts for entries made from now on."),
            _entries(before.adjustment_limit_minor, after["adjustment_limit_minor"]),
        ),
        changed(
            _("One person may propose and approve"), _yes(before.is_one_person), _yes(after["is_one_person"]),
            _("Counts at once, for runs that are proposed already as well."), None,
        ),
        changed(_("Holder of the account that pays"), before.payer_name or "", after["payer_name"] or "", _files(), None),
        changed(_("Columns of your Wise template"), before.wise_template or "", after["wise_template"] or "", _files(), None),
    ]  # fmt: skip
    if has_account:
        account = {"name": _("IBAN of the account that pays"), "before": "…", "after": _("another one")}
        found.append(account | {"means": _files(), "effect": None})
    return [line for line in found if line]


def of_buyer(before: TaxSettings | None, after: Mapping[str, Any]) -> list[Line]:
    """Each part of the buyer's data and demands that would change."""
    means = _("Stands on papers of payouts proposed from now on. Papers that there are stay.")
    names = {
        "legal_name": _("Company name"), "address": _("Address"), "country": _("Country"), "vat_id": _("VAT number"),
        "tax_number": _("Tax number"), "text": _("What is bought"),
    }  # fmt: skip
    found = [
        changed(
            names[name], getattr(before, name, None) or "", after[name] or "", means,
            _vat(before, after["country"]) if name == "country" else None,
        )
        for name in _BUYER
    ]  # fmt: skip
    demanded, offered = (bool(before and getattr(before, n)) for n in ("demands_profile", "offers_self_billing"))
    found += [
        changed(
            _("Pay nobody without a tax profile"), _yes(demanded), _yes(after["demands_profile"]), _runs(), _unprofiled()
        ),
        changed(
            _("Write invoices for partners who agree to it"), _yes(offered), _yes(after["offers_self_billing"]),
            _("Counts for tax profiles entered from now on."), _self_billed(),
        ),
    ]  # fmt: skip
    return [line for line in found if line]


def changed(name: str, before: str, after: str, means: str, effect: str | None) -> Line:
    """A line about one setting; nothing if it stays as it is."""
    if before.split() == after.split():
        return {}
    return {
        "name": name,
        "before": before or formats.UNKNOWN,
        "after": after or formats.UNKNOWN,
        "means": means,
        "effect": effect,
    }


def _runs() -> str:
    return str(_("Counts from the next payout run on."))


def _files() -> str:
    return str(_("Stands in payment files made from now on."))


def _yes(value: object) -> str:
    return str(_("yes") if value else _("no"))


def _amount(minor: int) -> str:
    return formats.money(Money(minor, g.program.currency))


def _next(cadence: Cadence) -> str:
    zone = ZoneInfo(g.program.time_zone)
    last = effects.last_run_at(orm.session, program_id=g.program.id)
    last_on = last.astimezone(zone).date() if last else None
    day = due_on(cadence, last_run_on=last_on, today=request_now().astimezone(zone).date())
    return str(_("The next run would be due on %(day)s.", day=formats.day(day)) if day else _("No run would be due."))


def _payable(before: int, after: int) -> str:
    def told(days: int) -> str:
        until = request_now() - timedelta(days=days)
        count, minor = effects.approved_by(orm.session, program_id=g.program.id, until=until)
        return str(_("%(count)s (%(amount)s)", count=formats.number(count), amount=_amount(minor)))

    return str(
        _(
            "Commissions that a run could pay now: %(after)s; as it is: %(before)s.",
            before=told(before),
            after=told(after),
        )
    )


def _entries(before: int, after: int) -> str:
    span = (min(before, after), max(before, after))
    count = effects.entries_between(orm.session, program_id=g.program.id, since=request_now() - MONTH, amounts=span)
    if after < before:
        return ngettext(
            "%(num)d entry of the last 30 days would have needed a second person.",
            "%(num)d entries of the last 30 days would have needed a second person.", count,
        )  # fmt: skip
    return ngettext(
        "%(num)d entry of the last 30 days would have needed no second person.",
        "%(num)d entries of the last 30 days would have needed no second person.", count,
    )  # fmt: skip


def _vat(before: TaxSettings | None, country: str) -> str | None:
    """How many partners would get papers with another treatment of VAT."""
    if before is None:
        return None
    today = request_now().astimezone(ZoneInfo(g.program.time_zone)).date()
    rules = taxes.rules_on(orm.session, program_id=g.program.id, day=today)
    count = 0
    for profile, _name in taxes.profiles_in(orm.session, program_id=g.program.id, limit=effects.PROFILES_MAX):
        rule = rules.get(profile.rule_code or "")
        facts: dict[str, Any] = {"country": profile.country, "has_vat_id": profile.vat_id is not None}
        facts["vat_bps"] = rule.vat_bps if rule else 0
        count += vat_status(buyer_country=before.country, **facts) != vat_status(buyer_country=country, **facts)
    return ngettext(
        "%(num)d partner would get papers with another VAT.", "%(num)d partners would get papers with another VAT.",
        count,
    )  # fmt: skip


def _unprofiled() -> str:
    count, minor = effects.owed_without_profile(orm.session, program_id=g.program.id)
    return str(
        _("Partners without a tax profile who have something to be paid now: %(count)s (%(amount)s).", count=formats.number(count), amount=_amount(minor))
    )  # fmt: skip


def _self_billed() -> str:
    count = effects.self_billed(orm.session, program_id=g.program.id)
    return ngettext(
        "%(num)d partner has agreed to invoices that you write.", "%(num)d partners have agreed to invoices that you write.",
        count,
    )  # fmt: skip
