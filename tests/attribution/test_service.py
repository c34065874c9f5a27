"""What waits gets one outcome per revision, on both databases, whoever works at the same time."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from event_cast import NOW, numbered
from factories import (
    make_click,
    make_conversion,
    make_link,
    make_member,
    make_partner,
    make_program,
    make_user,
)  # fmt: skip
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent
from affiliate.attribution import customers, lookups, publishing, rules, service
from affiliate.attribution.models import Attribution, Credit, Unattributed
from affiliate.attribution.policy import Model, Policy
from affiliate.attribution.trace import newness
from affiliate.errors import Invalid
from affiliate.ingest.clickrules import CREDITABLE
from affiliate.ingest.models import ChannelTouch, Click, ClickVerdict, Conversion, Trust
from affiliate.links.models import Coupon, Link, LinkStatus
from affiliate.partners.classes import PartnerClass
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.programs.models import AttributionPolicy, Program

VISITOR = numbered(70)


class Shop:
    """A program with two partners, a link and a coupon of each."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.program: Program = make_program(session)
        self.anna: Partner = make_partner(session, program=self.program)
        self.ben: Partner = make_partner(session, program=self.program)
        self.annas_link: Link = make_link(session, program=self.program, partner=self.anna)
        self.bens_link: Link = make_link(session, program=self.program, partner=self.ben)
        self.coupon = Coupon(
            id=ids.new(), program_id=self.program.id, partner_id=self.ben.id, code="BEN10", status=LinkStatus.ACTIVE
        )
        self.coupon.created_at = now
        session.add(self.coupon)
        session.flush()


@pytest.fixture
def shop(session: Session, now: datetime) -> Shop:
    return Shop(session, now)


def attribute(session: Session, now: datetime, **arguments: Any) -> int:
    return service.attribute_waiting(session, **{"limit": 100, "clicks_until": now, "now": now} | arguments)


def set_terms(session: Session, program: Program, **terms: Any) -> None:
    """What the program's one policy says."""
    change = sa.update(AttributionPolicy).where(AttributionPolicy.program_id == program.id)
    session.execute(change.values(terms={"window_days": 30} | terms))


def outcome_of(session: Session, conversion: Conversion) -> Attribution:
    session.expire_all()
    current = sa.select(Attribution).where(Attribution.conversion_id == conversion.id, Attribution.is_current)
    return session.scalars(current).one()


def credits_of(session: Session, conversion: Conversion) -> list[Credit]:
    attribution = outcome_of(session, conversion)
    return list(session.scalars(sa.select(Credit).where(Credit.attribution_id == attribution.id)))


def reasons(attribution: Attribution) -> list[str | None]:
    return [touch["reason"] for touch in attribution.trace["touches"]]


def test_the_named_click_is_credited_with_its_link(session: Session, shop: Shop, now: datetime) -> None:
    click = make_click(session, link=shop.annas_link)
    conversion = make_conversion(session, program=shop.program, click_id=click.id)
    assert attribute(session, now) == 1
    attribution, (credit,) = outcome_of(session, conversion), credits_of(session, conversion)
    assert (attribution.version, attribution.conversion_revision, attribution.reason) == (1, 1, None)
    assert (attribution.model, attribution.policy_version, attribution.decided_at) == ("last_click", 1, now)
    assert (credit.partner_id, credit.link_id, credit.click_id, credit.coupon_id, credit.share_bps) == (
        shop.anna.id,
        shop.annas_link.id,
        click.id,
        None,
        10_000,
    )
    assert rules.rederive(attribution.trace) == attribution.trace["credits"]


