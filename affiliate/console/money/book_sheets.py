"""How the pages of the ledger and of the history are shaped."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _

from affiliate import formats, ids
from affiliate.console import presenters, words
from affiliate.console.blueprint import with_arguments
from affiliate.console.goals import kpi_sheets
from affiliate.console.money import setting_words, trail_words
from affiliate.ledger.models import AccountName, LedgerProof, LedgerSeal
from affiliate.ledger.queries import TransferLine
from affiliate.money import Money
from affiliate.partners import queries as partner_queries
from affiliate.reports.board import FIGURES
from affiliate.steering.thresholds import Side
from affiliate.web import orm

CSV_HEAD = ["posting", "posted_at", "kind", "debit", "credit", "amount", "currency", "partner", "source_kind", "source"]
_SOURCE_PREFIX = {"commission": "com", "adjustment": "adj", "payout": "pay", "manual": "man"}
_VALUE_LENGTH_MAX = 200
_DAYS = frozenset({"due_on", "starts_on", "ends_on", "effective_from", "valid_from"})
_DAY_LENGTH = len("2026-11-16")
_UNSAID = frozenset({"acting_for", "currency"})  # told by the name, and by the amounts
_OF_THE_SHOP = frozenset({"order_id", "refund_id", "event_id"})
PAGE_SIZE = 50


def ledger(
    lines: Sequence[TransferLine],
    balances: Mapping[AccountName, int],
    proof: LedgerProof | None,
    names: Mapping[UUID, str],
    *,
    partner_id: UUID | None,
) -> dict[str, Any]:
    """Balances, proof and movements; one line more than a page says that there is another."""
    shown = lines[:PAGE_SIZE]
    older = ids.public("led", shown[-1].id) if len(lines) > PAGE_SIZE else None
    accounts = [
        {"account": words.account(name), "balance": presenters.amount(balances[name])}
        for name in AccountName
        if name in balances
    ]
    return {
        "accounts": accounts,
        "sum": presenters.amount(sum(balances.values())),
        "whole": partner_id is None,
        "partner": names.get(partner_id) if partner_id else None,
        "proof": None
        if proof is None
        else {
            "ok": not proof.findings,
            "at": proof.checked_at,
            "transfers": proof.transfers,
            "findings": proof.findings,
        },
        "rows": [_line(line, names) for line in shown],
        "older_url": with_arguments(before=older) if older else None,
        "first_url": with_arguments(before=None),
        "csv_url": presenters.with_filters("console.ledger_csv"),
    }


def seal(last: LedgerSeal | None) -> dict[str, Any] | None:
    """The newest seal and the key that checks it."""
    return None if last is None else {"number": last.number, "at": last.sealed_at, "key": last.public_key}


def _line(line: TransferLine, names: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "id": ids.public("led", line.id),
        "at": line.posted_at,
        "kind": words.transfer(line.kind),
        "debit": words.account(line.debit),
        "credit": words.account(line.credit),
        "amount": Money(line.amount_minor, line.currency),
        "partner": presenters.partner_link(line.partner_id, names.get(line.partner_id)),
        "source_url": url_for("console.commission", commission_id=line.source_id)
        if line.source_kind == "commission"
        else None,
    }


def csv_row(line: TransferLine, names: Mapping[UUID, str]) -> list[Any]:
    """A line of the exported ledger."""
    source = ids.public(_SOURCE_PREFIX.get(line.source_kind, "src"), line.source_id)
    money = Money(line.amount_minor, line.currency)
    sides = [line.kind.value, line.debit.value, line.credit.value]
    partner = names.get(line.partner_id, "")
    return [
        ids.public("led", line.id),
        line.posted_at,
        *sides,
        money,
        line.currency,
        partner,
        line.source_kind.value,
        source,
    ]


def trail(rows: Sequence[Any], kinds: Sequence[str], kind: str) -> dict[str, Any]:
    """The history with its filters."""
    chips = [presenters.chip(_("All"), current=kind not in kinds, kind=None)]
    chips += [presenters.chip(trail_words.subject(each), current=each == kind, kind=each) for each in kinds]
    return {"chips": chips, "rows": events(rows)}


def events(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Lines of the history, with the partner on whose behalf somebody acted."""
    partners = [UUID(row.details["acting_for"]) for row in rows if "acting_for" in row.details]
    names = partner_queries.partner_names(orm.session, partner_ids=partners)
    return [_event(row, names) for row in rows]


def _event(row: Any, names: Mapping[UUID, str]) -> dict[str, Any]:
    acting_for = row.details.get("acting_for")
    return {
        "for": names.get(UUID(acting_for)) if acting_for else None,
        "at": row.at,
        "who": row.actor or (_("The system") if row.actor_kind == "system" else _("Somebody who is gone")),
        "is_key": row.actor_kind == "key",
        "what": trail_words.action(row.action),
        "subject": trail_words.subject(row.subject_kind),
        "subject_url": _subject_url(row.subject_kind, row.subject_id, row.details),
        "details": _details(row.details),
    }


def _subject_url(kind: str, identifier: UUID, details: Mapping[str, Any]) -> str | None:
    """The page of the thing, where it has one."""
    if kind == "enrollment" and "partner_id" in details:
        return url_for("console.partner", partner_id=UUID(details["partner_id"]))
    places = {"commission": ("commission", "commission_id"), "payout_run": ("payout_run", "run_id")}
    if kind not in places:
        return None
    endpoint, name = places[kind]
    return url_for(f"console.{endpoint}", **dict[str, Any]({name: identifier}))


def _details(details: Mapping[str, Any]) -> list[str]:
    """What was said with the act: before and after where a setting changed, else name and value."""
    before, after = details.get("before"), details.get("after")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        beside = {name: value for name, value in details.items() if name not in {"before", "after"} and value}
        return _details(beside) + [
            f"{setting_words.setting(name)}: {_value(name, before.get(name))} → {_value(name, value)}"
            for name, value in after.items()
            if before.get(name) != value and (name in _OF_THE_SHOP or not name.endswith("_id"))
        ]
    if (figure := FIGURES.get(details.get("key", ""))) is not None and "threshold" in details:
        told = [details["was"], details] if "was" in details else [details]
        limits = [kpi_sheets.allowed(figure, Side(details["side"]), one["threshold"], one["days"]) for one in told]
        return [f"{_(figure.label)}: {' → '.join(limits)}"]
    return [
        f"{setting_words.setting(name)}: {_value(name, value)}"
        for name, value in details.items()
        if _is_said(name, value)
    ]


def _is_said(name: str, value: Any) -> bool:
    """Ids of ours tell nobody anything, those of the shop do; what is as long as a plan stands on its own page."""
    is_ours = name.endswith("_id") and name not in _OF_THE_SHOP
    return value is not None and name not in _UNSAID and not is_ours and not isinstance(value, Mapping)


def _value(name: str, value: Any) -> str:
    if value is None or value in ("", []):
        return formats.UNKNOWN
    if isinstance(value, bool):
        value = _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))[:_VALUE_LENGTH_MAX]
    if name.endswith("_minor") and isinstance(value, int):
        return formats.money(Money(value, g.program.currency))
    if name.endswith("_bps") and isinstance(value, int):
        return formats.percent_bps(value)
    if isinstance(value, str) and name in _DAYS:
        return formats.day(_moment(value))
    return trail_words.value(name, str(value))[:_VALUE_LENGTH_MAX]


def _moment(text: str) -> date | datetime:
    """A day or an instant, as the history keeps it."""
    return date.fromisoformat(text) if len(text) == _DAY_LENGTH else datetime.fromisoformat(text)
