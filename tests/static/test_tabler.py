"""The style sheet of Tabler that pages load holds what they use and no more."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHEET = ROOT / "static" / "css" / "tabler.css"
TRIM = runpy.run_path(str(ROOT / "config" / "trim_styles.py"))


def test_what_pages_load_of_tabler_is_what_they_use() -> None:
    assert SHEET.read_text() == TRIM["trimmed"](), "templates use other classes now: run `make styles`"


def kept(styles: str, *words: str) -> str:
    """What is left of these styles where pages hold these words."""
    found = TRIM["_kept"](TRIM["tinycss2"].parse_stylesheet(styles), TRIM["_Used"](set(words)))
    return "".join(found)


def test_a_rule_stays_for_the_selectors_that_a_page_can_meet() -> None:
    assert kept(".card,.nav .item,p{color:red}", "card", "item") == ".card,p{color:red;}"
    assert kept("[data-date] td{color:red}[type=text]{color:red}", "type") == "[type=text]{color:red;}"
    assert (
        kept("@media print{.nav{color:red}}@media print{.card{color:red}}", "card") == "@media print{.card{color:red;}}"
    )


def test_what_a_selector_leaves_out_need_not_be_there_and_one_of_several_is_enough() -> None:
    assert kept(".btn:not(.btn-icon){color:red}", "btn") == ".btn:not(.btn-icon){color:red;}"
    assert kept(":is(.nav,.card)>.btn{color:red}", "card", "btn") == ":is(.nav,.card)>.btn{color:red;}"
    assert kept(":is(.nav,.list)>.btn{color:red}", "btn") == ""


def test_an_attribute_that_a_script_sets_is_met_by_the_name_that_styles_have() -> None:
    assert "data-bs-theme" in TRIM["_as_pages_say"]("root.dataset.bsTheme = theme;")
    assert "data-bs-theme" in TRIM["_words"]()
