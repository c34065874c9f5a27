"""The template of Wise's file: read as it was downloaded or written by hand, and refused with the column that is wrong."""

import pytest

from affiliate.payouts import wise

FACTS = {"holder": "Marta Sala", "iban": "IT60X0542811101000000123456", "amount": "12.50", "currency": "EUR", "source": "EUR", "reference": "pay-1"}  # fmt: skip
BANK = """
name
Recipient IBAN = {iban}
receiverType = PERSON
amount = {amount}
amountCurrency
Note = Casa Ondera {reference}
"""


def test_the_first_line_of_a_downloaded_template_is_taken_as_it_stands() -> None:
    template = wise.read("\ufeffname,recipientEmail,sourceCurrency,amountCurrency,amount,paymentReference\r\n")
    assert template.head == ["name", "recipientEmail", "sourceCurrency", "amountCurrency", "amount", "paymentReference"]
    assert template.row(FACTS | {"email": "m@sala.example"}) == [
        "Marta Sala", "m@sala.example", "EUR", "target", "12.50", "pay-1",
    ]  # fmt: skip


def test_columns_hold_places_and_fixed_values_in_their_order() -> None:
    template = wise.read(BANK)
    assert template.row(FACTS) == [
        "Marta Sala", "IT60X0542811101000000123456", "PERSON", "12.50", "target", "Casa Ondera pay-1",
    ]  # fmt: skip
    assert wise.read(template.text) == template


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,IBAN,Tax code,amount", "Say what stands in “Tax code”: write Tax code = and a value or a place."),
        ("IBAN\nSum = {sum}", "“Sum” asks for {sum}. There are {holder}, {email}"),
        ("IBAN\namount\nIBAN", "The column “IBAN” is there twice."),
        ("name,recipientEmail", "No column holds the amount. One must say {amount}."),
        ("name,amount", "No column says whom to pay. One must say {email} or {iban}."),
        ("IBAN\n= {amount}", "Column 2 has no title."),
        ("amount", "No column says whom to pay. One must say {email} or {iban}."),
        ("x" * 4_001, "This is longer than 4000 characters."),
        ("\n".join(f"c{number} = {{amount}}" for number in range(61)), "There are more than 60 columns."),
    ],
)
def test_a_wrong_template_names_its_column(text: str, said: str) -> None:
    with pytest.raises(wise.BadTemplate) as refused:
        wise.read(text)
    assert str(refused.value).startswith(said)
