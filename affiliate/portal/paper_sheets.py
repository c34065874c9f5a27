"""Tax papers as plain values for the portal's templates."""

from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import pgettext
from flask_wtf import FlaskForm

from affiliate import formats, ids
from affiliate.errors import Invalid
from affiliate.money import Money
from affiliate.papers import words as paper_words
from affiliate.papers.models import FiledInvoice, FiledStatus, Paper
from affiliate.payouts.models import Payout
from affiliate.reports.words import Sign
from affiliate.taxes import words
from affiliate.taxes.figures import PaperKind, VatStatus
from affiliate.taxes.models import TaxProfile


def say(form: FlaskForm, refusal: Invalid) -> None:
    """Put the sentences of a refusal at their fields; those of no field stand above the form."""
    for name, sentences in refusal.errors.items():
        if name in form:
            form[name].errors = [_(sentence) for sentence in sentences]
        else:
            form.form_errors.extend(_(sentence) for sentence in sentences)


def awaited(payout: Payout, filed: FiledInvoice | None) -> dict[str, Any]:
    """A payout that waits for its invoice."""
    return {
        "at": payout.created_at,
        "total": Money(payout.amount_minor, payout.currency),
        "url": url_for("portal.payment_notice", payout_id=payout.id),
        "is_filed": filed is not None,
    }


def filed(one: FiledInvoice, payout: Payout) -> dict[str, Any]:
    """An invoice that the partner filed."""
    return {
        "number": one.number,
        "invoiced_on": one.invoiced_on,
        "total": Money(one.total_minor, one.currency),
        "sign": filed_sign(one.status),
        "reason": one.reason,
        "is_refused": one.status is FiledStatus.REFUSED,
        "pdf_url": url_for("portal.filed_pdf", invoice_id=one.id),
        "notice_url": url_for("portal.payment_notice", payout_id=payout.id),
    }


def filed_sign(status: FiledStatus) -> Sign:
    """Where a filed invoice is."""
    return {
        FiledStatus.FILED: Sign("wait", pgettext("invoice", "Being checked")),
        FiledStatus.ACCEPTED: Sign("good", pgettext("invoice", "Accepted")),
        FiledStatus.REFUSED: Sign("bad", pgettext("invoice", "Needs a change")),
    }[status]


def ours(paper: Paper) -> dict[str, Any]:
    """A paper that we wrote."""
    total_minor = paper.taxable_minor + paper.vat_minor + paper.stamp_minor
    return {
        "number": paper.document["number"],
        "kind": paper_words.document_kind(paper.kind),
        "issued_on": paper.issued_at,
        "corrects": (paper.document["corrects"] or {}).get("number"),
        "total": Money(total_minor, paper.currency),
        "to_pay": Money(total_minor - paper.withheld_minor, paper.currency),
        "pdf_url": url_for("portal.paper_pdf", paper_id=paper.id) if paper.file_id else None,
    }


def profile(one: TaxProfile) -> dict[str, Any]:
    """The present tax profile."""
    facts = [
        {"name": _("Country"), "value": formats.country(one.country)},
        {"name": _("VAT number"), "value": one.vat_id or _("none")},
        {"name": _("Paper"), "value": words.paper_kind(one.paper)},
    ]
    return {"legal_name": one.legal_name, "facts": facts, "since": one.created_at, "agreed_at": one.agreed_at}


def notice(payout: Payout) -> dict[str, Any]:
    """The payment notice of a payout: parties, lines, and what is to pay."""
    said: dict[str, Any] = payout.notice or {}
    terms, total = said["terms"], Money(payout.amount_minor, payout.currency)
    return {
        "payout": {
            "id": ids.public("pay", payout.id),
            "at": payout.created_at,
            "url": url_for("portal.payout", payout_id=payout.id),
        },
        "text": said["text"],
        "parties": [_party(_("Invoice to"), said["buyer"]), _party(_("Invoice from"), said["seller"])],
        "rule_note": (said["rule"] or {}).get("note"),
        "is_own": terms["paper"] == PaperKind.OWN_INVOICE,
        "vat_words": words.vat_status(VatStatus(terms["vat_status"])),
        "lines": _lines(payout, terms),
        "total": total,
        "withheld": Money(payout.withheld_minor, payout.currency),
        "to_pay": Money(payout.amount_minor - payout.withheld_minor, payout.currency),
        "currency": payout.currency,
    }


def _lines(payout: Payout, terms: dict[str, Any]) -> list[dict[str, Any]]:
    taxable = payout.earned_minor - payout.clawed_back_minor
    lines = [{"label": _("Taxable: your commissions"), "minor": taxable}]
    vat = _("VAT %(rate)s", rate=formats.percent_bps(terms["vat_bps"])) if terms["vat_bps"] else _("VAT")
    lines.append({"label": vat, "minor": payout.vat_minor})
    if payout.stamp_minor:
        lines.append({"label": _("Stamp duty"), "minor": payout.stamp_minor})
    return [{"label": each["label"], "amount": Money(each["minor"], payout.currency)} for each in lines]


def _party(title: str, who: dict[str, Any]) -> dict[str, Any]:
    numbers = [
        f"{label} {who[name]}"
        for name, label in (("vat_id", _("VAT number")), ("tax_number", _("Tax number")))
        if who[name]
    ]
    lines = [*who["address"].splitlines(), formats.country(who["country"]), *numbers]
    return {"title": title, "name": who["legal_name"], "lines": lines}
