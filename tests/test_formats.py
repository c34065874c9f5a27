"""What pages say follows the language, also where it changes in the middle of a request."""

import pytest
from flask import Flask, session
from flask_babel import force_locale, ngettext, refresh
from flask_babel import gettext as _

from affiliate import formats, outgoing
from affiliate.app import create_app
from affiliate.settings import Settings


def test_texts_follow_the_language_when_it_changes_within_a_request() -> None:
    app = Flask("affiliate")
    app.secret_key = "long enough"
    formats.init_app(app)
    with app.test_request_context():
        said = [_("Cancel")]
        with force_locale("it"):
            said.append(_("Cancel"))
        said.append(_("Cancel"))
        session["language"] = "pl"
        refresh()
        said.append(_("Cancel"))
    assert said == ["Cancel", "Annulla", "Cancel", "Anuluj"]


@pytest.mark.parametrize(
    ("told", "sentence", "said"),
    [
        (outgoing.TOO_LONG, "it took too long", "[it took too long]"),
        (outgoing.NOT_SECURE, "the address does not begin with https://", "[the address does not begin with https://]"),
        ("shop.example leads nowhere public", "%(host)s leads nowhere public", "[shop.example leads nowhere public]"),
        ("[Errno 111] Connection refused", None, "[Errno 111] Connection refused"),
        ("", None, ""),
    ],
)
def test_why_a_call_failed_is_said_in_the_language_of_the_page(
    monkeypatch: pytest.MonkeyPatch, told: str, sentence: str | None, said: str
) -> None:
    asked: list[str] = []

    def gettext(text: str, **values: str) -> str:
        asked.append(text)
        return f"[{text % values if values else text}]"

    monkeypatch.setattr(formats, "_", gettext)
    assert formats.call_problem(told) == said
    assert asked == ([sentence] if sentence else [])


@pytest.mark.parametrize(("language", "said"), [("en", "1,502"), ("it", "1.502"), ("pl", "1\N{NO-BREAK SPACE}502")])
def test_a_plural_writes_its_number_as_the_language_does_twice_as_well(
    sqlite_settings: Settings, language: str, said: str
) -> None:
    app = create_app(sqlite_settings)
    with app.test_request_context(headers={"Accept-Language": language}):
        for _again in range(2):
            text = ngettext("%(num)d decision waits for you", "%(num)d decisions wait for you", 1502)
            assert said in text
            assert said in ngettext("%(num)s sale", "%(num)s sales", 1502)
        page = app.jinja_env.from_string("{{ ngettext('%(num)d click', '%(num)d clicks', 1502) }}").render()
    assert said in page
