"""Strict reading: JSON exactly once, exactly as sent, within limits."""

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.wrappers import Request

from affiliate.tracking import body
from affiliate.tracking.body import BadBody, BadFields

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=5), inner, max_size=4
        )
    ),
    max_leaves=10,
)


def request(payload: bytes, **environ: Any) -> Request:
    """A request with this body."""
    values = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(payload))} | environ
    return Request({"REQUEST_METHOD": "POST", "wsgi.input": BytesIO(payload), **values})


@given(JSON, st.booleans())
def test_what_is_written_as_json_is_read_as_it_was(value: Any, ascii_only: bool) -> None:
    assert body.parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    try:
        read = body.parse(payload)
    except BadBody:
        return
    assert repr(read) == repr(json.loads(payload))  # NaN is not itself


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"a": 1_000}', "not valid JSON"),
        (b"{'a': 1}", "not valid JSON"),
        (b'{"a": 1} x', "not valid JSON"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b'{"a": 1, "b": 2, "a": 1}', "'a' stands twice"),
        (b'{"items": [{"sku": "1", "sku": "2"}]}', "'sku' stands twice"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
        (b'{"a": "\x00"}', "not valid JSON"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b'[["\\ud800"]]', "half a character"),
        (b'{"\\udc00": 1}', "half a character"),
        (b"[" * 21 + b"]" * 21, "deeper than 20"),
        (b'{"a":' * 21 + b"1" + b"}" * 21, "deeper than 20"),
        (b"[" * 200_000 + b"]" * 200_000, "deeper than 20"),
        (b"9" * 5_000, "not valid JSON"),
    ],
)
def test_bytes_that_two_readers_could_read_differently_are_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(BadBody, match=reason):
        body.parse(payload)


def test_twenty_levels_and_many_siblings_are_fine() -> None:
    assert body.parse(b"[" * 20 + b"]" * 20)
    assert len(body.parse(b"[" + b"{}," * 500 + b"{}]")) == 501


def test_an_escaped_pair_is_one_whole_character() -> None:
    assert body.parse(b'"\\ud83d\\ude00"') == "😀"


def test_numbers_are_left_to_the_fields() -> None:
    assert body.parse(b'{"a": 1.9}') == {"a": 1.9}
    assert str(body.parse(b'{"a": NaN}')["a"]) == "nan"


def test_an_object_may_have_256_kilobytes_and_a_list_four_megabytes() -> None:
    padding = b" " * (body.BODY_BYTES_MAX - 2)
    assert body.read_json(request(b"{" + padding + b"}")) == {}
    with pytest.raises(RequestEntityTooLarge):
        body.read_json(request(b"{ " + padding + b"}"))
    padding = b" " * (body.LIST_BYTES_MAX - 2)
    assert body.read_json(request(b"[" + padding + b"]")) == []
    with pytest.raises(RequestEntityTooLarge):
        body.read_json(request(b"[ " + padding + b"]"))


def test_a_body_without_a_length_is_read_no_further_than_the_limit() -> None:
    endless = request(b" " * (body.LIST_BYTES_MAX + 10), CONTENT_LENGTH="", **{"wsgi.input_terminated": True})
    with pytest.raises(RequestEntityTooLarge):
        body.read_json(endless)


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8", ""])
def test_a_body_may_say_that_it_is_json_or_nothing(media_type: str) -> None:
    assert body.read_json(request(b"{}", CONTENT_TYPE=media_type)) == {}


def test_a_body_that_says_it_is_something_else_is_refused() -> None:
    with pytest.raises(UnsupportedMediaType):
        body.read_json(request(b"{}", CONTENT_TYPE="application/x-www-form-urlencoded"))


def test_wrong_fields_are_named_and_not_too_many_of_them() -> None:
    class Amount(Schema):
        amount = fields.String(required=True)

    with pytest.raises(BadFields) as caught:
        body.load(Amount(), {f"unknown{number}": 1 for number in range(500)})
    assert len(caught.value.errors) == body.ERRORS_SHOWN_MAX
    with pytest.raises(BadFields) as caught:
        body.load(Amount(), 5)
    assert caught.value.errors
