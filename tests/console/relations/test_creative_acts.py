"""Acts on many creatives: the letters and guards of one by one, in the background, each refusal told, and only for who may do it with one."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from accounts_cast import give, make_person
from console_cast import Cast, public, text_of
from creative_cast import make_creative
from factories import make_clicks
from flask.testing import FlaskClient

from affiliate import clock, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent, Grant, GrantRole, User
from affiliate.creatives import queries, service
from affiliate.creatives.facts import Facts
from affiliate.creatives.kinds import CreativeKind, Said
from affiliate.creatives.models import Creative
from affiliate.links.models import Link
from affiliate.mailer import OutboxMail
from affiliate.relations import bulk, jobs
from affiliate.relations.bulk_models import BulkAct, BulkStatus

LIST = "/console/casa/creatives"
ACT = f"{LIST}/act"
BrowserOf = Callable[[User], FlaskClient]


def made(cast: Cast, title: str = "A text", **facts: Any) -> Creative:
    found = make_creative(cast.session, program=cast.program, kind=CreativeKind.TEXT, now=clock.now(), title=title, **facts)  # fmt: skip
    cast.session.commit()
    return found


def used(cast: Cast, creatives: Sequence[Creative]) -> None:
    """The partner's link brought a click by each."""
    link = cast.session.scalars(sa.select(Link)).one()
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    for one in creatives:
        make_clicks(cast.session, link=link, hour=hour, clicks=1, creative=public("crv", one))
    cast.session.commit()


def of(creatives: Sequence[Creative], **typed: str) -> dict[str, Any]:
    return {"creative": [public("crv", one) for one in creatives]} | typed


def act_of(cast: Cast) -> BulkAct:
    cast.session.expire_all()
    found = cast.session.scalars(sa.select(BulkAct)).one()
    cast.session.commit()
    return found


def test_many_end_with_one_letter_that_names_them_and_the_history_of_each(cast: Cast, mara: FlaskClient) -> None:
    alone, first, second = (made(cast, title) for title in ("Alone", "First", "Second"))
    used(cast, [alone, first, second])
    mara.post(f"{LIST}/{public('crv', alone)}/retire", data={"days": "7", "reason": "Old price"})
    answer = mara.post(f"{ACT}/retire", data=of([first, second], days="7", reason="Old price"), follow_redirects=True)
    assert "Changed: 2 creatives." in text_of(answer)
    alone_told, both_told = cast.session.scalars(sa.select(OutboxMail).order_by(OutboxMail.created_at))
    assert (alone_told.subject, both_told.subject) == ("It ends: Alone", "Several creatives end: “First” and more")
    assert [("“First”: until" in mail.body_text, "“Second”: until" in mail.body_text) for mail in (alone_told, both_told)] == [
        (False, False), (True, True),
    ]  # fmt: skip
    assert [mail.body_text.count("Old price") for mail in (alone_told, both_told)] == [1, 1]
    cast.session.expire_all()
    left = {one.ends_at - one.updated_at for one in (alone, first, second) if one.ends_at is not None}
    assert left == {timedelta(days=7)}
    assert all(one.told_end_at == one.ends_at for one in (alone, first, second))
    retired = sa.select(sa.func.count()).where(AuditEvent.action == "creative.retire", AuditEvent.actor_id == cast.mara.id)  # fmt: skip
    assert cast.session.scalar(retired) == 3
    cast.session.commit()


