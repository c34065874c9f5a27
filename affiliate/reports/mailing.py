"""Reports that go out by mail: once for each time they are due, in the reader's language, to who may still see them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, formats, mailer, settings
from affiliate.accounts import queries as accounts
from affiliate.accounts.models import GrantRole, User
from affiliate.mailer import Letter, OutboxMail
from affiliate.partners import queries as partners
from affiliate.programs import addresses
from affiliate.programs.models import Program
from affiliate.reports import asked, dimensions, grids, pages, stopping, tables, timetable
from affiliate.reports.asked import PARTNERS_OWN, PROGRAMS, Asked
from affiliate.reports.dimensions import Scope
from affiliate.reports.language import spoken
from affiliate.reports.models import ReportMailing, SavedReport
from affiliate.reports.narrowing import Chooser
from affiliate.reports.page_question import Question
from affiliate.reports.pages import Wanted
from affiliate.reports.periods import Period
from affiliate.reports.sheet import Rows, Sheet, sheet
from affiliate.reports.timetable import Every
from affiliate.speech import say

N_ = str  # marks a sentence for the translators

ROWS_MAX = 20
_READS = frozenset(GrantRole) - {GrantRole.PARTNER}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A report's mail, written but not sent, and when the next one is due; both null for who may not see it any more."""

    report_id: UUID
    expected_at: datetime
    due_at: datetime
    next_at: datetime | None
    mail: OutboxMail | None


def written(session: Session, *, report_id: UUID, chooser: Chooser, now: datetime) -> Outgoing | None:
    """The mail of a report that is due, not sent yet; null if it is not due any more. `chooser` knows what it is narrowed to.

    After a silence one mail comes, about the days that ended last. Null, too, while figures of it are being counted for the
    first time: it goes when they are.
    """
    report = session.get(SavedReport, report_id)
    if report is None or report.every is None or report.next_at is None or report.next_at > now:
        return None
    due_at = _last_due(report, report.every, report.next_at, now)
    following = timetable.next_at(report.every, hour=report.hour, zone=report.time_zone, after=now)
    person, program = session.get_one(User, report.user_id), session.get_one(Program, report.program_id)
    if not _may_see(session, report, person):
        return Outgoing(report_id, report.next_at, due_at, None, None)
    period = timetable.covered(report.every, due_at=due_at, zone=report.time_zone)
    told_about: dict[str, Any] = {"period": period, "chooser": chooser, "now": now}
    try:
        mail = _mail(session, report, person, program, **told_about)
    except grids.NotCounted:
        return None
    return Outgoing(report_id, report.next_at, due_at, following, mail)


def send(session: Session, *, outgoing: Outgoing, now: datetime) -> bool:
    """Put the mail into the outbox and set the report's next time; false if somebody else did, or there is none.

    The row that is claimed, the note of the mailing and the mail are one transaction: whoever is killed has sent nothing.
    """
    mine = (SavedReport.id == outgoing.report_id, SavedReport.next_at == outgoing.expected_at)
    values: dict[str, Any] = {"next_at": outgoing.next_at} | ({} if outgoing.next_at else {"every": None})
    claimed = session.execute(sa.update(SavedReport).where(*mine).values(values).returning(SavedReport.id)).first()
    if claimed is None or outgoing.mail is None:
        return False
    note = {"report_id": outgoing.report_id, "due_at": outgoing.due_at, "sent_at": now}
    if not db.insert_new(session, ReportMailing, [note]):
        return False
    session.add(outgoing.mail)
    return True


def _last_due(report: SavedReport, every: Every, due_at: datetime, now: datetime) -> datetime:
    """The last of the times that have passed."""
    while (later := timetable.next_at(every, hour=report.hour, zone=report.time_zone, after=due_at)) <= now:
        due_at = later
    return due_at


def _may_see(session: Session, report: SavedReport, person: User) -> bool:
    if not person.active:
        return False
    if report.partner_id is None:
        page = pages.read(report.arguments)
        readers = _READS if page is None else page.page.readers
        return bool(accounts.roles_in(session, user_id=person.id, program_id=report.program_id) & readers)
    found = partners.membership(session, user_id=person.id, program_id=report.program_id)
    return found is not None and found[0].id == report.partner_id


