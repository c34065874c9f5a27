"""Labels for the shop's web analytics: which lines there are, and how an arrival by our own redirect is known by them."""

import pytest

from affiliate import ids
from affiliate.programs import labels, rules

PARTNER = ids.public("ptn", ids.new())


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (list(labels.USUAL), None),
        ([], None),
        (["utm_source={Program}"], "This macro is not known."),
        (["utm_source={click_id}"], "This macro is not known."),
        (["utm_source={program"], "This macro is not known."),
        (["utm_source={sub11}"], "This macro is not known."),
        (["utm_source={link}{link}"], "Write one label a line"),
        (["utm_source="], "Write one label a line"),
        (["ref={link}"], "Write one label a line"),  # the tag reads it as a partner's code
        (["aff_click=x"], "Write one label a line"),
        (["utm_source=a\x00b"], "Write one label a line"),
        ([f"utm_source={'x' * 121}"], "Write one label a line"),
        (["utm_source=a", "utm_source=b"], "At most ten labels"),
        ([f"utm_{number}=x" for number in range(11)], "At most ten labels"),
    ],
)
def test_only_names_of_analytics_and_known_macros_are_stored(lines: list[str], told: str | None) -> None:
    said = rules.problems({"landing_labels": lines}).get("landing_labels")
    assert said is None if told is None else said is not None and said.startswith(told)


def test_lines_are_stored_in_one_spelling() -> None:
    assert rules.clean("landing_labels", [" UTM_Source = {program} ", "", "utm_source={program}"]) == [
        "utm_source={program}"
    ]


@pytest.mark.parametrize(
    ("lines", "parameters", "own"),
    [
        (labels.USUAL, {"utm_source": "casa", "utm_medium": "affiliate"}, {"utm_source", "utm_medium", "utm_term"}),
        (labels.USUAL, {"utm_source": "blog", "utm_medium": "affiliate", "utm_content": PARTNER}, {"utm_medium", "utm_content", "utm_term"}),
        (labels.USUAL, {"utm_source": "awin", "utm_medium": "affiliate"}, set()),  # another network's
        (labels.USUAL, {"utm_source": "casa", "utm_medium": "cpc"}, {"utm_source", "utm_term"}),
        (("utm_source=partners", "utm_medium=x"), {"utm_source": "partners", "utm_medium": "x"}, {"utm_source", "utm_medium"}),
        (("utm_source=partners", "utm_medium=x"), {"utm_medium": "x"}, set()),
        (("utm_term={sub1}",), {"utm_term": "x"}, set()),
        ((), {"utm_medium": "affiliate"}, set()),
    ],
)  # fmt: skip
def test_an_arrival_is_ours_by_what_only_our_redirect_writes(
    lines: tuple[str, ...], parameters: dict[str, str], own: set[str]
) -> None:
    assert labels.own(parameters, lines, program="casa") == own
