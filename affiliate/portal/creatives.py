"""The library of creatives: looking, one with its code, downloads, feeds, and a partner's own proposals."""

import re
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from flask import Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from affiliate import ids
from affiliate.accounts import access
from affiliate.accounts.roles import PROMOTES
from affiliate.commissions import plan_queries
from affiliate.creatives import codes, downloads, feed_addresses, feed_files, feeds, kinds, queries, service, words
from affiliate.creatives.facts import Facts
from affiliate.creatives.feed_files import Mine, links_for
from affiliate.creatives.forms import CreativeForm
from affiliate.creatives.frames import framed
from affiliate.creatives.frames import page as frame_page
from affiliate.creatives.kinds import CreativeKind
from affiliate.creatives.models import Creative
from affiliate.creatives.queries import Reader, Shown, Wanted
from affiliate.errors import Conflict, Invalid
from affiliate.links.models import Link
from affiliate.portal import lines, material
from affiliate.portal.blueprint import blueprint, page_number, settings, show, with_arguments
from affiliate.reports import breakdown, tables
from affiliate.web import orm, request_now

PAGE_SIZE = 24
PROPOSALS_SHOWN = 50
_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")


@blueprint.get("/<slug>/creatives")
@access.partner
def creatives() -> str:
    """What the program offers to this partner, narrowed as the address says, and what the partner proposed itself."""
    reader, wanted, now = _reader(), _wanted(), request_now()
    here: dict[str, Any] = {"program_id": g.program.id, "reader": reader, "now": now}
    page, offset = page_number(), (page_number() - 1) * PAGE_SIZE
    found = queries.offered(orm.session, **here, wanted=wanted, limit=PAGE_SIZE + 1, offset=offset)
    proposed = queries.proposals_of(
        orm.session, program_id=g.program.id, partner_id=g.partner.id, limit=PROPOSALS_SHOWN
    )
    facets = queries.facets(orm.session, **here)
    chips = [
        {"label": words.kind(kind), "url": with_arguments(kind=kind.value), "current": kind is wanted.kind}
        for kind in facets.kinds
    ]
    older = with_arguments(page=str(page + 1)) if len(found) > PAGE_SIZE else None
    return show(
        "creatives.html",
        cards=_cards(found[:PAGE_SIZE]),
        chips=[{"label": _("All"), "url": with_arguments(kind=None), "current": wanted.kind is None}, *chips],
        filters=material.filters(facets, wanted),
        kind=wanted.kind.value if wanted.kind else "",
        is_narrowed=wanted != Wanted(),
        proposals=_cards(proposed),
        newer_url=with_arguments(page=str(page - 1)) if page > 1 else None,
        older_url=older,
    )


@blueprint.get('/<slug>/creatives/<public("crv"):creative_id>')
@access.partner
def creative(creative_id: UUID) -> str:
    """One creative: what it looks like, its code with a link of the partner's, what it brought."""
    shown = _visible(creative_id)
    chosen, all_links = _link()
    link = material.link_for(shown[0], chosen) if chosen else None
    code = material.code(shown, link) if link and shown[0].kind in material.WITH_CODE else None
    return show(
        "creative.html",
        creative=_cards([shown])[0],
        subject=shown[1].subject,
        body=shown[1].body,
        address=shown[1].address,
        has_frame=shown[0].kind is CreativeKind.HTML,
        code=code,
        link=link,
        feed_urls=_feed_urls(shown[0], chosen),
        links=material.choices(all_links, chosen),
        chosen=ids.public("lnk", chosen.id) if chosen else "",
        disclosure=material.disclosure(shown[0]),
        sales_url=url_for("portal.commissions", creative=ids.public("crv", creative_id)),
        terms=tables.terms(*lines.TERMS),
    )


@blueprint.get('/<slug>/creatives/<public("crv"):creative_id>/file')
@access.partner
def creative_file(creative_id: UUID) -> Response:
    """The banner to look at or to keep; a document always as an attachment."""
    return downloads.response(orm.session, _visible(creative_id), as_download="download" in request.args)


@blueprint.get('/<slug>/creatives/<public("crv"):creative_id>/frame')
@access.partner
@framed
def creative_frame(creative_id: UUID) -> Response:
    """The snippet for the sandboxed frame."""
    shown = _visible(creative_id)
    if shown[0].kind is not CreativeKind.HTML:
        raise access.NotHere
    return Response(frame_page(codes.snippet(shown[1].body, link=g.program.shop_url)), mimetype="text/html")


