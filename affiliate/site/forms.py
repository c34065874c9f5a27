"""The public application form. It keeps what was typed; a wrong field says what to write instead."""

from functools import lru_cache

from babel import Locale
from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, Field, Form, SelectField, StringField, TextAreaField, URLField
from wtforms.validators import DataRequired, Length, Optional, StopValidation

from affiliate import formats
from affiliate.programs import rules

_COUNTRY_CODE_LENGTH = 2
_LINES_KEPT = "\n\t"


def one_line(text: str | None) -> str | None:
    """Trimmed, in one line, without characters that do not print."""
    return None if text is None else "".join(filter(str.isprintable, " ".join(text.split())))


def plain_text(text: str | None) -> str | None:
    """Trimmed, with its lines, without other characters that do not print."""
    if text is None:
        return None
    return "".join(c for c in text.replace("\r\n", "\n") if c.isprintable() or c in _LINES_KEPT).strip()


def address(text: str | None) -> str | None:
    """A web address as people type it: with https:// in front."""
    text = one_line(text)
    return f"https://{text}" if text and "://" not in text else text


def is_email(_form: Form, field: Field) -> None:
    """An address that mail can be sent to, by its spelling."""
    try:
        field.data = validate_email(field.data, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise StopValidation(_("This is not an e-mail address. Write it like name@example.com.")) from error


def is_address(_form: Form, field: Field) -> None:
    """A full web address."""
    problem = rules.address_problem(field.data)
    if problem:
        raise StopValidation(_(problem))


@lru_cache(maxsize=8)
def _countries(language: str) -> tuple[tuple[str, str], ...]:
    names = Locale.parse(language).territories.items()
    found = (
        (code, name) for code, name in names if len(code) == _COUNTRY_CODE_LENGTH and code.isalpha() and code != "ZZ"
    )
    return tuple(sorted(found, key=lambda pair: pair[1]))


def country_choices() -> list[tuple[str, str]]:
    """All countries in the reader's language, with an empty choice first."""
    return [("", _("Choose a country")), *_countries(formats.locale())]


class _Promotion(FlaskForm):  # type: ignore[misc] # the library is not typed
    """What every applicant tells."""

    partner_name = StringField(
        _l("Name under which you promote"),
        filters=[one_line],
        validators=[DataRequired(_l("Write the name of your site, channel or company.")), Length(max=120)],
        description=_l("Your site, channel or company, as others know it."),
    )
    website = URLField(
        _l("Website or main profile"),
        filters=[address],
        validators=[DataRequired(_l("Write the address where people find you.")), Length(max=500), is_address],
        render_kw={"autocomplete": "url", "inputmode": "url"},
    )
    country = SelectField(_l("Country"), choices=country_choices, validators=[DataRequired(_l("Choose your country."))])
    channels = TextAreaField(
        _l("Where you promote, and how many people you reach"),
        filters=[plain_text],
        validators=[
            DataRequired(_l("Name at least one channel and about how many people it reaches.")),
            Length(max=2_000),
        ],
        description=_l("One channel a line, for example: newsletter, 2,400 readers."),
        render_kw={"rows": 4},
    )
    why = TextAreaField(
        _l("Why does this program suit you?"),
        filters=[plain_text],
        validators=[Optional(), Length(max=2_000)],
        render_kw={"rows": 4},
    )
    terms = BooleanField(_l("I accept the terms of the program"), validators=[DataRequired(_l("Without the terms there is no membership."))])  # fmt: skip


class ApplicationForm(_Promotion):
    """Of a visitor: also name and address."""

    name = StringField(
        _l("Your name"),
        filters=[one_line],
        validators=[DataRequired(_l("Write your name.")), Length(max=120)],
        render_kw={"autocomplete": "name"},
    )
    email = EmailField(
        _l("E-mail"),
        filters=[one_line],
        validators=[DataRequired(_l("Write the address that we may answer to.")), Length(max=255), is_email],
        description=_l("The answer comes to this address."),
        render_kw={"autocomplete": "email"},
    )


class SignedInApplicationForm(_Promotion):
    """Of a person who has an account: name and address are known."""
