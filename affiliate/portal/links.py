"""A partner's links: the list, making one, one with its address, QR code and numbers."""

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import segno
from flask import Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from affiliate.accounts import access
from affiliate.accounts.roles import PROMOTES
from affiliate.errors import DomainError
from affiliate.joining import inviting
from affiliate.joining import queries as joining
from affiliate.links import queries, service
from affiliate.links.models import Link, LinkStatus
from affiliate.portal import lines, link_file
from affiliate.portal.blueprint import PAGE_SIZE, blueprint, page_number, pager, settings, show, zone
from affiliate.portal.forms import SUBS_SHOWN, EditLinkForm, LinkForm, blame
from affiliate.programs import addresses
from affiliate.reports import periods, tables
from affiliate.reports import queries as reports
from affiliate.reports.metrics import Facts
from affiliate.web import orm, request_now

COUPONS_SHOWN = 100
_QR_TYPES = {"svg": "image/svg+xml", "png": "image/png"}
_QR_SCALE = {"svg": 8, "png": 16}


@blueprint.get("/<slug>/links")
@access.partner
def links() -> str:
    """All links with what they brought, newest first, and the coupons."""
    mine: dict[str, Any] = {"program_id": g.program.id, "partner_id": g.partner.id}
    found = queries.links_of(orm.session, **mine, limit=PAGE_SIZE, offset=(page_number() - 1) * PAGE_SIZE)
    total = queries.link_count(orm.session, **mine)
    coupons = queries.coupons_of(orm.session, **mine, limit=COUPONS_SHOWN)
    currency = g.program.currency
    facts = reports.facts_by_link(orm.session, **mine, link_ids=[link.id for link in found], currency=currency)
    used = reports.facts_by_coupon(orm.session, **mine, coupon_ids=[coupon.id for coupon in coupons], currency=currency)
    return show(
        "links.html",
        links=lines_of(found, facts),
        coupons=[lines.coupon(coupon, used[coupon.id]) for coupon in coupons],
        pager=pager(total=total, shown=len(found)),
        form=LinkForm(),
        shop_url=g.program.shop_url,
        recruiting=_recruiting(),
        files=[(label, url_for("portal.links_file", kind=kind)) for kind, label in link_file.kinds()] if found else [],
        terms=tables.terms(*lines.TERMS),
    )


@blueprint.post("/<slug>/links/recruiting")
@access.partner
def make_recruiting_address() -> ResponseReturnValue:
    """Make the address by which this partner brings others; the one that there is, if there is one."""
    inviting.recruit(
        orm.session, program_id=g.program.id, partner_id=g.partner.id, partner_name=g.partner.name, now=request_now()
    )
    flash(_("Your recruiting address is ready."), "success")
    return redirect(url_for("portal.links"), 303)


@blueprint.get("/<slug>/links/new")
@access.partner_with(PROMOTES)
def new_link() -> str:
    """The form with all its fields."""
    return _form_page(LinkForm())


@blueprint.post("/<slug>/links")
@access.partner
def create_link() -> ResponseReturnValue:
    """Make a link and show it; a refused form comes back with what was typed."""
    form = LinkForm()
    if not form.validate():
        return _form_page(form), 422
    try:
        link = service.create_link(
            orm.session,
            program=g.program,
            partner_id=g.partner.id,
            landing_url=form.landing_url.data,
            name=form.name.data or "",
            subs=form.subs(),
            code=form.code.data or None,
            coupon=form.coupon.data,
            expires_at=_end_of(form.last_on.data),
            actor=access.actor(),
            now=request_now(),
        )
    except DomainError as refusal:
        blame(form, refusal)
        return _form_page(form), 422
    flash(_("Your link is ready."), "success")
    return redirect(url_for("portal.link", link_id=link.id), 303)


@blueprint.get('/<slug>/links/<public("lnk"):link_id>/edit')
@access.partner_with(PROMOTES)
def edit_link(link_id: UUID) -> str:
    """The form with what the link says now."""
    found = found_link(link_id)
    last_on = periods.last_day_before(found.expires_at, zone=zone()) if found.expires_at else None
    known: dict[str, Any] = {"landing_url": found.landing_url, "name": found.name, "last_on": last_on}
    coupon = queries.coupon_codes(orm.session, coupon_ids=[found.coupon_id] if found.coupon_id else [])
    known["coupon"] = next(iter(coupon.values()), "")
    return _edit_page(EditLinkForm(data=known | found.subs), found)