def test_each_refusal_stands_with_its_reason_and_undoes_nothing_else(cast: Cast, mara: FlaskClient) -> None:
    now = clock.now()
    live, soon, ended = made(cast), made(cast, "Soon", ends_at=now + timedelta(days=2)), made(cast, "Ended")
    ended.starts_at, ended.ends_at = now - timedelta(days=9), now - timedelta(days=1)
    proposed = service.propose(
        cast.session, program=cast.program, partner_id=cast.partner.id, kind=CreativeKind.TEXT, facts=Facts("Mine"),
        said=Said(body="x"), actor=SYSTEM, now=now,
    )  # fmt: skip
    theirs = make_creative(cast.session, program=cast.other, kind=CreativeKind.TEXT, now=now, title="Theirs")
    cast.session.commit()
    ends = {one.title: one.ends_at for one in (soon, ended, proposed, theirs)}
    answer = mara.post(f"{ACT}/retire", data=of([proposed, soon, theirs, ended, live], days="14"))
    page = text_of(mara.get(answer.location))
    for why in ("It waits for your answer", "It ends sooner already.", "It has ended already.", "There is no such creative."):  # fmt: skip
        assert why in page
    assert f'href="{LIST}/{public("crv", soon)}"' in page
    cast.session.expire_all()
    assert {one.title: one.ends_at for one in (soon, ended, proposed, theirs)} == ends
    assert live.ends_at is not None
    cast.session.commit()
    assert (act_of(cast).changed, act_of(cast).done) == (1, 5)
    rows = mara.get(f"{answer.location}.csv").text.splitlines()
    assert rows[0].lstrip("\ufeff") == "creative,id,outcome,reason"
    assert f"Soon,{public('crv', soon)},refused,It ends sooner already." in rows
    assert f"A text,{public('crv', live)},changed," in rows


def test_of_another_program_no_title_is_told_and_what_is_nowhere_begins_nothing(cast: Cast, mara: FlaskClient) -> None:
    theirs = make_creative(cast.session, program=cast.other, kind=CreativeKind.TEXT, now=clock.now(), title="Launch")
    cast.session.commit()
    nowhere, elsewhere = ids.public("crv", uuid4()), public("crv", theirs)
    answer = mara.post(f"{ACT}/campaign", data={"creative": [nowhere, elsewhere], "campaign": "Advent"})
    assert act_of(cast).total == 1
    page = text_of(mara.get(answer.location))
    assert ("There is no such creative." in page, elsewhere in page) == (True, True)
    for told in (page, mara.get(f"{answer.location}.csv").text):
        assert "Launch" not in told
    answer = mara.post(f"{ACT}/campaign", data={"creative": nowhere, "campaign": "Advent"}, follow_redirects=True)
    assert "Choose from 1 to 20,000 creatives." in text_of(answer)


def test_groups_and_campaign_change_and_all_else_stays(cast: Cast, mara: FlaskClient) -> None:
    end = clock.now() + timedelta(days=40)
    facts: dict[str, Any] = {"language": "it", "landing_url": "", "ends_at": end}
    mine = [made(cast, title, campaign="Old", **facts) for title in ("One", "Two")]
    same = made(cast, "Three", campaign="Advent", group_names=("Gold",), **facts)
    other = made(cast, "Four", campaign="Old")
    begins = {one.id: one.starts_at for one in mine}
    cast.session.commit()
    mara.post(f"{ACT}/campaign", data=of([*mine, same], campaign=" Advent "))
    assert "Changed: 2 creatives." in text_of(mara.get(LIST))
    mara.post(f"{ACT}/groups", data=of([*mine, same], groups="Silver, Gold, Gold"))
    assert "Changed: 3 creatives." in text_of(mara.get(LIST))
    cast.session.expire_all()
    for one in mine:
        assert (one.campaign, one.language, one.ends_at, one.starts_at) == ("Advent", "it", end, begins[one.id])
        assert queries.groups_of(cast.session, creative_id=one.id) == ["Gold", "Silver"]
    assert (other.campaign, queries.groups_of(cast.session, creative_id=other.id)) == ("Old", [])
    assert cast.session.scalars(sa.select(OutboxMail)).all() == []
    cast.session.commit()
    mara.post(f"{ACT}/groups", data=of(mine, groups=""))
    assert queries.groups_of(cast.session, creative_id=mine[0].id) == []
    cast.session.commit()
    many = ",".join(str(number) for number in range(21))
    for act, typed in (("groups", {"groups": many}), ("campaign", {"campaign": "x" * 61})):
        refused = mara.post(f"{ACT}/{act}", data=of(mine, **typed), follow_redirects=True)
        assert "At most" in text_of(refused)
    assert "Choose from 1 to 20,000 creatives." in text_of(mara.post(f"{ACT}/groups", data={}, follow_redirects=True))


