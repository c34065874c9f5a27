"""Every state that the code knows has its word; a new one without a word fails here, not on a page."""

from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from flask import Flask

from affiliate.accounts import keys
from affiliate.attribution.models import Unattributed
from affiliate.commissions.models import AdjustmentSource
from affiliate.console import words
from affiliate.console.orders import history, order_sheets
from affiliate.console.queries.orders import State
from affiliate.ingest.models import OrderEventType, RejectReason, Trust
from affiliate.ledger.models import AccountName, TransferKind
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs.models import GoalMetric, ProgramStatus


@pytest.mark.parametrize(
    ("word", "members"),
    [
        (words.enrollment, EnrollmentStatus),
        (words.program, ProgramStatus),
        (words.goal_metric, GoalMetric),
        (words.trust, Trust),
        (words.unattributed, Unattributed),
        (words.order_event, OrderEventType),
        (words.reject_reason, RejectReason),
        (words.account, AccountName),
        (words.transfer, TransferKind),
        (order_sheets.sign, State),
        (history.cause, AdjustmentSource),
    ],
)
def test_each_member_has_a_word(app: Flask, word: Callable[[Any], Any], members: type[Enum]) -> None:
    with app.test_request_context():
        said = [word(member) for member in members]
    assert len({getattr(each, "word", each) for each in said}) == len(list(members))


def test_each_scope_says_what_it_opens(app: Flask) -> None:
    with app.test_request_context():
        assert all(words.scope(scope) != scope for scope in keys.SCOPES)
