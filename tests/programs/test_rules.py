"""What settings may be."""

from datetime import date

import pytest

from affiliate.programs import rules


@pytest.mark.parametrize("slug", ["a", "casa-ondera", "2026", "a" * 60])
def test_a_slug_of_small_letters_digits_and_inner_hyphens_is_fine(slug: str) -> None:
    assert rules.slug_problem(slug) is None


@pytest.mark.parametrize("slug", ["", "-a", "a-", "Casa", "a b", "a/b", "a" * 61, "zażółć", "a\n"])
def test_any_other_slug_is_refused(slug: str) -> None:
    assert rules.slug_problem(slug)


@pytest.mark.parametrize("host", ["shop.example", "www.shop.example:8443", "localhost:8000", "xn--zab-xwa.example"])
def test_a_host_with_or_without_port_is_fine(host: str) -> None:
    assert rules.host_problem(host) is None


@pytest.mark.parametrize(
    "host",
    ["", "https://shop.example", "shop.example/x", "*.shop.example", "a..b", "me@shop.example", "a b", "-a.example"],
)
def test_anything_else_is_no_host(host: str) -> None:
    assert rules.host_problem(host)


def test_a_host_is_stored_in_small_letters_of_ascii() -> None:
    assert rules.clean_host(" WWW.Müller.Example ") == "www.xn--mller-kva.example"
    assert rules.clean_host("Shop.Example.:8080") == "shop.example:8080"


@pytest.mark.parametrize("address", ["https://shop.example", "http://shop.example:8080/a?b=c#d"])
def test_a_full_address_is_fine(address: str) -> None:
    assert rules.address_problem(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "shop.example",
        "htp:/casa-ondera",
        "javascript:alert(1)",
        "//shop.example",
        "https://",
        "https://a@shop.example",
        "https:\\\\shop.example",
        "https://shop.example/a b",
        "https://shop.example:port",
        "https://[::1",
        "https://shop.example/" + "a" * 500,
    ],
)
def test_anything_else_is_no_address(address: str) -> None:
    assert rules.address_problem(address)


def test_a_colour_too_light_to_be_read_is_refused_and_a_darker_one_suggested() -> None:
    assert rules.accent_problem("#0a5a6e") is None
    assert rules.accent_problem("#f0c36b")
    assert rules.accent_problem("red")
    suggestion = rules.readable_accent("#f0c36b")
    assert rules.accent_problem(suggestion) is None
    assert rules.contrast_on_tint("#ffffff") == pytest.approx(1)
    assert rules.contrast_on_tint("#000000") == pytest.approx(15.9, abs=0.2)


def test_the_shop_itself_must_be_among_the_hosts() -> None:
    values = {"shop_url": "https://www.shop.example/", "allowed_hosts": ["other.example"]}
    assert list(rules.problems(values)) == ["allowed_hosts"]
    assert rules.problems(values | {"allowed_hosts": ["www.shop.example"]}) == {}


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("name", " ", "Casa"),
        ("time_zone", "Mars/Base", "Europe/Rome"),
        ("allowed_hosts", [], ["a.example"]),
        ("allowed_hosts", ["a.example"] * 51, ["a.example"]),
        ("allowed_hosts", ["/"], ["a.example"]),
        ("fallback_url", "nowhere", None),
        ("click_parameter", "Aff Click", "aff_click"),
        ("attribution_window_days", 0, 1),
        ("attribution_window_days", 366, 365),
        ("validation_days", -1, 0),
        ("payout_min_minor", -1, 0),
        ("currency", "EURO", "EUR"),
        ("terms", "a" * 10_001, "a" * 10_000),
        ("accent", "#ffffff", ""),
    ],
)
def test_each_setting_has_its_limits(name: str, wrong: object, right: object) -> None:
    assert list(rules.problems({name: wrong})) == [name]
    assert rules.problems({name: right}) == {}


def test_a_goal_needs_a_target_and_a_period() -> None:
    day = date(2026, 11, 1)
    assert rules.goal_problems(target=1, starts_on=day, ends_on=date(2026, 11, 2)) == {}
    assert set(rules.goal_problems(target=0, starts_on=day, ends_on=day)) == {"target", "ends_on"}
    assert set(rules.goal_problems(target=1, starts_on=day, ends_on=date(2027, 12, 7))) == {"ends_on"}
    assert set(rules.goal_problems(target=1, starts_on=date.min, ends_on=date(1, 2, 1))) == {"starts_on", "ends_on"}
    assert set(rules.goal_problems(target=1, starts_on=date(2099, 12, 1), ends_on=date(2100, 1, 2))) == {"ends_on"}
