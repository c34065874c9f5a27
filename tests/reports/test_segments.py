"""Segments of customers: what one statement says is what each order says, one by one. On SQLite and PostgreSQL."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import make_commission, make_partner, make_program
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.attribution.models import Credit
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.ingest.models import Conversion
from affiliate.links.models import Coupon, LinkStatus
from affiliate.partners.models import Partner
from affiliate.programs.models import Program
from affiliate.reports import grids, segment_store, segments
from affiliate.reports.segments import Line

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
DAY = 86_400


def partner_with(session: Session, program: Program, kind: str) -> Partner:
    """A partner that promotes in one kind of place, or has told none."""
    partner = make_partner(session, program=program)
    partner.channels = [{"kind": kind, "address": "x", "people": ""}] if kind else []
    session.flush()
    return partner


def coupon_of(session: Session, program: Program, partner: Partner) -> Coupon:
    """A coupon of a partner."""
    coupon = Coupon(
        id=ids.new_at(NOW),
        program_id=program.id,
        partner_id=partner.id,
        code="SAVE",
        status=LinkStatus.ACTIVE,
        created_at=NOW,
    )
    session.add(coupon)
    session.flush()
    return coupon


def order(session: Session, program: Program, customer: str | None, days_ago: float, partner: Partner | None = None, *, coupon: Any = None, **fields: Any) -> Commission:  # fmt: skip
    """An order of a customer by a partner, by its coupon if one is given."""
    partner = partner or make_partner(session, program=program)
    sold = make_commission(
        session, program=program, partner=partner, earned_at=NOW - timedelta(days=days_ago), **fields
    )
    session.get_one(Conversion, sold.conversion_id).customer_id = customer
    session.get_one(Credit, sold.credit_id).coupon_id = coupon and coupon.id
    session.flush()
    return sold


def counted(session: Session, program: Program) -> dict[str, Line]:
    """The segments by their key."""
    return {one.key: one for one in segments.lines(session, program_id=program.id, currency="EUR", now=NOW)}


def test_each_customer_stands_in_one_place_and_in_whatever_else_it_is(session: Session) -> None:
    program = make_program(session)
    blog = partner_with(session, program, "blog")
    coupon = coupon_of(session, program, blog)
    order(session, program, "new", 10, blog)
    for days_ago in (30, 20):
        order(session, program, "second", days_ago, blog, coupon=coupon if days_ago == 30 else None)
    for days_ago in (50, 40, 10):
        order(session, program, "loyal", days_ago)
    for days_ago in (400, 300, 180):
        order(session, program, "lapsed", days_ago)
    order(session, program, "rich", 179.99, revenue_minor=1_000_00)
    order(session, program, None, 5)
    found = counted(session, program)
    assert {key: (one.customers, one.orders) for key, one in found.items()} == {
        "new": (2, 2), "second": (1, 2), "loyal": (1, 3), "lapsed": (1, 3), "high_basket": (1, 1), "by_coupon": (1, 2),
        "all": (5, 10), "first:": (3, 7), "first:blog": (2, 3),
    }  # fmt: skip
    assert (found["loyal"].gaps, found["loyal"].gap_seconds, found["loyal"].days_between) == (2, 40 * DAY, 20)
    assert found["new"].days_between is None
    assert [*found][:7] == ["new", "second", "loyal", "lapsed", "high_basket", "by_coupon", "all"]


def test_the_first_partner_of_a_shared_order_is_the_one_with_the_largest_share(session: Session) -> None:
    program = make_program(session)
    kinds = [partner_with(session, program, kind) for kind in ("tiktok", "forum")]
    sold = order(session, program, "one", 9, kinds[0], revenue_minor=40_00)
    credit = session.get_one(Credit, sold.credit_id)
    credit.share_bps = 40_00
    whose = {"id": ids.new_at(NOW), "partner_id": kinds[1].id}
    session.add(Credit(attribution_id=credit.attribution_id, share_bps=60_00, **whose))
    session.flush()
    values = {name: getattr(sold, name) for name in [column.key for column in sa.inspect(Commission).columns]}
    session.add(Commission(**values | whose | {"credit_id": whose["id"], "revenue_minor": 60_00}))
    session.flush()
    order(session, program, "one", 1, kinds[0])
    found = counted(session, program)
    assert {key for key in found if key.startswith(segments.FIRST)} == {"first:forum"}
    assert (found["second"].orders, found["second"].revenue_minor) == (2, 200_00)


def one_by_one(session: Session, program: Program) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The segments by looking at each commission by itself."""
    rows = session.execute(
        sa.select(Commission, Conversion, Credit, Partner)
        .join(Conversion, Conversion.id == Commission.conversion_id)
        .join(Credit, Credit.id == Commission.credit_id)
        .join(Partner, Partner.id == Commission.partner_id)
        .where(Commission.program_id == program.id)
    )
    bought: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        customer = row.Conversion.customer_id or row.Conversion.email_hash
        if customer and row.Commission.status not in {CommissionStatus.TEST, CommissionStatus.UNVERIFIED}:
            bought[customer].append(row)
    every = [row.Commission.revenue_minor for some in bought.values() for row in some]
    sums: dict[str, list[int]] = defaultdict(lambda: [0] * 7)
    for some in bought.values():
        some.sort(key=lambda row: row.Conversion.occurred_at)
        first, last = some[0].Conversion.occurred_at, some[-1].Conversion.occurred_at
        revenue = sum(row.Commission.revenue_minor for row in some)
        back = sum(row.Commission.reversed_minor for row in some)
        mine = (1, len(some), revenue, sum(row.Commission.amount_minor for row in some) - back, back, len(some) - 1, int((last - first).total_seconds()))  # fmt: skip
        keys = ["all", f"first:{some[0].Partner.channels[0]['kind'] if some[0].Partner.channels else ''}"]
        keys.append("lapsed" if last <= NOW - timedelta(days=180) else {1: "new", 2: "second"}.get(len(some), "loyal"))
        if revenue / len(some) >= 1.5 * sum(every) / len(every):
            keys.append("high_basket")
        if 2 * sum(row.Credit.coupon_id is not None for row in some) >= len(some):
            keys.append("by_coupon")
        for key in keys:
            sums[key] = [left + right for left, right in zip(sums[key], mine, strict=True)]
    yield from ((key, tuple(numbers)) for key, numbers in sums.items())


