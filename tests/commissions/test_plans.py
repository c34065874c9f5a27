"""Plans on both databases: drafted, published, never changed; what they say is what is paid, counted in turn."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW, make_attribution, make_conversion, make_partner, make_refund
from money_cast import LIMIT, Books, open_books
from sqlalchemy.orm import Session

from affiliate.accounts.models import AuditEvent
from affiliate.attribution.models import Attribution, Credit
from affiliate.commissions import plan_queries, plans, recruiting, service, waiting_rates
from affiliate.commissions.models import Commission, CommissionPlan, CommissionReason
from affiliate.currencies import service as currencies
from affiliate.currencies.convert import DayRates
from affiliate.errors import Invalid

EVERYBODY = {"rate_bps": 10_00}


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def act(books: Books, what: Callable[..., Any], **fields: Any) -> Any:
    return what(books.session, program_id=books.program.id, actor=books.alice, now=NOW, **fields)


def pays(books: Books, *rules: dict[str, Any], **more: Any) -> CommissionPlan:
    """A plan in force an hour before the orders of NOW."""
    document = {"rules": list(rules or [EVERYBODY]), **more}
    start = NOW - timedelta(hours=1)
    made: CommissionPlan = act(books, plans.create_plan, name="Winter", terms=document, effective_from=start)
    return made


def earned(books: Books, **facts: Any) -> int:
    amount: int = books.commission_of_new_order(**facts).amount_minor
    return amount


# --- drafts and publishing


def test_a_draft_pays_nobody_until_it_is_published(books: Books) -> None:
    drafted = act(books, plans.draft, name=" Winter ", terms={"rules": [{"rate_bps": 20_00}]})
    assert (drafted.name, drafted.effective_from, earned(books)) == ("Winter", None, 10_00)
    act(books, plans.change_draft, plan_id=drafted.id, name="Spring", terms={"rules": [{"rate_bps": 30_00}]})
    act(books, plans.publish, plan_id=drafted.id, effective_from=NOW + timedelta(hours=1))
    assert earned(books, occurred_at=NOW + timedelta(hours=1)) == 30_00
    assert earned(books, occurred_at=NOW + timedelta(minutes=59)) == 10_00
    actions = books.session.scalars(sa.select(AuditEvent.action).where(AuditEvent.subject_id == drafted.id)).all()
    assert sorted(actions) == ["plan.change", "plan.draft", "plan.publish"]


def test_a_published_plan_stays_as_it_is(books: Books) -> None:
    made = pays(books)
    with pytest.raises(plans.PlanPublished):
        act(books, plans.change_draft, plan_id=made.id, name="Other", terms={"rules": [EVERYBODY]})
    with pytest.raises(plans.PlanPublished):
        act(books, plans.publish, plan_id=made.id, effective_from=NOW + timedelta(days=9))
    with pytest.raises(plans.PlanPublished):
        act(books, plans.discard, plan_id=made.id)
    drafted = act(books, plans.draft, name="Winter", terms={"rules": [EVERYBODY]})
    act(books, plans.discard, plan_id=drafted.id)
    assert [one.id for one in plan_queries.plans(books.session, program_id=books.program.id)][:1] == [made.id]


def test_two_plans_cannot_start_at_the_same_moment(books: Books) -> None:
    pays(books)
    with pytest.raises(plans.PlanExists):
        pays(books)


def test_a_plan_never_starts_before_orders_that_have_their_commission(books: Books) -> None:
    books.commission_of_new_order()
    with pytest.raises(Invalid) as refusal:
        act(books, plans.create_plan, name="Late", terms={"rules": [EVERYBODY]}, effective_from=NOW)
    assert "effective_from" in refusal.value.errors


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [({"name": " "}, "name"), ({"name": "x" * 121}, "name"), ({"terms": {"rules": [{}]}}, "rules"), ({"terms": {}}, "rules")],
)  # fmt: skip
def test_a_plan_that_cannot_pay_is_refused_by_its_field(books: Books, fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(Invalid) as refusal:
        act(books, plans.draft, **{"name": "Winter", "terms": {"rules": [EVERYBODY]}} | fields)
    assert wrong in refusal.value.errors


def test_an_example_that_breaks_blocks_publishing_until_one_of_both_changes(books: Books) -> None:
    order = {
        "amount_minor": 119_00,
        "tax_minor": 19_00,
        "items": [{"sku": "a", "group": "shoes", "amount_minor": 119_00}],
    }
    example = act(books, plans.add_example, name="Shoes", order=order, expected_minor=12_00)
    with pytest.raises(plans.ExamplesBroken) as refusal:
        pays(books)
    assert [(one.name, one.expected_minor, one.paid_minor) for one in refusal.value.broken] == [("Shoes", 12_00, 10_00)]
    shoes = {"when": {"categories": ["shoes"]}, "rate_bps": 12_00}
    assert pays(books, EVERYBODY, shoes).published_at == NOW
    act(books, plans.remove_example, example_id=example.id)
    act(books, plans.create_plan, name="Later", terms={"rules": [EVERYBODY]}, effective_from=NOW + timedelta(days=1))
    with pytest.raises(plans.UnknownPlan):
        act(books, plans.remove_example, example_id=example.id)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [({"name": ""}, "name"), ({"expected_minor": -1}, "expected"), ({"order": {"amount_minor": -1}}, "amount")],
)
def test_an_example_that_cannot_be_is_refused(books: Books, fields: dict[str, Any], wrong: str) -> None:
    values = {"name": "A", "order": {"amount_minor": 1_00}, "expected_minor": 10} | fields
    with pytest.raises(Invalid) as refusal:
        act(books, plans.add_example, **values)
    assert wrong in refusal.value.errors


# --- what is paid


def test_an_example_is_in_its_own_currency_whatever_a_plan_is_in(books: Books) -> None:
    day = DayRates(NOW.date() - timedelta(days=1), "ecb", {"USD": "1.25"})
    currencies.store(books.session, days=[day], now=NOW)
    dollars = {"amount_minor": 125_00, "currency": "USD"}
    act(books, plans.add_example, name="Abroad", order=dollars, expected_minor=12_50)
    act(books, plans.add_example, name="At home", order={"amount_minor": 100_00}, expected_minor=10_00)
    for terms, paid in (
        ({"rules": [EVERYBODY], "currency": "USD"}, {"USD": 12_50, "EUR": 10_00}),
        ({"rules": [{"fixed_minor": 5_00}], "currency": "USD"}, {"USD": 5_00, "EUR": 4_00}),
        ({"rules": [{"fixed_minor": 4_00}]}, {"USD": 5_00, "EUR": 4_00}),
    ):
        drafted = act(books, plans.draft, name="Abroad", terms=terms)
        checked = plans.check_examples(books.session, plan=drafted, now=NOW)
        assert {one.currency: one.paid_minor for one in checked} == paid


def test_an_order_of_items_is_paid_and_refunded_by_its_groups(books: Books) -> None:
    pays(books, EVERYBODY, {"when": {"categories": ["shoes"]}, "rate_bps": 20_00})
    items = [
        {"sku": "boot", "group": "shoes", "quantity": 1, "amount_minor": 60_00},
        {"sku": "shirt", "quantity": 1, "amount_minor": 40_00},
    ]
    conversion = books.order(items=items)
    books.work()
    assert books.commission(conversion).amount_minor == 12_00 + 4_00
    boot = [{"sku": "boot", "quantity": 1, "amount_minor": 60_00}]
    make_refund(books.session, conversion=conversion, amount_minor=60_00, items=boot)
    books.work()
    assert books.balances() == {"pending": 4_00}
    make_refund(books.session, conversion=conversion, amount_minor=40_00)
    books.work()
    assert books.balances() == {}
    books.assert_proven()


def test_overrides_for_group_partner_and_the_customer_count(books: Books) -> None:
    partner = books.partner
    pays(
        books,
        EVERYBODY,
        {"when": {"group": "gold"}, "rate_bps": 20_00},
        {"when": {"partner": str(partner.id), "customer": "new"}, "rate_bps": 30_00},
    )
    assert earned(books, new_customer=False) == 10_00
    act(books, recruiting.set_partner_terms, partner_id=partner.id, group_name="gold", recruiter_id=None)
    assert earned(books, new_customer=False) == 20_00
    assert earned(books, new_customer=True) == 30_00


def test_new_or_returning_is_what_attribution_has_decided_whatever_the_shop_said(books: Books) -> None:
    pays(books, EVERYBODY, {"when": {"customer": "new"}, "rate_bps": 20_00}, {"when": {"customer": "returning"}, "rate_bps": 5_00})  # fmt: skip
    for decided, amount_minor in ((True, 20_00), (False, 5_00), (None, 10_00)):
        conversion = make_conversion(books.session, program=books.program, new_customer=True, customer_id="c1")
        make_attribution(books.session, conversion=conversion, partner=books.partner, is_new_customer=decided)
        books.work()
        assert books.commission(conversion).amount_minor == amount_minor


def test_a_recurring_commission_ends_after_its_months(books: Books) -> None:
    pays(books, {"when": {"customer_months_max": 2}, "rate_bps": 10_00})
    moments = [NOW, NOW + timedelta(days=45), NOW + timedelta(days=70)]
    found = [books.commission_of_new_order(customer_id="c1", occurred_at=moment) for moment in moments]
    assert [(one.amount_minor, one.reason) for one in found] == [
        (10_00, None),
        (10_00, None),
        (0, CommissionReason.NO_RULE),
    ]


# --- counters


def test_steps_and_caps_count_in_turn_within_a_batch_and_from_batch_to_batch(books: Books) -> None:
    steps = [{"above": 2, "rate_bps": 20_00}]
    tiers = {"counts": "orders", "period": "month", "mode": "above", "steps": steps}
    pays(books, EVERYBODY | {"tiers": tiers}, caps={"month_minor": 65_00})
    orders = [books.order() for _ in range(4)]
    for place, conversion in enumerate(orders):  # decided one after the other
        attribution = books.session.scalars(
            sa.select(Attribution).where(Attribution.conversion_id == conversion.id)
        ).one()
        attribution.decided_at = NOW + timedelta(seconds=place)
    books.session.flush()
    service.commission_waiting(books.session, limit=3, now=NOW)
    books.work()
    assert [books.commission(one).amount_minor for one in orders] == [10_00, 10_00, 20_00, 20_00]
    assert earned(books) == 5_00  # 65 in all
    last = books.commission_of_new_order()
    assert (last.amount_minor, last.reason) == (0, CommissionReason.CAPPED)
    assert last.trace["counted"]["month"] == {"orders": 5, "base_minor": 500_00, "earned_minor": 65_00}
    assert earned(books, partner=make_partner(books.session, program=books.program)) == 10_00
    assert earned(books, occurred_at=NOW + timedelta(days=20)) == 10_00  # a new month
    books.assert_proven()


def test_a_plan_in_another_currency_counts_its_caps_in_it_and_pays_in_the_programs(books: Books) -> None:
    plan = pays(books, currency="USD", caps={"month_minor": 20_00})
    first = books.order()
    books.work()
    nothing = books.commission(first)
    assert (nothing.amount_minor, nothing.reason) == (0, CommissionReason.NO_EXCHANGE_RATE)
    yesterday = DayRates(NOW.date() - timedelta(days=1), "ecb", {"USD": "1.25"})
    currencies.store(books.session, days=[yesterday], now=NOW)
    assert waiting_rates.look_again(books.session, limit=LIMIT) == 1
    books.amend(first)  # what attribution does when it is asked again
    books.work()
    paid = books.commission(first)
    assert (paid.currency, paid.amount_minor, paid.plan_id) == ("EUR", 10_00, plan.id)
    assert (paid.counted_currency, paid.counted_base_minor, paid.counted_minor) == ("USD", 125_00, 12_50)
    make_refund(books.session, conversion=first, amount_minor=50_00)
    books.work()
    assert books.commission(first).counted_minor == 6_25
    assert earned(books) == 10_00
    last = books.commission_of_new_order()  # of 20 dollars, 18.75 are spent
    assert last.amount_minor == 1_00
    assert last.trace["counted"]["month"] == {"orders": 2, "base_minor": 250_00, "earned_minor": 18_75}
    assert (last.trace["paid_by"]["rate"], last.trace["paid_by"]["day"]) == ("0.8", "2026-11-15")
    pays_again = {
        "effective_from": NOW + timedelta(hours=1),
        "terms": {"rules": [EVERYBODY], "caps": {"month_orders": 3, "month_minor": 15_00}},
    }
    act(
        books, plans.create_plan, name="Euros", **pays_again
    )  # orders go on counting, amounts are those of its own currency
    later = books.commission_of_new_order(occurred_at=NOW + timedelta(hours=1))
    assert (later.reason, later.trace["counted"]["month"]) == (
        CommissionReason.CAPPED,
        {"orders": 3, "base_minor": 0, "earned_minor": 0},
    )
    books.assert_proven()


def test_counters_leave_out_what_does_not_count_and_never_rate_another_order_again(books: Books) -> None:
    pays(books, bonuses=[{"orders": 1, "amount_minor": 5_00}, {"orders": 2, "amount_minor": 7_00}])
    assert earned(books, is_test=True) == 15_00  # shown, never paid, not counted
    first = books.order()
    books.work()
    assert books.commission(first).amount_minor == 15_00
    make_refund(books.session, conversion=first, amount_minor=None)
    books.work()
    assert books.commission(first).reversed_minor == 15_00  # the bonus goes with the order
    again = books.order()
    books.work()
    assert books.commission(again).amount_minor == 15_00  # still the first sale that counts
    assert earned(books) == 17_00
    assert books.commission(again).amount_minor == 15_00
    books.assert_proven()


# --- recruiters


def test_a_recruiter_gets_its_share_and_loses_it_with_the_order(books: Books) -> None:
    recruiter = make_partner(books.session, program=books.program)
    act(books, recruiting.set_partner_terms, partner_id=books.partner.id, group_name=None, recruiter_id=recruiter.id)
    pays(books, recruiter_bps=20_00)
    conversion = books.order()
    books.work()
    assert (books.balances(), books.balances(recruiter)) == ({"pending": 10_00}, {"pending": 2_00})
    make_refund(books.session, conversion=conversion, amount_minor=50_00)
    books.work()
    assert (books.balances(), books.balances(recruiter)) == ({"pending": 5_00}, {"pending": 1_00})
    rival = make_partner(books.session, program=books.program)
    books.amend(conversion, partner=rival)
    books.work()
    assert books.balances(recruiter) == {}
    books.assert_proven()


def test_one_recruiter_of_two_partners_who_share_an_order_gets_both_shares(books: Books) -> None:
    recruiter, other = (make_partner(books.session, program=books.program) for _ in range(2))
    for partner in (books.partner, other):
        act(books, recruiting.set_partner_terms, partner_id=partner.id, group_name=None, recruiter_id=recruiter.id)
    pays(books, recruiter_bps=20_00)
    conversion = make_conversion(books.session, program=books.program)
    attribution = make_attribution(books.session, conversion=conversion, partner=books.partner)
    credit = books.session.scalars(sa.select(Credit).where(Credit.attribution_id == attribution.id)).one()
    credit.share_bps = 60_00
    books.session.add(Credit(id=other.id, attribution_id=attribution.id, partner_id=other.id, share_bps=40_00))
    books.session.flush()
    books.work()
    assert books.balances(recruiter) == {"pending": 1_20 + 80}
    assert len(books.session.scalars(sa.select(Commission)).all()) == 4
    books.assert_proven()


def test_partners_cannot_recruit_one_another_in_a_circle(books: Books) -> None:
    second, third = (make_partner(books.session, program=books.program) for _ in range(2))

    def recruit(partner: Any, by: Any) -> None:
        act(books, recruiting.set_partner_terms, partner_id=partner.id, group_name=None, recruiter_id=by.id)

    recruit(second, books.partner)
    recruit(third, second)
    with pytest.raises(recruiting.CircleOfRecruiters):
        recruit(books.partner, third)
    with pytest.raises(recruiting.CircleOfRecruiters):
        recruit(third, third)


def test_plans_with_counters_take_a_constant_number_of_statements(books: Books, count_queries: Any) -> None:
    tiers = {"counts": "amount", "period": "quarter", "mode": "above", "steps": [{"above": 1, "rate_bps": 1}]}
    pays(books, EVERYBODY | {"tiers": tiers}, {"when": {"customer": "new"}, "rate_bps": 1}, caps={"day_orders": 9_999})

    def statements(orders: int) -> int:
        for _ in range(orders):
            books.order(partner=make_partner(books.session, program=books.program), customer_id="c")
        books.session.flush()
        with count_queries() as counter:
            service.commission_waiting(books.session, limit=LIMIT, now=NOW)
        return len(counter)

    assert statements(2) == statements(40)


def test_further_levels_of_recruiters_share_only_where_the_plan_says_so(books: Books) -> None:
    chain = [books.partner, *(make_partner(books.session, program=books.program) for _ in range(3))]
    for one, above in pairwise(chain):
        act(books, recruiting.set_partner_terms, partner_id=one.id, group_name=None, recruiter_id=above.id)

    def shares() -> list[int]:
        conversion = books.order()
        books.work()
        mine = sa.select(Commission).where(Commission.conversion_id == conversion.id).order_by(Commission.level)
        found = books.session.scalars(mine).all()
        assert [one.partner_id for one in found] == [one.id for one in chain[: len(found)]]
        return [one.amount_minor for one in found]

    pays(books, recruiter_bps=10_00)
    assert shares() == [10_00, 1_00]
    later = NOW - timedelta(minutes=1)
    terms = {"rules": [EVERYBODY], "recruiter_bps": 10_00, "further_recruiters_bps": [5_00, 1_00]}
    books.session.execute(sa.update(Commission).values(earned_at=NOW - timedelta(days=1)))
    act(books, plans.create_plan, name="Levels", terms=terms, effective_from=later)
    assert shares() == [10_00, 1_00, 50, 10]
    books.assert_proven()


@pytest.mark.parametrize(
    "wrong",
    [
        {"further_recruiters_bps": [5_00]},
        {"recruiter_bps": 60_00, "further_recruiters_bps": [50_00]},
        {"recruiter_bps": 10_00, "further_recruiters_bps": [1, 1, 1, 1, 1]},
    ],
)
def test_levels_of_recruiters_that_cannot_be_are_refused(books: Books, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        act(books, plans.draft, name="Levels", terms={"rules": [EVERYBODY], **wrong})
