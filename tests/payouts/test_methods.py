"""Payment details: what is taken, how it is made uniform, and what of it is ever shown."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affiliate.payouts.methods import BadDetails, MethodKind, read

HOLDER = {"holder": "Marta  Sala"}


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        (
            {"account": "it60 x054 2811 1010 0000 0123 456"},
            {"iban": "IT60X0542811101000000123456", "country": "IT", "bic": "BLOPIT22"},
        ),
        (
            {"account": "61 1090 1014 0000 0712 1981 2874"},  # as Poles write it
            {"iban": "PL61109010140000071219812874", "country": "PL", "bic": "WBKPPLPPXXX"},
        ),
        (
            {"account": "1234-5678", "routing": "111000025"},
            {"number": "12345678", "routing": "111000025", "country": "US"},
        ),
    ],
)
def test_an_account_is_made_uniform_and_the_bank_follows_from_it(typed: dict[str, str], fields: dict[str, str]) -> None:
    found = read(MethodKind.BANK, HOLDER | typed)
    assert found.fields == fields | {"holder": "Marta Sala"}
    assert found.masked.endswith((fields.get("iban") or fields["number"])[-4:])


@pytest.mark.parametrize(
    ("country", "typed", "iban"),
    [
        ("ES", "2100 0418 45 0200051332", "ES9121000418450200051332"),
        ("CZ", "19-2000145399/0800", "CZ6508000000192000145399"),
        ("SK", "19-8742637541/1200", "SK3112000000198742637541"),
        ("NO", "8601 11 17947", "NO9386011117947"),
        ("BE", "539-0075470-34", "BE68539007547034"),
        ("FR", "20041 01005 0500013M026 06", "FR1420041010050500013M02606"),
        ("PT", "0002 0123 1234 5678 9015 4", "PT50000201231234567890154"),
        ("FI", "123456-00000785", "FI2112345600000785"),
        ("EE", "2200221020145685", "EE382200221020145685"),
        ("SI", "26330-0012039086", "SI56263300012039086"),
        ("IT", "X 05428 11101 000000123456", "IT60X0542811101000000123456"),
        ("ES", "PT50 0002 0123 1234 5678 9015 4", "PT50000201231234567890154"),  # abroad, so as an IBAN
        ("IT", "61 1090 1014 0000 0712 1981 2874", "PL61109010140000071219812874"),
    ],
)
def test_an_account_is_taken_as_people_of_the_country_write_it(country: str, typed: str, iban: str) -> None:
    found = read(MethodKind.BANK, HOLDER | {"account": typed}, country=country)
    assert (found.fields["iban"], found.fields["country"]) == (iban, iban[:2])


@pytest.mark.parametrize(
    ("country", "typed"),
    [
        ("ES", "2100 0418 45 0200051333"),
        ("CZ", "19-2000145398/0800"),
        ("DE", "37040044 0532013000"),  # nothing in it says that it is right
        (None, "2100 0418 45 0200051332"),
    ],
)
def test_a_domestic_number_that_cannot_be_checked_is_refused(country: str | None, typed: str) -> None:
    with pytest.raises(BadDetails) as refusal:
        read(MethodKind.BANK, HOLDER | {"account": typed}, country=country)
    assert set(refusal.value.errors) == {"account"}


@pytest.mark.parametrize(
    ("kind", "typed", "field"),
    [
        (MethodKind.BANK, HOLDER | {"account": "IT60X0542811101000000123457"}, "account"),
        (MethodKind.BANK, HOLDER | {"account": "61109010140000071219812875"}, "account"),
        (MethodKind.BANK, HOLDER | {"account": "12345678", "routing": "111000026"}, "account"),
        (MethodKind.BANK, HOLDER | {"account": ""}, "account"),
        (MethodKind.BANK, {"account": "IT60X0542811101000000123456"}, "holder"),
        (MethodKind.BANK, {"holder": "x" * 71, "account": "IT60X0542811101000000123456"}, "holder"),
        (MethodKind.PAYPAL, {"email": "marta"}, "email"),
        (MethodKind.WISE, HOLDER | {"email": ""}, "email"),
        (MethodKind.OTHER, {"note": " "}, "note"),
    ],
)
def test_what_cannot_be_paid_to_is_refused_beside_its_field(
    kind: MethodKind, typed: dict[str, str], field: str
) -> None:
    with pytest.raises(BadDetails) as refusal:
        read(kind, typed)
    assert set(refusal.value.errors) == {field}


@pytest.mark.parametrize("place", range(4, 27))
def test_any_wrong_digit_of_an_iban_is_found(place: int) -> None:
    right = "IT60X0542811101000000123456"
    wrong = right[:place] + ("1" if right[place] != "1" else "2") + right[place + 1 :]
    with pytest.raises(BadDetails):
        read(MethodKind.BANK, HOLDER | {"account": wrong})


def test_a_mask_tells_the_person_and_nobody_else() -> None:
    assert read(MethodKind.PAYPAL, {"email": "marta@slow-kitchen.example"}).masked == "m•••@slow-kitchen.example"
    assert read(MethodKind.BANK, HOLDER | {"account": "DE89370400440532013000"}).masked == "DE89 •••• 3000"
    other = read(MethodKind.OTHER, {"note": "Cash, at the fair"}, country="ES")
    assert (other.masked, other.fields) == ("Cas•••", {"note": "Cash, at the fair"})


@given(
    kind=st.sampled_from(MethodKind),
    typed=st.dictionaries(st.sampled_from(["holder", "account", "routing", "email", "note"]), st.text()),
    country=st.sampled_from([None, "CZ", "ES", "XX"]),
)
def test_whatever_is_typed_is_taken_or_refused(kind: MethodKind, typed: dict[str, str], country: str | None) -> None:
    with contextlib.suppress(BadDetails):
        assert len(read(kind, typed, country=country).masked) <= 80
