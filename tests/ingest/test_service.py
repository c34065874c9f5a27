"""Batches of events become rows: each once, in any order, on both databases."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from event_cast import (
    LINK_ID,
    NOW,
    PARTNER_ID,
    PROGRAM_ID,
    amendment,
    click,
    numbered,
    refund,
    rejection,
    sale,
    stage,
)
from factories import make_program
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from waiting import until_somebody_waits

from affiliate import db, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.ingest import letters, queries, service
from affiliate.ingest.models import (
    Click,
    ClickHour,
    ClickVerdict,
    Conversion,
    ConversionRevision,
    DeadLetter,
    OrderEvent,
    Refund,
    RejectedEvent,
    RejectReason,
)
from affiliate.tracking import codec
from affiliate.tracking.codec import Trust

OPEN, SIGNED, SERVER = (trust.value for trust in (Trust.OPEN, Trust.SIGNED, Trust.SERVER))
VISITOR = numbered(70)
CLERK = letters.Clerk(SYSTEM)


@pytest.fixture(autouse=True)
def program(request: pytest.FixtureRequest) -> None:
    """The program that the events belong to."""
    if "session" in request.fixturenames:
        make_program(request.getfixturevalue("session"), id=PROGRAM_ID)


def store(session: Session, *events: codec.Event) -> service.Stored:
    return service.store_batch(session, events=events, now=NOW)


def the_conversion(session: Session) -> Conversion:
    session.expire_all()
    return session.scalars(sa.select(Conversion)).one()


def hours(session: Session) -> dict[ClickVerdict, int]:
    found: Counter[ClickVerdict] = Counter()
    for row in session.scalars(sa.select(ClickHour)):
        found[row.verdict] += row.clicks
    return dict(+found)


def rejected(session: Session) -> list[tuple[str, RejectReason]]:
    rows = session.scalars(sa.select(RejectedEvent).order_by(RejectedEvent.id))
    return [(row.kind, row.reason) for row in rows]


def test_a_click_becomes_a_row_and_is_counted_in_its_hour(session: Session) -> None:
    stored = store(session, click(subs={"sub1": "news"}, visitor_id=VISITOR))
    row = session.scalars(sa.select(Click)).one()
    hour = session.scalars(sa.select(ClickHour)).one()
    assert stored == service.Stored(clicks=1)
    assert (row.id, row.verdict, row.subs, row.received_at) == (numbered(1), ClickVerdict.VALID, {"sub1": "news"}, NOW)
    assert (hour.program_id, hour.partner_id, hour.link_id, hour.clicks) == (PROGRAM_ID, PARTNER_ID, LINK_ID, 1)
    assert hour.hour == NOW - timedelta(hours=1)


def test_raw_is_valid_plus_rejected_by_reason(session: Session) -> None:
    store(
        session,
        click(1),
        click(2, method="HEAD"),
        click(3, user_agent="curl/8"),
        click(4),
        click(5, purpose="prefetch"),
    )
    assert hours(session) == {
        ClickVerdict.VALID: 2,
        ClickVerdict.HEAD: 1,
        ClickVerdict.BOT: 1,
        ClickVerdict.PREFETCH: 1,
    }


def test_a_click_delivered_again_counts_nothing(session: Session) -> None:
    store(session, click(1), click(1))
    assert store(session, click(1), click(2)).clicks == 1
    assert not store(session, click(1), click(2))
    assert hours(session) == {ClickVerdict.VALID: 2}


def test_a_double_click_counts_once_in_whatever_order_it_arrives(session: Session) -> None:
    first, second = click(1, address_hash="a"), click(2, seconds=3, address_hash="a")
    store(session, second)
    assert hours(session) == {ClickVerdict.VALID: 1}
    store(session, first)
    assert hours(session) == {ClickVerdict.VALID: 1, ClickVerdict.DUPLICATE: 1}
    assert session.scalar(sa.select(Click.verdict).where(Click.id == numbered(2))) == ClickVerdict.DUPLICATE


def test_clicks_of_several_days_in_one_batch_are_each_held_against_their_own_time(session: Session) -> None:
    def of_day(days: int, *, seconds: int) -> codec.ClickEvent:
        event = click(seconds=seconds - 86_400 * days, address_hash=f"of day {days}")
        return event._replace(click_id=ids.new_at(event.occurred_at))

    store(session, of_day(1, seconds=0), of_day(3, seconds=0))
    store(session, of_day(1, seconds=4), of_day(2, seconds=4), of_day(3, seconds=4), of_day(3, seconds=30))
    assert hours(session) == {ClickVerdict.VALID: 4, ClickVerdict.DUPLICATE: 2}


def test_a_click_that_does_not_count_makes_no_other_a_repeat(session: Session) -> None:
    store(session, click(1, address_hash="a", method="HEAD"), click(2, seconds=1, address_hash="a"))
    assert hours(session) == {ClickVerdict.HEAD: 1, ClickVerdict.VALID: 1}


def test_a_sale_becomes_a_conversion_that_waits_for_its_attribution(session: Session) -> None:
    assert store(session, sale(coupon="ANNA10", items=[{"sku": "s", "quantity": 1}])).conversions == 1
    row = the_conversion(session)
    assert (row.amount_minor, row.currency, row.trust, row.coupon) == (100_00, "EUR", SERVER, "ANNA10")
    assert (row.revision, row.attributed_revision, row.received_at) == (1, 0, NOW)


def test_the_same_body_again_changes_nothing(session: Session) -> None:
    store(session, sale())
    assert not store(session, sale(delivery=2, seconds=9))
    assert the_conversion(session).received_at == NOW


def test_another_body_at_the_same_trust_is_refused_and_changes_nothing(session: Session) -> None:
    store(session, sale())
    stored = store(session, sale(delivery=2, amount_minor=200_00, customer_id="c-1"))
    assert stored == service.Stored(rejected=1)
    assert (the_conversion(session).amount_minor, the_conversion(session).revision) == (100_00, 1)
    refusal = session.scalars(sa.select(RejectedEvent)).one()
    assert (refusal.id, refusal.kind, refusal.reason) == (numbered(2), "conversion", RejectReason.CONFLICTING_BODY)
    assert refusal.payload["amount_minor"] == 200_00
    assert "customer_id" not in refusal.payload


def test_of_two_bodies_in_one_batch_the_first_received_stands(session: Session) -> None:
    store(session, sale(seconds=1, delivery=1, amount_minor=200_00), sale(seconds=0, delivery=2))
    assert the_conversion(session).amount_minor == 100_00
    assert rejected(session) == [("conversion", RejectReason.CONFLICTING_BODY)]


def test_a_higher_source_replaces_the_facts_and_keeps_the_difference(session: Session) -> None:
    store(session, sale(trust=OPEN, amount_minor=120_00, delivery=1))
    store(session, sale(trust=SERVER, amount_minor=100_00, delivery=2, seconds=5))
    row, before = the_conversion(session), session.scalars(sa.select(ConversionRevision)).one()
    assert (row.amount_minor, row.trust, row.revision) == (100_00, SERVER, 2)
    assert row.received_at == NOW + timedelta(seconds=5)
    assert (before.revision, before.trust, before.delivery_id) == (1, OPEN, numbered(2))
    assert before.differences["amount_minor"] == [120_00, 100_00]
    assert before.facts["amount_minor"] == 120_00
    assert not rejected(session)


def test_a_confirmation_of_verified_facts_asks_for_no_new_attribution(session: Session) -> None:
    store(session, sale(trust=SIGNED, delivery=1))
    store(session, sale(trust=SERVER, delivery=2))
    assert (the_conversion(session).trust, the_conversion(session).revision) == (SERVER, 1)


def test_a_confirmation_of_unverified_facts_asks_for_a_new_attribution(session: Session) -> None:
    store(session, sale(trust=OPEN, delivery=1))
    store(session, sale(trust=SIGNED, delivery=2))
    assert (the_conversion(session).trust, the_conversion(session).revision) == (SIGNED, 2)


def test_a_lower_source_that_comes_later_is_kept_as_lower_trust(session: Session) -> None:
    store(session, sale(trust=SERVER, delivery=2))
    assert store(session, sale(trust=OPEN, amount_minor=120_00, delivery=1)) == service.Stored(rejected=1)
    assert the_conversion(session).amount_minor == 100_00
    assert rejected(session) == [("conversion", RejectReason.LOWER_TRUST)]


def test_a_lower_source_that_was_believed_before_is_not_refused_when_it_is_delivered_again(session: Session) -> None:
    store(session, sale(trust=OPEN, delivery=1))
    store(session, sale(trust=SERVER, amount_minor=90_00, delivery=2))
    assert not store(session, sale(trust=OPEN, delivery=1))
    assert not rejected(session)


def test_an_amendment_changes_the_amounts_and_asks_again(session: Session) -> None:
    store(session, sale(tax_minor=20_00))
    stored = store(session, amendment(amount_minor=80_00, tax_minor=16_00, delivery=2, seconds=60))
    row = the_conversion(session)
    assert (stored.order_events, stored.conversions) == (1, 1)
    assert (row.amount_minor, row.tax_minor, row.shipping_minor, row.revision) == (80_00, 16_00, 0, 2)
    assert row.amended_at == NOW + timedelta(seconds=60)
    before = session.scalars(sa.select(ConversionRevision)).one()
    assert before.delivery_id == amendment().order_event_id
    assert before.differences == {"amount_minor": [100_00, 80_00], "tax_minor": [20_00, 16_00]}


def test_an_amendment_before_its_order_counts_when_the_order_comes(session: Session) -> None:
    store(session, amendment(amount_minor=80_00))
    store(session, sale(delivery=2))
    assert the_conversion(session).amount_minor == 80_00


def test_the_newest_amendment_counts_whichever_arrives_first(session: Session) -> None:
    store(session, sale())
    store(session, amendment("a2", amount_minor=70_00, seconds=20, delivery=3))
    store(session, amendment("a1", amount_minor=80_00, tax_minor=5_00, seconds=10, delivery=2))
    row = the_conversion(session)
    assert (row.amount_minor, row.tax_minor) == (70_00, 5_00)
    assert row.amended_at == NOW + timedelta(seconds=20)


def test_an_amendment_outlives_a_confirmation_by_a_higher_source(session: Session) -> None:
    store(session, sale(trust=OPEN, amount_minor=99_00))
    store(session, amendment(amount_minor=80_00, delivery=2))
    store(session, sale(trust=SERVER, shipping_minor=5_00, delivery=3))
    assert (the_conversion(session).amount_minor, the_conversion(session).shipping_minor) == (80_00, 5_00)


def test_an_amendment_in_another_currency_is_shown_and_changes_nothing(session: Session) -> None:
    store(session, sale())
    store(session, amendment(currency="USD", delivery=2))
    assert (the_conversion(session).amount_minor, the_conversion(session).revision) == (100_00, 1)
    assert rejected(session) == [("order_event", RejectReason.BAD_FIELDS)]


def test_an_amendment_delivered_again_changes_nothing(session: Session) -> None:
    store(session, sale())
    store(session, amendment(delivery=2))
    assert not store(session, amendment(delivery=2))
    assert the_conversion(session).revision == 2


def test_order_events_and_refunds_come_before_their_order(session: Session) -> None:
    assert store(session, stage(), refund()) == service.Stored(order_events=1, refunds=1)
    assert session.scalars(sa.select(OrderEvent)).one().conversion_id == sale().conversion_id
    assert session.scalars(sa.select(Refund)).one().amount_minor == 30_00


def test_another_body_for_a_known_refund_or_order_event_is_refused(session: Session) -> None:
    store(session, stage(), refund())
    others = stage(delivery=2, fingerprint="1" * 64), refund(delivery=3, fingerprint="1" * 64, amount_minor=1)
    assert store(session, *others) == service.Stored(rejected=2)
    assert store(session, stage(delivery=4), refund(delivery=5)) == service.Stored()
    assert session.scalars(sa.select(Refund)).one().amount_minor == 30_00


def test_what_the_edge_refused_is_kept_with_its_reason(session: Session) -> None:
    assert store(session, rejection(), rejection()) == service.Stored(rejected=1)
    assert rejected(session) == [("conversion", RejectReason.BAD_SIGNATURE)]


def attributed(session: Session) -> None:
    session.execute(sa.update(Conversion).values(attributed_revision=Conversion.revision))


def test_a_click_after_the_conversion_that_names_it_asks_again(session: Session) -> None:
    store(session, sale(click_id=numbered(1)))
    attributed(session)
    store(session, click(1))
    assert the_conversion(session).revision == 2
    store(session, click(1))
    assert the_conversion(session).revision == 2


@pytest.mark.parametrize("one_by_one", [2_000, 0])
def test_a_late_click_of_the_visitor_before_the_order_asks_again(
    session: Session, one_by_one: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_ORDERS_ONE_BY_ONE_MAX", one_by_one)
    store(session, sale(visitor_id=VISITOR), sale("another", visitor_id=numbered(71), delivery=2))
    attributed(session)
    store(session, click(1, visitor_id=VISITOR))
    revisions = session.execute(sa.select(Conversion.order_id, Conversion.revision))
    assert dict(map(tuple, revisions)) == {"1001": 2, "another": 1}


def test_a_click_of_the_visitor_after_the_order_asks_nothing(session: Session) -> None:
    store(session, sale(visitor_id=VISITOR))
    attributed(session)
    store(session, click(1, visitor_id=VISITOR, occurred_at=NOW + timedelta(seconds=1)))
    assert the_conversion(session).revision == 1


def test_a_late_click_asks_nothing_while_the_conversion_still_waits(session: Session) -> None:
    store(session, sale(click_id=numbered(1)))
    store(session, click(1))
    assert the_conversion(session).revision == 1


def universe() -> list[codec.Event]:
    """Two orders told by three sources, amended and refunded, with clicks around them. One body for each source."""
    told = [
        sale(trust=trust, amount_minor=100_00 + trust, click_id=numbered(1), seconds=trust, delivery=10 + trust)
        for trust in (OPEN, SIGNED, SERVER)
    ]
    other = [
        sale("1002", trust=trust, visitor_id=VISITOR, seconds=trust, delivery=20 + trust) for trust in (OPEN, SERVER)
    ]
    clicks = [click(number, seconds=number * 4, address_hash="a", visitor_id=VISITOR) for number in range(1, 5)]
    odd = [click(8, method="HEAD", address_hash="a"), click(9, seconds=30, address_hash="a")]
    amendments = [
        amendment("a1", amount_minor=80_00, tax_minor=8_00, seconds=50, delivery=31),
        amendment("a2", amount_minor=90_00, seconds=60, delivery=32),
        amendment("a3", amount_minor=None, shipping_minor=4_00, seconds=55, delivery=33),
    ]
    return [*told, *other, *clicks, *odd, *amendments, stage(delivery=41), refund(delivery=42), rejection(43)]


def books(session: Session) -> dict[str, object]:
    """All rows that later stages read, and the history of what was told and not believed. Counters of changes are none."""
    session.expire_all()
    found: dict[str, object] = {}
    for table in (Click, OrderEvent, Refund):
        found[table.__name__] = session.execute(sa.select(table.__table__).order_by("id")).all()
    columns = [
        column for column in Conversion.__table__.columns if column.key not in {"revision", "attributed_revision"}
    ]
    found["Conversion"] = session.execute(sa.select(*columns).order_by("id")).all()
    found["ClickHour"] = Counter(
        {(row.hour, row.verdict): row.clicks for row in session.scalars(sa.select(ClickHour)) if row.clicks}
    )
    found["told"] = untold(session)
    others = RejectedEvent.reason != RejectReason.LOWER_TRUST
    found["refused"] = set(session.scalars(sa.select(RejectedEvent.id).where(others)))
    return found


def untold(session: Session) -> set[tuple[str, str]]:
    """Every body that was told and is not believed, whether it was replaced or came too late."""
    believed = {(str(row.id), row.fingerprint) for row in session.scalars(sa.select(Conversion))}
    replaced = {
        (str(row.conversion_id), row.facts["fingerprint"]) for row in session.scalars(sa.select(ConversionRevision))
    }
    late = session.scalars(sa.select(RejectedEvent.payload).where(RejectedEvent.reason == RejectReason.LOWER_TRUST))
    return (replaced | {(payload["conversion_id"], payload["fingerprint"]) for payload in late}) - believed


def deliver(session: Session, batches: Any) -> dict[str, object]:
    for batch in batches:
        store(session, *batch)
    found = books(session)
    session.rollback()
    return found


@st.composite
def deliveries(draw: Any) -> Any:
    """Some of the events, each once or more, in any order, cut into batches anywhere."""
    events = draw(st.lists(st.sampled_from(universe()), min_size=1, unique_by=id))
    repeated = draw(st.permutations(events + draw(st.lists(st.sampled_from(events), max_size=5))))
    cuts = sorted(draw(st.sets(st.integers(0, len(repeated)), max_size=6)))
    edges = [0, *cuts, len(repeated)]
    return events, [repeated[start:end] for start, end in pairwise(edges)]


@pytest.fixture
def sqlite_session(sqlite_url: str) -> Iterator[Session]:
    engine = db.make_engine(sqlite_url)
    with Session(engine) as session:
        make_program(session, id=PROGRAM_ID)
        session.commit()
        yield session
    engine.dispose()


@given(drawn=deliveries())
@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_order_repetition_and_batches_of_events_do_not_matter(sqlite_session: Session, drawn: Any) -> None:
    events, batches = drawn
    assert deliver(sqlite_session, batches) == deliver(sqlite_session, [events])


def test_order_of_events_does_not_matter_on_either_database(session: Session) -> None:
    session.commit()
    events = universe()
    expected = deliver(session, [events])
    assert deliver(session, [[event] for event in reversed(events)]) == expected
    assert deliver(session, [events[1::2], events[::2], events]) == expected


_CONFIRMED = sale(trust=SERVER, shipping_minor=5_00, amount_minor=105_00, delivery=2)
_AMENDED = amendment(amount_minor=80_00, delivery=3)


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "new"])
@pytest.mark.parametrize(
    "told", [(_CONFIRMED, _AMENDED), (_AMENDED, _CONFIRMED)], ids=["order first", "amendment first"]
)
def test_two_batches_about_one_order_at_once_both_count(
    session: Session, engine: Engine, told: tuple[Any, Any], is_known: bool
) -> None:
    if is_known:
        store(session, sale(trust=OPEN, delivery=1))
    session.commit()
    store(session, told[0])

    def tell() -> None:
        with Session(engine) as own, own.begin():
            store(own, told[1])

    with ThreadPoolExecutor(1) as pool:
        amended = pool.submit(tell)
        if engine.dialect.name == "postgresql":  # the other batch has begun, and waits for ours
            until_somebody_waits(engine)
        session.commit()
        amended.result(60)
    row = the_conversion(session)
    assert (row.amount_minor, row.shipping_minor, row.trust) == (80_00, 5_00, SERVER)


def letter(session: Session, payload: bytes, entry_id: str = "1-0") -> None:
    service.put_aside(session, stream="aff:orders", entry_id=entry_id, payload=payload, error="broken", now=NOW)


def test_a_dead_letter_is_kept_once_and_becomes_a_row_when_it_is_replayed(session: Session) -> None:
    payload = codec.encode(sale())
    letter(session, payload)
    letter(session, payload)
    assert session.scalar(sa.select(sa.func.count()).select_from(DeadLetter)) == 1
    assert letters.replay(session, limit=10, by=CLERK, now=NOW) == letters.Replayed(stored=1, failed=0)
    assert the_conversion(session).order_id == "1001"
    assert not session.scalars(sa.select(DeadLetter)).all()


def test_a_dead_letter_that_fails_again_stays_and_the_others_are_stored(session: Session) -> None:
    letter(session, codec.encode(sale("1002")._replace(program_id=ids.new())), "1-0")
    letter(session, b"\xff no event", "2-0")
    letter(session, codec.encode(sale()), "3-0")
    later = NOW + timedelta(days=1)
    assert letters.replay(session, limit=10, by=CLERK, now=later) == letters.Replayed(stored=1, failed=2)
    session.flush()
    kept = session.scalars(sa.select(DeadLetter).order_by(DeadLetter.entry_id)).all()
    assert [row.failed_at for row in kept] == [later, later]
    assert "IntegrityError" in kept[0].error
    assert "BadEvent" in kept[1].error
    assert the_conversion(session).order_id == "1001"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["signed first", "server first"])
@pytest.mark.parametrize(("lower", "survives"), [(Trust.SIGNED, True), (Trust.OPEN, False)], ids=["signed", "open"])
def test_a_click_of_a_signed_source_outlives_the_silence_of_the_server(
    session: Session, order: tuple[int, int], lower: Trust, *, survives: bool
) -> None:
    told = (
        sale(trust=lower, source="postback", delivery=1, click_id=numbered(7), amount_minor=90_00),
        sale(delivery=2, amount_minor=100_00),
    )
    for place in order:
        store(session, told[place])
    conversion = session.scalars(sa.select(Conversion)).one()
    assert (conversion.amount_minor, conversion.trust) == (100_00, Trust.SERVER)
    assert conversion.click_id == (numbered(7) if survives else None)
    assert not store(session, *told)


def test_a_click_that_the_server_names_or_doubts_is_its_own_statement(session: Session) -> None:
    for order_id, words in (("1", {"click_id": numbered(8)}), ("2", {"click_refusal": "tampered_click_id"})):
        store(session, sale(order_id, trust=Trust.SIGNED, delivery=int(order_id) * 10, click_id=numbered(7)))
        store(session, sale(order_id, delivery=int(order_id) * 10 + 1, fingerprint="b" * 64, **words))
        conversion = session.scalars(sa.select(Conversion).where(Conversion.order_id == order_id)).one()
        assert conversion.click_id == words.get("click_id")
