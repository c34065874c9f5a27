"""The API's route on the shop's own totals: what it sold on a day in all, so that partners can be held against the rest."""

from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from affiliate import errors, ids
from affiliate.accounts import access
from affiliate.api import AmountText
from affiliate.money import BadAmount, parse_minor
from affiliate.programs.models import Program
from affiliate.reports import periods, shop_days
from affiliate.reports.shop import Told
from affiliate.rest import queries
from affiliate.rest.blueprint import NoSuchThing, blueprint, key_program_id
from affiliate.tracking.schemas import Text, WholeNumber
from affiliate.web import orm, request_now

_NOT_NEGATIVE = validate.Range(0)


class WrongCurrency(errors.Invalid):
    """Totals are in the program's currency."""

    def __init__(self, currency: str) -> None:
        super().__init__({"currency": [f"Tell the totals in {currency}, the currency of the program."]})


class ShopTotalsSchema(Schema):
    """A day of the whole shop, with and without partners, in the program's time zone and currency."""

    class Meta:
        """A name that nobody knows is a mistake."""

        unknown = RAISE

    program = Text(60, required=True)
    day = fields.Date(required=True)
    orders = WholeNumber(required=True, validate=_NOT_NEGATIVE)
    revenue = AmountText(required=True, metadata={"description": "What customers paid, with tax and shipping"})
    visitors = WholeNumber(allow_none=True, validate=_NOT_NEGATIVE)
    new_customers = WholeNumber(allow_none=True, validate=_NOT_NEGATIVE, metadata={"description": "Orders of new customers"})  # fmt: skip
    costs = AmountText(allow_none=True, metadata={"description": "What of the revenue the shop does not keep: goods, tax, shipping"})  # fmt: skip
    currency = Text(3, pattern="[A-Z]{3}", hint="Use a currency code of ISO 4217, for example EUR.", allow_none=True)


class ShopTotalsTakenSchema(Schema):
    """What became of the day."""

    day = fields.Date()
    status = fields.String(validate=validate.OneOf(["new", "replaced", "known"]))


@blueprint.post("/shop-totals")
@access.key("conversions:write")
@blueprint.arguments(ShopTotalsSchema)
@blueprint.response(200, ShopTotalsTakenSchema)
def tell_shop_totals(body: Mapping[str, Any]) -> dict[str, Any]:
    """Tell what the shop sold on a day in all. The same again changes nothing; other numbers replace those told before."""
    program, now = queries.program(orm.session, program_id=key_program_id()), request_now()
    if body["program"] not in {program.slug, ids.public("prg", program.id)}:
        raise NoSuchThing("program")
    day, told = body["day"], _told(body, program)
    shop_days.check(day, told, today=periods.last_days(1, now=now, zone=program.time_zone).first)
    became = shop_days.tell(
        orm.session, program_id=program.id, currency=program.currency, days={day: told}, actor=access.actor(), now=now
    )
    return {"day": day, "status": became[day]}


def _told(body: Mapping[str, Any], program: Program) -> Told:
    if (body.get("currency") or program.currency) != program.currency:
        raise WrongCurrency(program.currency)
    costs = body.get("costs")
    return Told(
        orders=body["orders"],
        revenue_minor=_minor("revenue", body["revenue"], program.currency),
        visitors=body.get("visitors"),
        new_customers=body.get("new_customers"),
        costs_minor=None if costs is None else _minor("costs", costs, program.currency),
    )


def _minor(name: str, text: str, currency: str) -> int:
    """Minor units of an amount that is not negative.

    Raises:
        Invalid: it is none; names the field.
    """
    try:
        minor = parse_minor(text, currency)
    except BadAmount as error:
        raise errors.Invalid({name: [str(error)]}) from error
    if minor < 0:
        raise errors.Invalid({name: ["Write an amount of zero or more."]})
    return minor
