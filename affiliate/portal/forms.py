"""The form that makes a link, and what a refusal of it means in the reader's language."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional

from affiliate.errors import DomainError
from affiliate.fields import DayField
from affiliate.links import codes, service
from affiliate.links.hosts import LandingProblem

SUBS_SHOWN = ("sub1", "sub2", "sub3", "sub4", "sub5")


def _trimmed(text: str | None) -> str | None:
    return text.strip() if text else text


class LinkForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """An address of the shop, and optionally a name, a code of one's own, labels that come back with each sale, and an end."""

    landing_url = StringField(
        _l("Paste an address of the shop"),
        filters=[_trimmed],
        validators=[DataRequired(_l("Paste the address of the page that the link shall open."))],
        render_kw={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"},
    )
    name = StringField(
        _l("Name"),
        filters=[_trimmed],
        validators=[Length(max=120)],
        description=_l("For your own lists, for example “Sunday post”."),
    )
    code = StringField(
        _l("Short code"),
        filters=[_trimmed],
        validators=[Length(max=codes.CODE_LENGTH_MAX)],
        description=_l("3 to 40 letters, digits and hyphens. Left empty, we choose one."),
        render_kw={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"},
    )
    sub1 = StringField(_l("Sub id %(number)s", number=1), filters=[_trimmed], validators=[Length(max=255)])
    sub2 = StringField(_l("Sub id %(number)s", number=2), filters=[_trimmed], validators=[Length(max=255)])
    sub3 = StringField(_l("Sub id %(number)s", number=3), filters=[_trimmed], validators=[Length(max=255)])
    sub4 = StringField(_l("Sub id %(number)s", number=4), filters=[_trimmed], validators=[Length(max=255)])
    sub5 = StringField(_l("Sub id %(number)s", number=5), filters=[_trimmed], validators=[Length(max=255)])

    coupon = SelectField(
        _l("Coupon"),
        choices=(),
        filters=[_trimmed],
        validate_choice=False,  # the service knows whose coupons are whose
        description=_l("One of your codes to post with the link. It stands beside the link, ready to be copied."),
    )

    last_on = DayField(
        _l("Last day"),
        validators=[Optional()],
        description=_l("Clicks after this day do not count; visitors are still led on. Left empty, it never ends."),
    )

    def offer(self, codes: Sequence[str]) -> None:
        """Let one of these coupons be chosen, or none."""
        kept = [self.coupon.data] if self.coupon.data and self.coupon.data not in codes else []
        self.coupon.choices = [("", _("none")), *((code, code) for code in (*codes, *kept))]

    def subs(self) -> dict[str, str]:
        """The labels that were typed."""
        return {name: self[name].data for name in SUBS_SHOWN if self[name].data}


class EditLinkForm(LinkForm):
    """The same without the code, which stands in posts and on paper already."""

    code = None


def blame(form: LinkForm, refusal: DomainError) -> None:
    """Put a refusal of `links.service.create_link` or `edit_link` beside the field that it is about; the others stand above the form."""
    if isinstance(refusal, service.HostNotAllowed):
        form.landing_url.errors = [landing_sentence(refusal)]
    elif isinstance(refusal, service.BadCode):
        form.code.errors = [_code_sentence(refusal.problem)]
    elif isinstance(refusal, service.CodeTaken):
        form.code.errors = [_("This code is taken. Choose another one.")]
    elif isinstance(refusal, service.BadSubs):
        form.sub1.errors = [_("A sub id is text of up to 255 characters in one line.")]
    elif isinstance(refusal, service.NotYourCoupon):
        form.coupon.errors = [_("This is not one of your active coupons in this program.")]
    elif isinstance(refusal, service.TooManyLinks):
        form.form_errors.append(_("You have as many links as one can have. Use sub ids to tell places apart."))
    elif isinstance(refusal, service.PartnerNotActive):
        form.form_errors.append(_("Your membership is paused. New links can be made once the program resumes it."))
    else:
        raise refusal


def landing_sentence(refusal: service.HostNotAllowed) -> str:
    """What is wrong with the address, and what would be right."""
    hosts = ", ".join(refusal.allowed_hosts)
    if refusal.problem is LandingProblem.HOST_NOT_ALLOWED:
        return _("This address is at %(host)s. Links can point to %(hosts)s only.", host=refusal.host, hosts=hosts)
    what = {
        LandingProblem.EMPTY: _("There is no address yet."),
        LandingProblem.TOO_LONG: _("The address is longer than 2,000 characters."),
        LandingProblem.CONTROL_CHARACTER: _("The address has a space or a line end in it."),
        LandingProblem.BACKSLASH: _("The address has a backslash in it."),
        LandingProblem.NOT_ASCII: _("The host has letters that look like others."),
        LandingProblem.NOT_A_WEB_ADDRESS: _("This is not a web address."),
        LandingProblem.CREDENTIALS: _("The address has an @ before the host."),
        LandingProblem.BAD_HOST: _("The host is not spelled as one."),
    }[refusal.problem]
    return what + " " + _("Write it like %(example)s.", example=f"https://{refusal.allowed_hosts[0]}/")


def _code_sentence(problem: codes.CodeProblem) -> str:
    if problem is codes.CodeProblem.RESERVED:
        return _("The system itself uses this word. Choose another one.")
    return _("Use 3 to 40 letters, digits and hyphens.")
