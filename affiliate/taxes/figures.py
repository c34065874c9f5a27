"""What a paper says in money: taxable, VAT, stamp duty, withheld, to pay. Pure: dated data in, amounts out.

Amounts are minor units of the program's currency; shares and rates are basis points. Each amount is rounded once.
"""

import enum
from dataclasses import dataclass
from typing import Any

from affiliate.money import BPS_PER_UNIT, divide_half_even


class PaperKind(enum.StrEnum):
    """Which paper a partner's money needs."""

    OWN_INVOICE = "own_invoice"  # the partner writes it, and is paid once it is accepted
    SELF_BILLING = "self_billing"  # we write it in the partner's name, by agreement
    RECEIPT = "receipt"  # of a person without VAT number; we write it too


class VatStatus(enum.StrEnum):
    """How VAT is dealt with between the two countries."""

    DOMESTIC = "domestic"
    REVERSE_CHARGE = "reverse_charge"  # the buyer owes it at home: nothing is added
    EXEMPT = "exempt"  # the partner charges none


@dataclass(frozen=True, slots=True)
class Terms:
    """All that decides the amounts of a paper, as it stood on the day of its payout."""

    paper: PaperKind
    vat_status: VatStatus
    vat_bps: int = 0
    base_share_bps: int = 0  # of the taxable amount, on which tax is withheld
    rate_bps: int = 0
    stamp_minor: int = 0
    stamp_above_minor: int = 0

    def plain(self) -> dict[str, Any]:
        """The terms as JSON."""
        return {name: getattr(self, name) for name in self.__slots__}  # `asdict` copies each value deeply


@dataclass(frozen=True, slots=True)
class Figures:
    """The amounts of a paper. Their parts always add up: `to_pay + withheld == taxable + vat + stamp`."""

    taxable_minor: int
    vat_minor: int = 0
    stamp_minor: int = 0
    withheld_minor: int = 0

    @property
    def added_minor(self) -> int:
        """What comes on top of the commissions."""
        return self.vat_minor + self.stamp_minor

    @property
    def to_pay_minor(self) -> int:
        """What the partner gets."""
        return self.taxable_minor + self.added_minor - self.withheld_minor

    def __add__(self, other: "Figures") -> "Figures":
        return self - (-other)

    def __sub__(self, other: "Figures") -> "Figures":
        return Figures(*(mine - less for mine, less in zip(self._parts(), other._parts(), strict=True)))

    def __neg__(self) -> "Figures":
        return Figures(0) - self

    def _parts(self) -> tuple[int, int, int, int]:
        return self.taxable_minor, self.vat_minor, self.stamp_minor, self.withheld_minor

    def plain(self) -> dict[str, int]:
        """The figures as JSON, with what is to pay."""
        return {name: getattr(self, name) for name in self.__slots__} | {"to_pay_minor": self.to_pay_minor}


def read_terms(plain: dict[str, Any]) -> Terms:
    """The terms out of JSON."""
    return Terms(**plain | {"paper": PaperKind(plain["paper"]), "vat_status": VatStatus(plain["vat_status"])})


def read_figures(plain: dict[str, Any]) -> Figures:
    """The figures out of JSON."""
    return Figures(plain["taxable_minor"], plain["vat_minor"], plain["stamp_minor"], plain["withheld_minor"])


def figures(terms: Terms, *, taxable_minor: int) -> Figures:
    """The amounts of a paper over so much commission."""
    vat = divide_half_even(taxable_minor * terms.vat_bps, BPS_PER_UNIT)
    stamp = terms.stamp_minor if taxable_minor > terms.stamp_above_minor else 0
    withheld = divide_half_even(taxable_minor * terms.base_share_bps * terms.rate_bps, BPS_PER_UNIT * BPS_PER_UNIT)
    return Figures(taxable_minor, vat, stamp, withheld)


def correction(terms: Terms, *, taxable_minor: int, corrected_minor: int, less_minor: int) -> Figures:
    """What is taken back from a paper over `taxable_minor`, of which `corrected_minor` was taken back before.

    The difference of two sums, so that many small corrections of a whole paper give exactly the paper. Stamp duty was
    paid when the paper was written; a later correction does not bring it back.
    """
    before = figures(terms, taxable_minor=taxable_minor - corrected_minor)
    after = figures(terms, taxable_minor=taxable_minor - corrected_minor - less_minor)
    taken = before - after
    return Figures(taken.taxable_minor, taken.vat_minor, 0, taken.withheld_minor)


def vat_status(*, buyer_country: str, country: str, has_vat_id: bool, vat_bps: int) -> VatStatus:
    """Domestic between two of one country; a partner abroad with a VAT number leaves the tax to the buyer; others charge none."""
    if not has_vat_id:
        return VatStatus.EXEMPT
    if country != buyer_country:
        return VatStatus.REVERSE_CHARGE
    return VatStatus.DOMESTIC if vat_bps else VatStatus.EXEMPT
