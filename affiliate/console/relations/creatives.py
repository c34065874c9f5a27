"""The library of creatives for managers: upload, versions, dates and groups, proposals of partners, retiring with notice."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Response, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import formats, ids
from affiliate.accounts import access
from affiliate.console import presenters, roles
from affiliate.console.blueprint import acted, blueprint, can, cursor, given_reason, pager, show
from affiliate.console.queries import lists
from affiliate.console.relations import creative_sheets as sheets
from affiliate.creatives import codes, downloads, queries, service, words
from affiliate.creatives.facts import Facts
from affiliate.creatives.feeds import Refused
from affiliate.creatives.forms import ContentForm, CreativeForm
from affiliate.creatives.frames import framed
from affiliate.creatives.frames import page as frame_page
from affiliate.creatives.kinds import CreativeKind, Upload, group_names
from affiliate.creatives.models import CreativeStatus
from affiliate.creatives.queries import Shown
from affiliate.errors import Conflict, Invalid
from affiliate.relations import endings
from affiliate.reports import breakdown, periods, tables
from affiliate.web import orm, request_now

Answer = str | tuple[str, int] | BaseResponse
_BANNERS_MAX = 30  # of one upload


@blueprint.get("/<slug>/creatives")
@access.console(*roles.SEES_MARKETING)
def creatives() -> str:
    """All creatives, proposals first to see, and the way to a new one of each kind."""
    wanted = sheets.wanted(request.args)
    page = lists.creatives(orm.session, program_id=g.program.id, wanted=wanted, now=request_now(), cursor=cursor())
    found = [(row.Creative, row.CreativeVersion) for row in page.rows]
    waiting = queries.proposal_count(orm.session, program_id=g.program.id)
    chips = [presenters.chip(_("All"), current=wanted.status is None, status=None)]
    chips += [
        presenters.chip(
            sheets.status(each),
            current=each is wanted.status,
            count=waiting if each is CreativeStatus.PROPOSED else None,
            status=each.value,
        )
        for each in CreativeStatus
    ]
    return show(
        "relations/creatives.html",
        rows=sheets.lines(found, _facts(found)),
        name=wanted.words,
        chips=chips,
        kinds=[
            {
                "label": words.kind(each),
                "icon": words.ICONS[each],
                "url": url_for("console.new_creative", kind=each.value),
            }
            for each in CreativeKind
        ],
        pager=pager(page),
        notice_days=sheets.NOTICE_DAYS,
    )


@blueprint.get("/<slug>/creatives/new")
@access.console(*roles.MARKETING)
def new_creative() -> str:
    """The form of one kind."""
    return _new_page(CreativeForm())


@blueprint.post("/<slug>/creatives/new")
@access.console(*roles.MARKETING)
def add_creative() -> Answer:
    """Add a creative; of several pictures each becomes one, and none is stored if one is wrong."""
    form = CreativeForm()
    if not form.validate():
        return _new_page(form), 422
    kind, uploads = _kind(), form.uploads()
    each_of: Sequence[Upload | None] = uploads[:_BANNERS_MAX] if kind is CreativeKind.BANNER and uploads else [*uploads[:1]] or [None]  # fmt: skip
    try:
        made = [
            service.add(
                orm.session, program=g.program, kind=kind, facts=_typed_facts(form), said=form.said(upload),
                actor=access.actor(), now=request_now(),
            )
            for upload in each_of
        ]  # fmt: skip
    except (Invalid, Conflict) as refusal:
        orm.session.rollback()
        form.blame(refusal.errors if isinstance(refusal, Invalid) else {"": [str(refusal)]})
        return _new_page(form), 422
    flash(ngettext("It is in the library.", "%(num)d banners are in the library.", len(made)), "success")
    _tell_refused([row for _creative, refused in made for row in refused])
    if len(made) > 1:
        return redirect(url_for("console.creatives"), 303)
    return redirect(url_for("console.creative", creative_id=made[0][0].id), 303)


@blueprint.get('/<slug>/creatives/<public("crv"):creative_id>')
@access.console(*roles.SEES_MARKETING)
def creative(creative_id: UUID) -> str:
    """One creative: how it looks, what it brought, its versions, and every act on it."""
    return _page(_found(creative_id))


@blueprint.post('/<slug>/creatives/<public("crv"):creative_id>')
@access.console(*roles.MARKETING)
def change_creative(creative_id: UUID) -> Answer:
    """Change what is said about it."""
    form = CreativeForm()
    if not form.validate():
        return _page(_found(creative_id), form), 422
    try:
        service.change(
            orm.session, program=g.program, creative_id=creative_id, facts=_typed_facts(form),
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        orm.session.rollback()
        form.blame(refusal.errors)
        return _page(_found(creative_id), form), 422
    flash(_("Saved."), "success")
    return redirect(_address(creative_id), 303)


@blueprint.post('/<slug>/creatives/<public("crv"):creative_id>/version')
@access.console(*roles.MARKETING)
def add_creative_version(creative_id: UUID) -> Answer:
    """Put another version in the place of the present one."""
    form = ContentForm()
    try:
        refused = service.add_version(
            orm.session, program=g.program, creative_id=creative_id, said=form.said(),
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except (Invalid, Conflict) as refusal:
        orm.session.rollback()
        form.blame(refusal.errors if isinstance(refusal, Invalid) else {"": [str(refusal)]})
        return _page(_found(creative_id), content=form), 422
    flash(_("The new version is offered now."), "success")
    _tell_refused(refused)
    return redirect(_address(creative_id), 303)


@blueprint.post('/<slug>/creatives/<public("crv"):creative_id>/approve')
@access.console(*roles.MARKETING)
def approve_creative(creative_id: UUID) -> BaseResponse:
    """Let a proposal be used: by its partner, or by everybody."""

    def act() -> str:
        service.approve(orm.session, for_all="for_all" in request.form, **_who(creative_id))
        return _("Approved. The partner has a mail.")

    return acted(_address(creative_id), act)


@blueprint.post('/<slug>/creatives/<public("crv"):creative_id>/refuse')
@access.console(*roles.MARKETING)
def refuse_creative(creative_id: UUID) -> BaseResponse:
    """Say no to a proposal."""

    def act() -> str:
        service.refuse(orm.session, reason=given_reason(), **_who(creative_id))
        return _("Refused. The partner has a mail with the reason.")

    return acted(_address(creative_id), act)


@blueprint.post('/<slug>/creatives/<public("crv"):creative_id>/retire')
@access.console(*roles.MARKETING)
def retire_creative(creative_id: UUID) -> BaseResponse:
    """Let it end after a notice; whoever used it lately is told."""
    days = sheets.notice_days(request.form.get("days", ""))

    def act() -> str:
        ends_at, users = endings.retire(orm.session, days=days, note=given_reason(), **_who(creative_id))
        told = ngettext("%(num)d partner who uses it is told.", "%(num)d partners who use it are told.", users)
        return _("It ends on %(day)s.", day=formats.day(ends_at)) + " " + told

    return acted(_address(creative_id), act, names={"note": "reason", "ends_at": "days"})


@blueprint.get('/<slug>/creatives/<public("crv"):creative_id>/file')
@access.console(*roles.SEES_MARKETING)
def creative_file(creative_id: UUID) -> Response:
    """The banner to look at; a document as an attachment."""
    return downloads.response(orm.session, _found(creative_id))


@blueprint.get('/<slug>/creatives/<public("crv"):creative_id>/frame')
@access.console(*roles.SEES_MARKETING)
@framed
def creative_frame(creative_id: UUID) -> Response:
    """The snippet for the sandboxed frame."""
    shown = _found(creative_id)
    if shown[0].kind is not CreativeKind.HTML:
        raise access.NotHere
    return Response(frame_page(codes.snippet(shown[1].body, link=g.program.shop_url)), mimetype="text/html")


def _notice(days: int) -> str:
    return ngettext("in %(num)d day", "in %(num)d days", days) if days else _("at once")


def _page(shown: Shown, form: CreativeForm | None = None, content: ContentForm | None = None) -> str:
    creative, version = shown
    groups = queries.groups_of(orm.session, creative_id=creative.id)
    facts_form = form or sheets.facts_form(creative, groups)
    content_form = content or sheets.content_form(version)
    line = sheets.lines([shown], _facts([shown]))[0]
    may_change = can("change_creative", "POST")
    return show(
        "relations/creative.html",
        creative=line,
        shown=sheets.content(shown),
        form=facts_form,
        content=content_form,
        parts=content_form.parts(creative.kind),
        versions=sheets.versions(queries.versions_of(orm.session, creative_id=creative.id)),
        proposer=sheets.proposer(creative),
        notice_days=[(days, _notice(days)) for days in sheets.NOTICE_DAYS],
        may_change=may_change,
        may_decide=may_change and creative.status is CreativeStatus.PROPOSED,
        may_retire=may_change
        and creative.status is CreativeStatus.LIVE
        and (creative.ends_at is None or creative.ends_at > request_now()),
        is_failed=bool(content and content.errors) or bool(content and content.form_errors),
        terms=tables.terms("clicks_valid", "conversions", "revenue", "earnings"),
    )


def _new_page(form: CreativeForm) -> str:
    kind = _kind()
    tabs = [
        {"label": words.kind(each), "url": url_for("console.new_creative", kind=each.value), "current": each is kind}
        for each in CreativeKind
    ]
    return show("relations/new_creative.html", form=form, kind=kind.value, parts=form.parts(kind), tabs=tabs)


def _kind() -> CreativeKind:
    said = request.values.get("kind")
    return next((kind for kind in CreativeKind if kind.value == said), CreativeKind.BANNER)


def _typed_facts(form: CreativeForm) -> Facts:
    zone = g.program.time_zone

    def instant(day: date | None, *, after: int) -> Any:
        return periods.start_of_day(day + timedelta(days=after), zone=zone) if day else None

    return Facts(
        form.title.data, form.campaign.data, form.language.data, form.landing_url.data,
        group_names(form.groups.data), instant(form.first_on.data, after=0), instant(form.last_on.data, after=1),
    )  # fmt: skip


def _tell_refused(rows: Sequence[Refused]) -> None:
    """Rows of a feed that were left out, the first of them with their reasons."""
    if rows:
        told = "; ".join(_("row %(number)s: %(why)s", number=row.number, why=_(row.sentence)) for row in rows[:5])
        flash(_("Some rows were left out. %(told)s", told=told), "warning")


def _facts(found: Sequence[Shown]) -> Any:
    names = [ids.public("crv", creative.id) for creative, _version in found]
    return breakdown.facts_by_creative(
        orm.session, program_id=g.program.id, partner_id=None, creatives=names, currency=g.program.currency
    )


def _found(creative_id: UUID) -> Shown:
    found = queries.creative_in(orm.session, program_id=g.program.id, creative_id=creative_id)
    if found is None:
        raise service.NoSuchCreative(_("There is no such creative."))
    return found


def _who(creative_id: UUID) -> dict[str, Any]:
    return {"program": g.program, "creative_id": creative_id, "actor": access.actor(), "now": request_now()}


def _address(creative_id: UUID) -> str:
    return url_for("console.creative", creative_id=creative_id)
