"""What counts as consent: every signal by itself, and a refusal against all others."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affiliate.tracking import consent

PURPOSE_1_BIT = 152


def tcf(*, purpose_1: bool, version: int = 2, vendors: str = ".YAAAAAAAAAAA") -> str:
    """The core of a TCF string as a consent manager makes it, with the first purpose given or not."""
    number = version << (240 - 6) | int(purpose_1) << (240 - 1 - PURPOSE_1_BIT)
    return urlsafe_b64encode(number.to_bytes(30)).decode().rstrip("=") + vendors


GIVEN, REFUSED = tcf(purpose_1=True), tcf(purpose_1=False)


@pytest.mark.parametrize(
    ("parameters", "state"),
    [
        ({}, "none"),
        ({"cons": "1"}, "given"),
        ({"cons": "0"}, "refused"),
        ({"cons": "yes"}, "none"),
        ({"cons": ""}, "none"),
        ({"gdpr": "1", "gdpr_consent": GIVEN}, "given"),
        ({"gdpr_consent": GIVEN}, "given"),
        ({"gdpr": "1", "gdpr_consent": REFUSED}, "refused"),
        ({"gdpr": "1"}, "refused"),
        ({"gdpr": "1", "gdpr_consent": "not a string"}, "refused"),
        ({"gdpr": "1", "gdpr_consent": tcf(purpose_1=True, version=1)}, "refused"),
        ({"gdpr": "0", "gdpr_consent": REFUSED}, "none"),
        ({"cons": "1", "gdpr_consent": REFUSED}, "refused"),
        ({"cons": "0", "gdpr_consent": GIVEN}, "refused"),
    ],
)
def test_the_visitors_word_is_read_wherever_it_stands(parameters: dict[str, str], state: str) -> None:
    assert consent.state(parameters, has_opted_out=False, default=False) == state


def test_the_string_of_a_real_consent_manager_is_read() -> None:
    """With vendors, special features and publisher restrictions behind the purposes."""
    every = "COw4XqLOw4XqLAAAAAENAXCAAP8AAH_AAAqIF3NX_T5eL2vi-3ZdN_tkaYwf55y3o-wzhhaIse8NwIeH7BoGP2MwvBX4JiQCGBAkkiKBAQdtHGhcCQABgIhRiTKMYk2MjzNKJLJAilsbe0NYCD9mnsHT3ZCY70--u__7P3fcAAAA"
    assert consent.state({"gdpr_consent": every}, has_opted_out=False, default=False) == "given"


@pytest.mark.parametrize("parameters", [{}, {"cons": "1"}, {"gdpr_consent": GIVEN}])
def test_a_browser_that_opts_out_has_the_last_word(parameters: dict[str, str]) -> None:
    assert consent.state(parameters, has_opted_out=True, default=True) == "refused"


def test_silence_is_what_the_program_says_it_is() -> None:
    assert consent.state({}, has_opted_out=False, default=True) == "default"
    assert consent.state({"cons": "0"}, has_opted_out=False, default=True) == "refused"


@pytest.mark.parametrize(
    ("state", "allowed"), [("given", True), ("default", True), ("refused", False), ("none", False)]
)
def test_a_cookie_needs_consent_or_the_programs_default(state: consent.Consent, *, allowed: bool) -> None:
    assert consent.allows(state) is allowed


@given(st.text(max_size=80))
def test_no_text_is_taken_for_consent_by_accident_and_none_crashes(text: str) -> None:
    found = consent.state({"gdpr": "1", "gdpr_consent": text}, has_opted_out=False, default=True)
    assert found in {"given", "refused"}
    assert found == "refused" or text.startswith("C")  # version 2
