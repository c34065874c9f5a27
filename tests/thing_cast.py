"""One of each thing that a program has and that an address of the console names."""

import enum
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from creative_cast import make_creative
from factories import (
    make_application,
    make_commission,
    make_link,
    make_partner,
    make_payout,
    make_plan,
    make_refund,
)
from newsletter_cast import make_issue
from sqlalchemy.orm import Session
from tax_cast import PDF, make_profile

from affiliate import files, ids
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import User
from affiliate.attribution.models import Attribution
from affiliate.commissions import simulating
from affiliate.commissions.models import PlanExample, ValidationFile
from affiliate.creatives.kinds import CreativeKind
from affiliate.fraud.models import FraudVerdict
from affiliate.ingest.models import Conversion, DeadLetter
from affiliate.joining.models import Article, Invitation
from affiliate.links.models import ConfirmedSite
from affiliate.newsletters.models import NewsletterDelivery, Prospect
from affiliate.notifications.models import ChatHook, PostbackAddress
from affiliate.papers.models import FiledInvoice, Paper
from affiliate.payouts.models import Adjustment, PartnerCost
from affiliate.privacy.models import ErasureRequest
from affiliate.programs.models import Goal, Program
from affiliate.relations import service as cases
from affiliate.relations.bulk_models import BulkAct, BulkKind
from affiliate.relations.care_models import Duty, PartnerGoal, PartnerSegment
from affiliate.relations.claims import Claim
from affiliate.relations.models import CaseKind, CaseMessage, Side
from affiliate.replay import service as replays
from affiliate.replay.models import ReplayChange
from affiliate.reports.combined_models import Combination
from affiliate.reports.models import SavedReport
from affiliate.reports.shared_models import SharedReport
from affiliate.reports.written_models import Annotation, Campaign, ServiceEntry
from affiliate.steering.models import KpiWatch
from affiliate.taxes.models import TaxRule

ROWS: dict[str, type] = {
    "ann": Annotation, "cmp": Campaign, "cst": PartnerCost,
    "man": Adjustment, "pba": PostbackAddress, "shr": SharedReport, "sve": ServiceEntry, "txr": TaxRule, "val": ValidationFile,
    "article_id": Article, "duty_id": Duty, "goal_id": Goal, "invitation_id": Invitation, "letter_id": DeadLetter,
    "prospect_id": Prospect, "request_id": ErasureRequest, "segment_id": PartnerSegment,
}  # fmt: skip
"""Things whose row says it all, by the prefix of their public id or by the name of their place in an address."""
OF_PARTNER = "answer_goal goal_id", "propose_goal_change goal_id"
SAID = {
    "dimensions": ["link"],
    "events": [],
    "findings": [],
    "language": "en",
    "locale": "en",
    "time_zone": "UTC",
    "url": "https://shop.example/",
}
"""What stands in the columns of these names. Other texts say the program's name in addresses, and JSON holds nothing."""
PHOTO = "photo"
"""The key of the answer that is a file, in the application."""


