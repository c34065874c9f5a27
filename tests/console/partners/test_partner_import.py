"""Partners from a table: looked at before they are made, made once, refused with a reason; and the list as a file."""

import io
from typing import Any

import sqlalchemy as sa
from console_cast import Cast, text_of
from factories import make_partner
from flask.testing import FlaskClient

from affiliate.accounts.models import User
from affiliate.mailer import OutboxMail
from affiliate.partners.models import Enrollment, EnrollmentStatus, Member, Partner, PartnerTerms
from affiliate.relations.care_models import PartnerTag

TABLE = """Partner;E-mail;Website;Country;Group;Tags
Orto Lento;ewa@orto.example;orto.example;pl;Gold;"food, Blog"
Slow Kitchen;marta@example.test;;;;
Nobody;not an address;;;;
Twice;EWA@orto.example;;;;
Finn;finn@example.test;;;;
"""


def look(browser: FlaskClient, text: str = TABLE) -> str:
    sent = {"table": (io.BytesIO(text.encode()), "partners.csv")}
    return text_of(browser.post("/console/casa/partners/import", data=sent, content_type="multipart/form-data"))


def take(browser: FlaskClient, text: str = TABLE, **more: str) -> str:
    return text_of(browser.post("/console/casa/partners/import/take", data={"text": text} | more))


def count(cast: Cast, table: Any) -> int:
    found = cast.session.scalar(sa.select(sa.func.count()).select_from(table))
    cast.session.commit()
    return found or 0


def test_each_row_is_told_before_anything_is_made(cast: Cast, mara: FlaskClient) -> None:
    before = count(cast, Partner)
    page = look(mara)
    assert "1 new, 1 known already, 3 refused" in page
    assert "This is no e-mail address." in page
    assert "The address stands in an earlier row." in page
    assert "has an account here. Send an invitation" in page
    assert count(cast, Partner) == before


def test_new_ones_are_let_in_once_with_what_the_row_says(cast: Cast, mara: FlaskClient) -> None:
    assert "1 taken in, 1 known already, 3 refused" in take(mara)
    made = cast.session.scalars(sa.select(Partner).where(Partner.name == "Orto Lento")).one()
    assert (made.website, made.country) == ("https://orto.example", "PL")
    enrollment = cast.session.scalars(sa.select(Enrollment).where(Enrollment.partner_id == made.id)).one()
    assert enrollment.status is EnrollmentStatus.APPROVED
    assert cast.session.scalar(sa.select(PartnerTerms.group_name).where(PartnerTerms.partner_id == made.id)) == "Gold"
    tags = sa.select(PartnerTag.tag).where(PartnerTag.partner_id == made.id).order_by(PartnerTag.tag)
    assert cast.session.scalars(tags).all() == ["blog", "food"]
    owner = sa.select(User.email).join(Member, Member.user_id == User.id).where(Member.partner_id == made.id)
    assert cast.session.scalars(owner).all() == ["ewa@orto.example"]
    assert count(cast, OutboxMail) == 0
    people, partners = count(cast, User), count(cast, Partner)
    assert "0 taken in, 2 known already, 3 refused" in take(mara, invites="1")
    assert (count(cast, User), count(cast, Partner), count(cast, OutboxMail)) == (people, partners, 0)


def test_an_invitation_goes_to_each_new_one_where_it_is_wanted(cast: Cast, mara: FlaskClient) -> None:
    take(mara, invites="1")
    [mail] = cast.session.scalars(sa.select(OutboxMail)).all()
    assert mail.recipient == "ewa@orto.example"
    assert "Choose a password" in (mail.body_html or "")
    cast.session.commit()


def test_what_is_no_table_is_refused_whole(cast: Cast, mara: FlaskClient) -> None:
    assert "The file has no column “email”." in look(mara, "name\nOrto\n")
    many = "name,email\n" + "".join(f"P{n},p{n}@example.test\n" for n in range(501))
    assert "The file has more than 500 rows." in look(mara, many)
    assert "Choose a file first." in look(mara, "")


def test_the_file_of_the_list_can_be_read_in_again_and_changes_nothing(cast: Cast, mara: FlaskClient) -> None:
    make_partner(cast.session, program=cast.program, name="Without people")
    cast.session.commit()
    text = mara.get("/console/casa/partners.csv?name=slow").text
    assert text.count("\n") == 2
    assert "0 new, 1 known already, 0 refused" in look(mara, text.removeprefix("\ufeff"))
    book = mara.get("/console/casa/partners.xlsx")
    assert book.data[:2] == b"PK"
