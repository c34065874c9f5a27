"""What every applicant is asked, whatever a program adds. It keeps what was typed; a wrong field says what to write instead."""

from functools import lru_cache

from babel import Locale
from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, Field, Form, SelectField, StringField, URLField
from wtforms.validators import DataRequired, Length, StopValidation

from affiliate import formats
from affiliate.joining import answers
from affiliate.programs import rules

_COUNTRY_CODE_LENGTH = 2


def one_line(text: str | None) -> str | None:
    """Trimmed, in one line, without characters that do not print."""
    return None if text is None else "".join(filter(str.isprintable, " ".join(text.split())))


def address(text: str | None) -> str | None:
    """A web address as people type it: with https:// in front."""
    return answers.web_address(one_line(text) or "")


def is_email(_form: Form, field: Field) -> None:
    """An address that mail can be sent to, by its spelling."""
    try:
        field.data = validate_email(field.data, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise StopValidation(_("This is not an e-mail address. Write it like name@example.com.")) from error


def is_email_text(text: str) -> bool:
    """Whether mail can be sent to it, by its spelling."""
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


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


def name_field() -> StringField:
    """What somebody without an account is called."""
    return StringField(
        _l("Your name"),
        filters=[one_line],
        validators=[DataRequired(_l("Write your name.")), Length(max=120)],
        render_kw={"autocomplete": "name"},
    )


class SignedInApplicationForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """Of a person who has an account: name and address are known."""

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
    terms = BooleanField(_l("I accept the terms of the program"), validators=[DataRequired(_l("Without the terms there is no membership."))])  # fmt: skip


class ApplicationForm(SignedInApplicationForm):
    """Of a visitor: also name and address."""

    name = name_field()
    email = EmailField(
        _l("E-mail"),
        filters=[one_line],
        validators=[DataRequired(_l("Write the address that we may answer to.")), Length(max=255), is_email],
        description=_l("The answer comes to this address."),
        render_kw={"autocomplete": "email"},
    )