class Things:
    """A program's partner with one of each thing; `ids` are these as they stand in addresses, by prefix or name of the place.

    Where one endpoint needs another thing than the rest, its key is the endpoint and the place.
    """

    def __init__(self, session: Session, *, program: Program, clerk: User, owner: User, now: datetime) -> None:
        self.session, self.program, self.clerk, self.now = session, program, clerk, now
        self.actor = Actor("user", clerk.id)
        self.partner = make_partner(session, program=program, user=owner)
        application = make_application(session, program=program, partner=self.partner, user=owner)
        application.answers = {PHOTO: {"file_id": str(self._file()), "name": "a.pdf"}}
        self.ids: dict[str, str] = {}
        self._note(ptn=self.partner.id, usr=clerk.id)
        for step in (self._orders, self._money, self._rules, self._words, self._ways_in):
            step()
        for place, table in ROWS.items():
            self._note(**{place: self._row(table)})
        self._note(blk=self._row(BulkAct, kind=BulkKind.RETIRE_CREATIVES), cmb=self._row(Combination, partner_id=None))
        self._note(exm=self._row(PlanExample, order={"amount_minor": 100_00}))
        self._note(cht=self._row(ChatHook, partner_id=None))
        self._note(watch_id=self._row(KpiWatch, key="conversions"))
        asked = self._row(PartnerGoal, proposed_by=Side.PARTNER)
        ours = self._row(PartnerGoal, proposed_by=Side.PROGRAM, replaces_id=asked)
        self._note(**dict.fromkeys(OF_PARTNER, asked), **{"answer_goal take-back goal_id": ours})
        session.flush()

    def kept_by(self, person: User) -> str:
        """The public id of a report that this person keeps for themselves."""
        return ids.public("rep", self._row(SavedReport, partner_id=None, user_id=person.id))

    def _note(self, **rows: UUID) -> None:
        for place, identifier in rows.items():
            is_plain = place.endswith("_id")
            self.ids[place] = str(identifier) if is_plain else ids.public(place.rpartition(" ")[2], identifier)

    def _orders(self) -> None:
        link = make_link(self.session, program=self.program, partner=self.partner)
        earned = make_commission(
            self.session, program=self.program, partner=self.partner, link=link, earned_at=self.now
        )
        conversion = self.session.get_one(Conversion, earned.conversion_id)
        refund = make_refund(self.session, conversion=conversion, amount_minor=10_00, is_set_aside=True)
        self._note(com=earned.id, cnv=conversion.id, ref=refund.id)
        self.order = {"conversion_id": conversion.id, "attribution_id": earned.attribution_id}
        self._row(FraudVerdict, **self.order)
        self._note(site=self._row(ConfirmedSite, link_id=link.id))

    def _money(self) -> None:
        payout = make_payout(self.session, program=self.program, partner=self.partner, proposer=self.clerk)
        self._note(
            pay=payout.id, run=payout.run_id, inv=self._row(FiledInvoice, payout_id=payout.id, file_id=self._file())
        )
        said = {"number": "1", "corrects": None}
        paper = self._row(Paper, payout_id=payout.id, file_id=self._file(), document=said)
        make_profile(self.session, self.program, self.partner.id, rule=None)
        self._note(ppr=paper)

    def _rules(self) -> None:
        plan = make_plan(self.session, program=self.program, effective_from=None, published_at=None)
        days = {"starts_at": plan.created_at, "ends_at": self.now, "actor": self.actor, "now": self.now}
        simulation = simulating.start(self.session, plan=plan, **days)
        replay = replays.start(self.session, program_id=self.program.id, policy=None, **days)
        trace = self.session.get_one(Attribution, self.order["attribution_id"]).trace
        self.session.add(
            ReplayChange(replay_id=replay.id, **self.order, occurred_at=self.now, today={}, tomorrow={}, trace=trace)
        )
        self._note(pln=plan.id, sim=simulation.id, rpl=replay.id)

    def _words(self) -> None:
        here: dict[str, Any] = {"program": self.program, "now": self.now}
        claim = Claim(CaseKind.WRONG_AMOUNT, "Too little", "1001")
        case = cases.open_case(self.session, **here, partner_id=self.partner.id, claim=claim, actor=self.actor)
        proof = self._row(CaseMessage, case_id=case.id, file_id=self._file())
        snippet, banner = (make_creative(self.session, **here, kind=kind) for kind in (CreativeKind.HTML, CreativeKind.BANNER))  # fmt: skip
        issue = make_issue(self.session, **here)
        self._note(cas=case.id, message_id=proof, crv=snippet.id, nws=issue.id)
        self._note(**{"creative_file crv": banner.id})
        self._note(delivery_id=self._row(NewsletterDelivery, issue_id=issue.id, user_id=self.clerk.id))

    def _ways_in(self) -> None:
        key, _secret = accounts.create_api_key(
            self.session, program_id=self.program.id, name="Shop", scopes=["reports:read"], actor=self.actor, now=self.now
        )  # fmt: skip
        self._note(key=key.id)

    def _file(self) -> UUID:
        return files.keep(self.session, files.File("a.pdf", "application/pdf", PDF), now=self.now)

    def _row(self, table: Any, **facts: Any) -> UUID:
        """A row of this program and partner: what must stand in it and is not given is the plainest that can."""
        own = {"program_id": self.program.id, "partner_id": self.partner.id, "currency": self.program.currency}
        columns = sa.inspect(table).columns
        values = {column.key: self._plain(column) for column in columns if _is_needed(column)}
        values |= {name: value for name, value in own.items() if name in columns}
        row = table(**values | {"id": ids.new()} | facts)
        self.session.add(row)
        self.session.flush()
        return UUID(str(row.id))

    def _plain(self, column: Any) -> Any:
        if any(key.column.table.name == "users" for key in column.foreign_keys):
            return self.clerk.id
        if column.key in SAID or isinstance(column.type, sa.JSON):
            return SAID.get(column.key, {})
        kind = column.type.python_type
        if issubclass(kind, enum.Enum):
            return next(iter(kind))
        plain = {int: 1, str: self._text(column), bool: False, date: self.now.date(), UUID: ids.new()}
        if column.key == "ends_on":
            return self.now.date() + timedelta(days=1)
        return plain.get(kind, self.now)  # our own type of moments names no type of Python

    def _text(self, column: Any) -> str:
        return self.program.slug[: column.type.length] if isinstance(column.type, sa.String) else ""


def _is_needed(column: Any) -> bool:
    return not column.nullable and column.default is None and column.server_default is None
