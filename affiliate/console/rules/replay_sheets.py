"""How the pages of replays are shaped."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from affiliate import exports, formats, ids
from affiliate.console import leafing, presenters, words
from affiliate.console.blueprint import cursor, pager, with_arguments
from affiliate.console.paging import EXPORT_SIZE, Page, every_page
from affiliate.console.queries.replays import changes
from affiliate.money import Money
from affiliate.partners import queries as partners
from affiliate.replay import report, service
from affiliate.replay.engine import Totals
from affiliate.replay.models import Replay, ReplayStatus
from affiliate.replay.report import Line
from affiliate.reports import evidence, policies, touches, what_if
from affiliate.reports.beside import leaf
from affiliate.reports.touches import Audience, Reader

PARTNERS_HEAD = ("partner", "name", "today", "tomorrow", "difference", "currency")
ORDERS_HEAD = ("conversion", "order", "placed_at", "partner", "name", "today", "tomorrow", "currency")


def sign(status: ReplayStatus) -> words.Sign:
    """Where a replay is."""
    return {
        ReplayStatus.RUNNING: words.Sign("wait", _("Runs")),
        ReplayStatus.STOPPED: words.Sign("hold", _("Stopped"), "player-pause"),
        ReplayStatus.DONE: words.Sign("good", _("Done")),
        ReplayStatus.FAILED: words.Sign("bad", _("Failed")),
    }[status]


def row(replay: Replay) -> dict[str, Any]:
    """A replay in the list."""
    totals = Totals.of(replay.totals)
    return {
        "url": url_for("console.replay", replay_id=replay.id),
        "at": replay.created_at,
        "what": what_if.policy(replay),
        "sign": sign(replay.status),
        "changed": totals.changed,
    }


def page(session: Session, replay: Replay) -> dict[str, Any]:
    """One replay: the question, how far it is, a page of the money by partner, and one of the orders that would change."""
    totals = Totals.of(replay.totals)
    lines = leaf(_lines(totals), key=_key, size=leafing.PAGE_SIZE, beside=leafing.beside())
    changed = changes(session, replay_id=replay.id, cursor=cursor())
    everybody = {line.partner_id for line in lines.rows} | _partners(changed)
    names = partners.partner_names(session, partner_ids=list(everybody))
    proposal = service.proposal(replay)
    today, tomorrow = (Money(sum(sums.values()), g.program.currency) for sums in (totals.today, totals.tomorrow))
    return {
        "replay": row(replay) | {"from": replay.starts_at, "to": replay.ends_at, "error": replay.error},
        "answer": _answer(replay, totals, tomorrow - today),
        "sentences": policies.sentences(proposal) if proposal else [],
        "progress": {"done": totals.orders, "of": max(replay.orders, totals.orders, 1)},
        "rows": [
            {
                "partner": presenters.partner_link(line.partner_id, names.get(line.partner_id)),
                "today": line.today,
                "tomorrow": line.tomorrow,
                "difference": line.difference,
            }
            for line in lines.rows
        ],
        "rows_pager": leafing.pager(lines, partial(with_arguments, _anchor="money")),
        "sums": {"today": today, "tomorrow": tomorrow, "difference": tomorrow - today},
        "changed": [_changed(replay, each, names) for each in changed.rows],
        "changed_pager": pager(changed, anchor="orders"),
        "kept": _kept(totals),
        "all_changed": totals.changed,
        "files": {table: _files(replay, table) for table in ("partners", "orders")},
        "acts": {
            "stop": replay.status is ReplayStatus.RUNNING,
            "resume": replay.status in {ReplayStatus.STOPPED, ReplayStatus.FAILED},
            "publish": replay.status is ReplayStatus.DONE and replay.terms is not None,
        },
        "replay_id": replay.id,
    }


def _kept(totals: Totals) -> int | None:
    """How many of the changed orders are kept, where that is not all."""
    return service.CHANGES_KEPT if totals.changed > service.CHANGES_KEPT else None


def _lines(totals: Totals) -> list[Line]:
    return report.lines(totals, currency=g.program.currency)


def _key(line: Line) -> str:
    return ids.public("ptn", line.partner_id)


def _files(replay: Replay, table: str) -> dict[str, str]:
    return {
        kind.value: url_for("console.replay_file", replay_id=replay.id, table=table, kind=kind.value)
        for kind in exports.Format
    }


def _answer(replay: Replay, totals: Totals, difference: Money) -> str:
    if replay.status is ReplayStatus.RUNNING:
        return str(_("The orders are being decided again. You may close this page."))
    told = ngettext("%(num)s order would change", "%(num)s orders would change", totals.changed)
    return str(_("%(changed)s, and commission by %(difference)s.", changed=told, difference=formats.money(difference)))


def partner_cells(session: Session, replay: Replay) -> Iterator[Sequence[exports.Cell]]:
    """The money of every partner, for a file."""
    lines = _lines(Totals.of(replay.totals))
    for first in range(0, len(lines), EXPORT_SIZE):
        some = lines[first : first + EXPORT_SIZE]
        names = partners.partner_names(session, partner_ids=[line.partner_id for line in some])
        for line in some:
            amounts = (line.today, line.tomorrow, line.difference)
            yield (_key(line), names.get(line.partner_id, ""), *amounts, g.program.currency)


def order_cells(session: Session, replay: Replay) -> Iterator[Sequence[exports.Cell]]:
    """Every order that would change and is kept, for a file: a row for each partner in it. Where not all are kept, the last says so."""
    for found in every_page(lambda at: changes(session, replay_id=replay.id, cursor=at, size=EXPORT_SIZE)):
        names = partners.partner_names(session, partner_ids=sorted(_partners(found)))
        for each in found.rows:
            for one in sorted({*each.today, *each.tomorrow}):
                amounts = (Money(sums.get(one, 0), g.program.currency) for sums in (each.today, each.tomorrow))
                order = (ids.public("cnv", each.id), each.order_id, each.at)
                partner_id = UUID(one)
                yield (*order, ids.public("ptn", partner_id), names.get(partner_id, ""), *amounts, g.program.currency)
    totals = Totals.of(replay.totals)
    if (kept := _kept(totals)) is not None:
        yield (f"the first {kept} of {totals.changed} orders that would change", *[None] * (len(ORDERS_HEAD) - 1))


def _partners(changed: Page) -> set[UUID]:
    return {UUID(one) for each in changed.rows for one in (*each.today, *each.tomorrow)}


def _changed(replay: Replay, each: Any, names: Mapping[UUID, str]) -> dict[str, Any]:
    def told(earned: Mapping[str, int]) -> list[str]:
        return [
            f"{names.get(UUID(one), '–')} {formats.money(Money(minor, g.program.currency))}"
            for one, minor in earned.items()
        ]

    return {
        "url": url_for("console.replay_change", replay_id=replay.id, conversion_id=each.id),
        "order": each.order_id,
        "at": each.at,
        "today": told(each.today),
        "tomorrow": told(each.tomorrow),
    }


def change(session: Session, found: Any) -> dict[str, Any]:
    """Both traces of an order, as threads."""
    change, conversion, today = found

    def thread(trace: Mapping[str, Any]) -> list[dict[str, Any]]:
        names = evidence.names_in(session, trace=trace)
        return touches.thread(
            touches.read(trace),
            Reader(Audience.MANAGER, conversion.id, names.partners, names.links),
            order_id=conversion.order_id,
            converted_at=conversion.occurred_at,
            window_days=int(trace.get("window_days", g.program.attribution_window_days)),
        )

    default = g.program.attribution_window_days
    return {
        "order": conversion.order_id,
        "order_url": url_for("console.conversion", conversion_id=conversion.id),
        "replay_url": url_for("console.replay", replay_id=change.replay_id),
        "today": {"rule": policies.rule(today, default_days=default), "thread": thread(today)},
        "tomorrow": {"rule": policies.rule(change.trace, default_days=default), "thread": thread(change.trace)},
    }
