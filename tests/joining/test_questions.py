"""The form of a program and the answers to it, as plain values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affiliate.joining import answers, questions
from affiliate.joining.questions import Question, QuestionKind

CHANNELS = Question("channels", QuestionKind.CHANNELS, is_required=True)


def _own(kind: QuestionKind, **fields: object) -> Question:
    values: dict[str, object] = {"labels": {"en": "A question"}, **fields}
    return Question("own_1", kind, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "typed", "value"),
    [
        (_own(QuestionKind.LINE), " a\n b ", "a b"),
        (_own(QuestionKind.TEXT), " a\r\n b\x07 ", "a\n b"),
        (_own(QuestionKind.NUMBER), "2,400", 2400),
        (_own(QuestionKind.NUMBER), "2 400", 2400),
        (_own(QuestionKind.ADDRESS), "shop.example/a", "https://shop.example/a"),
        (_own(QuestionKind.CHOICE, options={"en": ["a", "b"]}), "2", "2"),
    ],
)
def test_an_answer_is_read_in_its_kind(question: Question, typed: str, value: object) -> None:
    found = answers.read([question], {"own_1": [typed]}, {})
    assert (found.values, found.problems) == ({"own_1": value}, {})


@pytest.mark.parametrize(
    ("question", "typed"),
    [
        (_own(QuestionKind.LINE), "x" * 301),
        (_own(QuestionKind.TEXT), "x" * 2_001),
        (_own(QuestionKind.NUMBER), "many"),
        (_own(QuestionKind.NUMBER), "-1"),
        (_own(QuestionKind.NUMBER), "9" * 12),
        (_own(QuestionKind.ADDRESS), "javascript:alert(1)"),
        (_own(QuestionKind.ADDRESS), "https://[bad"),
        (_own(QuestionKind.CHOICE, options={"en": ["a", "b"]}), "3"),
        (_own(QuestionKind.CHOICES, options={"en": ["a", "b"]}), "0"),
        (_own(QuestionKind.YES_NO, is_required=True), ""),
        (_own(QuestionKind.FILE, is_required=True), "kit.pdf"),  # a name is no file
    ],
)
def test_a_wrong_answer_has_a_sentence(question: Question, typed: str) -> None:
    assert set(answers.read([question], {"own_1": [typed]}, {}).problems) == {"own_1"}


def test_a_question_that_is_not_asked_has_no_answer() -> None:
    hidden = _own(QuestionKind.LINE, is_asked=False, is_required=True)
    assert answers.read([hidden], {"own_1": ["said"]}, {}) == answers.Answers()


def test_channels_need_a_place_and_may_leave_the_number_out() -> None:
    typed = {"channels-kind": ["blog", "unknown"], "channels-address": ["Slow", " "], "channels-people": ["", "10"]}
    assert "channels" in answers.read([CHANNELS], typed, {}).problems  # people, but no place
    typed["channels-address"][1] = "Letter"
    rows = answers.read([CHANNELS], typed, {}).values["channels"]
    assert [(row["kind"], row["people"]) for row in rows] == [("blog", None), ("other", 10)]


def test_an_answer_is_shown_beside_the_question_as_it_was_put() -> None:
    question = _own(QuestionKind.CHOICES, labels={"en": "Which?", "it": "Quali?"}, options={"en": ["Red", "Blue"]})
    [row] = answers.shown(questions.from_documents(questions.to_documents([question])), {"own_1": ["2"]}, "it")
    assert (row.label, row.lines) == ("Quali?", ("Blue",))


@pytest.mark.parametrize(
    "question",
    [
        Question("name", QuestionKind.LINE, labels={"en": "x"}),
        Question("Own 1", QuestionKind.LINE, labels={"en": "x"}),
        Question("own_1", QuestionKind.LINE),
        Question("own_1", QuestionKind.CHANNELS, labels={"en": "x"}),
        _own(QuestionKind.LINE, hints={"en": "two\nlines"}),
        _own(QuestionKind.CHOICE, options={"en": ["x"] * 21}),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(question: Question) -> None:
    assert set(questions.problems([*questions.STANDARD, question])) == {question.key}


_TYPED = st.dictionaries(
    st.sampled_from([*questions.OURS, "channels-kind", "channels-address", "channels-people", "own_1"]),
    st.lists(st.text(max_size=40), max_size=4),
)


@settings(max_examples=60)
@given(typed=_TYPED, kind=st.sampled_from(questions.OWN_KINDS))
def test_whatever_is_typed_is_an_answer_or_a_problem_and_can_be_shown(
    typed: dict[str, list[str]], kind: QuestionKind
) -> None:
    asked = [*questions.STANDARD, _own(kind, options={"en": ["a", "b"]} if kind in questions.WITH_OPTIONS else {})]
    found = answers.read(asked, answers.kept(typed), {})
    assert not set(found.values) & set(found.problems)
    assert {row.key for row in answers.shown(asked, found.values, "pl")} <= set(found.values)