def test_a_credit_keeps_what_its_click_told(session: Session, shop: Shop, now: datetime) -> None:
    """Clicks are dropped after their term; reports by sub id, country, device, source and creative go on."""
    came = {"subs": {"sub1": "a" * 101, "sub2": "b"}, "country": "IT", "user_agent": "Mozilla/5.0 (iPhone) Mobile"}
    click = make_click(session, link=shop.annas_link, **came, referrer_host="blog.example", creative="crv_banner")
    bare = make_click(session, link=shop.bens_link)
    told, silent, without = (
        make_conversion(session, program=shop.program, **fields)
        for fields in ({"click_id": click.id}, {"click_id": bare.id}, {"coupon": "ben10"})
    )
    assert attribute(session, now) == 3
    assert origin_of(session, told) == ("a" * 100, "IT", "phone", "blog.example", "crv_banner")
    assert origin_of(session, silent) == origin_of(session, without) == ("",) * 5


def origin_of(session: Session, conversion: Conversion) -> tuple[str, ...]:
    [credit] = credits_of(session, conversion)
    return credit.sub1, credit.country, credit.device, credit.referrer_host, credit.creative


def test_a_coupon_is_credited_whatever_its_case(session: Session, shop: Shop, now: datetime) -> None:
    conversion = make_conversion(session, program=shop.program, coupon="ben10")
    attribute(session, now)
    (credit,) = credits_of(session, conversion)
    assert (credit.partner_id, credit.coupon_id, credit.click_id) == (shop.ben.id, shop.coupon.id, None)


def test_the_visitors_last_click_is_credited(session: Session, shop: Shop, now: datetime) -> None:
    make_click(session, link=shop.annas_link, visitor_id=VISITOR, occurred_at=now - timedelta(days=3))
    make_click(session, link=shop.bens_link, visitor_id=VISITOR, occurred_at=now - timedelta(days=2))
    make_click(session, link=shop.annas_link, visitor_id=VISITOR, occurred_at=now + timedelta(seconds=1))
    make_click(session, link=shop.annas_link, visitor_id=numbered(71), occurred_at=now - timedelta(days=1))
    conversion = make_conversion(session, program=shop.program, visitor_id=VISITOR)
    attribute(session, now)
    assert [credit.partner_id for credit in credits_of(session, conversion)] == [shop.ben.id]
    assert reasons(outcome_of(session, conversion)) == ["earlier_click", None]


@pytest.mark.parametrize("carried", ["click_id", "visitor_id"])
def test_a_click_known_by_its_page_alone_stands_on_its_own_step(
    session: Session, shop: Shop, now: datetime, carried: str
) -> None:
    earlier, later = now - timedelta(days=2), now - timedelta(days=1)
    coded = make_click(session, link=shop.annas_link, visitor_id=VISITOR, occurred_at=earlier)
    came = make_click(session, link=shop.bens_link, visitor_id=VISITOR, occurred_at=later, source="site")
    carries = {"visitor_id": VISITOR} | ({"click_id": came.id} if carried == "click_id" else {})
    conversion = make_conversion(session, program=shop.program, **carries)
    attribute(session, now)
    assert [credit.click_id for credit in credits_of(session, conversion)] == [coded.id]
    set_terms(session, shop.program, ladder=["site", "visitor"])
    service.ask_again(session, conversion_ids=[conversion.id])
    attribute(session, now)
    assert [credit.click_id for credit in credits_of(session, conversion)] == [came.id]
    assert rules.rederive(outcome_of(session, conversion).trace) == outcome_of(session, conversion).trace["credits"]


def test_the_same_click_is_considered_once(session: Session, shop: Shop, now: datetime) -> None:
    click = make_click(session, link=shop.annas_link, visitor_id=VISITOR)
    conversion = make_conversion(session, program=shop.program, click_id=click.id, visitor_id=VISITOR)
    attribute(session, now)
    (touch,) = outcome_of(session, conversion).trace["touches"]
    assert touch["recognised_by"] == "click_id"


def test_a_repeated_click_is_credited_because_the_customer_carries_it(
    session: Session, shop: Shop, now: datetime
) -> None:
    click = make_click(session, link=shop.annas_link, verdict=ClickVerdict.DUPLICATE)
    conversion = make_conversion(session, program=shop.program, click_id=click.id)
    attribute(session, now)
    assert [credit.partner_id for credit in credits_of(session, conversion)] == [shop.anna.id]


