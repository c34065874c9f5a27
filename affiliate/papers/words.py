"""Words about tax papers for pages."""

from flask_babel import gettext as _

from affiliate.papers.models import DocumentKind


def document_kind(of: DocumentKind) -> str:
    """What kind of paper it is."""
    names: dict[DocumentKind, str] = {
        DocumentKind.INVOICE: _("Self-billed invoice"),
        DocumentKind.RECEIPT: _("Receipt"),
        DocumentKind.CORRECTION: _("Correction"),
    }
    return names[of]
