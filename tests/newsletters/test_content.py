"""What keeps an issue from being sent, and which language a reader gets: never a mixture of two."""

import pytest
from newsletter_cast import Block, BlockKind, a_draft

from affiliate.newsletters import content
from affiliate.newsletters.content import Draft


def places(draft: Draft) -> set[str]:
    return {problem.place for problem in content.problems(draft, allowed_hosts=["www.shop.example"])}


def test_a_complete_issue_has_no_problem() -> None:
    assert places(a_draft()) == set()


def test_what_is_missing_is_named_in_the_issues_own_language_only() -> None:
    draft = a_draft("", "", Block("news", BlockKind.NEWS, {"it": {"title": "Novità", "body": ""}}))
    assert places(draft) == {"en-subject", "en-first-body", "en-news-title", "en-news-body"}
    assert places(Draft("en", {"en": {"subject": "S"}}, [])) == {"blocks"}


@pytest.mark.parametrize(
    ("body", "is_fine"),
    [
        ("[x](https://example.com/a?b=c)", True),
        ("[x]({my_link}) and {first_name}", True),
        ("[x](mailto:a@example.com)", True),
        ("[x](javascript:alert(1))", False),
        ("[x](//example.com)", False),
        ("[x](https://example.com/?n={first_name})", False),
        ("[x]({first_name})", False),
        ("{favourite}", False),
        ("{Not a field} and {}", True),
        ("<https://example.com/a>, <a@example.com>", True),
        ("<ftp://example.com/a>", False),
        ("<https://example.com/{first_name}>", False),
        ("[x][1]\n\n[1]: https://example.com/a", True),
        ("[x][1]\n\n[1]: javascript:alert(1)", False),
        ("[x][1]\n\n[1]: {my_link}", True),
        ("[x](java&#115;cript:alert(1))", False),
        ("[x]()", False),
        ("`[x](javascript:alert(1))` is no link", True),
    ],
)
def test_addresses_and_fields_are_checked(body: str, is_fine: bool) -> None:
    assert (places(a_draft(body=body)) == set()) is is_fine


def test_every_kind_of_link_is_among_the_addresses_as_its_html_spells_it() -> None:
    body = "[a](https://a.example/?x=1&amp;y=2 'T') <https://b.example/> [c][1] [c] ![d](https://d.example/ü)\n\n"
    body += "[1]: https://e.example/\n[c]: <https://f.example/>\n[unused]: https://g.example/\n\n[me]({my_link}) <m@h.example>"
    button = Block("n", BlockKind.NEWS, {"it": {"body": "<https://b.example/>"}}, "https://i.example/")
    offer = Block("o", BlockKind.OFFER, {}, "https://www.shop.example/")
    assert content.addresses(a_draft("S", body, button, offer)) == [
        "https://i.example/", "https://a.example/?x=1&y=2", "https://b.example/", "https://e.example/",
        "https://f.example/", "https://d.example/%C3%BC",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "is_fine"),
    [
        ("", True),
        ("https://www.shop.example/pan?a=1", True),
        ("HTTPS://WWW.SHOP.EXAMPLE/pan", True),
        ("https://shop.example/pan", False),
        ("https://www.shop.example.evil.example/", False),
        ("https://www.shop.example@evil.example/", False),
        ("www.shop.example", False),
        ("javascript:x", False),
    ],
)
def test_an_offer_leads_to_the_shop_alone(url: str, is_fine: bool) -> None:
    offer = Block("o", BlockKind.OFFER, {"en": {"title": "T", "body": "B"}}, url)
    assert places(a_draft("S", "B", offer)) == (set() if is_fine else {"o-url"})


def test_a_button_has_words_and_an_address_or_neither() -> None:
    texts = {"en": {"title": "T", "body": "B", "label": "Read"}}
    assert places(a_draft("S", "B", Block("n", BlockKind.NEWS, texts))) == {"n-url"}
    assert places(a_draft("S", "B", Block("n", BlockKind.NEWS, texts, "https://example.com/"))) == set()
    assert places(a_draft("S", "B", Block("n", BlockKind.NEWS, texts, "javascript:x"))) == {"n-url"}


def test_a_reader_gets_the_own_language_only_when_all_of_it_is_there() -> None:
    draft = a_draft()
    assert content.language_for(draft, "it") == "en"
    half = content.with_envelope(draft, "it", {"subject": "Ciao", "preheader": ""})
    assert content.language_for(half, "it") == "en"
    whole = Draft("en", half.texts, [Block("first", BlockKind.TEXT, {"en": {"body": "B"}, "it": {"body": "T"}})])
    assert content.language_for(whole, "it") == "it"
    assert content.language_for(whole, "de") == "en"
    assert content.language_for(whole, None) == "en"


def test_blocks_move_within_their_ends_and_are_bounded() -> None:
    draft = a_draft("S", "B", Block("second", BlockKind.TEXT, {}))
    assert [block.id for block in content.moved(draft, "second", -1).blocks] == ["second", "first"]
    assert [block.id for block in content.moved(draft, "first", -1).blocks] == ["first", "second"]
    assert [block.id for block in content.moved(draft, "nobody", 1).blocks] == ["first", "second"]
    for number in range(content.BLOCKS_MAX + 5):
        draft = content.with_block(draft, BlockKind.TEXT, str(number))
    assert len(draft.blocks) == content.BLOCKS_MAX
