"""What keeps an issue from being sent, and which language a reader gets: never a mixture of two."""

import pytest
from newsletter_cast import Block, BlockKind, a_draft

from affiliate.newsletters import content
from affiliate.newsletters.content import Draft


def places(draft: Draft) -> set[str]:
    return {problem.place for problem in content.problems(draft)}


def test_a_complete_issue_has_no_problem() -> None:
    assert content.problems(a_draft()) == []


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
    ],
)
def test_addresses_and_fields_are_checked(body: str, is_fine: bool) -> None:
    assert (places(a_draft(body=body)) == set()) is is_fine


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
