"""Who changed what last stands beside the form that changes it."""

import re

import pytest
from console_cast import Cast, text_of
from flask.testing import FlaskClient

from affiliate import clock, ids
from affiliate.accounts import audit


@pytest.mark.parametrize(
    ("page", "action", "kind", "said"),
    [
        ("fraud/rules", "fraud.settings", "program", "changed the fraud rules"),
        ("attribution", "attribution_policy.publish", "program", "published an attribution policy"),
        ("rubric", "rubric.set", "program", "changed how applications are weighed"),
        ("settings/brand", "program.sender", "program", "changed whom mails are from"),
        ("plans", "plan.publish", "plan", "published a commission plan"),
    ],
)
def test_the_last_changes_stand_beside_their_form(  # noqa: PLR0917 - a row of the table and the cast
    cast: Cast, mara: FlaskClient, page: str, action: str, kind: str, said: str
) -> None:
    def record(program_id: object, what: str) -> None:
        subject = program_id if kind == "program" else ids.new()
        audit.record(
            cast.session, actor=cast.books.alice, action=what, subject_kind=kind, subject_id=subject,  # type: ignore[arg-type]
            program_id=program_id, now=clock.now(),  # type: ignore[arg-type]
        )  # fmt: skip
        cast.session.commit()

    record(cast.other.id, action)
    assert "Last changes" not in text_of(mara.get(f"/console/casa/{page}"))
    for _number in range(8):
        record(cast.program.id, action)
    if kind == "program":
        record(cast.program.id, "program.payout_policy")
    shown = text_of(mara.get(f"/console/casa/{page}"))
    assert len(re.findall(rf'<span class="b">Mara Example</span> {said}', shown)) == 6
    assert f'href="/console/casa/history?kind={kind}"' in shown
