"""New and returning customers by month: the page, and the same as a file."""

import csv
import io
from datetime import datetime

from console_cast import Cast, text_of
from factories import make_commission
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import clock
from affiliate.attribution.models import Attribution

ADDRESS = "/console/casa/performance/customers"


def _order(cast: Cast, at: datetime, is_new: bool | None, **fields: int) -> None:
    sold = make_commission(cast.session, program=cast.program, partner=cast.partner, earned_at=at, **fields)
    cast.session.get_one(Attribution, sold.attribution_id).is_new_customer = is_new


def test_the_page_and_its_file_tell_both_kinds(mara: FlaskClient, cast: Cast, app_session: Session) -> None:
    assert "No order yet" in text_of(mara.get(ADDRESS))
    for is_new in (True, True, True, False, None):
        _order(cast, clock.now(), is_new)
    app_session.commit()
    assert "75\u00a0% of the orders whose customer is known came from new ones." in text_of(mara.get(ADDRESS))
    rows = list(csv.DictReader(io.StringIO(mara.get(f"{ADDRESS}.csv").text.removeprefix("\ufeff"))))
    assert [(row["customers"], row["conversions"], row["revenue"]) for row in rows[-3:]] == [
        ("new", "3", "300.00"),
        ("returning", "1", "100.00"),
        ("unknown", "1", "100.00"),
    ]