@blueprint.post('/<slug>/links/<public("lnk"):link_id>/edit')
@access.partner
def change_link(link_id: UUID) -> ResponseReturnValue:
    """Change a link; a refused form comes back with what was typed."""
    found, form = found_link(link_id), EditLinkForm()
    if not form.validate():
        return _edit_page(form, found), 422
    kept = {name: value for name, value in found.subs.items() if name not in SUBS_SHOWN}
    try:
        service.edit_link(
            orm.session,
            program=g.program,
            partner_id=g.partner.id,
            link_id=link_id,
            landing_url=form.landing_url.data,
            name=form.name.data or "",
            subs=kept | form.subs(),
            coupon=form.coupon.data,
            expires_at=_end_of(form.last_on.data),
            actor=access.actor(),
            now=request_now(),
        )
    except DomainError as refusal:
        blame(form, refusal)
        return _edit_page(form, found), 422
    flash(_("Changed. Every copy of the link leads there from now on."), "success")
    return redirect(url_for("portal.link", link_id=link_id), 303)


@blueprint.post('/<slug>/links/<public("lnk"):link_id>/pause')
@access.partner
def pause_link(link_id: UUID) -> ResponseReturnValue:
    """Stop counting its clicks."""
    service.pause_link(orm.session, link_id=link_id, **_mine())
    flash(_("Paused. Visitors are still led on, their clicks do not count."), "success")
    return redirect(url_for("portal.link", link_id=link_id), 303)


@blueprint.post('/<slug>/links/<public("lnk"):link_id>/resume')
@access.partner
def resume_link(link_id: UUID) -> ResponseReturnValue:
    """Count its clicks again."""
    service.resume_link(orm.session, link_id=link_id, **_mine())
    flash(_("The link counts again."), "success")
    return redirect(url_for("portal.link", link_id=link_id), 303)


@blueprint.get('/<slug>/links/<public("lnk"):link_id>/qr.<any(svg, png):kind>')
@access.partner
def qr(link_id: UUID, kind: str) -> Response:
    """The address as a QR code: SVG for print, PNG for posts."""
    found = found_link(link_id)
    picture = io.BytesIO()
    # Error correction M: still read when a seventh of it is covered by a crease or a logo.
    code = segno.make(f"{addresses.links(g.program.own_host, settings())}/r/{found.code}", error="m", micro=False)
    code.save(picture, kind=kind, scale=_QR_SCALE[kind], border=4)
    response = Response(picture.getvalue(), mimetype=_QR_TYPES[kind])
    response.headers["Cache-Control"] = "private, max-age=3600"
    if "download" in request.args:
        response.headers["Content-Disposition"] = f'attachment; filename="{found.code}.{kind}"'
    return response


def _recruiting() -> dict[str, Any] | None:
    """The address by which this partner brings others, with how many came by it."""
    found = joining.invitation_of_recruiter(orm.session, program_id=g.program.id, partner_id=g.partner.id)
    return (
        {"address": f"{addresses.pages(g.program.own_host, settings())}/join/{found.code}", "uses": found.uses}
        if found
        else None
    )


def _form_page(form: LinkForm) -> str:
    _offer_coupons(form)
    return show(
        "new_link.html",
        form=form,
        shop_url=g.program.shop_url,
        tracking_url=addresses.links(g.program.own_host, settings()),
    )


def lines_of(found: Sequence[Link], facts: Mapping[UUID, Facts]) -> list[dict[str, Any]]:
    """Links with what they brought, for templates."""
    codes = queries.coupon_codes(orm.session, coupon_ids={link.coupon_id for link in found if link.coupon_id})
    where: dict[str, Any] = {
        "tracking_url": addresses.links(g.program.own_host, settings()), "zone": zone(), "now": request_now(),
    }  # fmt: skip
    return [
        lines.link(link, facts[link.id], coupon=codes[link.coupon_id] if link.coupon_id else None, **where)
        for link in found
    ]


def _offer_coupons(form: LinkForm) -> None:
    mine = queries.coupons_of(orm.session, program_id=g.program.id, partner_id=g.partner.id, limit=COUPONS_SHOWN)
    form.offer([coupon.code for coupon in mine if coupon.status is LinkStatus.ACTIVE])


def _edit_page(form: EditLinkForm, found: Link) -> str:
    _offer_coupons(form)
    return show("edit_link.html", form=form, link=found, shop_url=g.program.shop_url)


def _end_of(last_on: date | None) -> datetime | None:
    """The instant at which a link's last day is over where its owner lives."""
    return periods.end_of_day(last_on, zone=zone()) if last_on else None


def found_link(link_id: UUID) -> Link:
    """One link of this partner.

    Raises:
        NoSuchLink: none, or somebody else's.
    """
    found = queries.link_of(orm.session, program_id=g.program.id, partner_id=g.partner.id, link_id=link_id)
    if found is None:
        raise service.NoSuchLink(_("There is no such link."))
    return found


def _mine() -> dict[str, Any]:
    return {"program_id": g.program.id, "partner_id": g.partner.id, "actor": access.actor(), "now": request_now()}
