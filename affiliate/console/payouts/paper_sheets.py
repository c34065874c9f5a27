"""Tax papers as plain values for the console's templates."""

from typing import Any

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import pgettext

from affiliate import formats, ids
from affiliate.console import presenters
from affiliate.money import Money
from affiliate.papers import words as paper_words
from affiliate.papers.models import FiledInvoice, FiledStatus, Paper
from affiliate.papers.queries import Year
from affiliate.payouts.models import Payout
from affiliate.reports.words import Sign
from affiliate.taxes import words
from affiliate.taxes.models import TaxProfile, TaxRule, VatAnswer, VatCheck
from affiliate.taxes.queries import Position

YEAR_HEAD = [
    "year", "partner", "id", "legal_name", "country", "vat_id", "tax_number", "payouts",
    "taxable", "vat", "stamp_duty", "withheld", "paid", "currency",
]  # fmt: skip
_KINDS = {VatAnswer.WAITING: "wait", VatAnswer.VALID: "good", VatAnswer.INVALID: "bad", VatAnswer.UNAVAILABLE: "hold"}


def filed(one: FiledInvoice, payout: Payout, name: str) -> dict[str, Any]:
    """A filed invoice beside what the notice of its payout says."""
    signs = {
        FiledStatus.FILED: Sign("wait", pgettext("invoice", "To check")),
        FiledStatus.ACCEPTED: Sign("good", pgettext("invoice", "Accepted")),
        FiledStatus.REFUSED: Sign("bad", pgettext("invoice", "Refused")),
    }
    return {
        "key": one.id.hex,
        "partner": presenters.partner_link(one.partner_id, name),
        "number": one.number,
        "invoiced_on": one.invoiced_on,
        "total": Money(one.total_minor, one.currency),
        "vat_id": one.vat_id,
        "sign": signs[one.status],
        "reason": one.reason,
        "lines": _amounts(payout),
        "pdf_url": url_for("console.filed_invoice_pdf", invoice_id=one.id),
        "urls": {
            what: url_for("console.decide_invoice", invoice_id=one.id, what=what) for what in ("accept", "refuse")
        },
    }


def _amounts(payout: Payout) -> str:
    """Taxable, VAT, stamp duty and withheld in one line."""
    taxable = Money(payout.amount_minor - payout.vat_minor - payout.stamp_minor, payout.currency)
    parts = [_("taxable %(amount)s", amount=formats.money(taxable))]
    for minor, sentence in (
        (payout.vat_minor, _("VAT %(amount)s")),
        (payout.stamp_minor, _("stamp duty %(amount)s")),
        (payout.withheld_minor, _("withheld %(amount)s")),
    ):
        if minor:
            parts.append(sentence % {"amount": formats.money(Money(minor, payout.currency))})
    return ", ".join(parts)


def awaited(payout: Payout, name: str) -> dict[str, Any]:
    """A payout of a proposed run that waits for its partner's invoice."""
    return {
        "partner": presenters.partner_link(payout.partner_id, name),
        "url": url_for("console.payout_run", run_id=payout.run_id),
        "at": payout.created_at,
        "total": Money(payout.amount_minor, payout.currency),
    }


def ours(paper: Paper, name: str) -> dict[str, Any]:
    """A paper that we wrote."""
    total_minor = paper.taxable_minor + paper.vat_minor + paper.stamp_minor
    return {
        "number": paper.document["number"],
        "kind": paper_words.document_kind(paper.kind),
        "corrects": (paper.document["corrects"] or {}).get("number"),
        "partner": presenters.partner_link(paper.partner_id, name),
        "at": paper.issued_at,
        "total": Money(total_minor, paper.currency),
        "withheld": Money(paper.withheld_minor, paper.currency),
        "pdf_url": url_for("console.issued_paper_pdf", paper_id=paper.id) if paper.file_id else None,
    }


def profile_line(one: TaxProfile, name: str) -> dict[str, Any]:
    """A partner's tax profile in a list."""
    return {
        "name": name,
        "url": url_for("console.partner_taxes", partner_id=one.partner_id),
        "country": formats.country(one.country),
        "vat_id": one.vat_id,
        "paper": words.paper_kind_in_short(one.paper),
        "at": one.created_at,
        "until": one.replaced_at,
    }


def profile(one: TaxProfile, position: Position | None) -> dict[str, Any]:
    """A tax profile with what follows from it."""
    facts = [
        (_("Kind"), _("Company") if one.is_company else _("Person")),
        (_("Country"), formats.country(one.country)),
        (_("VAT number"), one.vat_id or _("none")),
        (_("Tax number"), one.tax_number or _("none")),
        (_("Paper"), words.paper_kind_in_short(one.paper)),
    ]
    if position is not None:
        terms = position.terms
        facts.append((_("VAT"), words.vat_status(terms.vat_status)))
        withheld = _(
            "%(rate)s of %(share)s",
            rate=formats.percent_bps(terms.rate_bps),
            share=formats.percent_bps(terms.base_share_bps),
        )
        facts.append((_("Withheld"), withheld if terms.rate_bps else _("nothing")))
        if position.rule is not None:
            facts.append((_("Rule"), words.rule_name(position.rule.name)))
    return {
        "legal_name": one.legal_name,
        "address": one.address.splitlines(),
        "facts": [{"name": name, "value": value} for name, value in facts],
        "since": one.created_at,
        "agreed_at": one.agreed_at,
        "unconfirmed": position is not None and position.rule is not None and position.rule.confirmed_at is None,
    }


def vat_check(one: VatCheck) -> dict[str, Any]:
    """The newest question to VIES and its answer."""
    return {
        "sign": Sign(_KINDS[one.answer], words.vat_answer(one.answer)),
        "vat_id": one.vat_id,
        "name": one.name,
        "at": one.answered_at or one.asked_at,
    }


def rule(one: TaxRule) -> dict[str, Any]:
    """A tax rule from a day on."""
    return {
        "code": one.code,
        "name": words.rule_name(one.name),
        "valid_from": one.valid_from,
        "withheld": withheld(one),
        "vat_bps": one.vat_bps,
        "stamp": stamp(one),
        "note": one.note,
        "is_confirmed": one.confirmed_at is not None,
        "confirm_url": url_for("console.confirm_tax_rule", rule_id=one.id),
    }


def withheld(one: TaxRule) -> str | None:
    """The part that the state gets, if there is one."""
    rate, share = formats.percent_bps(one.rate_bps), formats.percent_bps(one.base_share_bps)
    return str(_("%(rate)s of %(share)s", rate=rate, share=share)) if one.rate_bps else None


def stamp(one: TaxRule) -> str | None:
    """The stamp duty, and from which amount on, if there is one."""
    amount, limit = (Money(minor, g.program.currency) for minor in (one.stamp_minor, one.stamp_above_minor))
    told = _("%(amount)s above %(limit)s", amount=formats.money(amount), limit=formats.money(limit))
    return str(told) if amount else None


def year_row(one: Year, year: int, currency: str) -> list[Any]:
    """A line of the yearly data."""
    amounts = (one.taxable_minor, one.vat_minor, one.stamp_minor, one.withheld_minor, one.paid_minor)
    who = [one.name, ids.public("ptn", one.partner_id), one.legal_name, one.country, one.vat_id, one.tax_number]
    return [year, *who, one.payouts, *(Money(minor, currency) for minor in amounts), currency]
