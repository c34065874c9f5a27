"""Last raw requests, refused events, and events that could not be stored."""

import base64
import html
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import event_cast
import pytest
import redis
import sqlalchemy as sa
from accounts_cast import give, make_person
from console_cast import Cast, text_of
from flask.testing import FlaskClient

from affiliate import clock, ids, streams
from affiliate.accounts.models import AuditEvent, GrantRole, User
from affiliate.console.tracking import events
from affiliate.ingest.models import Click, DeadLetter, RejectedEvent, RejectReason
from affiliate.programs.models import Program
from affiliate.tracking import codec, rawlog


def test_the_last_requests_stand_with_our_answer(cast: Cast, mara: FlaskClient, redis_client: redis.Redis) -> None:
    fine = rawlog.RawRequest(clock.now(), "api", "conversion", {"order_id": "10482"}, 202)
    wrong = rawlog.RawRequest(clock.now(), "pixel", "conversion", {"order_id": "10483"}, 422, "BAD_SIGNATURE")
    for request in (fine, wrong):
        rawlog.append(redis_client, request, program_id=cast.program.id)
    rawlog.append(redis_client, fine, program_id=cast.other.id)
    page = text_of(mara.get("/console/casa/requests"))
    assert page.count("10482") == 1
    for text in ("10483", "202", "422", "BAD_SIGNATURE"):
        assert text in page


def test_no_request_yet_says_where_to_begin(cast: Cast, mara: FlaskClient) -> None:
    assert "No request yet" in text_of(mara.get("/console/casa/requests"))


def test_without_redis_the_page_says_so_and_opens(cast: Cast, mara: FlaskClient, redis_client: redis.Redis) -> None:
    redis_client.set(streams.raw_log_key(cast.program.id), "not a stream")
    response = mara.get("/console/casa/requests")
    assert response.status_code == 200
    assert "Redis does not answer at the moment" in text_of(response)


def test_refused_events_stand_with_their_reason(cast: Cast, mara: FlaskClient) -> None:
    for program in (cast.program, cast.other):
        row = RejectedEvent(
            id=ids.new(), program_id=program.id, kind="conversion", reason=RejectReason.CONFLICTING_BODY
        )
        row.payload, row.received_at = {"order_id": f"of-{program.slug}", "note": "<b>"}, clock.now()
        cast.session.add(row)
    cast.session.commit()
    page = mara.get("/console/casa/rejected").text
    assert "Same id, other content" in page
    assert "of-casa" in page
    assert "of-altra" not in page
    assert "<b>&" not in page


def dead_letter(cast: Cast, payload: bytes, program: Program | None = None) -> UUID:
    row = DeadLetter(
        id=ids.new(), stream="aff:clicks", entry_id=str(ids.new())[:40], payload=base64.b64encode(payload).decode()
    )
    row.error, row.failed_at = "IntegrityError: no such link", clock.now()
    row.program_id = program.id if program else None
    letter_id = row.id
    cast.session.add(row)
    cast.session.commit()
    return letter_id


def told(browser: FlaskClient, page: str) -> str:
    """The words of a page that opens, without its marks."""
    answer = browser.get(f"/console/casa/{page}")
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", text_of(answer)).split())


