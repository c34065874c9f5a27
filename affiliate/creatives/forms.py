"""The forms of creatives, for managers and partners: what a version holds, and what is said about it."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import FileStorage
from wtforms import MultipleFileField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from affiliate import formats
from affiliate.creatives.kinds import PARTS, CreativeKind, Said, Upload
from affiliate.fields import DayField

_FILE_BYTES_MAX = 5_000_000  # the request's own limit is near; what reads the file says more


def _trimmed(text: str | None) -> str:
    return (text or "").strip()


def _languages() -> list[SelectChoice]:
    known = [SelectChoice(code, name) for code, name in formats.LANGUAGES.items()]
    return [SelectChoice("", _("None, or all")), *known]


class ContentForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """What a version holds. Of these fields a page shows those of its kind."""

    subject = StringField(_l("Subject"), filters=[_trimmed])
    body = TextAreaField(_l("Text"), filters=[_trimmed])
    alt = StringField(
        _l("What the picture shows"),
        filters=[_trimmed],
        description=_l("Read aloud to people who do not see it, and shown where pictures are off."),
    )
    address = StringField(_l("Address of the video"), filters=[_trimmed])
    file = MultipleFileField(_l("File"))

    def said(self, upload: Upload | None = None) -> Said:
        """What was typed; `upload` in the place of the form's own first file."""
        chosen = upload or next(iter(self.uploads()), None)
        return Said(self.subject.data, self.body.data, self.alt.data, self.address.data, chosen)

    def uploads(self) -> list[Upload]:
        """The files that were chosen."""
        found = [each for each in self.file.data or () if isinstance(each, FileStorage) and each.filename]
        return [Upload(each.filename or "", each.read(_FILE_BYTES_MAX)) for each in found]

    def parts(self, kind: CreativeKind) -> list[str]:
        """The fields of a kind, in the order of the page."""
        return [name for name in ("file", "address", "subject", "body", "alt") if name in PARTS[kind]]

    def blame(self, errors: Mapping[str, Sequence[str]]) -> None:
        """Put the sentences of a refusal at their fields; those of no field stand above the form."""
        for name, sentences in errors.items():
            told = [_(sentence) for sentence in sentences]
            if name in self:
                self[name].errors = [*self[name].errors, *told]
            else:
                self.form_errors.extend(told)


class CreativeForm(ContentForm):
    """A creative with its first version."""

    title = StringField(_l("Title"), filters=[_trimmed], description=_l("What partners look for."))
    campaign = StringField(_l("Campaign"), filters=[_trimmed])
    language = SelectField(_l("Language"), choices=_languages)
    landing_url = StringField(
        _l("Page of the shop"), filters=[_trimmed], description=_l("Empty: where the partner's link leads.")
    )
    first_on = DayField(_l("First day"), validators=[Optional()], description=_l("Empty: from now on."))
    last_on = DayField(_l("Last day"), validators=[Optional()], description=_l("Empty: until you end it."))
    groups = StringField(
        _l("Only for these groups"), filters=[_trimmed], description=_l("Names with commas. Empty: for all partners.")
    )
