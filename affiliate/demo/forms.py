"""The form of the demo shop's checkout."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, StringField
from wtforms.validators import Length, Regexp, ValidationError
from wtforms.validators import Optional as MayBeEmpty

from affiliate.demo import basket


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class CheckoutForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """An e-mail address and a discount code, both optional."""

    email = StringField(
        _l("E-mail"),
        filters=[_stripped],
        validators=[
            MayBeEmpty(),
            Length(max=254),
            Regexp(r"[^@\s]+@[^@\s]+\.[^@\s]+$", message=_l("Write an address such as anna@example.com.")),
        ],
        render_kw={"autocomplete": "email", "inputmode": "email"},
    )
    coupon = StringField(
        _l("Discount code"),
        filters=[_stripped],
        validators=[MayBeEmpty(), Length(max=40)],
        render_kw={"autocomplete": "off", "autocapitalize": "characters"},
    )

    def validate_coupon(self, field: Field) -> None:
        """Refuse a code that the shop does not know."""
        if basket.coupon_of(field.data) is None:
            raise ValidationError(
                _("The shop does not know “%(code)s”. Leave the field empty to buy without.", code=field.data)
            )
