"""The tracker's keys: signatures that only we can make, addresses that nobody can read back."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracking_cast import KEYS, NOW, PROGRAM_ID, VISITOR_ID

from affiliate import signing
from affiliate.tracking import keys


@given(st.uuids(), st.uuids())
def test_a_click_token_gives_its_click_back_and_only_to_its_program(click_id: UUID, other_program: UUID) -> None:
    token = signing.click_token(KEYS.click, program_id=PROGRAM_ID, click_id=click_id)
    assert signing.read_click_token(KEYS.click, token, program_id=PROGRAM_ID) == click_id
    with pytest.raises(signing.BadToken):
        signing.read_click_token(KEYS.click, token, program_id=other_program)


@given(st.uuids(), st.integers(4, 46), st.sampled_from("0123456789abcdefghjkmnpqrstvwxyz"))
def test_a_click_token_with_one_changed_character_is_found_out(click_id: UUID, at: int, character: str) -> None:
    token = signing.click_token(KEYS.click, program_id=PROGRAM_ID, click_id=click_id)
    changed = token[:at] + character + token[at + 1 :]
    if changed != token:
        with pytest.raises(signing.BadToken):
            signing.read_click_token(KEYS.click, changed, program_id=PROGRAM_ID)


@given(st.text(max_size=60))
def test_any_other_text_is_no_click_token(text: str) -> None:
    with pytest.raises(signing.BadToken):
        signing.read_click_token(KEYS.click, text, program_id=PROGRAM_ID)


def test_a_visitor_cookie_is_believed_only_with_our_signature_for_this_program() -> None:
    token = keys.visitor_token(KEYS, program_id=PROGRAM_ID, visitor_id=VISITOR_ID)
    assert keys.read_visitor_token(KEYS, token, program_id=PROGRAM_ID) == VISITOR_ID
    assert keys.read_visitor_token(KEYS, token, program_id=VISITOR_ID) is None
    for forged in (token[:-1], token + "0", token.replace(".", ""), "", "vis_x.y", token.upper()):
        assert keys.read_visitor_token(KEYS, forged, program_id=PROGRAM_ID) is None


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("2001:0DB8:0001::1", "2001:db8:1::/48"),
    ],
)
def test_an_address_is_truncated(address: str, prefix: str) -> None:
    assert keys.address_facts(KEYS, address, now=NOW)[0] == prefix


@pytest.mark.parametrize("address", ["", "unix:", "203.0.113", "203.0.113.77:8000", "localhost", "\x00"])
def test_what_is_no_address_leaves_nothing(address: str) -> None:
    assert keys.address_facts(KEYS, address, now=NOW) == (None, None)


def test_the_hash_of_an_address_is_the_same_within_a_month_and_another_in_the_next() -> None:
    this_month = keys.address_facts(KEYS, "203.0.113.77", now=NOW)[1]
    assert keys.address_facts(KEYS, "::ffff:203.0.113.77", now=NOW + timedelta(days=10))[1] == this_month
    assert keys.address_facts(KEYS, "203.0.113.77", now=NOW + timedelta(days=30))[1] != this_month
    assert keys.address_facts(KEYS, "203.0.113.78", now=NOW)[1] != this_month


def test_the_keys_do_not_show_in_a_log() -> None:
    assert "secret" not in repr(KEYS)
    assert KEYS.click.hex() not in repr(KEYS)
    assert repr(KEYS) == "Keys()"
