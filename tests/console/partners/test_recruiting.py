"""A partner's group and recruiter on its page."""

import sqlalchemy as sa
from console_cast import Cast, public, text_of
from factories import make_partner
from flask.testing import FlaskClient

from affiliate.commissions.models import PartnerTerms


def test_a_manager_sets_group_and_recruiter_and_refuses_circles(cast: Cast, mara: FlaskClient) -> None:
    second = make_partner(cast.session, program=cast.program, name="Second")
    stranger = make_partner(cast.session, program=cast.other, name="Stranger")
    cast.session.commit()

    def keep(partner: object, **form: str) -> str:
        address = f"/console/casa/partners/{public('ptn', partner)}/terms"
        return text_of(mara.post(address, data={"group": "", "recruiter": ""} | form, follow_redirects=True))

    page = keep(cast.partner, group="gold", recruiter="second")
    assert "Kept. It counts for orders from now on." in page
    assert 'value="gold"' in page
    assert 'value="Second"' in page
    assert "have recruited one another" in keep(second, recruiter="Slow Kitchen")
    assert '<option value="gold">' in page
    assert '<option value="Stranger">' not in page
    theirs = text_of(mara.get(f"/console/casa/partners/{public('ptn', second)}"))
    assert "It recruited:" in theirs
    assert f">{cast.partner.name}</a>" in theirs
    assert "There is none of this name" in keep(second, recruiter="Stranger")
    assert mara.post(f"/console/casa/partners/{public('ptn', stranger)}/terms").status_code == 404
    assert "Kept." in keep(cast.partner)
    cast.settle()
    [row] = cast.session.scalars(sa.select(PartnerTerms)).all()
    assert (row.group_name, row.recruiter_id) == (None, None)
