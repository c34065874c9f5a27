"""What papers say in money: the shipped examples to the cent, and that parts always add up."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affiliate.taxes.examples import EXAMPLES
from affiliate.taxes.figures import Figures, PaperKind, Terms, VatStatus, correction, figures, read_terms, vat_status

OF_CODE = {each.code: each for each in EXAMPLES}
_OF_TERMS = ("vat_bps", "base_share_bps", "rate_bps", "stamp_minor", "stamp_above_minor")


def example(code: str) -> Terms:
    facts: dict[str, Any] = {name: getattr(OF_CODE[code], name) for name in _OF_TERMS}
    return Terms(paper=PaperKind.OWN_INVOICE, vat_status=VatStatus.DOMESTIC, **facts)


@pytest.mark.parametrize(
    ("code", "taxable", "expected"),
    [
        ("it_occasional", 100_00, (0, 2_00, 20_00, 82_00)),
        ("it_occasional", 77_47, (0, 0, 15_49, 61_98)),  # 15.494; the stamp only above the limit
        ("it_occasional", 77_48, (0, 2_00, 15_50, 63_98)),  # 15.496
        ("it_agent", 1_234_56, (271_60, 0, 141_97, 1_364_19)),  # 271.6032, 141.9744
        ("it_agent", 1_00, (22, 0, 12, 1_10)),  # 11.5 goes to the even 12
        ("it_agent", 3_00, (66, 0, 34, 3_32)),  # 34.5 goes to the even 34
        ("it_forfettario", 77_47, (0, 0, 0, 77_47)),
        ("it_forfettario", 77_48, (0, 2_00, 0, 79_48)),
        ("pl_person", 350_00, (0, 0, 0, 350_00)),
    ],
)
def test_the_shipped_examples_are_reckoned_to_the_cent(
    code: str, taxable: int, expected: tuple[int, int, int, int]
) -> None:
    found = figures(example(code), taxable_minor=taxable)
    assert (found.vat_minor, found.stamp_minor, found.withheld_minor, found.to_pay_minor) == expected


@pytest.mark.parametrize(
    ("country", "has_vat_id", "vat_bps", "status"),
    [
        ("IT", True, 22_00, VatStatus.DOMESTIC),
        ("IT", True, 0, VatStatus.EXEMPT),
        ("IT", False, 22_00, VatStatus.EXEMPT),
        ("PL", True, 22_00, VatStatus.REVERSE_CHARGE),
        ("CH", True, 0, VatStatus.REVERSE_CHARGE),
        ("PL", False, 0, VatStatus.EXEMPT),
    ],
)
def test_vat_follows_from_the_countries_and_the_number(
    country: str, has_vat_id: bool, vat_bps: int, status: VatStatus
) -> None:
    assert vat_status(buyer_country="IT", country=country, has_vat_id=has_vat_id, vat_bps=vat_bps) is status


TERMS = st.builds(
    Terms,
    paper=st.sampled_from(PaperKind),
    vat_status=st.sampled_from(VatStatus),
    vat_bps=st.integers(0, 10_000),
    base_share_bps=st.integers(0, 10_000),
    rate_bps=st.integers(0, 10_000),
    stamp_minor=st.integers(0, 500),
    stamp_above_minor=st.integers(0, 10_000),
)


@settings(max_examples=60)
@given(terms=TERMS, taxable=st.integers(0, 10**12))
def test_the_parts_of_a_paper_add_up(terms: Terms, taxable: int) -> None:
    found = figures(terms, taxable_minor=taxable)
    assert found.to_pay_minor + found.withheld_minor == found.taxable_minor + found.vat_minor + found.stamp_minor
    assert 0 <= found.withheld_minor <= taxable
    assert read_terms(terms.plain()) == terms


@settings(max_examples=60)
@given(terms=TERMS, parts=st.lists(st.integers(1, 10**7), min_size=1, max_size=8))
def test_corrections_of_a_whole_paper_give_it_back_to_the_cent(terms: Terms, parts: list[int]) -> None:
    """In whatever pieces it is taken back, apart from the stamp duty, which stays paid."""
    whole = figures(terms, taxable_minor=sum(parts))
    taken, before = Figures(0), 0
    for part in parts:
        taken += correction(terms, taxable_minor=sum(parts), corrected_minor=before, less_minor=part)
        before += part
    assert taken == Figures(whole.taxable_minor, whole.vat_minor, 0, whole.withheld_minor)