@pytest.mark.parametrize("verdict", sorted(set(ClickVerdict) - CREDITABLE))
def test_a_refused_click_wins_nothing(session: Session, shop: Shop, now: datetime, verdict: ClickVerdict) -> None:
    click = make_click(session, link=shop.annas_link, verdict=verdict)
    conversion = make_conversion(session, program=shop.program, click_id=click.id)
    attribute(session, now)
    attribution = outcome_of(session, conversion)
    assert (attribution.reason, reasons(attribution)) == (Unattributed.ALL_REFUSED, ["not_valid"])
    assert not credits_of(session, conversion)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"click_id": numbered(99)}, "unknown_click"),
        ({"click_refusal": "tampered_click_id"}, "tampered_click_id"),
        ({"coupon": "NOBODYS"}, "unknown_coupon"),
    ],
)
def test_what_leads_to_nobody_is_in_the_trace(
    session: Session, shop: Shop, now: datetime, facts: dict[str, Any], reason: str
) -> None:
    conversion = make_conversion(session, program=shop.program, **facts)
    attribute(session, now)
    attribution = outcome_of(session, conversion)
    assert (attribution.reason, reasons(attribution)) == (Unattributed.ALL_REFUSED, [reason])


def test_a_click_or_coupon_of_another_program_is_unknown(session: Session, shop: Shop, now: datetime) -> None:
    other = make_program(session)
    click = make_click(session, link=shop.annas_link, visitor_id=VISITOR)
    conversion = make_conversion(session, program=other, click_id=click.id, visitor_id=VISITOR, coupon="BEN10")
    attribute(session, now)
    assert sorted(filter(None, reasons(outcome_of(session, conversion)))) == ["unknown_click", "unknown_coupon"]


def test_a_paused_coupon_is_unknown(session: Session, shop: Shop, now: datetime) -> None:
    shop.coupon.status = LinkStatus.PAUSED
    conversion = make_conversion(session, program=shop.program, coupon="BEN10")
    attribute(session, now)
    assert reasons(outcome_of(session, conversion)) == ["unknown_coupon"]


@pytest.mark.parametrize("status", sorted(set(EnrollmentStatus) - {EnrollmentStatus.APPROVED}))
def test_only_an_approved_partner_wins(session: Session, shop: Shop, now: datetime, status: EnrollmentStatus) -> None:
    session.execute(sa.update(Enrollment).where(Enrollment.partner_id == shop.ben.id).values(status=status))
    make_click(session, link=shop.annas_link, visitor_id=VISITOR, occurred_at=now - timedelta(days=2))
    make_click(session, link=shop.bens_link, visitor_id=VISITOR, occurred_at=now - timedelta(days=1))
    conversion = make_conversion(session, program=shop.program, visitor_id=VISITOR, coupon="BEN10")
    attribute(session, now)
    assert [credit.partner_id for credit in credits_of(session, conversion)] == [shop.anna.id]
    assert reasons(outcome_of(session, conversion)) == [None, "partner_inactive", "partner_inactive"]


@pytest.mark.parametrize("status", [EnrollmentStatus.PAUSED, EnrollmentStatus.BANNED])
def test_whoever_was_stopped_after_the_order_keeps_it(
    session: Session, shop: Shop, now: datetime, status: EnrollmentStatus
) -> None:
    """Else a later word about the order, an amended amount, would take the sale away."""
    click = make_click(session, link=shop.annas_link)
    conversion = make_conversion(session, program=shop.program, click_id=click.id)
    stopped = sa.update(Enrollment).where(Enrollment.partner_id == shop.anna.id)
    session.execute(stopped.values(status=status, decided_at=now + timedelta(seconds=1)))
    attribute(session, now)
    assert [credit.partner_id for credit in credits_of(session, conversion)] == [shop.anna.id]
    conversion.revision = 2
    session.execute(stopped.values(decided_at=now))
    session.flush()
    attribute(session, now)
    assert reasons(outcome_of(session, conversion)) == ["partner_inactive"]


