"""The forms of tax papers: the profile, and the invoice that a partner files."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, FileField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from affiliate import formats
from affiliate.fields import DayField
from affiliate.money import Money
from affiliate.papers.service import Typed
from affiliate.taxes import words
from affiliate.taxes.figures import PaperKind
from affiliate.taxes.models import TaxProfile, TaxRule
from affiliate.taxes.service import Identity, Wanted

_NEEDED = _l("This is needed.")
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class ProfileForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """Who a partner is for the taxes, and which paper its money needs."""

    who = SelectField(
        _l("You are"), choices=[SelectChoice("person", _l("A person")), SelectChoice("company", _l("A company"))]
    )
    legal_name = StringField(_l("Name or company name"), validators=[InputRequired(_NEEDED), Length(max=200)])
    address = TextAreaField(_l("Address"), validators=[InputRequired(_NEEDED), Length(max=500)])
    country = SelectField(_l("Country"))
    vat_id = StringField(
        _l("VAT number"),
        validators=[Length(max=40)],
        render_kw=_PLAIN,
        description=_l("Leave it empty if you have none."),
    )
    tax_number = StringField(
        _l("Tax number"),
        validators=[Length(max=40)],
        render_kw=_PLAIN,
        description=_l("For example codice fiscale or PESEL."),
    )
    rule_code = SelectField(
        _l("How you are taxed"),
        description=_l("Ask your accountant if you are not sure: it decides what is added and what is withheld."),
    )
    paper = SelectField(_l("Paper for each payout"), coerce=PaperKind)
    agrees = BooleanField(
        _l("I agree that the program writes invoices in my name and on my behalf"),
        description=_l("Only for invoices that the program writes. You can end it here at any time."),
    )

    @classmethod
    def of(
        cls, before: TaxProfile | None, *, keeps_paper: bool, rules: Sequence[TaxRule], country: str | None,
        offers_self_billing: bool,
    ) -> "ProfileForm":  # fmt: skip
        """The form with what was entered before, or with what was typed."""
        names = ("legal_name", "address", "country", "vat_id", "tax_number", "rule_code", "paper")
        shown: dict[str, Any] = (
            {name: getattr(before, name) for name in names} if before else {"country": country or ""}
        )
        if before is not None:
            shown |= {"who": "company" if before.is_company else "person", "agrees": before.agreed_at is not None}
        if not keeps_paper:
            shown |= {"paper": PaperKind.OWN_INVOICE, "agrees": False, "rule_code": ""}
        form = cls(data=shown)
        form.country.choices = [SelectChoice(*each) for each in (("", _("Choose…")), *words.countries())]
        kinds = [
            ("", _("None of these: nothing is withheld")),
            *((each.code, words.rule_name(each.name)) for each in rules),
        ]
        papers = [each for each in PaperKind if offers_self_billing or each is not PaperKind.SELF_BILLING]
        form.rule_code.choices = [SelectChoice(*each) for each in kinds]
        form.paper.choices = [SelectChoice(each.value, words.paper_kind(each)) for each in papers]
        return form

    def identity(self) -> Identity:
        """Who the partner says it is."""
        return Identity(
            *(str(self[name].data or "") for name in ("legal_name", "address", "country", "vat_id", "tax_number"))
        )

    def wanted(self, *, locale: str) -> Wanted:
        """What it chooses; papers are in the language in which this was filled in."""
        return Wanted(
            is_company=self.who.data == "company", paper=self.paper.data, rule_code=self.rule_code.data or None,
            agrees=bool(self.agrees.data), locale=locale if locale in formats.LANGUAGES else "en",
        )  # fmt: skip


class InvoiceForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A partner's invoice. What was typed stays; the file must be chosen again, as browsers want it."""

    number = StringField(_l("Number of the invoice"), validators=[Length(max=60)], render_kw=_PLAIN)
    invoiced_on = DayField(_l("Date of the invoice"), validators=[InputRequired(_l("Write the date of the invoice."))])
    total = StringField(
        _l("Total of the invoice"),
        validators=[Length(max=40)],
        render_kw={"inputmode": "decimal", **_PLAIN},
        description=_l("With VAT and stamp duty, before tax is withheld."),
    )
    vat_id = StringField(_l("Your VAT number on the invoice"), validators=[Length(max=40)], render_kw=_PLAIN)
    file = FileField(_l("The invoice as PDF"), render_kw={"accept": ".pdf,application/pdf"})

    def typed(self, total: Money) -> Typed:
        """What the partner says of it."""
        return Typed(self.number.data or "", self.invoiced_on.data, total, self.vat_id.data or "")
