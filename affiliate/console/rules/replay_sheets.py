"""How the pages of replays are shaped."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from affiliate import formats
from affiliate.console import presenters, words
from affiliate.money import Money
from affiliate.partners import queries as partners
from affiliate.replay import queries, report, service
from affiliate.replay.engine import Totals
from affiliate.replay.models import Replay, ReplayStatus
from affiliate.reports import evidence, policies, touches, what_if
from affiliate.reports.touches import Audience, Reader

LINES_MAX = 200


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
    """One replay: the question, how far it is, money by partner, and the orders that would change."""
    totals = Totals.of(replay.totals)
    lines = report.lines(totals, currency=g.program.currency)[:LINES_MAX]
    changed = queries.changes(session, replay_id=replay.id)
    everybody = {line.partner_id for line in lines} | {UUID(one) for row in changed for one in _partners(row[0])}
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
            for line in lines
        ],
        "sums": {"today": today, "tomorrow": tomorrow, "difference": tomorrow - today},
        "changed": [_changed(replay, each, names) for each in changed],
        "acts": {
            "stop": replay.status is ReplayStatus.RUNNING,
            "resume": replay.status in {ReplayStatus.STOPPED, ReplayStatus.FAILED},
            "publish": replay.status is ReplayStatus.DONE and replay.terms is not None,
        },
        "replay_id": replay.id,
    }


def _answer(replay: Replay, totals: Totals, difference: Money) -> str:
    if replay.status is ReplayStatus.RUNNING:
        return str(_("The orders are being decided again. You may close this page."))
    told = ngettext("%(num)s order would change", "%(num)s orders would change", totals.changed)
    return str(_("%(changed)s, and commission by %(difference)s.", changed=told, difference=formats.money(difference)))


def _partners(change: Any) -> set[str]:
    return {*change.today, *change.tomorrow}


def _changed(replay: Replay, each: Any, names: Mapping[UUID, str]) -> dict[str, Any]:
    change, order_id, _trace = each

    def told(earned: Mapping[str, int]) -> list[str]:
        return [
            f"{names.get(UUID(one), '–')} {formats.money(Money(minor, g.program.currency))}"
            for one, minor in earned.items()
        ]

    address = {"replay_id": replay.id, "conversion_id": change.conversion_id}
    return {
        "url": url_for("console.replay_change", **address),
        "order": order_id,
        "at": change.occurred_at,
        "today": told(change.today),
        "tomorrow": told(change.tomorrow),
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
