"""What is the same in all but spelling, and what only looks so."""

import pytest

from affiliate.fraud import identity


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna@Example.com ", "anna@example.com"),
        ("anna+shop@example.com", "anna@example.com"),
        ("an.na+x@gmail.com", "anna@googlemail.com"),
    ],
)
def test_a_mailbox_has_one_key(one: str, other: str) -> None:
    assert identity.mail_key(one) == identity.mail_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("an.na@example.com", "anna@example.com"), ("anna@a.example", "anna@b.example")]
)
def test_two_mailboxes_have_two_keys(one: str, other: str) -> None:
    assert identity.mail_key(one) != identity.mail_key(other)


def test_a_mailbox_is_spelled_in_the_ways_that_its_owner_may_use() -> None:
    assert identity.mail_spellings("An.Na+me@gmail.com") == {
        f"{local}@{domain}" for local in ("an.na+me", "an.na", "anna") for domain in ("gmail.com", "googlemail.com")
    }
    assert identity.mail_spellings("anna@shop.example") == {"anna@shop.example"}


@pytest.mark.parametrize(
    ("address", "disposable"),
    [
        ("x@mailinator.com", True),
        ("x@any.mailinator.com", True),
        ("x@notmine.example", False),
        ("x@com", False),
        ("", False),
    ],
)
def test_throwaway_mailboxes_are_known_by_their_domain(address: str, disposable: bool) -> None:
    assert identity.is_disposable(address) is disposable


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("https://www.Instagram.com/Marta/", "instagram.com/marta"),
        ("instagram.com/marta?x=1", "instagram.com/marta"),
        ("http://blog.example", "blog.example"),
        ("http://[broken", ""),
        (None, ""),
    ],
)
def test_a_website_is_its_host_and_path(address: str | None, key: str) -> None:
    assert identity.website_key(address) == key


@pytest.mark.parametrize(
    "host",
    [
        "casaondera.shop",
        "casaonderra.example",
        "caasondera.example",
        "casaonder.example",
        "casaondéra.example",
        "xn--casaondra-f4a.example",
        "www-casaondera.example",
        "casaondera.example.evil.example",
    ],
)
def test_a_copy_of_the_shops_name_is_seen(host: str) -> None:
    assert identity.looks_like(host, "https://www.casaondera.example/")


@pytest.mark.parametrize(
    "host", ["casaondera.example", "blog.casaondera.example", "ondera.example", "casa.example", "example", ""]
)
def test_the_shop_itself_and_strangers_are_no_copies(host: str) -> None:
    assert not identity.looks_like(host, "www.casaondera.example")


def test_a_short_name_is_no_brand() -> None:
    assert not identity.looks_like("shop.elsewhere.example", "www.shop.example")
