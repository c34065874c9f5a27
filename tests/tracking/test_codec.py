"""The packed events: every event survives the trip, nothing else gets through."""

import json
from datetime import UTC, datetime, timedelta, timezone
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affiliate.tracking import codec

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)
DOCUMENTS = st.dictionaries(TEXT, TEXT | st.integers(-(2**53), 2**53) | st.booleans() | st.none(), max_size=4)

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])
BY_HINT: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**62), 2**62),
    bool: st.booleans(),
    UUID: st.uuids(),
    datetime: st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=ZONES),  # noqa: DTZ001 - zones are added
    dict[str, str]: st.dictionaries(TEXT, TEXT, max_size=4),
    dict[str, Any]: DOCUMENTS,
    list[dict[str, Any]]: st.lists(DOCUMENTS, max_size=4),
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of an annotation, null where it may be."""
    if get_origin(hint) in {UnionType, Union}:
        return st.none() | values_of(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    return BY_HINT[hint]


def events_of(event_type: type[codec.Event]) -> st.SearchStrategy[codec.Event]:
    """Events of a type with anything that fits in every field."""
    return st.builds(event_type, **{name: values_of(hint) for name, hint in get_type_hints(event_type).items()})


EVENTS = st.one_of([events_of(event_type) for event_type in get_args(codec.Event)])

CLICK = codec.ClickEvent(
    click_id=UUID("01998f00-0000-7000-8000-000000000001"),
    program_id=UUID("01998f00-0000-7000-8000-000000000002"),
    partner_id=UUID("01998f00-0000-7000-8000-000000000003"),
    link_id=UUID("01998f00-0000-7000-8000-000000000004"),
    occurred_at=datetime(2026, 11, 16, 12, 0, tzinfo=UTC),
    source="redirect",
    link_state="active",
    method="GET",
    purpose=None,
    fetch_dest="document",
    visitor_id=None,
    subs={"sub1": "newsletter"},
    landing_url="https://shop.example/",
    referrer=None,
    user_agent="Mozilla/5.0",
    address_prefix="192.0.2.0/24",
    address_hash=None,
)


def packed(**changes: Any) -> bytes:
    """The click above as bytes, with fields replaced by position name."""
    version, kind, *values = orjson.loads(codec.encode(CLICK))
    names = list(codec.ClickEvent._fields)
    for name, value in changes.items():
        values[names.index(name)] = value
    return orjson.dumps([version, kind, *values])


@given(EVENTS)
def test_every_event_comes_back_as_it_was(event: codec.Event) -> None:
    back = codec.decode(codec.encode(event))
    assert (type(back), back) == (type(event), event)


GOLDEN_1 = (
    b'[1,"click","01998f00-0000-7000-8000-000000000001","01998f00-0000-7000-8000-000000000002",'
    b'"01998f00-0000-7000-8000-000000000003","01998f00-0000-7000-8000-000000000004","2026-11-16T12:00:00+00:00",'
    b'"redirect","active","GET",null,"document",null,{"sub1":"newsletter"},"https://shop.example/",null,"Mozilla/5.0",'
    b'"192.0.2.0/24",null]'
)
GOLDEN_2 = (
    b"[2"
    + GOLDEN_1[2:-1]
    + b',"banner-1",{"gclid":"g1"},{"source":"blog"},"IT",null,"given",null,null,null,false,false]'
)
RICHER = CLICK._replace(
    creative="banner-1", ad_ids={"gclid": "g1"}, utm={"source": "blog"}, country="IT", consent="given"
)


def test_the_bytes_of_version_2_are_these() -> None:
    assert codec.encode(RICHER) == GOLDEN_2
    assert codec.decode(GOLDEN_2) == RICHER


def test_what_an_older_process_wrote_is_still_read() -> None:
    """A click of version 1 says nothing about what came later; the other kinds are as they were."""
    assert codec.decode(GOLDEN_1) == CLICK
    refused = b'[1,"rejected","01998f00-0000-7000-8000-000000000001",null,"click","unknown_link",{},"2026-11-16T12:00:00+00:00"]'
    assert codec.decode(refused) == codec.RejectedEvent(
        CLICK.click_id, None, "click", "unknown_link", {}, CLICK.occurred_at
    )


@given(st.binary(max_size=200))
def test_bytes_that_are_no_event_are_refused_and_never_crash(payload: bytes) -> None:
    with pytest.raises(codec.BadEvent):
        codec.decode(payload)


@given(
    st.lists(st.none() | st.booleans() | st.integers(-9, 9) | st.text() | st.lists(st.text(), max_size=2), max_size=20)
)
def test_a_list_that_is_no_event_is_refused_and_never_crashes(values: list[Any]) -> None:
    for head in ([], [1], [2.0, "click"], [1, "click"], [2, "click"], [2, "touch"], [2, "conversion"], [2, "refund"]):
        with pytest.raises(codec.BadEvent):
            codec.decode(orjson.dumps([*head, *values]))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xff\xfe", "not a list"),
        (b"{}", "not a list"),
        (b"[1]", "not a list"),
        (b'[3,"click"]', "unknown version 3"),
        (b'[[1],"click"]', "unknown version"),
        (b'[true,"click"]', "unknown version"),
        (b'[1,["click"]]', "unknown kind"),
        (b'[1,"impression"]', "unknown kind"),
        (b'[1,"click"]', "length 19"),
        (b'[1,"touch"]', "unknown kind"),
        (b'[1,"step"]', "unknown kind"),
        (b'[2,"click"]', "length 30"),
        (packed(click_id=7), "a wrong field: .* at `click_id`"),
        (packed(click_id="7"), "a wrong field"),
        (packed(occurred_at="2026-11-16T12:00:00"), "with a timezone"),
        (packed(occurred_at=1), "a wrong field"),
        (packed(occurred_at="0001-01-01T00:00:00+14:00"), "in no year of UTC"),
        (packed(source="carrier pigeon"), "'carrier pigeon' - at `source`"),
        (packed(subs={"sub1": 1}), "Expected `str`, got `int` - at `subs"),
        (packed(is_test=0), "Expected `bool`, got `int`"),
        (packed(consent="perhaps"), "'perhaps' - at `consent`"),
        (packed(method=None), "a wrong field"),
        (packed(landing_url="https://shop.example/\0"), "NUL"),
        (packed(subs={"sub1": "a\0b"}), "NUL"),
        (b'[1,"click","' + b"a" * codec.EVENT_BYTES_MAX + b'"]', "too many"),
        (packed().replace(b"Mozilla", b"\\ud800"), "surrogate"),
    ],
)
def test_a_poisoned_entry_is_refused_with_its_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(codec.BadEvent, match=reason):
        codec.decode(payload)


def test_an_event_that_is_written_with_spaces_is_read_all_the_same() -> None:
    assert codec.decode(json.dumps(orjson.loads(packed())).encode()) == CLICK


def test_the_written_form_of_a_nul_is_an_ordinary_text() -> None:
    assert (
        codec.decode(packed(referrer="https://blog.example/?q=\\u0000")).referrer == "https://blog.example/?q=\\u0000"
    )


def test_a_naive_instant_is_not_sent() -> None:
    naive = codec.RejectedEvent(
        delivery_id=CLICK.click_id,
        program_id=None,
        kind="conversion",
        reason="bad_fields",
        payload={},
        received_at=datetime(2026, 11, 16),  # noqa: DTZ001 - that is the point
    )
    with pytest.raises(TypeError, match="naive"):
        codec.encode(naive)