def test_without_any_touch_the_outcome_says_so(session: Session, shop: Shop, now: datetime) -> None:
    conversion = make_conversion(session, program=shop.program)
    attribute(session, now)
    assert outcome_of(session, conversion).reason == Unattributed.NO_TOUCH


def test_the_window_of_the_program_counts_and_a_click_outside_is_told(
    session: Session, shop: Shop, now: datetime
) -> None:
    set_terms(session, shop.program, window_days=7)
    make_click(session, link=shop.annas_link, visitor_id=VISITOR, occurred_at=now - timedelta(days=7))
    make_click(session, link=shop.annas_link, visitor_id=VISITOR, occurred_at=now - timedelta(days=15))
    conversion = make_conversion(session, program=shop.program, visitor_id=VISITOR)
    attribute(session, now)
    attribution = outcome_of(session, conversion)
    assert (attribution.reason, reasons(attribution)) == (Unattributed.ALL_REFUSED, ["outside_window"])


def test_how_far_back_clicks_are_told_does_not_depend_on_the_others_in_the_batch(
    session: Session, shop: Shop, now: datetime
) -> None:
    make_click(session, link=shop.annas_link, visitor_id=VISITOR, occurred_at=now - timedelta(days=61))
    conversion = make_conversion(session, program=shop.program, visitor_id=VISITOR)
    long_ago = now - timedelta(days=60)
    make_conversion(session, program=shop.program, visitor_id=numbered(71), occurred_at=long_ago, received_at=long_ago)
    assert attribute(session, now) == 2
    assert outcome_of(session, conversion).reason == Unattributed.NO_TOUCH


def test_a_flood_of_refused_clicks_hides_no_good_one(session: Session, shop: Shop, now: datetime) -> None:
    make_click(session, link=shop.annas_link, visitor_id=VISITOR, occurred_at=now - timedelta(days=2))
    for minute in range(60):
        at = now - timedelta(minutes=minute + 1)
        make_click(session, link=shop.bens_link, visitor_id=VISITOR, occurred_at=at, verdict=ClickVerdict.EMBEDDED)
    conversion = make_conversion(session, program=shop.program, visitor_id=VISITOR)
    attribute(session, now)
    assert [credit.partner_id for credit in credits_of(session, conversion)] == [shop.anna.id]
    assert len(outcome_of(session, conversion).trace["touches"]) == 1 + lookups.OTHER_CLICKS_MAX


def test_a_second_run_does_nothing(session: Session, shop: Shop, now: datetime) -> None:
    make_conversion(session, program=shop.program)
    assert attribute(session, now) == 1
    assert attribute(session, now) == 0


def test_a_new_revision_makes_a_new_version_and_keeps_the_old_one(session: Session, shop: Shop, now: datetime) -> None:
    click = make_click(session, link=shop.annas_link)
    conversion = make_conversion(session, program=shop.program, coupon="BEN10")
    attribute(session, now)
    conversion.click_id, conversion.revision = click.id, 2
    session.flush()
    assert attribute(session, now + timedelta(minutes=1)) == 1
    versions = session.scalars(sa.select(Attribution).order_by(Attribution.version)).all()
    assert [(row.version, row.conversion_revision, row.is_current) for row in versions] == [
        (1, 1, False),
        (2, 2, True),
    ]
    assert [credit.partner_id for credit in credits_of(session, conversion)] == [shop.anna.id]
    assert session.scalar(sa.select(sa.func.count()).select_from(Credit)) == 2


def test_an_order_waits_for_the_clicks_before_it_but_not_for_ever(session: Session, shop: Shop, now: datetime) -> None:
    make_conversion(session, program=shop.program, received_at=now)
    behind = now - timedelta(seconds=1)
    assert attribute(session, now, clicks_until=behind) == 0
    assert attribute(session, now + timedelta(seconds=59), clicks_until=behind) == 0
    assert attribute(session, now + timedelta(seconds=60), clicks_until=behind) == 1


