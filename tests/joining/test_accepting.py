"""Which terms a reader is shown, which of them a form stood for, and whether they still hold."""

from typing import Any

import pytest

from affiliate import ids
from affiliate.joining import accepting
from affiliate.joining.accepting import Terms
from affiliate.joining.models import PublicText


def _texts(**terms: str) -> dict[str, PublicText]:
    return {one: PublicText(program_id=ids.new(), language=one, terms=text) for one, text in terms.items()}


@pytest.mark.parametrize(
    ("own", "texts", "shown", "lang"),
    [
        ("Own.", {"it": "Suoi."}, Terms("Suoi.", "it"), None),
        ("Own.", {"it": "", "pl": "Ich."}, Terms("Own.", ""), ""),  # in a language that nobody has told
        ("", {"it": "", "pl": "Ich."}, Terms("Ich.", "pl"), "pl"),
        ("", {}, Terms("", ""), ""),  # no terms at all
    ],
)
def test_the_readers_terms_come_first_then_the_programs_own_then_any(
    own: str, texts: dict[str, str], shown: Terms, lang: str | None
) -> None:
    found = accepting.terms_for(own, _texts(**texts), reader="it")
    assert found == shown
    assert found.plain(reader="it")["lang"] == lang


def test_a_form_stood_for_the_very_text_that_it_showed() -> None:
    texts = _texts(it="Suoi.")
    of: dict[str, Any] = {"version": Terms("Own.", "").version, "reader": "it"}
    assert accepting.accepted("Own.", texts, **of) == Terms("Own.", "")  # read in another language, a moment ago
    assert accepting.accepted("Other.", texts, **of) is None
    for unsaid in ("", accepting.NONE):  # there were none while the form was open, or it says nothing
        assert accepting.accepted("Own.", texts, version=unsaid, reader="it") is None
    assert accepting.accepted("", {}, version=accepting.NONE, reader="it") == Terms("", "")


def test_an_acceptance_knows_whether_its_text_still_stands_and_without_a_version_says_nothing() -> None:
    kept = accepting.kept(Terms("Own.", ""), at="2026-11-23T00:00:00+00:00")
    stands = [accepting.standing(kept, own, _texts(it="Suoi.")) for own in ("Own.", "Other.")]
    assert [one and one["is_same"] for one in stands] == [True, False]
    assert accepting.standing(accepting.kept(Terms("", ""), at=""), "Own.", {}) is None
    assert accepting.standing({"terms_accepted_at": "2025-01-01T00:00:00+00:00"}, "Own.", {}) is None