@pytest.mark.parametrize("seed", [1, 2])
def test_the_statement_says_what_each_order_says(session: Session, seed: int) -> None:
    chance = random.Random(seed)
    program, other = make_program(session), make_program(session)
    partners = [partner_with(session, program, kind) for kind in ("blog", "youtube", "")]
    coupon = coupon_of(session, program, partners[0])
    for _ in range(60):
        status = chance.choice(
            [CommissionStatus.PENDING] * 4 + [CommissionStatus.UNVERIFIED, CommissionStatus.REVERSED]
        )
        fields = {"status": status, "revenue_minor": chance.choice([20_00, 100_00, 300_00])}
        fields["reversed_minor"] = 10_00 if status is CommissionStatus.REVERSED else 0
        customer = chance.choice([None, *"abcdefghijklmnop"])
        with_coupon = chance.choice([None, None, coupon])
        order(session, program, customer, chance.randrange(1, 400) + chance.random(), chance.choice(partners), coupon=with_coupon, **fields)  # fmt: skip
    order(session, other, "a", 3)
    found = {
        key: (one.customers, one.orders, one.revenue_minor, one.earned_minor, one.reversed_minor, one.gaps)
        for key, one in counted(session, program).items()
    }
    expected = dict(one_by_one(session, program))
    assert found == {key: numbers[:6] for key, numbers in expected.items()}
    for key, one in counted(session, program).items():
        assert abs(one.gap_seconds - expected[key][6]) <= one.gaps  # whole seconds at both ends
    places = [counted(session, program)[key.value] for key in segments.PLACES if key in found]
    assert sum(one.customers for one in places) == found["all"][0]


def test_what_is_kept_is_what_was_counted_until_it_is_counted_again(session: Session) -> None:
    program = make_program(session)
    order(session, program, "a", 3)
    live, at = segment_store.shown(session, program=program, now=NOW)
    assert (at, program.id in segment_store.stale(session, now=NOW, limit=50)) == (NOW, True)
    grids.keep(session, grid=segment_store.grid_of(session, program_id=program.id, now=NOW))
    order(session, program, "b", 2)
    session.expire_all()
    assert segment_store.shown(session, program=program, now=NOW + timedelta(minutes=59)) == (live, NOW)
    assert program.id not in segment_store.stale(session, now=NOW + timedelta(minutes=60), limit=50)


def test_nobody_is_no_segment(session: Session) -> None:
    assert counted(session, make_program(session)) == {}