def test_a_batch_is_bounded_and_takes_the_oldest_first(session: Session, shop: Shop, now: datetime) -> None:
    for age in (1, 3, 2):
        make_conversion(session, program=shop.program, order_id=str(age), received_at=now - timedelta(hours=age))
    assert attribute(session, now, limit=2) == 2
    waiting = session.scalars(sa.select(Conversion.order_id).where(Conversion.attributed_revision == 0)).all()
    assert waiting == ["1"]


def test_the_number_of_queries_does_not_grow_with_the_batch(
    session: Session, shop: Shop, now: datetime, count_queries: Callable[[], Any]
) -> None:
    counts = []
    for size in (1, 30):
        for number in range(size):
            visitor = numbered(1000 * size + number)
            click = make_click(session, link=shop.annas_link, visitor_id=visitor)
            make_conversion(session, program=shop.program, click_id=click.id, visitor_id=visitor, coupon="BEN10")
        session.flush()
        with count_queries() as counter:
            assert attribute(session, now) == size
        counts.append(len(counter))
    assert counts[0] == counts[1] <= 21


def _in_threads(work: Callable[[], None], number: int) -> None:
    problems: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as problem:  # noqa: BLE001 - told below
            problems.append(problem)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not problems


def test_workers_at_once_and_one_that_dies_give_each_order_one_outcome(
    session: Session, engine: Engine, shop: Shop, now: datetime
) -> None:
    click = make_click(session, link=shop.annas_link)
    for number in range(40):
        make_conversion(session, program=shop.program, order_id=str(number), click_id=click.id)
    session.commit()

    with Session(engine) as dying:
        assert attribute(dying, now, limit=15) == 15
        dying.rollback()  # killed before the commit

    def work() -> None:
        done = 1
        while done:
            with Session(engine) as own, own.begin():
                done = attribute(own, now, limit=7)

    _in_threads(work, 3)
    assert _outcomes(session) == {1}


def _outcomes(session: Session) -> set[int]:
    """How many outcomes the orders have, and none without."""
    session.expire_all()
    counted = dict[UUID, int](
        session.execute(sa.select(Attribution.conversion_id, sa.func.count()).group_by(Attribution.conversion_id)).all()  # type: ignore[arg-type]
    )
    assert len(counted) == session.scalar(sa.select(sa.func.count()).select_from(Conversion))
    return set(counted.values())


def test_the_policy_in_force_at_the_order_decides_not_the_one_of_today(
    session: Session, shop: Shop, now: datetime
) -> None:
    first = Policy(version=1)
    publish(session, shop, replace(first, window_days=1), effective_from=now)
    click = make_click(session, link=shop.annas_link, occurred_at=now - timedelta(days=3))
    earlier = make_conversion(session, program=shop.program, click_id=click.id, occurred_at=now - timedelta(seconds=1))
    later = make_conversion(session, program=shop.program, click_id=click.id, occurred_at=now)
    attribute(session, now)
    assert (outcome_of(session, earlier).policy_version, outcome_of(session, earlier).reason) == (1, None)
    assert (outcome_of(session, later).policy_version, outcome_of(session, later).reason) == (2, "all_refused")


def test_a_policy_with_an_earlier_start_makes_new_versions_of_what_it_changes(
    session: Session, shop: Shop, now: datetime
) -> None:
    make_click(session, link=shop.annas_link, visitor_id=VISITOR, occurred_at=now - timedelta(days=3))
    make_click(session, link=shop.bens_link, visitor_id=VISITOR, occurred_at=now - timedelta(days=2))
    orders = [
        make_conversion(session, program=shop.program, visitor_id=VISITOR, occurred_at=now - timedelta(hours=hours))
        for hours in (2, 0)
    ]
    attribute(session, now)
    publish(session, shop, Policy(version=1, model=Model.LINEAR), effective_from=now - timedelta(hours=1))
    assert publishing.apply_policies(session, limit=10, now=now) == 2  # one order, one policy
    assert publishing.apply_policies(session, limit=10, now=now) == 0
    attribute(session, now)
    assert [outcome_of(session, order).version for order in orders] == [1, 2]
    assert sorted(credit.share_bps for credit in credits_of(session, orders[1])) == [5000, 5000]
    assert outcome_of(session, orders[1]).policy_version == 2


