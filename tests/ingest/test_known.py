"""What SQL tells the tracker of events that Redis has forgotten."""

from uuid import UUID

import factories
import pytest
import sqlalchemy as sa

from affiliate import db, ids
from affiliate.ingest import known
from affiliate.settings import Settings
from affiliate.tracking.codec import Trust
from affiliate.tracking.known import KnownEvent, patiently

NOBODY = UUID("01998f00-0000-7000-8000-0000000000a1")


@pytest.mark.usefixtures("settings")
def test_trust_and_fingerprint_of_what_is_stored_are_told() -> None:
    with db.transaction() as session:
        program = factories.make_program(session)
        sale = factories.make_conversion(session, program=program, trust=Trust.SIGNED, fingerprint="a" * 64)
        refund = factories.make_refund(session, conversion=sale, amount_minor=100, fingerprint="b" * 64)
        stage = factories.make_order_event(session, conversion=sale, fingerprint="c" * 64)
        found = sale.id, refund.id, stage.id
    assert known.lookup("conversion", [found[0], NOBODY]) == {found[0]: KnownEvent(Trust.SIGNED, "a" * 64)}
    assert known.lookup("refund", [found[1], NOBODY]) == {found[1]: KnownEvent(Trust.SERVER, "b" * 64)}
    assert known.lookup("order", [found[2], NOBODY]) == {found[2]: KnownEvent(Trust.SERVER, "c" * 64)}
    assert known.lookup("conversion", [ids.new() for _ in range(2_000)]) == {}


def test_a_database_without_the_table_counts_as_knowing_nothing(settings: Settings) -> None:
    with db.transaction() as session:
        session.execute(sa.text("DROP TABLE refunds"))
    assert settings.env == "test"
    with pytest.raises(sa.exc.OperationalError):
        known.lookup("refund", [NOBODY])
    assert patiently(known.lookup)("refund", [NOBODY]) == {}
