"""The form of a campaign: its days, what it cost, and what belongs to it, a line each."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from affiliate import amounts
from affiliate.console.forms import moment
from affiliate.errors import Invalid
from affiliate.fields import DayField
from affiliate.money import Money
from affiliate.programs.models import Program
from affiliate.reports import campaigning
from affiliate.reports.campaign_queries import Named
from affiliate.reports.campaigning import Draft
from affiliate.reports.written_models import NAME_LENGTH_MAX, TEXT_LENGTH_MAX, Campaign, PartKind

_NEEDED = InputRequired(_l("This is needed."))
_LINES_LENGTH_MAX = 30_000


class CampaignForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A campaign. `seen_at` is when it was read, so that two people do not overwrite one another."""

    LINES: ClassVar[frozenset[str]] = frozenset(PartKind)

    seen_at = HiddenField()
    name = StringField(_l("Name"), validators=[_NEEDED, Length(max=NAME_LENGTH_MAX)])
    note = TextAreaField(
        _l("What is done, and what you hope for"), validators=[Length(max=TEXT_LENGTH_MAX)]
    )  # fmt: skip
    starts_on = DayField(_l("First day"), validators=[_NEEDED])
    last_on = DayField(_l("Last day"), validators=[_NEEDED])
    cost = StringField(
        _l("What it costs"),
        description=_l("Beside commissions and costs that are entered with partners: advertising, samples, fees."),
    )
    partner = TextAreaField(
        _l("Partners"), validators=[Length(max=_LINES_LENGTH_MAX)], description=_l("One name a line.")
    )  # fmt: skip
    link = TextAreaField(
        _l("Links"), validators=[Length(max=_LINES_LENGTH_MAX)], description=_l("One code a line, without /r/.")
    )  # fmt: skip
    coupon = TextAreaField(
        _l("Coupons"), validators=[Length(max=_LINES_LENGTH_MAX)], description=_l("One code a line.")
    )  # fmt: skip
    creative = TextAreaField(
        _l("Creatives"), validators=[Length(max=_LINES_LENGTH_MAX)], description=_l("One title a line.")
    )  # fmt: skip

    @classmethod
    def of(cls, campaign: Campaign, named: Sequence[Named]) -> "CampaignForm":
        """The form with what the campaign is."""
        lines = {
            kind.value: "\n".join(one.name for one in named if one.kind is kind) for kind in PartKind
        }  # fmt: skip
        shown: dict[str, Any] = {
            "seen_at": campaign.updated_at.isoformat(),
            "name": campaign.name,
            "note": campaign.note,
            "starts_on": campaign.starts_on,
            "last_on": campaign.ends_on - timedelta(days=1),
            "cost": Money(campaign.cost_minor, campaign.currency).text(),
        }
        return cls(formdata=None, data=shown | lines)

    def seen(self) -> datetime | None:
        """When the campaign was read."""
        return moment(self.seen_at.data)

    def draft(self, session: Session, program: Program) -> Draft:
        """What was typed.

        Raises:
            Invalid: names each field that is wrong.
        """
        if not self.validate():
            raise Invalid({})
        try:
            cost = amounts.read(self.cost.data or "0", program.currency).amount_minor
        except amounts.BadNumber as wrong:
            raise Invalid({"cost": [str(wrong)]}) from wrong
        typed = {kind: _lines(self[kind.value].data) for kind in PartKind}
        return Draft(
            name=self.name.data,
            note=self.note.data or "",
            starts_on=self.starts_on.data,
            ends_on=self.last_on.data + timedelta(days=1),
            cost_minor=cost,
            parts=campaigning.parts_called(session, program_id=program.id, typed=typed),
        )


def _lines(text: str | None) -> list[str]:
    """What stands on the lines, each once."""
    return list(dict.fromkeys(line.strip() for line in (text or "").splitlines() if line.strip()))