def test_a_policy_to_come_is_applied_and_shown_when_its_day_comes(session: Session, shop: Shop, now: datetime) -> None:
    tomorrow = now + timedelta(days=1)
    publish(session, shop, Policy(version=1, window_days=7), effective_from=tomorrow)
    assert publishing.apply_policies(session, limit=10, now=now) == 0
    assert (shop.program.attribution_window_days, shop.program.policy_version) == (30, 1)
    publishing.apply_policies(session, limit=10, now=tomorrow)
    session.refresh(shop.program)
    assert (shop.program.attribution_window_days, shop.program.policy_version) == (7, 2)


def test_two_people_cannot_publish_over_one_another_and_a_wrong_policy_is_refused(
    session: Session, shop: Shop, now: datetime
) -> None:
    publish(session, shop, Policy(version=1, window_days=7), effective_from=now)
    with pytest.raises(publishing.PolicyMoved):
        publish(session, shop, Policy(version=1, window_days=8), effective_from=now)
    with pytest.raises(Invalid) as refused:
        publish(session, shop, Policy(version=2, window_days=0, ladder=(), weights=(1, 2, 3)), effective_from=now)
    assert set(refused.value.errors) == {"window_days", "ladder", "weights"}
    actions = list(session.scalars(sa.select(AuditEvent.action)))
    assert actions == ["attribution_policy.publish"]


def publish(session: Session, shop: Shop, policy: Policy, *, effective_from: datetime) -> None:
    publishing.publish(
        session, program_id=shop.program.id, policy=policy, effective_from=effective_from, actor=SYSTEM, now=NOW
    )


def test_a_managers_word_makes_a_new_version(session: Session, shop: Shop, now: datetime) -> None:
    click = make_click(session, link=shop.annas_link)
    conversion = make_conversion(session, program=shop.program, click_id=click.id)
    attribute(session, now)
    word = {"program_id": shop.program.id, "conversion_id": conversion.id, "actor": SYSTEM, "now": now}
    publishing.credit_by_hand(session, **word, partner_id=shop.ben.id, note="They met at a fair.")
    attribute(session, now)
    assert [credit.partner_id for credit in credits_of(session, conversion)] == [shop.ben.id]
    assert (outcome_of(session, conversion).version, reasons(outcome_of(session, conversion))) == (
        2,
        ["lower_step", None],
    )
    with pytest.raises(Invalid):
        publishing.credit_by_hand(session, **word, partner_id=shop.ben.id, note=" ")
    with pytest.raises(Invalid):
        publishing.credit_by_hand(session, **word, partner_id=make_partner(session).id, note="A friend.")


@pytest.mark.parametrize("key", ["customer_id", "email_hash"])
def test_a_known_customer_is_bound_whatever_order_the_orders_arrive_in(
    session: Session, shop: Shop, now: datetime, key: str
) -> None:
    set_terms(session, shop.program, ladder=["click_id", key], binding="first")
    facts = {key: "c" * 64}
    first_click, second_click = (make_click(session, link=link) for link in (shop.annas_link, shop.bens_link))
    days = [now - timedelta(days=age) for age in (9, 5, 1)]
    last = make_conversion(session, program=shop.program, occurred_at=days[2], **facts)
    attribute(session, now)
    assert (outcome_of(session, last).reason, outcome_of(session, last).is_new_customer) == ("no_touch", True)
    set_days = {"occurred_at": days[0]}
    session.execute(sa.update(Click).values(occurred_at=days[0] - timedelta(days=1)))
    make_conversion(session, program=shop.program, click_id=second_click.id, occurred_at=days[1], **facts)
    drain(session, now)
    assert [credit.partner_id for credit in credits_of(session, last)] == [shop.ben.id]
    make_conversion(session, program=shop.program, click_id=first_click.id, **set_days, **facts)
    drain(session, now)
    assert [credit.partner_id for credit in credits_of(session, last)] == [shop.anna.id]
    assert outcome_of(session, last).is_new_customer is False