def test_events_of_nobody_are_for_who_manages_all(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    dead_letter(cast, b"\xff no event")
    assert "Everything was stored" in told(mara, "dead-letters")
    assert "could not be stored" not in told(mara, "")
    assert "failed again" not in text_of(mara.post("/console/casa/dead-letters", follow_redirects=True))
    ada = browser_of(cast.ada)
    page = told(ada, "dead-letters")
    assert "IntegrityError: no such link" in page
    assert "\\xff no event" in page
    assert "Of all programs." in page
    assert "1 event could not be stored" in told(ada, "")


@pytest.mark.parametrize("role", [GrantRole.MANAGER, GrantRole.TECH])
def test_events_that_name_a_program_are_seen_counted_and_dealt_with_by_its_people(
    cast: Cast, browser_of: Callable[[User], FlaskClient], role: GrantRole
) -> None:
    click = event_cast.click(program_id=cast.program.id, partner_id=cast.partner.id)
    good = dead_letter(cast, codec.encode(click), cast.program)
    bad = dead_letter(cast, b"of casa", cast.program)
    theirs, nobodys = dead_letter(cast, b"of altra", cast.other), dead_letter(cast, b"of nobody")
    person = make_person(cast.session, "Tara")
    give(cast.session, person, role, cast.program)
    cast.session.commit()
    tara, page = browser_of(person), "/console/casa/dead-letters"
    shown = told(tara, "dead-letters")
    assert "of casa" in shown
    assert "of altra" not in shown
    assert "of nobody" not in shown
    assert "Of all programs" not in shown
    assert "Not stored 2" in told(tara, "views/tech")
    assert "2 events were refused or could not be stored." in told(tara, "kpis")
    if role is GrantRole.MANAGER:
        assert "2 events could not be stored" in told(tara, "")
    for other in (theirs, nobodys):
        assert tara.post(page, data={"letter": str(other)}).status_code == 404
        assert tara.post(f"{page}/{other}/discard", data={"reason": "not ours"}).status_code == 404
    assert "1 event is stored now." in text_of(tara.post(page, follow_redirects=True))
    assert "thrown away" in text_of(tara.post(f"{page}/{bad}/discard", data={"reason": "x"}, follow_redirects=True))
    left = sa.select(DeadLetter.id, DeadLetter.error).order_by(DeadLetter.id)
    assert cast.session.execute(left).all() == [(one, "IntegrityError: no such link") for one in (theirs, nobodys)]
    happened = sa.select(AuditEvent.subject_id, AuditEvent.program_id).where(AuditEvent.subject_kind == "dead_letter")
    assert set(cast.session.execute(happened)) == {(good, cast.program.id), (bad, cast.program.id)}


def test_what_is_done_with_an_event_stands_in_the_history_of_the_program_that_it_names(
    cast: Cast, browser_of: Callable[[User], FlaskClient]
) -> None:
    theirs, nobodys = dead_letter(cast, b"of altra", cast.other), dead_letter(cast, b"of nobody")
    ada = browser_of(cast.ada)
    for letter_id in (theirs, nobodys):
        address = f"/console/casa/dead-letters/{letter_id}/discard"
        assert ada.post(address, data={"reason": "old"}).status_code == 303
        assert ada.post(address, data={"reason": "old"}).status_code == 404
    happened = sa.select(AuditEvent.subject_id, AuditEvent.program_id).where(AuditEvent.subject_kind == "dead_letter")
    assert dict(tuple(row) for row in cast.session.execute(happened)) == {
        theirs: cast.other.id,
        nobodys: cast.program.id,
    }


def test_trying_again_stores_what_can_be_stored_and_keeps_the_rest(
    cast: Cast, browser_of: Callable[[User], FlaskClient]
) -> None:
    dead_letter(cast, codec.encode(event_cast.click(program_id=cast.program.id, partner_id=cast.partner.id)))
    dead_letter(cast, b"no event")
    page = text_of(browser_of(cast.ada).post("/console/casa/dead-letters", follow_redirects=True))
    assert "1 event is stored now." in page
    assert "1 event failed again; its error is below." in page
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(Click)) == 1
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(DeadLetter)) == 1
    assert "dead_letters.replay" in list(cast.session.scalars(sa.select(AuditEvent.action)))


