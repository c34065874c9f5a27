"""What pages say follows the language, also where it changes in the middle of a request."""

from flask import Flask, session
from flask_babel import force_locale, refresh
from flask_babel import gettext as _

from affiliate import formats


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