def drain(session: Session, now: datetime) -> None:
    while attribute(session, now):
        pass


@pytest.mark.parametrize("fields", [{"trust": Trust.OPEN}, {"is_test": True}])
def test_an_order_that_anybody_can_tell_binds_nobody(
    session: Session, shop: Shop, now: datetime, fields: dict[str, Any]
) -> None:
    set_terms(session, shop.program, ladder=["click_id", "customer_id"])
    click = make_click(session, link=shop.annas_link, occurred_at=now - timedelta(days=10))
    before = {"click_id": click.id, "customer_id": "c1", "occurred_at": now - timedelta(days=9)}
    make_conversion(session, program=shop.program, **before, **fields)
    order = make_conversion(session, program=shop.program, customer_id="c1")
    drain(session, now)
    assert (outcome_of(session, order).reason, outcome_of(session, order).is_new_customer) == ("no_touch", True)


@pytest.mark.parametrize(
    ("said", "earlier", "known", "expected"),
    [
        (None, False, True, (True, "orders")),
        (None, True, True, (False, "orders")),
        (True, True, True, (False, "orders")),
        (True, False, True, (True, "shop")),
        (False, False, True, (False, "shop")),
        (None, False, False, (None, None)),
    ],
)
def test_a_customer_is_new_by_the_programs_orders_or_the_shops_word(
    said: bool | None, earlier: bool, known: bool, expected: Any
) -> None:
    assert newness(shop_says=said, has_earlier=earlier, is_known=known) == expected


def test_a_partners_own_purchase_wins_nothing(session: Session, shop: Shop, now: datetime) -> None:
    person = make_user(session, email="Anna@Blog.example")
    make_member(session, user=person, partner=shop.anna)
    click = make_click(session, link=shop.annas_link)
    own = hashlib.sha256(b"anna@blog.example").hexdigest()
    orders = [
        make_conversion(session, program=shop.program, click_id=click.id, email_hash=keyed)
        for keyed in (own[::-1], "0" * 64)
    ]
    attribute(session, now, hash_email=lambda digest: digest[::-1])
    assert reasons(outcome_of(session, orders[0])) == ["own_purchase"]
    assert reasons(outcome_of(session, orders[1])) == [None]


@pytest.mark.parametrize("known_by", ["visitor_id", "click_id"])
def test_a_later_contact_with_a_channel_that_overrules_takes_the_sale(
    session: Session, shop: Shop, now: datetime, known_by: str
) -> None:
    set_terms(session, shop.program, channels={"google": "overrule"})
    click = make_click(session, link=shop.annas_link, occurred_at=now - timedelta(days=3))
    whose = {"visitor_id": VISITOR, "click_id": None} | ({"click_id": click.id} if known_by == "click_id" else {})
    for days in (4, 2):
        touch = ChannelTouch(id=ids.new(), program_id=shop.program.id, channel="google", evidence="gclid", **whose)
        touch.occurred_at = now - timedelta(days=days)
        session.add(touch)
    session.flush()
    conversion = make_conversion(
        session, program=shop.program, click_id=click.id, visitor_id=VISITOR if known_by == "visitor_id" else None
    )
    attribute(session, now)
    assert outcome_of(session, conversion).reason is Unattributed.OTHER_CHANNEL
    assert reasons(outcome_of(session, conversion)) == ["earlier_channel", "other_channel", None]


