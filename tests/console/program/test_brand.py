"""The page of the brand: whom mails are from, and the host of links and pages."""

import re

import sqlalchemy as sa
from console_cast import Cast, text_of
from flask.testing import FlaskClient

from affiliate.accounts.models import AuditEvent
from affiliate.mailer import OutboxMail

PAGE = "/console/casa/settings/brand"


def test_a_sender_is_asked_by_mail_and_agrees_by_a_button(
    cast: Cast, mara: FlaskClient, finn: FlaskClient, client: FlaskClient
) -> None:
    form = {"name": "Casa", "address": "hi@casa.example", "reply_to": ""}
    assert finn.post(f"{PAGE}/sender", data=form).status_code == 404
    page = text_of(mara.post(f"{PAGE}/sender", data=form, follow_redirects=True))
    assert "hi@casa.example was written to and has not said yes." in page
    assert "let your mail server sign for casa.example" in page
    mail = cast.session.scalars(sa.select(OutboxMail)).one()
    cast.settle()
    assert (mail.recipient, mail.program_id) == ("hi@casa.example", None)
    found = re.search(r"/sender/\S+", mail.body_text)
    assert found
    assert "Casa" in text_of(client.get(found[0]))
    assert "has not said yes" in text_of(mara.get(PAGE))  # opening a link agrees to nothing
    assert client.post(found[0]).status_code == 200
    assert client.post(found[0]).status_code == 404
    assert "&lt;hi@casa.example&gt;" in mara.get(PAGE).text


def test_what_is_wrong_is_said_at_its_field_and_stays_typed(cast: Cast, mara: FlaskClient) -> None:
    refused = mara.post(f"{PAGE}/sender", data={"address": "nobody"})
    assert refused.status_code == 422
    assert "Write one address" in text_of(refused)
    assert 'value="nobody"' in refused.text
    refused = mara.post(f"{PAGE}/domain", data={"host": "https://x.example/"})
    assert refused.status_code == 422
    assert "Write the name of a host alone" in text_of(refused)


def test_a_host_is_wanted_shown_with_its_proof_and_given_up(cast: Cast, mara: FlaskClient) -> None:
    mara.post(f"{PAGE}/domain", data={"host": "Partners.Casa.example"})
    page = mara.get(PAGE).text
    assert "_affiliate.partners.casa.example" in page
    assert "affiliate-host=" in page
    assert "Waits for its proof" in page
    assert "We look in a few seconds." in text_of(mara.post(f"{PAGE}/domain/look", follow_redirects=True))
    mara.post(f"{PAGE}/domain/off")
    assert "partners.casa.example" not in mara.get(PAGE).text
    told = cast.session.scalars(
        sa.select(AuditEvent.action).where(AuditEvent.action.startswith("program.domain"))
    ).all()
    cast.settle()
    assert told == ["program.domain", "program.domain_off"]
