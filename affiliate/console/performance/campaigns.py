"""Campaigns: the list, one with its figures before, during and after, the form, and the same as files."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import exports
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import acted, blueprint, can, cursor, pager, refused, show
from affiliate.console.forms import say, say_all
from affiliate.console.goals.goal_sheets import today
from affiliate.console.paging import Cursor, Page, every_page
from affiliate.console.performance import campaign_sheets, performance_pages
from affiliate.console.performance.campaign_form import CampaignForm
from affiliate.console.performance.performance_kept import desk
from affiliate.console.queries import lists
from affiliate.errors import Conflict, Invalid
from affiliate.reports import campaign_queries, campaign_sheet, campaigning
from affiliate.reports.campaign_sheet import KEYS, Line, Report
from affiliate.reports.metrics import METRICS
from affiliate.reports.pages import Wanted
from affiliate.reports.tables import csv_head
from affiliate.reports.written_models import Campaign
from affiliate.web import orm, request_now

PAGE_SIZE = 10
EXPORT_SIZE = 50
_USUAL_DAYS = 14


@blueprint.get("/<slug>/campaigns")
@access.console(*roles.EVERYBODY)
def campaigns() -> str:
    """The campaigns of the program, the latest first, with what each brought."""
    found = _found(PAGE_SIZE, cursor())
    return show(
        "performance/campaigns.html",
        pages=performance_pages.chips(),
        rows=[campaign_sheets.line(one, today=today()) for one in _lines(found)],
        name=_name(),
        pager=pager(found),
        files=_files("console.campaigns_file", name=_name() or None),
        keep_form=desk.form(Wanted("campaigns", {})),
        may_write=can("new_campaign"),
    )


@blueprint.get("/<slug>/campaigns.<kind>")
@access.console(*roles.EVERYBODY)
def campaigns_file(kind: str) -> Response:
    """All campaigns that the list finds as a file, with what each brought in its days."""
    rows = (_cells(one) for page in every_page(partial(_found, EXPORT_SIZE)) for one in _lines(page))
    head = csv_head("campaign", KEYS)
    return exports.response(kind, "campaigns", [head[0], "first", "last", *head[1:]], rows)


def _name() -> str:
    """By what the list is narrowed."""
    return request.args.get("name", "").strip()[:120]


def _found(size: int, cursor: Cursor | None) -> Page:
    return lists.campaigns(orm.session, program_id=g.program.id, name=_name(), cursor=cursor, size=size)


def _lines(page: Page) -> list[Line]:
    shown = [row.Campaign for row in page.rows]
    return campaign_sheet.lines(orm.session, program=g.program, campaigns=shown, now=request_now())


def _cells(one: Line) -> list[Any]:
    """A campaign in the file."""
    last_on = one.campaign.ends_on - timedelta(days=1)
    figures = (METRICS[key].of(one.facts) if one.spans.during else None for key in KEYS)
    return [one.campaign.name, one.campaign.starts_on.isoformat(), last_on.isoformat(), *figures, one.campaign.currency]


@blueprint.get('/<slug>/campaigns/<public("cmp"):campaign_id>')
@access.console(*roles.EVERYBODY)
def campaign(campaign_id: UUID) -> str:
    """One campaign: its figures beside those before and after, and what cannot be concluded from them."""
    found = _report(campaign_id)
    named = campaign_queries.named(orm.session, program_id=g.program.id, parts=found.parts)
    return show(
        "performance/campaign.html",
        campaign={
            "name": found.campaign.name,
            "note": found.campaign.note,
            "days": campaign_sheets.days(found.campaign),
            "sign": campaign_sheets.state(found.campaign, today=today()),
        },
        edit_url=url_for("console.edit_campaign", campaign_id=campaign_id) if can("edit_campaign") else None,
        remove_url=url_for("console.remove_campaign", campaign_id=campaign_id),
        files=_files("console.campaign_file", campaign_id=campaign_id),
        **campaign_sheets.page(found, named),
    )


@blueprint.get('/<slug>/campaigns/<public("cmp"):campaign_id>.<any(csv, xlsx):kind>')
@access.console(*roles.EVERYBODY)
def campaign_file(campaign_id: UUID, kind: str) -> Response:
    """The spans of one campaign as a file."""
    head, rows = _report(campaign_id).csv()
    return exports.response(kind, "campaign", head, rows)


@blueprint.get("/<slug>/campaigns/new")
@access.console(*roles.MARKETING)
def new_campaign() -> str:
    """The form for a campaign."""
    last = today() + timedelta(days=_USUAL_DAYS - 1)
    return _form(CampaignForm(formdata=None, data={"starts_on": today(), "last_on": last, "cost": "0"}))


@blueprint.post("/<slug>/campaigns/new")
@access.console(*roles.MARKETING)
def add_campaign() -> ResponseReturnValue:
    """Write down a campaign."""
    form = CampaignForm()
    try:
        draft = form.draft(orm.session, g.program)
        added = campaigning.begin(
            orm.session, program_id=g.program.id, currency=g.program.currency, draft=draft, actor=access.actor(),
            now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        return _refused(form, refusal)
    flash(_("Campaign “%(name)s” added.", name=added.name), "success")
    return redirect(url_for("console.campaign", campaign_id=added.id), 303)


@blueprint.get('/<slug>/campaigns/<public("cmp"):campaign_id>/edit')
@access.console(*roles.MARKETING)
def edit_campaign(campaign_id: UUID) -> str:
    """The form with what the campaign is."""
    found = _campaign(campaign_id)
    parts = campaign_queries.parts_of(orm.session, campaign_ids=[campaign_id])[campaign_id]
    named = campaign_queries.named(orm.session, program_id=g.program.id, parts=parts)
    return _form(CampaignForm.of(found, named), found)


@blueprint.post('/<slug>/campaigns/<public("cmp"):campaign_id>/edit')
@access.console(*roles.MARKETING)
def change_campaign(campaign_id: UUID) -> ResponseReturnValue:
    """Change a campaign."""
    found, form = _campaign(campaign_id), CampaignForm()
    there = url_for("console.campaign", campaign_id=campaign_id)
    try:
        campaigning.change(
            orm.session, program_id=g.program.id, campaign_id=campaign_id, draft=form.draft(orm.session, g.program),
            seen_at=form.seen(), actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        return _refused(form, refusal, found)
    except Conflict as refusal:
        return refused(there, refusal)
    flash(_("Campaign changed."), "success")
    return redirect(there, 303)


@blueprint.post('/<slug>/campaigns/<public("cmp"):campaign_id>/remove')
@access.console(*roles.MARKETING)
def remove_campaign(campaign_id: UUID) -> BaseResponse:
    """Take a campaign away; what came by it stays."""

    def act() -> str:
        name = campaigning.remove(
            orm.session, program_id=g.program.id, campaign_id=campaign_id, actor=access.actor(), now=request_now()
        )
        return str(_("Campaign “%(name)s” removed. The history keeps it.", name=name))

    return acted(url_for("console.campaigns"), act)


def _campaign(campaign_id: UUID) -> Campaign:
    found = campaign_queries.campaign(orm.session, program_id=g.program.id, campaign_id=campaign_id)
    if found is None:
        raise access.NotHere
    return found


def _report(campaign_id: UUID) -> Report:
    return campaign_sheet.report(
        orm.session, program=g.program, campaign=_campaign(campaign_id), now=request_now()
    )  # fmt: skip


def _refused(form: CampaignForm, refusal: Invalid, found: Campaign | None = None) -> ResponseReturnValue:
    orm.session.rollback()
    lines = {name: sentences for name, sentences in refusal.errors.items() if name in form.LINES}
    say_all(form, {name: said for name, said in refusal.errors.items() if name not in lines}, {"ends_on": "last_on"})
    for name, (sentence, *names) in lines.items():
        say(form[name], _(sentence) + " " + ", ".join(names) if names else sentence)
    return _form(form, found), 422


def _form(form: CampaignForm, found: Campaign | None = None) -> str:
    there = url_for("console.campaign", campaign_id=found.id) if found else url_for("console.campaigns")
    return show("performance/campaign_form.html", form=form, name=found.name if found else None, back_url=there)


def _files(endpoint: str, **values: Any) -> list[dict[str, str]]:
    kinds = [(exports.Format.CSV, _("Export as CSV")), (exports.Format.XLSX, _("Export as XLSX"))]
    return [{"label": label, "url": url_for(endpoint, kind=kind.value, **values)} for kind, label in kinds]