def test_the_shops_word_about_another_channel_takes_the_sale_where_it_overrules(
    session: Session, shop: Shop, now: datetime
) -> None:
    set_terms(session, shop.program, channels={"google_ads": "overrule"})
    click = make_click(session, link=shop.annas_link)
    taken = make_conversion(session, program=shop.program, click_id=click.id, channel="Google_Ads")
    kept = make_conversion(session, program=shop.program, click_id=click.id, channel="newsletter")
    attribute(session, now)
    assert (outcome_of(session, taken).reason, credits_of(session, taken)) == (Unattributed.OTHER_CHANNEL, [])
    assert [credit.partner_id for credit in credits_of(session, kept)] == [shop.anna.id]


def test_class_and_window_of_the_enrollment_count(session: Session, shop: Shop, now: datetime) -> None:
    set_terms(session, shop.program, window_days=2, classes_outrank=True)
    session.execute(
        sa.update(Enrollment)
        .where(Enrollment.partner_id == shop.anna.id)
        .values(partner_class=PartnerClass.PREFERRED, attribution_window_days=50)
    )
    make_click(session, link=shop.annas_link, visitor_id=VISITOR, occurred_at=now - timedelta(days=49))
    make_click(session, link=shop.bens_link, visitor_id=VISITOR, occurred_at=now - timedelta(days=1))
    conversion = make_conversion(session, program=shop.program, visitor_id=VISITOR)
    attribute(session, now)
    assert [credit.partner_id for credit in credits_of(session, conversion)] == [shop.anna.id]
    assert reasons(outcome_of(session, conversion)) == [None, "lower_class"]


def test_the_first_click_is_known_however_many_follow(session: Session, shop: Shop, now: datetime) -> None:
    set_terms(session, shop.program, model="first_click")
    make_click(session, link=shop.annas_link, visitor_id=VISITOR, occurred_at=now - timedelta(days=20))
    for minute in range(60):
        at = now - timedelta(minutes=minute + 1)
        make_click(session, link=shop.bens_link, visitor_id=VISITOR, occurred_at=at)
    conversion = make_conversion(session, program=shop.program, visitor_id=VISITOR)
    attribute(session, now)
    assert [credit.partner_id for credit in credits_of(session, conversion)] == [shop.anna.id]


def test_a_click_made_for_a_test_wins_test_orders_only(session: Session, shop: Shop, now: datetime) -> None:
    click = make_click(session, link=shop.annas_link, verdict=ClickVerdict.TEST)
    orders = [make_conversion(session, program=shop.program, click_id=click.id, is_test=test) for test in (True, False)]
    attribute(session, now)
    assert [reasons(outcome_of(session, order)) for order in orders] == [[None], ["not_valid"]]


def test_lead_and_sale_of_one_customer_know_each_other(session: Session, shop: Shop, now: datetime) -> None:
    def act(kind: str, days: int, **facts: Any) -> Conversion:
        facts = {"customer_id": "c1"} | facts
        return make_conversion(
            session, program=shop.program, kind=kind, occurred_at=now - timedelta(days=days), **facts
        )

    click = make_click(session, link=shop.annas_link, occurred_at=now - timedelta(days=9))
    lead = act("lead", 3, click_id=click.id)
    sale = act("sale", 1, coupon="ben10", customer_id=None, email_hash="e1")
    trial = act("trial", 2, email_hash="e1")
    act("sale", 4), act("lead", 2, is_test=True), act("lead", 2, trust=Trust.OPEN), act("lead", 2, customer_id="c2")
    attribute(session, now)
    found = customers.other_acts(session, conversion=trial)
    assert [one.kind for one in found] == ["sale", "lead", "sale"]
    assert [one.conversion_id for one in found[1:]] == [lead.id, sale.id]
    assert [one.conversion_id for one in customers.other_acts(session, conversion=trial, credited_to=shop.ben.id)] == [
        sale.id
    ]
    assert customers.other_acts(session, conversion=act("sale", 1, customer_id=None)) == []
