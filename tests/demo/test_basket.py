"""What a basket costs, and what it believes of a cookie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affiliate.demo import basket, cast

SKUS = [product.sku for product in cast.PRODUCTS]
baskets = st.builds(
    basket.read,
    st.dictionaries(st.sampled_from(SKUS), st.integers(1, basket.QUANTITY_MAX)),
    coupon=st.sampled_from([None, cast.COUPON]),
)


def test_a_basket_sums_its_lines_and_ships_small_orders_for_a_fee() -> None:
    small = basket.read({"apron": 1, "towels": 2})
    assert small.goods_minor == 32_50 + 2 * 18_90
    assert small.shipping_minor == cast.SHIPPING_MINOR
    assert small.total_minor == 70_30 + 4_90
    assert small.pieces == 3


def test_shipping_is_free_from_eighty_euro_on_and_for_nothing() -> None:
    assert basket.read({"pot-26": 1}).shipping_minor == 0
    assert basket.read({}).total_minor == 0


def test_a_coupon_takes_a_tenth_off_the_goods_and_none_off_the_shipping() -> None:
    with_coupon = basket.read({"apron": 1}, coupon=cast.COUPON)
    assert with_coupon.discount_minor == 3_25
    assert with_coupon.total_minor == 32_50 - 3_25 + 4_90


@given(baskets)
def test_the_paid_lines_and_the_shipping_add_up_to_the_total(bought: basket.Basket) -> None:
    paid = sum(line.paid_minor(bought.discount_bps) for line in bought.lines)
    assert paid + bought.shipping_minor == bought.total_minor
    assert 0 <= bought.tax_minor <= paid


@given(baskets)
def test_a_basket_is_read_back_from_its_cookie(bought: basket.Basket) -> None:
    assert basket.read(basket.kept(bought), coupon=bought.coupon) == bought


@pytest.mark.parametrize(
    "kept",
    [None, [], "apron", 7, {"gold": 1}, {"apron": "2"}, {"apron": 0}, {"apron": -3}, {"apron": True}, {"apron": 1.5}],
)
def test_a_cookie_that_the_shop_did_not_write_is_an_empty_basket(kept: object) -> None:
    assert basket.read(kept).lines == ()


def test_more_than_a_household_needs_is_cut() -> None:
    assert basket.read({"moka": 10**9}).pieces == basket.QUANTITY_MAX


def test_a_quantity_of_none_takes_the_product_out() -> None:
    two = basket.with_quantity(basket.read({"apron": 1}), "moka", 2)
    assert basket.kept(two) == {"apron": 1, "moka": 2}
    assert basket.kept(basket.with_quantity(two, "apron", 0)) == {"moka": 2}


@pytest.mark.parametrize(
    ("text", "code"), [("marta10", "MARTA10"), (" MARTA10 ", "MARTA10"), ("OTHER", None), ("", None)]
)
def test_the_shop_knows_one_coupon(text: str, code: str | None) -> None:
    assert basket.coupon_of(text) == code
