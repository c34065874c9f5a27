"""What papers, VAT and its checks are called on pages."""

from babel import Locale
from flask_babel import gettext as _

from affiliate import formats
from affiliate.taxes.examples import EXAMPLES
from affiliate.taxes.figures import PaperKind, VatStatus
from affiliate.taxes.models import VatAnswer

_REGION_LENGTH = 2
_OF_EXAMPLES = frozenset(each.name for each in EXAMPLES)


def paper_kind(of: PaperKind) -> str:
    """Which paper, as its partner reads it."""
    names: dict[PaperKind, str] = {
        PaperKind.OWN_INVOICE: _("You write an invoice"),
        PaperKind.SELF_BILLING: _("The program writes the invoice for you"),
        PaperKind.RECEIPT: _("Receipt of a person without VAT number"),
    }
    return names[of]


def paper_kind_in_short(of: PaperKind) -> str:
    """Which paper, as the program's people say it."""
    names: dict[PaperKind, str] = {
        PaperKind.OWN_INVOICE: _("Own invoice"),
        PaperKind.SELF_BILLING: _("Self-billed invoice"),
        PaperKind.RECEIPT: _("Receipt"),
    }
    return names[of]


def vat_status(of: VatStatus) -> str:
    """How VAT is dealt with."""
    names: dict[VatStatus, str] = {
        VatStatus.DOMESTIC: _("VAT is added"),
        VatStatus.REVERSE_CHARGE: _("Reverse charge: the customer owes the VAT"),
        VatStatus.EXEMPT: _("Without VAT"),
    }
    return names[of]


def rule_name(name: str) -> str:
    """What a tax rule is called: the shipped examples in the reader's language, others as they were written."""
    return str(_(name)) if name in _OF_EXAMPLES else name


def vat_answer(of: VatAnswer) -> str:
    """What VIES said."""
    names: dict[VatAnswer, str] = {
        VatAnswer.WAITING: _("VIES is being asked"),
        VatAnswer.VALID: _("Valid in VIES"),
        VatAnswer.INVALID: _("Not valid in VIES"),
        VatAnswer.UNAVAILABLE: _("VIES gave no answer"),
    }
    return names[of]


def countries() -> list[tuple[str, str]]:
    """All countries with their two letters, by their names in the reader's language."""
    names = Locale.parse(formats.locale()).territories.items()
    found = [(code, str(name)) for code, name in names if len(code) == _REGION_LENGTH and code.isalpha()]
    return sorted((each for each in found if each[0] not in _NO_COUNTRIES), key=lambda each: each[1])


_NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "ZZ", "XA", "XB", "QO"})
