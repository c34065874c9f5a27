"""Which rule of a plan pays for an item: the one ordered list of precedence, most specific first. Pure.

    1. the kind of act        a rule for leads goes before a rule for every act
    2. who brought the order  coupon, link, partner, group of partners, everybody
    3. what was bought        SKU, category, everything
    4. who bought it          new or returning customer, every customer
    5. for how long           fewer months since the customer's first order go before more, and before always

Each line only decides between rules that are equal in the lines before it. Two rules that are equal in all of them
and can meet in one item are refused when the plan is written, so the order in which they are written never matters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from affiliate.commissions.orders import Item, Order
from affiliate.commissions.terms import Customer, Rule, When

_WHO = ("coupon", "link", "partner", "group")
_ALWAYS = 10**6
_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """The rule that pays, its place in the plan, and on which lines of the list it was the most specific."""

    index: int
    rule: Rule
    why: tuple[str, ...]


def choose(rules: Sequence[Rule], *, order: Order, item: Item | None) -> Choice | None:
    """The most specific rule that applies to an item (None: to the rest of an order), or nothing."""
    fitting = [(index, rule) for index, rule in enumerate(rules) if applies(rule.when, order=order, item=item)]
    if not fitting:
        return None
    index, rule = min(fitting, key=lambda one: rank(one[1].when))
    return Choice(index, rule, why(rule.when))


def rank(when: When) -> tuple[int, ...]:
    """The place of a rule in the list: smaller is more specific."""
    who = next((place for place, name in enumerate(_WHO) if getattr(when, name) is not None), len(_WHO))
    what = 0 if when.skus else 1 if when.categories else 2
    months = when.customer_months_max
    return (
        0 if when.kind is not None else 1,
        who,
        what,
        0 if when.customer is not None else 1,
        _ALWAYS if months is None else months,
    )


def why(when: When) -> tuple[str, ...]:
    """What made a rule more specific than one for everybody and everything, in the order of the list."""
    said = [name for name in ("kind", *_WHO) if getattr(when, name) is not None]
    said += ["sku"] if when.skus else ["category"] if when.categories else []
    said += [name for name in ("customer", "customer_months_max") if getattr(when, name) is not None]
    return tuple(said) or ("everybody",)


def applies(when: When, *, order: Order, item: Item | None) -> bool:
    """Whether everything that the rule says holds."""
    return _act_fits(when, order) and _item_fits(when, item) and _customer_fits(when, order)


def conflicts(rules: Sequence[Rule]) -> list[tuple[int, int]]:
    """Pairs of rules of the same rank that can both apply to one item: nobody could say which of them pays."""
    pairs = combinations(enumerate(rules), 2)
    return [(first, second) for (first, one), (second, other) in pairs if _can_meet(one.when, other.when)]


def months_between(since: datetime, until: datetime) -> int:
    """Full months from one instant to the other."""
    months = (until.year - since.year) * _MONTHS_A_YEAR + until.month - since.month
    return months - ((until.day, until.time()) < (since.day, since.time()))


def _act_fits(when: When, order: Order) -> bool:
    who = (
        (when.kind, order.kind),
        (when.coupon, order.coupon_id),
        (when.link, order.link_id),
        (when.partner, order.partner_id),
        (when.group, order.partner_group),
    )
    return all(wanted is None or wanted == found for wanted, found in who)


def _item_fits(when: When, item: Item | None) -> bool:
    if when.skus and (item is None or item.sku not in when.skus):
        return False
    return not when.categories or (item is not None and item.category in when.categories)


def _customer_fits(when: When, order: Order) -> bool:
    if when.customer is not None and order.is_new_customer is not (when.customer is Customer.NEW):
        return False
    if when.customer_months_max is None:
        return True
    if order.customer_since is None or order.placed_at is None:
        return True  # a customer whom nobody can name is met for the first time
    return months_between(order.customer_since, order.placed_at) < when.customer_months_max


def _can_meet(one: When, other: When) -> bool:
    if rank(one) != rank(other):
        return False
    same = all(_overlap(getattr(one, name), getattr(other, name)) for name in ("kind", *_WHO, "customer"))
    lists = ((one.skus, other.skus), (one.categories, other.categories))
    return same and all(not a or not b or bool(set(a) & set(b)) for a, b in lists)


def _overlap(one: object, other: object) -> bool:
    return one is None or other is None or one == other