def _mail(
    session: Session, report: SavedReport, person: User, program: Program, *, period: Period, chooser: Chooser, now: datetime
) -> OutboxMail:  # fmt: skip
    locale = person.locale or "en"
    configured = settings.current()
    base = addresses.pages(program.own_host if report.partner_id else None, configured)
    page = pages.read(report.arguments) if report.partner_id is None else None
    with spoken(locale, zone=report.time_zone):
        if page is None:
            told = _told(session, report, program, period=period, chooser=chooser, now=now, locale=locale)
        else:
            told = _told_of_page(page, Question(session, program, page.given, period, now), locale)
        days = _days(period)
        letter = Letter(
            subject=f"{report.name}: {days}",
            paragraphs=[
                say(N_("Hello %(name)s,"), locale, name=person.name),
                say(N_("your report “%(report)s” about %(days)s."), locale, report=report.name, days=days),
                *told.more,
            ],
            table=told.table,
            act=(say(N_("Open the report, or fetch it as a file"), locale), f"{base}/{told.address}"),
            why=say(N_("You get this mail because you asked for this report in the partner program of %(program)s."), locale, program=program.name),
        )  # fmt: skip
    stop_url = f"{configured.base_url}/hooks/stop-report/{stopping.write(configured.secret_key, report.id)}"
    return mailer.written(
        recipient=person.email, letter=letter, locale=locale, stop_url=stop_url, program=program, now=now
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What a mail tells: sentences, a table with its head, and where the report stands."""

    more: list[str]
    table: list[list[str]]
    address: str


def _told(
    session: Session, report: SavedReport, program: Program, *, period: Period, chooser: Chooser, now: datetime, locale: str
) -> _Told:  # fmt: skip
    is_inside = report.partner_id is None
    wanted = asked.read(report.arguments, possible=PROGRAMS if is_inside else PARTNERS_OWN).on(period)
    scope = dimensions.of_asked(session, program, wanted, chooser) if is_inside else Scope(program, report.partner_id)
    found = sheet(session, scope=scope, asked_for=wanted, now=now, zone=report.time_zone)
    rows = found.page(size=ROWS_MAX)
    return _Told(_more(rows, locale), _table(found, rows), _address(program, report, wanted))


def _told_of_page(wanted: Wanted, question: Question, locale: str) -> _Told:
    table = wanted.page.table(question)
    more = [] if table else [say(N_("Nothing happened in these days."), locale)]
    address = f"console/{question.program.slug}/{wanted.page.place}?{urlencode(wanted.given)}".removesuffix("?")
    return _Told(more, table, address)


def _days(period: Period) -> str:
    first, last = formats.day(period.days[0]), formats.day(period.days[-1])
    return first if first == last else f"{first} – {last}"


def _more(found: Rows, locale: str) -> list[str]:
    if not found.lines:
        return [say(N_("Nothing happened in these days."), locale)]
    more = found.number - ROWS_MAX
    return [say(N_("%(count)s more rows are in the report."), locale, count=formats.number(more))] if more > 0 else []


def _table(found: Sheet, shown: Rows) -> list[list[str]]:
    """Head, the first rows, the total of all that are asked for, each with what fits into a mail."""
    keys = [key for key in found.columns if key in {"clicks_valid", "conversions", "earnings"}] or list(
        found.columns[:3]
    )
    head = [
        dimensions.label(found.asked.by)[1],
        *(column["label"] for column in tables.columns(keys, at_hand=frozenset())),
    ]
    rows = [[line.name, *_cells(line.facts, keys)] for line in shown.lines]
    return [head, *rows, ["=", *_cells(found.total_of(shown), keys)]] if rows else []


def _cells(facts: Any, keys: list[str]) -> list[str]:
    return [text if text is not None else formats.UNKNOWN for text in tables.values(facts, keys)]


def _address(program: Program, report: SavedReport, wanted: Asked) -> str:
    place = "console/{}/performance" if report.partner_id is None else "portal/{}/statistics"
    arguments = urlencode(replace(wanted, span=None).arguments())
    return f"{place.format(program.slug)}?{arguments}"
