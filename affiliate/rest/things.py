"""The API's routes on what a program has and what happened in it.

The key names the program, so a row of another one is simply not there: 404. A partner's key names the partner as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import current_app

from affiliate import ids
from affiliate.accounts import access
from affiliate.api import paged
from affiliate.creatives import queries as material
from affiliate.creatives.models import CreativeKind
from affiliate.creatives.queries import Shown
from affiliate.links import queries as link_queries
from affiliate.links import service as links
from affiliate.links.models import Link
from affiliate.programs import addresses
from affiliate.rest import filters, payout_schemas, queries, schemas
from affiliate.rest.blueprint import (
    Answer,
    answer,
    any_key,
    blueprint,
    found,
    key_program_id,
    narrowed,
    parsed_id,
    whose,
)
from affiliate.web import orm, request_now

_TOLD_OF_CREATIVES = (
    "id", "kind", "status", "title", "campaign", "language", "landing_url", "version", "starts_at", "ends_at", "updated_at",
)  # fmt: skip


@blueprint.get("/programs")
@any_key("reports:read")
@blueprint.response(200, schemas.ProgramSchema(many=True))
def programs() -> list[Any]:
    """The programs of the key: one."""
    return [queries.program(orm.session, program_id=key_program_id())]


@blueprint.get("/programs/<slug>")
@any_key("reports:read")
@blueprint.response(200, schemas.ProgramSchema)
def program(slug: str) -> Any:
    """One program."""
    row = queries.program(orm.session, program_id=key_program_id())
    return found(row if row.slug == slug else None, "program")


@blueprint.get("/partners")
@access.key("partners:read")
@blueprint.arguments(filters.PageArguments, location="query")
@blueprint.response(200, schemas.PartnerSchema(many=True))
def partners(arguments: Mapping[str, Any]) -> Answer:
    """The partners of the program, in any status."""
    size = arguments["limit"]
    rows = queries.partners(orm.session, program_id=key_program_id(), after=arguments.get("cursor"), size=size)
    return answer(rows, size, key="partner.id")


@blueprint.get("/partners/<partner_id>")
@access.key("partners:read")
@blueprint.response(200, schemas.PartnerSchema)
def partner(partner_id: str) -> Any:
    """One partner."""
    wanted = parsed_id("ptn", partner_id, "partner")
    return found(queries.partner(orm.session, program_id=key_program_id(), partner_id=wanted), "partner")


@blueprint.get("/enrollments")
@access.key("partners:read")
@blueprint.arguments(filters.EnrollmentFilter, location="query")
@blueprint.response(200, schemas.EnrollmentSchema(many=True))
def enrollments(arguments: Mapping[str, Any]) -> Answer:
    """The memberships in the program, of one status if asked."""
    size, status = arguments["limit"], arguments.get("status")
    after = arguments.get("cursor")
    rows = queries.enrollments(orm.session, program_id=key_program_id(), status=status, after=after, size=size)
    return answer(rows, size)


@blueprint.get("/coupons")
@any_key("links:read")
@blueprint.arguments(filters.PartnerFilter, location="query")
@blueprint.response(200, schemas.CouponSchema(many=True))
def list_coupons(arguments: Mapping[str, Any]) -> Answer:
    """The coupons of the program, of one partner if asked."""
    size, after = arguments["limit"], arguments.get("cursor")
    return answer(queries.coupons(orm.session, whose=narrowed(arguments), after=after, size=size), size)


@blueprint.post("/coupons")
@access.key("links:write")
@blueprint.arguments(schemas.CouponSchema)
@blueprint.response(201, schemas.CouponSchema)
def bind_coupon(wanted: Mapping[str, Any]) -> Any:
    """Bind a discount code of the shop to a partner. 409 when it is bound already."""
    program_id = key_program_id()
    found(queries.partner(orm.session, program_id=program_id, partner_id=wanted["partner_id"]), "partner")
    return links.create_coupon(orm.session, program_id=program_id, actor=access.actor(), now=request_now(), **wanted)


def _shown(link: Link, coupons: Mapping[UUID, str]) -> dict[str, Any]:
    program = queries.program(orm.session, program_id=link.program_id)
    base = addresses.links(program.own_host, current_app.extensions["affiliate_settings"])
    names = ("id", "partner_id", "code", "name", "landing_url", "subs", "status", "created_at")
    return {name: getattr(link, name) for name in names} | {
        "url": f"{base}/r/{link.code}",
        "coupon": coupons[link.coupon_id] if link.coupon_id else None,
    }


def _coupons(found: Sequence[Link]) -> dict[UUID, str]:
    coupon_ids = {link.coupon_id for link in found if link.coupon_id}
    return link_queries.coupon_codes(orm.session, coupon_ids=coupon_ids)


@blueprint.get("/links")
@any_key("links:read")
@blueprint.arguments(filters.PartnerFilter, location="query")
@blueprint.response(200, schemas.LinkSchema(many=True))
def list_links(arguments: Mapping[str, Any]) -> Answer:
    """The links of the program, of one partner if asked."""
    size, after = arguments["limit"], arguments.get("cursor")
    rows = queries.links(orm.session, whose=narrowed(arguments), after=after, size=size)
    page, headers = paged(rows, size=size, key=lambda row: row.id)
    coupons = _coupons(page)
    return [_shown(row, coupons) for row in page], 200, headers


@blueprint.post("/links")
@access.key("links:write")
@blueprint.arguments(schemas.LinkSchema)
@blueprint.response(201, schemas.LinkSchema)
def make_link(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Make a link for a partner. 422 when the landing page is not the shop's, 409 when the code is taken."""
    program = queries.program(orm.session, program_id=key_program_id())
    found(queries.partner(orm.session, program_id=program.id, partner_id=wanted["partner_id"]), "partner")
    link = links.create_link(orm.session, program=program, actor=access.actor(), now=request_now(), **wanted)
    return _shown(link, _coupons([link]))


