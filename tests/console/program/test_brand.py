"""The page of the brand: whom mails are from, and the host of links and pages."""

import io
import re
from dataclasses import replace

import pytest
import sqlalchemy as sa
from console_cast import Cast, text_of
from creative_cast import png
from flask.testing import FlaskClient

from affiliate.accounts.models import AuditEvent
from affiliate.mailer import OutboxMail
from affiliate.programs import branding

PAGE = "/console/casa/settings/brand"


def test_a_sender_is_asked_by_mail_and_agrees_by_a_button(
    cast: Cast, mara: FlaskClient, finn: FlaskClient, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = {"name": "Casa", "address": "hi@casa.example", "reply_to": ""}
    assert finn.post(f"{PAGE}/sender", data=form).status_code == 404
    page = text_of(mara.post(f"{PAGE}/sender", data=form, follow_redirects=True))
    assert "hi@casa.example was written to and has not said yes." in page
    assert "let your mail server sign for casa.example" in page
    assert "_domainkey" not in page
    kept = mara.application.extensions
    keyed = replace(kept["affiliate_settings"], dkim_selector="autumn", dkim_key_file="/key.pem")
    monkeypatch.setitem(kept, "affiliate_settings", keyed)
    record = "a CNAME record autumn._domainkey.casa.example that leads to autumn._domainkey.localhost."
    assert record in text_of(mara.get(PAGE))
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
    assert "_affiliate.partners.casa.example" not in mara.get(PAGE).text
    told = cast.session.scalars(
        sa.select(AuditEvent.action).where(AuditEvent.action.startswith("program.domain"))
    ).all()
    cast.settle()
    assert told == ["program.domain", "program.domain_off"]


def test_a_colour_is_seen_before_it_is_kept(cast: Cast, mara: FlaskClient, finn: FlaskClient) -> None:
    assert "colour.css" not in mara.get(PAGE).text
    page = mara.get(f"{PAGE}?colour=%237A1F3D")
    [address] = re.findall(r'href="(/console/casa/settings/brand/colour.css[^"]+)"', page.text)
    assert "Nothing is saved yet." in page.text
    assert 'value="#7a1f3d"' in page.text
    css = mara.get(address)
    assert css.mimetype == "text/css"
    assert css.text.startswith(".brand-look {")
    assert "#7a1f3d" in css.text
    assert finn.get(address).status_code == 404
    cast.session.refresh(cast.program)
    assert cast.program.accent is None
    cast.session.commit()


def test_a_colour_that_cannot_be_read_or_is_none_is_not_shown(cast: Cast, mara: FlaskClient) -> None:
    page = text_of(mara.get(f"{PAGE}?colour=%23ffff00"))
    assert "Text in this colour could not be read." in page
    assert "The nearest shade that can be read: #" in page
    assert "colour.css" not in page
    for wrong in ("#ffff00", "red;} body{display:none", ""):
        assert mara.get(f"{PAGE}/colour.css", query_string={"colour": wrong}).text == ""


def test_a_logo_is_seen_first_and_then_kept_without_choosing_it_again(cast: Cast, mara: FlaskClient) -> None:
    chosen = {"logo": (io.BytesIO(png(64, 64)), "pan.png")}
    page = mara.post(PAGE, data={"act": "look", **chosen}, content_type="multipart/form-data")
    assert page.status_code == 200
    assert '<img class="logo" src="data:image/png;base64,' in page.text
    assert branding.logo_id(cast.session, program_id=cast.program.id) is None
    cast.session.commit()
    fields = dict(re.findall(r'name="(tried(?:-name)?)" value="([^"]+)"', page.text))
    assert mara.post(PAGE, data=fields, content_type="multipart/form-data").status_code == 303
    assert branding.logo_id(cast.session, program_id=cast.program.id) is not None
    cast.session.commit()
    assert "changed the logo" in text_of(mara.get(PAGE))
    for broken in ({"tried": "no base64", "tried-name": "logo.png"}, {"tried": "aGVsbG8=", "tried-name": "logo.png"}):
        assert mara.post(PAGE, data=broken, content_type="multipart/form-data").status_code == 422


def test_a_sender_is_seen_first_and_nobody_is_asked(cast: Cast, mara: FlaskClient) -> None:
    page = text_of(mara.post(f"{PAGE}/sender", data={"name": "Casa", "address": "hi@casa.example", "act": "look"}))
    look = page[page.index('id="look"') :].split("</section>")[0]
    assert ">Casa</span>" in look
    assert "<hi@casa.example>" in look
    assert cast.session.scalars(sa.select(OutboxMail)).all() == []
    cast.session.commit()