@blueprint.get('/<slug>/creatives/<public("crv"):creative_id>/code')
@access.partner
def creative_code(creative_id: UUID) -> Response:
    """The code or text as a file."""
    shown = _visible(creative_id)
    chosen, _all = _link()
    if chosen is None or shown[0].kind not in material.WITH_CODE:
        raise access.NotHere
    text = material.code(shown, material.link_for(shown[0], chosen))
    name = f"{ids.public('crv', creative_id)}.txt"
    return Response(text, mimetype="text/plain", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@blueprint.get('/<slug>/creatives/<public("crv"):creative_id>/feed.<any(csv, xml, json):kind>')
@access.partner
def creative_feed(creative_id: UUID, kind: str) -> Response:
    """The product feed with the partner's own links, written while it is sent."""
    return feed_files.response(
        orm.session, _visible(creative_id), program=g.program, mine=_links(), kind=kind, to=settings()
    )


@blueprint.post('/<slug>/creatives/<public("crv"):creative_id>/feed-address')
@access.partner
def make_feed_address(creative_id: UUID) -> ResponseReturnValue:
    """Make the address by which programs fetch this feed; another one ends the one before it."""
    shown = _visible(creative_id)
    if shown[0].kind is not CreativeKind.FEED:
        raise access.NotHere
    feed_addresses.make(
        orm.session, creative=shown[0], partner_id=g.partner.id, actor=access.actor(), now=request_now()
    )
    flash(_("Your address for this feed is ready. One from before opens nothing any more."), "success")
    return redirect(url_for("portal.creative", creative_id=creative_id, link=request.args.get("link")), 303)


@blueprint.get("/<slug>/creatives/propose")
@access.partner_with(PROMOTES)
def propose_creative() -> str:
    """The form for material of one's own."""
    return _proposal_page(CreativeForm())


@blueprint.post("/<slug>/creatives/propose")
@access.partner
def send_creative() -> ResponseReturnValue:
    """Hand own material to the program; a refused form comes back with what was typed."""
    form = CreativeForm()
    if not form.validate():
        return _proposal_page(form), 422
    try:
        service.propose(
            orm.session, program=g.program, partner_id=g.partner.id, kind=_proposed_kind(),
            facts=Facts(form.title.data, form.campaign.data, form.language.data, form.landing_url.data), said=form.said(),
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        form.blame(refusal.errors)
        return _proposal_page(form), 422
    except Conflict as refusal:
        orm.session.rollback()
        flash(_(str(refusal)), "error")
        return _proposal_page(form), 409
    flash(_("It is with the program. The answer comes by mail and stands here."), "success")
    return redirect(url_for("portal.creatives"), 303)


def _feed_urls(creative: Creative, chosen: Link | None) -> list[dict[str, str]]:
    """The feed's own addresses, one for each way of writing it; none before one was made."""
    address = queries.feed_address_of(orm.session, partner_id=g.partner.id, creative_id=creative.id)
    if address is None or chosen is None or creative.kind is not CreativeKind.FEED:
        return []
    token = feed_addresses.token(settings().secret_key, address, program_id=g.program.id)
    named = {"slug": g.program.slug, "token": token, "link": ids.public("lnk", chosen.id)}
    return [
        {"kind": kind, "url": f"{settings().base_url}{url_for('site.product_feed', kind=kind, **named)}"}
        for kind in feeds.KINDS
    ]


def _proposal_page(form: CreativeForm) -> str:
    kind = _proposed_kind()
    tabs = [
        {"label": words.kind(each), "url": url_for("portal.propose_creative", kind=each.value), "current": each is kind}
        for each in kinds.PROPOSED
    ]
    return show("propose_creative.html", form=form, kind=kind.value, parts=form.parts(kind), tabs=tabs)


def _proposed_kind() -> CreativeKind:
    said = request.values.get("kind")
    return next((kind for kind in kinds.PROPOSED if kind.value == said), CreativeKind.BANNER)


def _visible(creative_id: UUID) -> Shown:
    """A creative that is offered to this partner now, or that it proposed itself.

    Raises:
        NoSuchCreative: none of these.
    """
    found = queries.offered_one(
        orm.session, program_id=g.program.id, reader=_reader(), creative_id=creative_id, now=request_now()
    )
    if found is None:
        found = queries.creative_in(orm.session, program_id=g.program.id, creative_id=creative_id)
        if found is None or found[0].proposed_by_id != g.partner.id:
            raise service.NoSuchCreative(_("There is no such creative."))
    return found


def _reader() -> Reader:
    terms = plan_queries.partner_terms(orm.session, program_id=g.program.id, partner_id=g.partner.id)
    return Reader(g.partner.id, terms.group_name if terms else None)


def _wanted() -> Wanted:
    """What the address looks for; what it says wrongly counts as nothing."""
    said = request.args.get
    size = _SIZE.fullmatch(said("size", ""))
    return Wanted(
        kind=next((kind for kind in CreativeKind if kind.value == said("kind")), None),
        language=said("language") if said("language") in kinds.LANGUAGES else None,
        campaign=said("campaign", "")[:60] or None,
        size=(int(size[1]), int(size[2])) if size else None,
        is_new=bool(said("new")),
        words=said("q", "").strip()[:80],
    )


def _cards(found: Iterable[Shown]) -> list[dict[str, Any]]:
    found = list(found)
    names = [ids.public("crv", creative.id) for creative, _version in found]
    facts = breakdown.facts_by_creative(
        orm.session, program_id=g.program.id, partner_id=g.partner.id, creatives=names, currency=g.program.currency
    )
    return [material.card(shown, facts[name], now=request_now()) for shown, name in zip(found, names, strict=True)]


def _link() -> tuple[Link | None, Sequence[Link]]:
    """The link that the address names, else the newest; and all to choose from."""
    mine = _links()
    return mine.chosen, mine.usable


def _links() -> Mine:
    named, now = request.args.get("link"), request_now()
    return links_for(orm.session, program_id=g.program.id, partner_id=g.partner.id, named=named, now=now)
