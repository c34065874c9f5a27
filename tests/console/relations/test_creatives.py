"""The library in the console: every kind is added and shown, banners of several sizes at once, proposals, ends with notice."""

import io

import pytest
import sqlalchemy as sa
from console_cast import Cast, public, text_of
from creative_cast import SAID, make_creative, png
from factories import make_clicks
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.accounts.actors import SYSTEM
from affiliate.creatives import queries, service
from affiliate.creatives.facts import Facts
from affiliate.creatives.kinds import CreativeKind, Said
from affiliate.creatives.models import Creative, CreativeStatus
from affiliate.links.models import Link
from affiliate.mailer import OutboxMail
from affiliate.reports.metrics import METRICS

LIST = "/console/casa/creatives"


def _made(cast: Cast) -> list[Creative]:
    cast.session.expire_all()
    found = list(cast.session.scalars(sa.select(Creative).order_by(Creative.id)))
    cast.session.commit()
    return found


@pytest.mark.parametrize("kind", list(CreativeKind))
def test_a_creative_of_every_kind_is_added_and_shown(cast: Cast, mara: FlaskClient, kind: CreativeKind) -> None:
    said = SAID.get(kind, Said())
    form: dict[str, object] = {"kind": kind.value, "title": "Winter", "language": "it", "groups": "Gold, Silver"}
    form |= {"first_on": "2026-01-02", "last_on": "2099-12-31", "campaign": "Advent"}
    form |= {name: getattr(said, name) for name in ("subject", "body", "alt", "address")}
    name, content = (said.upload.name, said.upload.content) if said.upload else ("pan.png", png())
    form["file"] = (io.BytesIO(content), name)
    assert mara.get(f"{LIST}/new?kind={kind.value}").status_code == 200
    answer = mara.post(f"{LIST}/new", data=form)
    assert answer.status_code == 303, answer.text
    [made] = _made(cast)
    assert answer.location == f"{LIST}/{public('crv', made)}"
    assert (made.kind, made.language, made.status) == (kind, "it", CreativeStatus.LIVE)
    assert queries.groups_of(cast.session, creative_id=made.id) == ["Gold", "Silver"]
    cast.session.commit()
    page = mara.get(answer.location).text
    assert 'value="2099-12-31"' in page
    assert 'value="2026-01-02"' in page
    assert "Winter" in mara.get(LIST).text


def test_several_pictures_become_a_banner_each_or_none(cast: Cast, mara: FlaskClient) -> None:
    def files(*pairs: tuple[bytes, str]) -> dict[str, object]:
        return {
            "kind": "banner",
            "title": "Set",
            "language": "",
            "file": [(io.BytesIO(each), name) for each, name in pairs],
        }

    answer = mara.post(f"{LIST}/new", data=files((png(), "a.png"), (b"<svg/>", "b.png")))
    assert answer.status_code == 422
    assert _made(cast) == []
    answer = mara.post(f"{LIST}/new", data=files((png(), "a.png"), (png(728, 90), "b.png")))
    assert (answer.status_code, answer.location) == (303, LIST)
    page = mara.get(LIST).text
    assert "300 × 250" in page
    assert "728 × 90" in page


def test_a_new_version_is_offered_and_a_wrong_one_refused_in_its_place(cast: Cast, mara: FlaskClient) -> None:
    made = make_creative(cast.session, program=cast.program, kind=CreativeKind.TEXT, now=clock.now())
    cast.session.commit()
    address = f"{LIST}/{public('crv', made)}"
    refused = mara.post(f"{address}/version", data={"body": ""})
    assert refused.status_code == 422
    assert 'id="body-error"' in refused.text
    assert mara.post(f"{address}/version", data={"body": "Better words"}).status_code == 303
    assert "Better words" in mara.get(address).text
    assert _made(cast)[0].version == 2


def test_a_proposal_is_approved_once_and_counted_until_then(cast: Cast, mara: FlaskClient) -> None:
    made = service.propose(
        cast.session, program=cast.program, partner_id=cast.partner.id, kind=CreativeKind.TEXT, facts=Facts("Mine"),
        said=Said(body="x"), actor=SYSTEM, now=clock.now(),
    )  # fmt: skip
    cast.session.commit()
    address = f"{LIST}/{public('crv', made)}"
    page = mara.get(address).text
    assert "Slow Kitchen" in page
    assert '<span class="cnt due">1</span>' in page
    assert "Say why" in mara.post(f"{address}/refuse", follow_redirects=True).text
    mara.post(f"{address}/approve", data={"for_all": "1"})
    again = mara.post(f"{address}/refuse", data={"reason": "No"}, follow_redirects=True).text
    assert "Somebody else has decided" in again
    [found] = _made(cast)
    assert (found.status, found.only_partner_id) == (CreativeStatus.LIVE, None)


def test_whoever_uses_it_is_told_of_its_end(cast: Cast, mara: FlaskClient) -> None:
    made = make_creative(cast.session, program=cast.program, now=clock.now())
    link = cast.session.scalars(sa.select(Link)).one()
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    make_clicks(cast.session, link=link, hour=hour, clicks=1, creative=public("crv", made))
    cast.session.commit()
    address = f"{LIST}/{public('crv', made)}"
    page = mara.post(f"{address}/retire", data={"days": "7", "reason": "Old price"}, follow_redirects=True).text
    assert "1 partner who uses it is told." in page
    mails = cast.session.scalars(sa.select(OutboxMail)).all()
    assert [mail.subject for mail in mails] == ["It ends: A banner"]
    assert "Old price" in mails[0].body_text
    [found] = _made(cast)
    assert found.ends_at is not None


def test_creatives_are_for_managers_of_this_program(cast: Cast, mara: FlaskClient, finn: FlaskClient) -> None:
    ours = make_creative(cast.session, program=cast.program, now=clock.now())
    theirs = make_creative(cast.session, program=cast.other, now=clock.now())
    cast.session.commit()
    for rest in ("", "/file"):
        assert finn.get(f"{LIST}/{public('crv', ours)}{rest}").status_code == 404
        assert mara.get(f"{LIST}/{public('crv', theirs)}{rest}").status_code == 404
    for act in ("", "/version", "/approve", "/refuse", "/retire"):
        form = {"title": "Taken", "language": "", "body": "x", "reason": "x", "days": "0"}
        assert mara.post(f"{LIST}/{public('crv', theirs)}{act}", data=form).status_code == 404
    assert all(creative.title == "A banner" for creative in _made(cast))


def test_what_a_creative_brought_is_named_and_explained_as_everywhere(cast: Cast, mara: FlaskClient) -> None:
    address = public("crv", make_creative(cast.session, program=cast.program, now=clock.now()))
    cast.session.commit()
    page = text_of(mara.get(f"/console/casa/creatives/{address}"))
    for key in ("clicks_valid", "conversions", "revenue", "earnings"):
        assert f"<dt>{METRICS[key].label}</dt><dd>{METRICS[key].help_text}</dd>" in page
