"""What can be asked of the API in an address: which rows, of which days, and how they are paged."""

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from affiliate import days
from affiliate.api import PublicId
from affiliate.commissions.models import CommissionStatus
from affiliate.creatives.models import CreativeKind, CreativeStatus
from affiliate.ingest import devices
from affiliate.ingest.models import ClickVerdict
from affiliate.partners.models import EnrollmentStatus
from affiliate.tracking.schemas import Text

_IN_OUR_TIME = validate.Range(days.FIRST, days.LAST)


class PageArguments(Schema):
    """How to page a list: the cursor comes from the `Link` header of the page before."""

    cursor = PublicId("cur", metadata={"description": "From the Link header of the page before"})
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class OrderFilter(PageArguments):
    """Only what belongs to one order."""

    order_id = Text(120)


class PartnerFilter(PageArguments):
    """Only what belongs to one partner."""

    partner = PublicId("ptn")


class CommissionFilter(PartnerFilter):
    """Commissions of one partner or status."""

    status = fields.Enum(CommissionStatus, by_value=True)


class EnrollmentFilter(PageArguments):
    """Enrollments of one status."""

    status = fields.Enum(EnrollmentStatus, by_value=True)


class ClickFilter(PartnerFilter):
    """Clicks of one partner, link or verdict."""

    link = PublicId("lnk")
    verdict = fields.Enum(ClickVerdict, by_value=True)


class CreativeFilter(PageArguments):
    """Creatives of one kind or status."""

    kind = fields.Enum(CreativeKind, by_value=True)
    status = fields.Enum(CreativeStatus, by_value=True)


def _known_zone(name: str) -> None:
    if name not in _zones():
        raise ValidationError("Name a time zone such as Europe/Rome.")


@lru_cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


class ReportArguments(Schema):
    """The days of a report, both included, in the time zone that is named, else the program's; the last thirty when left out."""

    since = fields.Date(data_key="from", validate=_IN_OUR_TIME)
    until = fields.Date(data_key="to", validate=_IN_OUR_TIME)
    time_zone = fields.String(
        validate=_known_zone,
        metadata={
            "description": "In which days are cut, by its IANA name; the program's if left out. Pages cut them in the time zone of who reads.",
            "example": "America/New_York",
        },
    )


class FunnelArguments(ReportArguments):
    """Whose visits: of one partner, and of one device or one source; the source is the host of the page with the link."""

    partner = PublicId("ptn")
    device = fields.String(validate=validate.OneOf(devices.NAMES))
    source = Text(100)

    @validates_schema
    def _one_of_them(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "device" in data and "source" in data:
            raise ValidationError({"source": ["Ask for a device or for a source: they are not counted together."]})


class ProductReportArguments(ReportArguments):
    """What a row is: a product by its SKU, or a category as the shop groups its items."""

    by = fields.String(load_default="product", validate=validate.OneOf(["product", "category"]))
    limit = fields.Integer(load_default=200, validate=validate.Range(1, 1000))


class PartnerReportArguments(ReportArguments):
    """A report in pages, best earner first."""

    page = fields.Integer(load_default=1, validate=validate.Range(1, 1000))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class CohortArguments(Schema):
    """Whose cohorts; customers may be those of one partner."""

    of = fields.String(load_default="partners", validate=validate.OneOf(["partners", "customers"]))
    partner = PublicId("ptn")

    @validates_schema
    def _customers_alone(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "partner" in data and data["of"] != "customers":
            raise ValidationError({"partner": ["Only customers are told by partner: ask with of=customers."]})


class MonthArguments(Schema):
    """One of the last twelve months of the program's calendar; the present one when left out."""

    month = fields.String(
        validate=validate.Regexp(r"^[0-9]{4}-(0[1-9]|1[0-2])$"), metadata={"description": "As 2026-11"}
    )