def test_all_that_the_list_finds_is_done_in_the_background_and_can_be_stopped(cast: Cast, mara: FlaskClient) -> None:
    for number in range(bulk.BATCH + 5):
        make_creative(
            cast.session, program=cast.program, kind=CreativeKind.TEXT, now=clock.now(), title=f"Post {number}"
        )
    made(cast, "Another")
    everything = {"all": "yes", "keep-name": "post", "keep-kind": "text", "campaign": "Advent"}
    answer = mara.post(f"{ACT}/campaign", data=everything)
    act = act_of(cast)
    assert (act.total, act.done, act.status) == (bulk.BATCH + 5, bulk.BATCH, BulkStatus.RUNNING)
    assert 'data-renews="3"' in mara.get(answer.location).text
    assert jobs.act_in_bulk() == 5
    assert jobs.act_in_bulk() == 0
    moved = cast.session.scalars(sa.select(Creative.title).where(Creative.campaign == "Advent")).all()
    cast.session.commit()
    assert (len(moved), "Another" in moved) == (bulk.BATCH + 5, False)
    answer = mara.post(f"{ACT}/campaign", data=everything | {"campaign": "Lent"})
    assert "Stopped. 50 were done before." in text_of(mara.post(f"{answer.location}/stop", follow_redirects=True))
    assert jobs.act_in_bulk() == 0


@pytest.fixture
def marketing(cast: Cast, browser_of: BrowserOf) -> FlaskClient:
    """A browser of somebody who does the marketing and nothing else."""
    person = make_person(cast.session, "Mia")
    give(cast.session, person, GrantRole.MARKETING, cast.program)
    cast.session.commit()
    return browser_of(person)


def test_who_does_the_marketing_acts_on_creatives_and_sees_no_other_acts(
    cast: Cast, mara: FlaskClient, finn: FlaskClient, marketing: FlaskClient
) -> None:
    one, theirs = made(cast), make_creative(cast.session, program=cast.other, now=clock.now())
    cast.session.commit()
    form, mine = of([one, theirs], days="7"), of([one], days="7")
    mara.post("/console/casa/partners/act/approve", data={"partner": public("ptn", cast.partner)})
    others = f"/console/casa/acts/{public('blk', act_of(cast))}"
    assert mara.get(others).status_code == 200
    assert 'name="creative"' in marketing.get(LIST).text
    answer = marketing.post(f"{ACT}/retire", data=form)
    page = text_of(marketing.get(answer.location))
    assert ("There is no such creative." in page, "Approve applications" in page) == (True, False)
    assert "Let creatives end" in text_of(mara.get(others))
    for address in (others, f"{others}.csv"):
        assert marketing.get(address).status_code == 404
    assert marketing.post(f"{others}/stop").status_code == 404
    assert finn.post(f"{ACT}/retire", data=mine).status_code == 404
    assert 'name="creative"' not in finn.get(LIST).text


def test_who_does_the_marketing_no_more_changes_nothing_more(cast: Cast, marketing: FlaskClient) -> None:
    for number in range(2 * bulk.BATCH + 5):
        make_creative(cast.session, program=cast.program, kind=CreativeKind.TEXT, now=clock.now(), title=str(number))
    cast.session.commit()
    marketing.post(f"{ACT}/campaign", data={"all": "yes", "campaign": "Advent"})
    bulk.advance(cast.session, limit=bulk.BATCH, now=clock.now())
    cast.session.commit()
    assert act_of(cast).done == 2 * bulk.BATCH
    cast.session.execute(sa.delete(Grant).where(Grant.role == GrantRole.MARKETING))
    cast.session.commit()
    jobs.act_in_bulk()
    assert (act_of(cast).done, act_of(cast).status) == (2 * bulk.BATCH, BulkStatus.STOPPED)
