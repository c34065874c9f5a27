"""Calls: claimed once, made in time, tried again after growing pauses, given up, and their address switched off at last."""

import base64
import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from factories import NOW, make_member, make_partner, make_program, make_user
from postback_cast import Tracker, make_address, tracker
from sqlalchemy.orm import Session

from affiliate import db, outgoing
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import MailRefusal
from affiliate.mailer import OutboxMail
from affiliate.notifications import collecting, delivering, jobs, service
from affiliate.notifications.models import (
    DeliveryStatus,
    PostbackAddress,
    PostbackDelivery,
    PostbackEvent,
    SwitchedOff,
)
from affiliate.partners.models import Partner
from affiliate.settings import Settings

SECRET = "a-secret-that-only-tests-know-0123456789"


@pytest.fixture
def session(sqlite_settings: Settings, sqlite_url: str) -> Iterator[Session]:
    """SQLite alone: what the databases do differently is tested with the collecting."""
    engine = db.make_engine(sqlite_url)
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@pytest.fixture
def heard() -> Iterator[Tracker]:
    with tracker() as found:
        yield found


def address_at(session: Session, url: str, **fields: object) -> PostbackAddress:
    program = make_program(session)
    partner = make_partner(session, program=program, user=make_user(session, email="marta@example.test"))
    return make_address(session, program, partner, url, **fields)


def put(session: Session, address: PostbackAddress, calls: int = 1, *, now: datetime = NOW) -> None:
    rows = [collecting.row(address, PostbackEvent.CONVERSION, {"sub1": str(n)}, now) for n in range(calls)]
    db.insert_new(session, PostbackDelivery, rows)


def run(session: Session, *, now: datetime = NOW, limit: int = 24) -> int:
    calls = delivering.claim(session, limit=limit, secret_key=SECRET, now=now)
    for call, outcome in zip(calls, delivering.make(calls, loopback=True), strict=True):
        delivering.note(session, call=call, outcome=outcome, now=now)
    session.flush()
    session.expire_all()
    return len(calls)


def one(session: Session) -> PostbackDelivery:
    return session.scalars(sa.select(PostbackDelivery)).one()


def test_a_call_that_is_taken_is_written_down_with_its_answer(session: Session, heard: Tracker) -> None:
    put(session, address_at(session, heard.url + "/p?cid={sub1}&id={event_id}"))
    heard.body = b"<script>\x00 thanks"
    assert run(session) == 1
    assert run(session) == 0
    call = one(session)
    assert (call.status, call.answer_code, call.answer) == (DeliveryStatus.DELIVERED, 200, "<script>  thanks")
    assert [path.split("&")[0] for path in heard.paths] == ["/p?cid=0"]
    assert "webhook-signature" not in heard.heard[0][1]


def test_what_fails_is_tried_again_later_each_time_and_given_up_at_last(session: Session, heard: Tracker) -> None:
    put(session, address_at(session, heard.url + "/p"))
    heard.status, now = 500, NOW
    pauses = []
    while run(session, now=now):
        call = one(session)
        if call.status is DeliveryStatus.WAITING:
            pauses.append(call.send_after - now)
            assert run(session, now=call.send_after - timedelta(seconds=1)) == 0
        now = call.send_after
    assert len(heard.heard) == delivering.ATTEMPTS_MAX
    assert pauses == sorted(pauses)
    assert timedelta(minutes=1) <= pauses[0] < timedelta(minutes=2)
    assert (one(session).status, one(session).answer_code) == (DeliveryStatus.GIVEN_UP, 500)
    address = session.scalars(sa.select(PostbackAddress)).one()
    service.retry(session, address=address, delivery_id=one(session).id, actor=SYSTEM, now=now)
    heard.status = 204
    run(session, now=now)
    assert one(session).status is DeliveryStatus.DELIVERED
    session.expire_all()
    assert session.scalars(sa.select(PostbackAddress)).one().failures == 0
    with pytest.raises(service.NoSuchDelivery):
        service.retry(session, address=address, delivery_id=one(session).id, actor=SYSTEM, now=now)


def test_a_redirect_is_not_followed_and_a_wish_to_wait_is_kept(session: Session, heard: Tracker) -> None:
    put(session, address_at(session, heard.url + "/p"))
    heard.status, heard.headers = 302, {"Location": heard.url + "/elsewhere"}
    run(session)
    assert (heard.paths, one(session).status) == (["/p"], DeliveryStatus.WAITING)
    heard.status, heard.headers = 429, {"Retry-After": "7200"}
    again = one(session).send_after
    run(session, now=again)
    assert one(session).send_after == again + timedelta(seconds=7200)


