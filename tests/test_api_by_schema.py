"""Generated calls against the running application: whatever is sent, the answer is one that the document promises."""

from typing import Any

import factories
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance
from sqlalchemy.orm import Session

from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.accounts.keys import SCOPES

pytestmark = pytest.mark.schemathesis

EXAMPLES = 8
OPERATIONS_MIN = 17  # an empty document would promise nothing


@pytest.fixture
def key(app_session: Session) -> dict[str, str]:
    """The header of a key that may do everything in a program with a row of each kind."""
    program = factories.make_program(app_session, slug="schema")
    partner = factories.make_partner(app_session, program=program)
    factories.make_link(app_session, program=program, partner=partner)
    factories.make_conversion(app_session, program=program)
    actor = Actor(kind="user", id=factories.make_user(app_session).id)
    scopes = [scope for scope in SCOPES if scope != "admin"]
    _key, secret = accounts.create_api_key(
        app_session, program_id=program.id, name="Schema", scopes=scopes, actor=actor, now=factories.NOW
    )
    app_session.commit()
    return {"Authorization": f"Bearer {secret}"}


def test_whatever_is_sent_the_answer_is_one_that_the_document_promises(app: Flask, key: dict[str, str]) -> None:
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    operations = [found.ok() for found in document.get_all_operations()]
    assert len(operations) >= OPERATIONS_MIN
    assert [failure for operation in operations for failure in _failures(operation, key)] == []


def _failures(operation: Any, key: dict[str, str]) -> list[str]:
    """Generated calls of one operation; the first broken promise, if there is one.

    The library's own marker for pytest does not know this pytest; its strategies do.
    """

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy())
    def call(case: schemathesis.Case) -> None:
        # A program's own currency, its decimals and its hosts are not in the document, nor that days stand in order: a
        # call may be refused for them.
        is_free = operation.method == "post" or "/reports/" in operation.path
        excluded = [positive_data_acceptance] if is_free else []
        case.call_and_validate(headers=key, excluded_checks=excluded)

    try:
        call()
    except (AssertionError, FailureGroup) as failure:
        return [f"{operation.label}: {failure}"]
    return []
