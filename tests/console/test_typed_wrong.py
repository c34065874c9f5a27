"""Small forms and dialogs of the console: what was typed wrong is said at its field, and all that was typed stays."""

import html
import re
from datetime import timedelta

import pytest
from console_cast import Cast, public, text_of
from factories import make_click, make_link
from flask.testing import FlaskClient

from affiliate import clock, ids

CONSOLE = "/console/casa"
TODAY = clock.now().date()
_DAYS = {"starts_on": TODAY.isoformat(), "last_on": (TODAY - timedelta(days=3)).isoformat()}
_DUTY = {"task": "Two posts", "side": "program", "cadence": "monthly", "first_on": "soon"}
_GOAL = {"metric": "clicks", "target": "4O", "starts_on": "2026-11-02", "last_on": "2026-12-24"}
_LIMIT = {"amount": "4O0"}
_MARKS = {"evidence-audience": "Cooks a lot", "note": "Ask again in spring."}
_TRIAL = _DAYS | {"scope": "Two posts a week", "orders_min": "7", "orders_max": "9"}

# Where it is sent, what is typed, the field that is wrong, what is said there; and whether the form is a dialog.
ACTS = [
    ("partners/{partner}/ban", {"reason": " "}, "reason", "Write a reason first", True),
    ("partners/{applicant}/reject", {"reason": "", "again": "180"}, "reason", "Write a reason first", True),
    ("partners/{applicant}/ask", {"text": " "}, "text", "Write something first.", False),
    ("partners/{partner}/terms", {"group": "Bloggers", "recruiter": "No-one"}, "recruiter", "none of this name", False),
    ("partners/{partner}/attribution", {"partner_class": "preferred", "window_days": "999"}, "window_days", "365", False),
    ("partners/{partner}/notes", {"text": "Long. " * 700}, "text", "up to 4,000 characters", False),
    ("partners/{partner}/leads", {"lead": "x"}, "lead", "Choose somebody who manages", False),
    ("partners/{partner}/tags/add", {"tag": "  "}, "tag", "Write a tag.", False),
    ("partners/{partner}/trial", _TRIAL, "last_on", "ends before it begins", True),
    ("partners/{partner}/duties", _DUTY, "first_on", "Choose a day.", True),
    ("partners/{partner}/goals", _GOAL, "target", "Write a whole number", True),
    ("partners/{partner}/act-for", {"reason": " "}, "reason", "Say why", True),
    ("partners/segments", {"segment": " ", "tag": "recipes"}, "segment", "Write a name.", True),
    ("partners/act/tag", {"partner": "{partner}", "tag": " "}, "tag", "Write a tag.", True),
    ("partners/act/reject", {"from": "applications", "partner": "{applicant}"}, "reason", "Write a reason first", True),
    ("payouts/partners/{partner}/block", {"reason": " "}, "reason", "Say why", True),
    ("payouts/limits/{finn}", _LIMIT, "amount", "Write an amount", True),
    ("fraud/partners/{partner}/pause", {"reason": " "}, "reason", "Write a reason first", True),
    ("fraud/reject", {"case": "{order}.{partner}.1", "reason": " "}, "reason", "Write why", True),
    ("fraud/{order}/{partner}/reject", {"reason": " ", "rule": ""}, "reason", "Say why", True),
    ("conversions/{order}/credit", {"partner": "No-one", "reason": "A mail."}, "partner", "none of this name", False),
    ("commissions/decline", {"commission": "{commission}", "why": "duplicate"}, "reason", "Write why", True),
    ("commissions/decline", {"commission": "{commission}", "from": "commission"}, "reason", "Write why", True),
    ("tracking/sites", {"url": "https://blog.example", "code": "nobodys"}, "code", "There is no link", False),
    ("archive", {"reason": " "}, "reason", "Say why", True),
    ("people", {"email": "zoe", "name": "Zoe"}, "email", "", False),
]  # fmt: skip


@pytest.fixture
def named(cast: Cast) -> dict[str, str]:
    """The ids that addresses and fields name."""
    link = make_link(cast.session, program=cast.program, partner=cast.partner)
    click = make_click(cast.session, link=link, occurred_at=clock.now() - timedelta(days=1, minutes=30), network="tor")
    commission = cast.sale("O-1", click_id=click.id)
    return {
        "partner": public("ptn", cast.partner),
        "applicant": public("ptn", cast.applicant),
        "finn": public("usr", cast.finn),
        "commission": public("com", cast.sale("O-2")),
        "order": ids.public("cnv", commission.conversion_id),
    }


@pytest.mark.parametrize(("path", "typed", "field", "sentence", "is_dialog"), ACTS)
def test_what_was_typed_wrong_is_said_at_its_field_and_all_of_it_stays(
    mara: FlaskClient, named: dict[str, str], path: str, typed: dict[str, str], *, field: str, sentence: str, is_dialog: bool
) -> None:  # fmt: skip
    sent = {name: text.format(**named) for name, text in typed.items()}
    answer = mara.post(f"{CONSOLE}/{path.format(**named)}", data=sent)
    page = answer.text
    assert answer.status_code == 422
    [wrong] = re.findall(r"<(?:input|select|textarea)[^>]*aria-invalid[^>]*>", page)
    assert f'name="{field}"' in wrong
    told_by = re.search(r' id="([^"]+)".* aria-describedby="\1-error"', wrong)
    assert told_by
    said = html.unescape(page[page.index(f'id="{told_by[1]}-error"') :].partition("</p>")[0])
    assert sentence in said
    assert 'role="alert"' not in page  # not at the top as well
    assert page.count("data-reopens") == is_dialog
    for name, text in sent.items():
        assert stands(page, name, text), name
    again = mara.get(f"{CONSOLE}/")
    assert "aria-invalid" not in again.text  # of this request alone


def stands(page: str, name: str, text: str) -> bool:
    """Whether a field of the page holds what was typed into it."""
    said = re.escape(html.escape(text).replace("&#x27;", "&#39;"))
    chosen = re.findall(rf'<select[^>]*name="{name}".*?</select>', page, re.DOTALL)
    return bool(
        re.search(rf'<input[^>]*name="{name}"[^>]*value="{said}"', page)
        or re.search(rf'<textarea[^>]*name="{name}"[^>]*>{said}</textarea>', page)
        or any(re.search(rf'value="{said}" selected', one) for one in chosen)
        or (name == "lead" and chosen)
    )


def test_what_belongs_to_no_field_stands_at_the_top_and_the_reason_stays(mara: FlaskClient, cast: Cast) -> None:
    cast.sale("O-2")
    answer = mara.post(f"{CONSOLE}/commissions/decline", data={"reason": "They came back.", "all": "no"})
    assert answer.status_code == 422
    alert = text_of(answer).partition('role="alert"')[2].partition("</div></div>")[0]
    assert "Select at least one commission first." in alert
    assert ">They came back.</textarea>" in answer.text
    assert "data-reopens" not in answer.text  # nothing in the dialog is wrong


def test_ticks_stay_where_an_act_on_many_is_refused(mara: FlaskClient, cast: Cast) -> None:
    here, elsewhere = public("com", cast.sale("O-2")), ids.public("com", ids.new_at(clock.now()))
    cast.sale("O-3")
    ticks = {"commission": [here, elsewhere], "reason": ""}
    page = mara.post(f"{CONSOLE}/commissions/decline", data=ticks).text
    assert re.findall(r'name="commission" value="([^"]+)" checked', page) == [here]
    assert f'<input type="hidden" name="commission" value="{elsewhere}" data-elsewhere' in page
