"""Pages for who packs and takes back, and for who looks after the technology: what they come for, from what other pages hold."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _

from affiliate import formats, streams
from affiliate.accounts import access
from affiliate.canary import queries as canary
from affiliate.canary.models import CanaryState
from affiliate.console import presenters, roles, words
from affiliate.console.blueprint import arrivals_of, blueprint, can, tends_all, waiting
from affiliate.console.queries import events, work
from affiliate.console.queries import views as queries
from affiliate.console.words import Sign
from affiliate.console.work.view_parts import Panel, Row, more, page, tile
from affiliate.ingest.models import OrderEventType
from affiliate.money import BPS_PER_UNIT, Money, divide_half_even
from affiliate.relations import queries as relations
from affiliate.tracking import rawlog
from affiliate.web import orm, request_now

DAYS = 30
ARRIVALS = timedelta(days=7)


@blueprint.get("/<slug>/views/logistics")
@access.console(*roles.VIEWS["logistics_view"])
def logistics_view() -> str:
    """Orders and what became of them, returns, complaints."""
    here: dict[str, UUID] = {"program_id": g.program.id}
    life = queries.order_life(orm.session, **here, since=presenters.period(DAYS).starts_at)
    orders = url_for("console.conversions")
    return page(
        _("Logistics"),
        _("Orders of the last 30 days, what came back, and who complains."),
        tiles=[
            tile(_("Orders"), life.orders, page="conversions", url=orders),
            tile(_("Returns"), life.refunds, note=_share(life.refunds, life.orders)),
            tile(_("Cancelled"), life.events[OrderEventType.CANCELLED]),
            tile(_("Being verified"), life.unverified, page="conversions", url=orders),
            tile(_("Open cases"), waiting().cases, page="cases", url=url_for("console.cases")),
        ],
        panels=[_returns(), _life(life), _complaints()],
    )


def _share(part: int, whole: int) -> str | None:
    return (
        _("%(share)s of orders", share=formats.percent_bps(divide_half_even(part * BPS_PER_UNIT, whole)))
        if whole
        else None
    )


def _returns() -> Panel:
    rows = [
        Row(
            row.order_id, [formats.day(row.occurred_at), _amount(row.amount_minor, row.currency)],
            url_for("console.conversion", conversion_id=row.conversion_id) if row.conversion_id else None, row.reason or "",
        )
        for row in queries.newest_refunds(orm.session, program_id=g.program.id)
    ]  # fmt: skip
    heads = [_("Order"), _("Day"), _("Amount")]
    return Panel("returns", _("Newest returns"), heads, rows, _("Nothing came back yet."))


def _amount(minor: int | None, currency: str | None) -> str:
    return _("All that was left") if minor is None else formats.money(Money(minor, currency or g.program.currency))


def _life(life: queries.OrderLife) -> Panel:
    rows = [Row(words.order_event(kind), [formats.number(count)]) for kind, count in life.events.items()]
    told = [row for row, count in zip(rows, life.events.values(), strict=True) if count]
    empty = _("The shop tells nothing of its orders yet: paid, shipped, delivered, cancelled.")
    return Panel("life", _("What the shop told of orders"), [_("Event"), _("Number")], told, empty)


def _complaints() -> Panel:
    lines = relations.cases(orm.session, program_id=g.program.id, waiting=True, limit=queries.SHOWN)
    rows = [
        Row(
            line.partner_name, [formats.day(line.case.opened_at), formats.day(line.case.answer_by)],
            url_for("console.case", case_id=line.case.id) if can("case") else None,
            line.case.order_id or "",
        )
        for line in lines
    ]  # fmt: skip
    heads = [_("Partner"), _("Since"), _("Answer promised by")]
    return Panel("cases", _("Complaints"), heads, rows, _("No case is open."), more("cases", url_for("console.cases")))


@blueprint.get("/<slug>/views/tech")
@access.console(*roles.VIEWS["tech_view"])
def tech_view() -> str:
    """Whether orders arrive, by which ways, and what did not go through."""
    since = request_now() - ARRIVALS
    refused = work.refused_since(orm.session, program_id=g.program.id, since=since)
    requests = _requests()
    letters, _oldest = events.oldest_dead_letter(orm.session, program_id=arrivals_of())
    tiles = [
        tile(_("Last requests"), _answered(requests), page="requests", url=url_for("console.requests"), note=_bad(requests)),
        tile(_("Refused events"), sum(each.count for each in refused), page="rejected", url=url_for("console.rejected")),
        tile(_("Not stored"), letters, page="dead_letters", url=url_for("console.dead_letters")),
    ]  # fmt: skip
    return page(
        _("Web and tech"),
        _("Whether orders arrive, by which ways, and what did not go through in the last seven days."),
        tiles=tiles,
        panels=[_sources(since), _refused(refused), _keys()],
        canary=_canary(),
    )


def _requests() -> list[rawlog.RawRequest] | None:
    try:
        return rawlog.last(streams.client(), program_id=g.program.id)
    except streams.ERRORS:
        return None


def _answered(found: list[rawlog.RawRequest] | None) -> str | None:
    return None if found is None else formats.number(len(found))


def _bad(found: list[rawlog.RawRequest] | None) -> str:
    if found is None:
        return _("The log does not answer.")
    wrong = sum(each.status >= 400 for each in found)  # noqa: PLR2004 - HTTP's refusals
    return _("%(count)s of them refused", count=formats.number(wrong))


def _canary() -> dict[str, Any] | None:
    """The last test order: of the installation for who looks after all programs, else the one that ran through this program."""
    is_everywhere = tends_all()
    run = canary.latest(orm.session, program_id=None if is_everywhere else g.program.id)
    if run is None:
        return None
    title = _("The test order of the installation") if is_everywhere else _("The test order through this program")
    is_fine = run.state is CanaryState.PASSED
    sign = Sign("good", _("It went the whole way")) if is_fine else Sign("bad", _("It stopped on its way"))
    return {"title": title, "sign": sign, "at": run.started_at, "finding": "" if is_fine else run.finding or ""}


def _sources(since: datetime) -> Panel:
    rows = [
        Row(one.source, [formats.number(one.orders), formats.number(one.tests), formats.instant(one.last_at)])
        for one in queries.sources(orm.session, program_id=g.program.id, since=since)
    ]
    heads = [_("Way"), _("Orders"), _("Tests"), _("Last one")]
    empty = _("No order arrived in seven days.")
    return Panel(
        "sources", _("Where orders come from"), heads, rows, empty, more("tracking", url_for("console.tracking"))
    )


def _refused(refused: list[work.Refused]) -> Panel:
    rows = [
        Row(words.reject_reason(each.reason), [formats.number(each.count), formats.instant(each.newest_at)])
        for each in refused
    ]
    heads = [_("Reason"), _("Events"), _("Last one")]
    return Panel(
        "refused",
        _("Refused events"),
        heads,
        rows,
        _("None was refused."),
        more("rejected", url_for("console.rejected")),
    )


def _keys() -> Panel:
    keys = queries.working_keys(orm.session, program_id=g.program.id)
    rows = [Row(key.name, [formats.instant(key.last_used_at)], note=", ".join(key.scopes)) for key in keys]
    return Panel("keys", _("API keys"), [_("Key"), _("Last used")], rows, _("No key yet."))
