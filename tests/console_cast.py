"""The cast of the tests of the console."""

import html
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from money_cast import Books
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from affiliate import clock, ids
from affiliate.accounts.models import User
from affiliate.commissions.models import Commission
from affiliate.partners.models import Partner
from affiliate.programs.models import Program

NO_MOMENTS = ("x", "2026-11-01T10:00:00", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00")
"""What no page of ours writes into its form as the time at which it was read."""


@dataclass(frozen=True)
class Cast:
    """Everybody and everything in these tests. Mara and Max manage, Finn does the money, Ada may do everything."""

    session: Session
    books: Books
    program: Program
    other: Program
    mara: User
    max: User
    finn: User
    ada: User
    partner: Partner
    applicant: Partner

    def sale(self, order_id: str, *, days_ago: int = 1, **fields: Any) -> Commission:
        """A pending commission of ten percent, for the partner unless said otherwise."""
        moment = clock.now() - timedelta(days=days_ago)
        conversion = self.books.order(order_id=order_id, occurred_at=moment, received_at=moment, **fields)
        self.books.work(now=moment)
        commission = self.books.commission(conversion)
        self.settle()
        return commission

    def approved_sale(self, order_id: str, **fields: Any) -> Commission:
        """A commission that waits for a payout."""
        commission = self.sale(order_id, days_ago=60, **fields)
        self.books.work(now=clock.now())
        self.settle()
        return commission

    def settle(self) -> None:
        """Read everything again and end the transaction: SQLite lets nobody else write before."""
        for row in list(self.session):
            self.session.refresh(row)
        self.session.commit()

    def assert_proven(self) -> None:
        """The proof of the books finds nothing."""
        self.books.assert_proven()
        self.session.commit()


def public(prefix: str, row: Any) -> str:
    """The public id of a row, as it stands in addresses."""
    identifier: UUID = row.id
    return ids.public(prefix, identifier)


def text_of(response: TestResponse) -> str:
    """What the page says, with its entities read."""
    return html.unescape(response.text)


def main_of(response: TestResponse) -> str:
    """What stands on the page beside its frame."""
    return text_of(response).partition("<main")[2].partition("</main>")[0]


def settings_of(program: Program, **changes: str) -> dict[str, Any]:
    """The form as the page shows it, with changes."""
    form = {
        "seen_at": program.updated_at.isoformat(), "name": program.name, "mission": "", "description": "", "audience": "",
        "terms": "", "accent": "", "shop_url": program.shop_url, "allowed_hosts": "\n".join(program.allowed_hosts),
        "fallback_url": "", "click_parameter": "aff_click", "time_zone": "UTC", "validation_days": "30", "payout_min": "0.00",
    }  # fmt: skip
    return form | changes
