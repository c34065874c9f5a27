"""Ids: the same thing has the same id for ever, other things have others, and public ids read back exactly."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from affiliate import ids

PROGRAM = UUID("0193a0c0-0000-7000-8000-000000000001")
order_ids = st.text(
    st.characters(blacklist_characters="\x1f\x00", blacklist_categories=("Cs",)), min_size=1, max_size=20
)
moments = st.datetimes(datetime(1971, 1, 1), datetime(2400, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zoned by the strategy


@given(st.uuids(), st.sampled_from(["prg", "com", "led"]))
def test_a_public_id_reads_back_as_its_uuid(identifier: UUID, prefix: str) -> None:
    text = ids.public(prefix, identifier)
    assert ids.parse(prefix, text) == ids.parse(prefix, prefix + "_" + text[4:].upper()) == identifier
    assert len(text) == len(prefix) + 27


def test_the_look_alikes_of_the_alphabet_are_forgiven() -> None:
    text = ids.public("com", UUID(int=33))  # ends in 11
    assert ids.parse("com", text[:-2] + "lI") == UUID(int=33)
    assert ids.parse("com", "com_" + "o" * 26) == UUID(int=0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "com",
        "com_",
        "cnv_" + "0" * 26,
        "com_" + "0" * 25,
        "com_" + "0" * 27,
        "com_" + "u" * 26,
        "com_8" + "0" * 25,  # beyond 128 bits
        "com_" + "0" * 25 + "\N{ARABIC-INDIC DIGIT ONE}",
        "COM_" + "0" * 26,
        "com_" + "0" * 25 + " ",
    ],
)
def test_what_is_no_public_id_of_the_prefix_is_refused(text: str) -> None:
    with pytest.raises(ids.BadPublicId):
        ids.parse("com", text)
    assert ids.read("com", text) is None


@given(moments)
@example(datetime(2004, 7, 8, 20, 34, 43, 241_000, tzinfo=UTC))  # a millisecond too early through floats
@example(datetime(2360, 2, 25, 0, 38, 18, 345_000, tzinfo=UTC))
def test_an_id_made_for_a_moment_carries_its_millisecond(moment: datetime) -> None:
    carried = ids.moment_of(ids.new_at(moment))
    assert timedelta(0) <= moment - carried < timedelta(milliseconds=1)


def test_ids_of_one_moment_differ_and_those_of_later_ones_are_greater() -> None:
    moment = datetime(2026, 11, 16, tzinfo=UTC)
    same = {ids.new_at(moment) for _ in range(100)}
    assert len(same) == 100
    assert max(same) < ids.new_at(moment + timedelta(milliseconds=1))
    assert {identifier.version for identifier in same} == {7}


@given(order_ids, order_ids)
def test_a_thing_has_the_same_id_for_ever_and_another_thing_another(first: str, second: str) -> None:
    def conversion(order_id: str) -> UUID:
        return ids.conversion(program_id=PROGRAM, kind="sale", order_id=order_id)

    assert (conversion(first) == conversion(second)) == (first == second)


@given(order_ids, order_ids, order_ids, order_ids)
def test_two_parts_never_run_into_one_another(a: str, b: str, c: str, d: str) -> None:
    one = ids.refund(program_id=PROGRAM, order_id=a, refund_id=b)
    other = ids.refund(program_id=PROGRAM, order_id=c, refund_id=d)
    assert (one == other) == ((a, b) == (c, d))


def test_things_of_different_kinds_with_the_same_names_differ() -> None:
    names = {"program_id": PROGRAM, "order_id": "1"}
    found = [
        ids.conversion(**names, kind="refund"),
        ids.refund(**names, refund_id="1"),
        ids.order_event(**names, event_id="1"),
        ids.derived(PROGRAM, "1"),
    ]
    assert len(set(found)) == 4
