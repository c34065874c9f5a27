"""The form of the account page. Those of sign-in are Flask-Security's own."""

from functools import lru_cache
from zoneinfo import available_timezones

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from affiliate.formats import LANGUAGES

_AREAS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    """The zones that are named after a place, and UTC."""
    return ("UTC", *sorted(zone for zone in available_timezones() if zone.partition("/")[0] in _AREAS))


def _stripped(text: str | None) -> str:
    return " ".join((text or "").split())


class ProfileForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """Name, language and time zone; an empty choice leaves it to the browser or the program."""

    name = StringField(
        _l("Name"),
        filters=[_stripped],
        validators=[DataRequired(_l("Type the name that others shall see.")), Length(max=120)],
        render_kw={"autocomplete": "name"},
    )
    locale = SelectField(
        _l("Language"),
        choices=[
            SelectChoice("", _l("As my browser")),
            *(SelectChoice(code, name) for code, name in LANGUAGES.items()),
        ],
    )
    time_zone = SelectField(
        _l("Time zone"),
        choices=lambda: [SelectChoice("", _l("As the program")), *(SelectChoice(zone, zone) for zone in time_zones())],
    )