def test_a_signature_is_what_standard_webhooks_says_over_the_address(session: Session, heard: Tracker) -> None:
    address = address_at(session, heard.url + "/p?cid={sub1}", is_signed=True)
    put(session, address)
    run(session)
    _path, headers = heard.heard[0]
    secret = base64.b64decode(delivering.shown_secret(address, secret_key=SECRET).removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{heard.url}/p?cid=0"
    digest = base64.b64encode(hmac.digest(secret, signed.encode(), hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    service.renew_secret(session, address=address, expected_version=1, actor=SYSTEM, now=NOW)
    service.renew_secret(session, address=address, expected_version=1, actor=SYSTEM, now=NOW)
    session.expire_all()
    assert session.scalars(sa.select(PostbackAddress.secret_version)).one() == 2


def test_a_claimed_call_is_left_alone_until_its_lease_ends(session: Session, heard: Tracker) -> None:
    put(session, address_at(session, heard.url + "/p"))
    (call,) = delivering.claim(session, limit=9, secret_key=SECRET, now=NOW)
    assert run(session) == 0  # the first job was killed here
    assert run(session, now=NOW + timedelta(minutes=6)) == 1
    delivering.note(session, call=call, outcome=delivering.Outcome(None, "late"), now=NOW)
    session.expire_all()
    assert (one(session).status, one(session).error) == (DeliveryStatus.DELIVERED, "")


def test_one_address_does_not_take_the_whole_batch(session: Session, heard: Tracker) -> None:
    busy = address_at(session, heard.url + "/busy")
    put(session, busy, 20)
    program = make_program(session)
    quiet = make_address(session, program, make_partner(session, program=program), heard.url + "/quiet")
    put(session, quiet)
    run(session, limit=delivering.EACH_MAX + 1)
    assert heard.paths.count("/quiet") == 1
    assert heard.paths.count("/busy") == delivering.EACH_MAX


def test_an_address_that_fails_for_a_day_is_switched_off_and_its_people_are_told_unless_they_said_no(
    session: Session, heard: Tracker
) -> None:
    address = address_at(session, heard.url + "/p")
    heard.status = 500
    put(session, address, delivering.FAILURES_MAX)
    while run(session):
        assert address.switched_off_at is None  # many failures within a minute are one outage
    put(session, address, now=NOW + timedelta(days=2))
    silent = make_user(session)
    session.add(MailRefusal(user_id=silent.id, kind=MailKind.POSTBACKS, created_at=NOW))
    make_member(session, user=silent, partner=session.get_one(Partner, address.partner_id))
    run(session, now=NOW + timedelta(days=2), limit=1)
    assert address.switched_off is SwitchedOff.FAILING
    mail = session.scalars(sa.select(OutboxMail)).one()
    assert (mail.recipient, "127.0.0.1" in mail.body_text) == ("marta@example.test", True)
    assert mail.stop_url is not None
    assert run(session, now=NOW + timedelta(days=9)) == 0  # what waits, waits until it is switched on


def test_gone_means_gone(session: Session, heard: Tracker) -> None:
    address = address_at(session, heard.url + "/p")
    put(session, address)
    heard.status = 410
    run(session)
    assert (address.switched_off, one(session).status) == (SwitchedOff.GONE, DeliveryStatus.GIVEN_UP)


def test_a_test_goes_out_once_also_while_the_address_is_off(session: Session, heard: Tracker) -> None:
    address = address_at(session, heard.url + "/p?cid={sub1}&p={payout}")
    service.switch_off(session, address=address, actor=SYSTEM, now=NOW)
    for _ in range(3):  # while one waits
        service.test(session, address=address, now=NOW)
    heard.status = 500
    run(session)
    assert heard.paths == ["/p?cid=test&p=4.99"]
    assert (one(session).status, address.failures) == (DeliveryStatus.GIVEN_UP, 0)
    service.test(session, address=address, now=NOW)
    run(session)
    assert len(heard.paths) == 2


@pytest.mark.parametrize(
    "place", ["10.0.0.1", "169.254.169.254", "localhost", "[::1]", "2130706433", "[::ffff:10.0.0.1]"]
)
def test_addresses_inside_are_never_called(place: str) -> None:
    with pytest.raises(outgoing.CallFailed, match="nowhere public"):
        outgoing.call(f"https://{place}/p", headers={}, seconds_max=5, characters_max=10)


def test_http_without_tls_is_never_called() -> None:
    with pytest.raises(outgoing.CallFailed, match="https"):
        outgoing.call("http://track.example/p", headers={}, seconds_max=5, characters_max=10)


@pytest.mark.parametrize("url", ["https://x:99999/", "https://exa mple/", "https://[", "https://x/a b", "//"])
def test_what_is_no_address_fails_as_a_call(url: str) -> None:
    with pytest.raises(outgoing.CallFailed):
        outgoing.call(url, headers={}, seconds_max=5, characters_max=10, loopback=True)


def test_a_server_that_drips_is_cut_off_in_time() -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _address = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b"X")
                    except OSError:
                        return

        threading.Thread(target=drip, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(outgoing.CallFailed, match="too long"):
            outgoing.call(url, headers={}, seconds_max=0.5, characters_max=10, loopback=True)
    stop.set()


def test_the_jobs_make_the_call_and_forget_it_after_two_months(session: Session, heard: Tracker) -> None:
    put(session, address_at(session, heard.url + "/p"))
    session.commit()
    assert (jobs.collect(), jobs.deliver(), jobs.deliver()) == (0, 1, 0)
    assert heard.paths == ["/p"]
    assert jobs.sweep() == 0
    session.execute(sa.update(PostbackDelivery).values(finished_at=NOW - timedelta(days=100)))
    session.commit()
    assert jobs.sweep() == 1


def test_a_server_that_says_nothing_takes_too_long_whoever_notices_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket may give up a moment before the alarm rings."""
    monkeypatch.setattr(outgoing.threading.Timer, "start", lambda _self: None)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(outgoing.CallFailed, match="too long"):
            outgoing.call(url, headers={}, seconds_max=0.2, characters_max=10, loopback=True)