def test_many_are_dealt_with_by_ticks_or_all_in_acts_that_say_what_is_left(
    cast: Cast, browser_of: Callable[[User], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "AT_ONCE", 2)
    bad = [dead_letter(cast, b"no event") for _number in range(5)]
    ada, page = browser_of(cast.ada), "/console/casa/dead-letters"
    left = sa.select(sa.func.count()).select_from(DeadLetter)
    began = hidden(ada.get(page), "until")
    none = ada.post(page, data={"ticks": "yes", "until": began})
    assert (none.status_code, "Select at least one event first." in text_of(none)) == (422, True)
    tried = [ada.post(page, data={"until": began}, follow_redirects=True) for _turn in range(3)]
    assert ["2 events failed again" in text_of(one) for one in tried] == [True, True, False]  # each of them once
    told = [re.search(r"(\d) (?:is|are) left of those", text_of(one)) for one in tried]
    assert [one and one[1] for one in told] == ["3", "1", None]
    assert hidden(tried[0], "until") == began
    discard = f"{page}/discard"
    no_reason = ada.post(discard, data={"ticks": "yes", "letter": [str(bad[0])]})
    assert "Say why, in up to 500 characters." in text_of(no_reason)
    assert f'value="{bad[0]}" checked' in no_reason.text
    some = {"ticks": "yes", "letter": [str(one) for one in bad[:2]], "reason": "a test"}
    assert "2 events are thrown away." in text_of(ada.post(discard, data=some, follow_redirects=True))
    later = hidden(ada.get(page), "until")
    dead_letter(cast, b"came meanwhile")
    every = {"ticks": "yes", "all": "yes", "until": later, "reason": "a test"}
    for unread in (
        "",
        "0001-01-01T00:00:00+14:00",
    ):  # until when is for the form to say: all is not whatever is there by now
        assert ada.post(discard, data=every | {"until": unread}).status_code == 422
    answer = text_of(ada.post(discard, data=every, follow_redirects=True))
    assert "1 is left of those" in answer
    ada.post(discard, data=every)
    assert cast.session.scalar(left) == 1  # what came meanwhile nobody has seen
    kept = sa.select(sa.func.count()).where(AuditEvent.action == "dead_letters.discard")
    assert cast.session.scalar(kept) == 5


def hidden(answer: Any, name: str) -> str:
    """What the first hidden field of this name holds."""
    found = re.search(rf'name="{name}" value="([^"]+)"', answer.text)
    assert found
    return html.unescape(found[1])


@pytest.mark.parametrize("letter", ["", "all", "0190", "letters"])
def test_a_letter_whose_name_cannot_be_read_is_none_and_not_all_of_them(
    cast: Cast, browser_of: Callable[[User], FlaskClient], letter: str
) -> None:
    dead_letter(cast, codec.encode(event_cast.click(program_id=cast.program.id, partner_id=cast.partner.id)))
    answer = browser_of(cast.ada).post("/console/casa/dead-letters", data={"letter": letter})
    assert answer.status_code == 404
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(DeadLetter)) == 1


def test_one_is_tried_again_or_thrown_away_for_a_reason(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    dead_letter(cast, codec.encode(event_cast.click(program_id=cast.program.id, partner_id=cast.partner.id)))
    dead_letter(cast, b"no event")
    first, second = cast.session.scalars(sa.select(DeadLetter.id).order_by(DeadLetter.failed_at)).all()
    cast.session.commit()
    ada, address = browser_of(cast.ada), f"/console/casa/dead-letters/{second}/discard"
    page = text_of(ada.post("/console/casa/dead-letters", data={"letter": str(first)}, follow_redirects=True))
    assert "1 event is stored now." in page
    assert "failed again" not in page
    assert mara.post(address, data={"reason": "not ours"}).status_code == 404
    assert "Say why, in up to 500 characters." in text_of(
        ada.post(address, data={"reason": " "}, follow_redirects=True)
    )
    assert "thrown away" in text_of(ada.post(address, data={"reason": "not ours"}, follow_redirects=True))
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(DeadLetter)) == 0
    actions = list(cast.session.scalars(sa.select(AuditEvent.action)))
    assert {"dead_letters.replay", "dead_letters.discard"} <= set(actions)
