"""Click tokens and pixel signatures."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affiliate import ids, signing

KEY = signing.derive("secret", "click")
PROGRAM = UUID("01931c5a-0000-7000-8000-000000000001")
CLICK = UUID("01931c5a-0000-7000-8000-000000000002")


@given(st.uuids())
def test_a_token_gives_its_click_back(click_id: UUID) -> None:
    token = signing.click_token(KEY, program_id=PROGRAM, click_id=click_id)
    assert signing.read_click_token(KEY, token, program_id=PROGRAM) == click_id


@given(st.text(max_size=80))
def test_a_made_up_token_is_refused(text: str) -> None:
    with pytest.raises(signing.BadToken):
        signing.read_click_token(KEY, text, program_id=PROGRAM)


def test_a_token_of_another_program_or_secret_is_refused() -> None:
    token = signing.click_token(KEY, program_id=PROGRAM, click_id=ids.new())
    with pytest.raises(signing.BadToken):
        signing.read_click_token(KEY, token, program_id=ids.new())
    with pytest.raises(signing.BadToken):
        signing.read_click_token(signing.derive("other", "click"), token, program_id=PROGRAM)


@given(st.data())
def test_one_changed_character_breaks_a_token(data: st.DataObject) -> None:
    token = signing.click_token(KEY, program_id=PROGRAM, click_id=CLICK)
    place = data.draw(st.integers(4, len(token) - 1))
    other = data.draw(st.sampled_from([c for c in "abcdefghjkmnpqrstvwxyz234567" if c != token[place]]))
    with pytest.raises(signing.BadToken):
        signing.read_click_token(KEY, token[:place] + other + token[place + 1 :], program_id=PROGRAM)


def test_a_pixel_signature_covers_names_and_values_in_any_order() -> None:
    parameters = {"order_id": "A 1", "amount": "49.90", "program": "shop"}
    turned = dict(reversed(parameters.items()))
    assert signing.pixel_signature("s", parameters) == signing.pixel_signature("s", turned)
    assert signing.canonical_parameters(parameters) == b"amount=49.90&order_id=A%201&program=shop"
    assert signing.pixel_signature("s", parameters | {"amount": "49.91"}) != signing.pixel_signature("s", parameters)
    assert signing.pixel_signature("s", parameters | {"sig": "x"}) == signing.pixel_signature("s", parameters)
