"""The work list: each thing that waits becomes one line with its age and one step. Values in, lines out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats, ids
from affiliate.canary.models import CanaryRun, CanaryState
from affiliate.console import presenters, words
from affiliate.console.goals import kpi_sheets
from affiliate.console.partners import partner_sheets
from affiliate.console.queries.stirring import Waiting
from affiliate.console.queries.work import Maturing, Refused, Validating
from affiliate.ledger.models import LedgerProof
from affiliate.money import Money
from affiliate.partners.models import EnrollmentStatus
from affiliate.payouts.models import PayoutStatus
from affiliate.payouts.payable import Payable
from affiliate.web import request_now

LATE, TODAY, WEEK = "late", "today", "week"


@dataclass(frozen=True, slots=True)
class Act:
    """Something that is done in place, by one press."""

    label: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class Item:
    """One line: what it is, why it waits, since when, and the step to take. `acts` are posted in place."""

    kind: str
    group: str
    icon: str
    title: str
    detail: str
    url: str
    step: str
    at: datetime | None = None
    acts: Sequence[Act] = ()
    pick: str = ""  # the value by which several lines of one kind are chosen at once
    stands_for: int = 1  # decisions: a line that closes a list which was cut counts what it leaves out


def page(items: Sequence[Item], chosen: str) -> dict[str, Any]:
    """The lines in their groups, the oldest first, and the filter by kind."""
    kinds = _kinds()
    counts = {kind: _decisions(item for item in items if item.kind == kind) for kind in kinds}
    chips = [presenters.chip(_("All"), current=chosen not in kinds, count=_decisions(items), kind=None)]
    chips += [
        presenters.chip(word, current=kind == chosen, count=counts[kind], kind=kind)
        for kind, word in kinds.items()
        if counts[kind]
    ]
    shown = [item for item in items if chosen not in kinds or item.kind == chosen]
    ordered = sorted(shown, key=lambda item: item.at.timestamp() if item.at else float("inf"))
    groups = [_group(name, [item for item in ordered if item.group == name]) for name in (LATE, TODAY, WEEK)]
    return {
        "count": _decisions(items),
        "late": _decisions(item for item in items if item.group == LATE),
        "chips": chips,
        "groups": [each for each in groups if each["items"]],
        "picks": sum(bool(item.pick) for item in shown) > 1,
    }


def _decisions(items: Iterable[Item]) -> int:
    return sum(item.stands_for for item in items)


def with_rest(shown: list[Item], counted: Waiting, told: Callable[[int], str], url: str) -> list[Item]:
    """The lines of a kind, closed by one that says how many more there are; what is late of these says so for itself."""
    left = counted.count - len(shown)
    if left <= 0 or not shown:
        return shown
    late = min(max(counted.late - sum(item.group == LATE for item in shown), 0), left)
    last = shown[-1]
    parts = ((LATE, late), (last.group if last.group != LATE else TODAY, left - late))
    step = _("See all") if url else ""
    return shown + [
        Item(last.kind, group, last.icon, told(count), "", url, step, stands_for=count) for group, count in parts if count
    ]  # fmt: skip


def _kinds() -> dict[str, str]:
    return {
        "application": _("Applications"),
        "commission": _("Commissions"),
        "payout": _("Payouts"),
        "case": _("Cases"),
        "review": _("Under review"),
        "partner": _("Partners"),
        "creative": _("Creatives"),
        "deadline": _("Deadlines"),
        "goal": _("Goals"),
        "delivery": _("Not delivered"),
        "event": _("Events"),
        "books": _("Books"),
    }


def _group(name: str, items: Sequence[Item]) -> dict[str, Any]:
    words_of = {LATE: (_("Late"), "alert-triangle"), TODAY: (_("Today"), "clock"), WEEK: (_("This week"), "calendar")}
    title, icon = words_of[name]
    told = ngettext("%(num)d decision", "%(num)d decisions", _decisions(items))
    lines = [{"item": item, "age": presenters.age(item.at) if item.at else ""} for item in items]
    return {"name": name, "title": title, "icon": icon, "told": told, "items": lines}


def urgency(since: datetime) -> str:
    """What waits for days is late; all else is for today."""
    return LATE if request_now() - since > kpi_sheets.DECIDED_WITHIN else TODAY


def applications(rows: Sequence[Any], weighed: Mapping[UUID, Mapping[str, Any]]) -> list[Item]:
    """Each application that waits, with what the rules say of it and until when an answer is promised.

    Approving takes one press, refusing asks for a reason on its page.
    """
    return [_application(row, _weighed(weighed.get(row.id))) for row in rows]


def _application(row: Any, weighed: Sequence[str]) -> Item:
    answer_by = row.waits_since + timedelta(days=g.program.application_answer_days)
    said = presenters.first_answer(row.answers) or row.website or _("Without a word about itself.")
    promised = _("An answer is promised by %(at)s.", at=formats.instant(answer_by))
    return Item(
        kind="application",
        group=LATE if answer_by < request_now() else TODAY,
        icon="file-text",
        title=_("Application: %(name)s", name=row.name),
        detail=" ".join([said, *weighed, f"— {promised}"]),
        url=url_for("console.partner", partner_id=row.partner_id),
        step=_("Open"),
        at=row.waits_since,
        acts=[Act(_("Approve"), "check", _approve_url(row.partner_id))],
        pick=ids.public("ptn", row.partner_id),
    )


def _weighed(found: Mapping[str, Any] | None) -> list[str]:
    """The score and the suggestion as a sentence, and each doubt."""
    if found is None:
        return []
    suggested = _("Score: %(score)s of 100, suggestion: %(advice)s.", score=found["score"], advice=found["sign"].word)
    return [f"— {suggested}", *found["doubts"]]


def _approve_url(partner_id: UUID) -> str:
    return partner_sheets.act_urls(partner_id, EnrollmentStatus.PENDING)["approve"]


def payouts(runs: Sequence[Any], *, me: UUID) -> list[Item]:
    """Each run that waits for a second person, or for the bank."""
    return [_run(row, mine=row.proposed_by_id == me) for row in runs]


def _run(row: Any, *, mine: bool) -> Item:
    amount = formats.money(Money(row.total_minor, row.currency))
    title = ngettext(
        "Payout run: %(amount)s to %(num)d partner",
        "Payout run: %(amount)s to %(num)d partners",
        row.partners,
        amount=amount,
    )
    since = row.proposed_at
    if row.status is PayoutStatus.APPROVED:
        since = row.approved_at
        detail, step = _("Approved. Mark it as paid once the bank has sent it."), _("Open")
    elif mine:
        detail, step = _("Proposed by you. Another person must approve it."), _("Open")
    else:
        detail, step = (
            _("Proposed by %(name)s. It waits for a second person.", name=row.proposed_by),
            _("Check and approve"),
        )
    url = url_for("console.payout_run", run_id=row.id)
    return Item("payout", urgency(since), "building-bank", title, detail, url, step, since)


def adjustments(found: Waiting) -> list[Item]:
    """Entries by hand that wait for a second person, in one line."""
    if not found.count or found.since is None:
        return []
    title = ngettext(
        "%(num)d entry by hand waits for a second person",
        "%(num)d entries by hand wait for a second person",
        found.count,
    )
    detail = _("Who entered it cannot approve it.")
    url = url_for("console.adjustments")
    return [Item("payout", urgency(found.since), "pencil", title, detail, url, _("Decide"), found.since)]


def payable(found: Payable) -> list[Item]:
    """What could be paid and is in no run."""
    if not found.partners:
        return []
    amount = formats.money(presenters.amount(found.total_minor))
    title = ngettext(
        "%(amount)s can be paid to %(num)d partner",
        "%(amount)s can be paid to %(num)d partners",
        found.partners,
        amount=amount,
    )
    detail = _("Propose a run; a second person approves it.")
    return [Item("payout", WEEK, "wallet", title, detail, url_for("console.payouts"), _("Look and propose"))]


def maturing(found: Maturing) -> list[Item]:
    """The commissions that are approved by themselves soon: the last moment to look."""
    if not found.count or found.first_at is None:
        return []
    amount = formats.money(presenters.amount(found.amount_minor))
    title = ngettext(
        "%(num)d commission is validated within 7 days, %(amount)s",
        "%(num)d commissions are validated within 7 days, %(amount)s",
        found.count,
        amount=amount,
    )
    detail = _(
        "They are approved by themselves from %(day)s on. Decline what should not be paid.",
        day=formats.day(max(found.first_at, request_now())),  # what is due already waits for the next round alone
    )
    url = url_for("console.commissions", status="pending", due="7")
    return [Item("commission", WEEK, "coin", title, detail, url, _("Review"))]


def validating(found: Validating) -> list[Item]:
    """What the shop has to say yes or no to until the month is over, by its list or by days."""
    if not found.count:
        return []
    amount = formats.money(presenters.amount(found.amount_minor))
    title = ngettext(
        "%(num)d commission to validate this month, %(amount)s",
        "%(num)d commissions to validate this month, %(amount)s",
        found.count,
        amount=amount,
    )
    detail = _("Upload the shop's list, or say for the orders of some days what became of them.")
    if found.awaiting:
        waits = ngettext(
            "%(num)d of them waits for its order to be paid, shipped or delivered, and is not approved by itself.",
            "%(num)d of them wait for their orders to be paid, shipped or delivered, and are not approved by themselves.",
            found.awaiting,
        )
        detail = f"{detail} {waits}"
    return [Item("commission", WEEK, "clipboard-check", title, detail, url_for("console.validation"), _("Validate"))]


def refused(found: Sequence[Refused]) -> list[Item]:
    """Events refused in the last days, in one line."""
    if not found:
        return []
    count = sum(each.count for each in found)
    title = ngettext("%(num)d event was refused in 7 days", "%(num)d events were refused in 7 days", count)
    detail = ", ".join(f"{words.reject_reason(each.reason)}: {formats.number(each.count)}" for each in found)
    newest = max(each.newest_at for each in found)
    return [Item("event", TODAY, "ban", title, detail, url_for("console.rejected"), _("Open"), newest)]


def dead_letters(count: int, oldest: datetime | None) -> list[Item]:
    """Events that could not be stored."""
    if not count:
        return []
    title = ngettext("%(num)d event could not be stored", "%(num)d events could not be stored", count)
    detail = _("Nothing is lost: they wait with their error, and can be tried again.")
    return [Item("event", LATE, "alert-triangle", title, detail, url_for("console.dead_letters"), _("Open"), oldest)]


def books(proof: LedgerProof | None) -> list[Item]:
    """What the proof of the books found."""
    if proof is None or not proof.findings:
        return []
    detail = str(proof.findings[0])
    return [
        Item(
            "books",
            LATE,
            "scale",
            _("The books do not balance"),
            detail,
            url_for("console.ledger"),
            _("See the finding"),
            proof.checked_at,
        )
    ]


def canary(run: CanaryRun | None = None) -> list[Item]:
    """Where the installation's own test order stopped."""
    if run is None or run.state is not CanaryState.FAILED:
        return []
    detail = run.finding or ""
    return [
        Item(
            "event",
            LATE,
            "plug",
            _("A test order did not go the whole way"),
            detail,
            url_for("console.requests"),
            _("See the last requests"),
            run.started_at,
        )
    ]


def goals(lines: Sequence[Mapping[str, Any]]) -> list[Item]:
    """Goals that are behind, and limits that are used up too fast: as the page of goals says it."""
    return [
        Item(
            kind="goal",
            group=WEEK,
            icon="target",
            title=_("Goal “%(goal)s”: %(state)s", goal=line["title"], state=line["sign"].word),
            detail=" ".join(
                [
                    _("%(reached)s of %(target)s.", reached=line["reached"], target=line["target"]),
                    *line["told"],
                ]
            ),
            url=url_for("console.goals"),
            step=_("Open"),
        )
        for line in lines
    ]
