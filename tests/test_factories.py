"""The factories insert rows that the real schema takes."""

import factories
from sqlalchemy.orm import Session


def test_a_whole_chain_of_rows_fits(session: Session) -> None:
    program = factories.make_program(session)
    user = factories.make_user(session)
    partner = factories.make_partner(session, program=program, user=user)
    link = factories.make_link(session, program=program, partner=partner)
    click = factories.make_click(session, link=link)
    conversion = factories.make_conversion(session, program=program, click_id=click.id)
    attribution = factories.make_attribution(session, conversion=conversion, partner=partner, link=link)
    session.commit()
    assert attribution.conversion_id == conversion.id