@blueprint.get("/links/<link_id>")
@any_key("links:read")
@blueprint.response(200, schemas.LinkSchema)
def one_link(link_id: str) -> dict[str, Any]:
    """One link."""
    wanted = parsed_id("lnk", link_id, "link")
    link = found(queries.link(orm.session, whose=whose(), link_id=wanted), "link")
    return _shown(link, _coupons([link]))


def _material(shown: Shown) -> dict[str, Any]:
    creative, version = shown
    base = current_app.extensions["affiliate_settings"].base_url
    told = {name: getattr(creative, name) for name in _TOLD_OF_CREATIVES}
    said = {name: getattr(version, name) for name in ("subject", "address", "width", "height")}
    is_banner = creative.kind is CreativeKind.BANNER
    picture = f"{base}/c/{ids.public('crv', creative.id)}" if is_banner else None
    return told | said | {"text": version.alt if is_banner else version.body, "picture_url": picture}


@blueprint.get("/creatives")
@access.key("links:read")
@blueprint.arguments(filters.CreativeFilter, location="query")
@blueprint.response(200, schemas.CreativeSchema(many=True))
def list_creatives(arguments: Mapping[str, Any]) -> Answer:
    """The material of the program, of one kind or status if asked."""
    size, wanted = arguments["limit"], {name: arguments[name] for name in ("kind", "status") if name in arguments}
    rows = queries.creatives(
        orm.session, program_id=key_program_id(), wanted=wanted, after=arguments.get("cursor"), size=size
    )
    page, headers = paged(rows, size=size, key=lambda shown: shown[0].id)
    return [_material(shown) for shown in page], 200, headers


@blueprint.get("/creatives/<creative_id>")
@access.key("links:read")
@blueprint.response(200, schemas.CreativeSchema)
def one_creative(creative_id: str) -> dict[str, Any]:
    """One creative."""
    wanted = parsed_id("crv", creative_id, "creative")
    shown = material.creative_in(orm.session, program_id=key_program_id(), creative_id=wanted)
    return _material(found(shown, "creative"))


@blueprint.get("/conversions")
@any_key("conversions:read")
@blueprint.arguments(filters.OrderFilter, location="query")
@blueprint.response(200, schemas.ConversionSchema(many=True))
def conversions(arguments: Mapping[str, Any]) -> Answer:
    """The conversions of the program, of one order if asked."""
    size, after, order_id = arguments["limit"], arguments.get("cursor"), arguments.get("order_id")
    return answer(queries.conversions(orm.session, whose=whose(), order_id=order_id, after=after, size=size), size)


@blueprint.get("/conversions/<conversion_id>")
@any_key("conversions:read")
@blueprint.response(200, schemas.ConversionSchema)
def conversion(conversion_id: str) -> Any:
    """One conversion."""
    wanted = parsed_id("cnv", conversion_id, "conversion")
    return found(queries.conversion(orm.session, whose=whose(), conversion_id=wanted), "conversion")


@blueprint.get("/conversions/<conversion_id>/trace")
@access.key("conversions:read")
@blueprint.response(200, schemas.ExplanationSchema)
def trace(conversion_id: str) -> Any:
    """Why it is attributed and paid as it is: touches, rule, window, plan, base, rate, rounding, postings."""
    wanted = parsed_id("cnv", conversion_id, "conversion")
    return found(queries.explained(orm.session, program_id=key_program_id(), conversion_id=wanted), "conversion")


@blueprint.get("/orders/<path:order_id>/events")
@any_key("conversions:read")
@blueprint.arguments(filters.PageArguments, location="query")
@blueprint.response(200, schemas.OrderEventSchema(many=True))
def order_events(arguments: Mapping[str, Any], order_id: str) -> Answer:
    """What became of an order."""
    size, after = arguments["limit"], arguments.get("cursor")
    return answer(queries.order_events(orm.session, whose=whose(), order_id=order_id, after=after, size=size), size)


@blueprint.get("/refunds")
@any_key("conversions:read")
@blueprint.arguments(filters.OrderFilter, location="query")
@blueprint.response(200, schemas.RefundSchema(many=True))
def refunds(arguments: Mapping[str, Any]) -> Answer:
    """The refunds of the program, of one order if asked."""
    size, after, order_id = arguments["limit"], arguments.get("cursor"), arguments.get("order_id")
    return answer(queries.refunds(orm.session, whose=whose(), order_id=order_id, after=after, size=size), size)


@blueprint.get("/commissions")
@any_key("reports:read")
@blueprint.arguments(filters.CommissionFilter, location="query")
@blueprint.response(200, schemas.CommissionSchema(many=True))
def commissions(arguments: Mapping[str, Any]) -> Answer:
    """The commissions in force, of one partner or status if asked."""
    size, after, status = arguments["limit"], arguments.get("cursor"), arguments.get("status")
    rows = queries.commissions(orm.session, whose=narrowed(arguments), status=status, after=after, size=size)
    return answer(rows, size)


@blueprint.get("/adjustments")
@any_key("payouts:read")
@blueprint.arguments(filters.PageArguments, location="query")
@blueprint.response(200, payout_schemas.EntrySchema(many=True))
def adjustments(arguments: Mapping[str, Any]) -> Answer:
    """Bonuses, make-goods, corrections and write-offs of the program, in any status."""
    size, after = arguments["limit"], arguments.get("cursor")
    return answer(queries.adjustments(orm.session, whose=whose(), after=after, size=size), size)
