"""What if: the last replays of other policies beside one another by partner, and what other channels took in the same days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate.partners import queries as partners
from affiliate.programs.models import Program
from affiliate.replay import queries, report, service
from affiliate.replay.engine import Totals
from affiliate.replay.models import Replay, ReplayStatus
from affiliate.replay.report import Line
from affiliate.reports import channels, periods, policies
from affiliate.reports.channels import Lost
from affiliate.reports.periods import Period

BESIDE_MAX = 3
"""How many replays stand beside one another."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The newest finished replays, each with what partners would have by it; what channels took in the days of the first."""

    replays: Sequence[Replay]
    lines: Sequence[dict[UUID, Line]]
    lost: dict[UUID, Lost]
    names: dict[UUID, str]

    @property
    def partner_ids(self) -> list[UUID]:
        """Everybody in it, who earns most today first."""
        everybody = {partner_id for lines in self.lines for partner_id in lines} | set(self.lost)
        today = self.lines[0] if self.lines else {}
        return sorted(everybody, key=lambda one: (-(today[one].today.amount_minor if one in today else 0), one))


def compared(session: Session, *, program: Program) -> Comparison:
    """The replays of a program that are done and asked for another policy; none where nothing was tried."""
    every = queries.replays(session, program_id=program.id)
    done = [one for one in every if one.status is ReplayStatus.DONE and one.terms is not None][:BESIDE_MAX]
    lines = [
        {line.partner_id: line for line in report.lines(Totals.of(one.totals), currency=program.currency)} for one in done
    ]  # fmt: skip
    lost = {}
    if done:
        found = channels.lost_by_partner(session, program_id=program.id, period=_days_of(done[0], program.time_zone))
        lost = {one.partner_id: one for one in found}
    everybody = {partner_id for each in lines for partner_id in each} | set(lost)
    return Comparison(done, lines, lost, partners.partner_names(session, partner_ids=list(everybody)))


def policy(replay: Replay) -> str:
    """The policy that a replay tried, in a few words."""
    proposal = service.proposal(replay)
    if proposal is None:
        return str(_("As decided then"))
    return str(_("%(model)s, %(days)s", model=policies.model(proposal.model), days=policies.days(proposal.window_days)))


def _days_of(replay: Replay, zone: str) -> Period:
    """The days that a replay touches."""
    first = replay.starts_at.astimezone(ZoneInfo(zone)).date()
    end = periods.last_day_before(replay.ends_at, zone=zone) + timedelta(days=1)
    return Period(max(first, end - timedelta(days=periods.DAYS_MAX)), end, zone)
