"""How the demo's people pay: proposed by the manager on a day of the month, approved by finance the day after, paid the next day."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.demo import taxes
from affiliate.payouts import service as payouts

PAYOUT_DAY = 25


@dataclass(slots=True)
class Treasury:
    """The people who pay, and where their present run stands."""

    program_id: UUID
    manager: Actor
    finance: Actor
    _proposed: UUID | None = None
    _approved: UUID | None = None
    _months: set[tuple[int, int]] = field(default_factory=set)

    def work(self, session: Session, *, now: datetime) -> None:
        """What is to do at the end of a day: one step of the run that is under way, or a new run in the last days of a month."""
        if self._approved is not None:
            run_id, self._approved = self._approved, None
            payouts.mark_paid(session, run_id=run_id, program_id=self.program_id, actor=self.finance, now=now)
        elif self._proposed is not None:
            self._approved, self._proposed = self._proposed, None
            payouts.approve_run(session, run_id=self._approved, program_id=self.program_id, actor=self.finance, now=now)
            taxes.issue(session, now=now)
        elif now.day >= PAYOUT_DAY and (now.year, now.month) not in self._months:
            self._propose(session, now=now)

    def _propose(self, session: Session, *, now: datetime) -> None:
        try:
            run = payouts.propose(session, program_id=self.program_id, actor=self.manager, now=now)
        except payouts.NothingToPay:
            return
        self._proposed = run.id
        self._months.add((now.year, now.month))
