"""A host of a program's own counts once it is proved, by DNS or by what it answers, and no longer than its proof stands."""

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dns.message
import dns.rrset
import factories
import pytest
import servers
import time_machine
from sqlalchemy.orm import Session

from affiliate import settings as settings_module
from affiliate.accounts.actors import SYSTEM
from affiliate.errors import Invalid
from affiliate.programs import addresses, domains, jobs
from affiliate.programs.models import Program, ProgramDomain
from affiliate.settings import Settings

NOW = factories.NOW
HOST = "partners.shop.example"


@pytest.fixture
def program(app_session: Session) -> Program:
    """A program without a host."""
    made = factories.make_program(app_session, slug="ondera")
    app_session.commit()
    return made


class Names:
    """A name server that knows these TXT records, on a port of its own."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.place: tuple[str, int] = self._socket.getsockname()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            asked, sender = self._socket.recvfrom(4096)
            if not asked:
                return
            query = dns.message.from_wire(asked)
            answer = dns.message.make_response(query)
            name = query.question[0].name
            text = self.texts.get(name.to_text().rstrip("."))
            if text:
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", f'"{text}"'))
            self._socket.sendto(answer.to_wire(), sender)

    def close(self) -> None:
        """Stop answering."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.place)
        self._thread.join()
        self._socket.close()


@pytest.fixture
def names() -> Iterator[Names]:
    """The name server."""
    server = Names()
    yield server
    server.close()


def claim(session: Session, program: Program, host: str = HOST) -> None:
    domains.claim(session, program=program, typed=host, actor=SYSTEM, now=NOW)
    session.commit()


def look(session: Session, names: Names, *, after: timedelta = timedelta(0)) -> int:
    session.commit()
    with time_machine.travel(NOW + after, tick=False):
        done = jobs.look_at_hosts(name_server=names.place)
    session.expire_all()
    return done


def txt(program: Program, sqlite_settings: Settings, host: str = HOST) -> str:
    return domains.proof(sqlite_settings.secret_key, program_id=program.id, host=host)


def test_a_txt_record_proves_a_host_and_its_loss_for_two_days_ends_it(
    app_session: Session, program: Program, sqlite_settings: Settings, names: Names
) -> None:
    claim(app_session, program, " Partners.Shop.Example. ")
    assert look(app_session, names) == 1
    row = domains.row_of(app_session, program_id=program.id)
    assert row is not None
    assert (row.host, row.proved_at, row.failures, program.own_host) == (HOST, None, 1, None)
    names.texts[f"_affiliate.{HOST}"] = txt(program, sqlite_settings)
    assert look(app_session, names, after=timedelta(seconds=30)) == 0  # not again at once
    assert look(app_session, names, after=timedelta(minutes=1)) == 1
    assert program.own_host == HOST
    names.texts.clear()
    hours = range(7, 7 + 6 * domains.FAILURES_MAX, 6)
    for number, hour in enumerate(hours, start=1):
        assert look(app_session, names, after=timedelta(hours=hour)) == 1
        assert (program.own_host is None) == (number == domains.FAILURES_MAX)


def test_another_programs_proof_or_host_is_of_no_use(
    app_session: Session, program: Program, sqlite_settings: Settings, names: Names
) -> None:
    other = factories.make_program(app_session, slug="other")
    claim(app_session, program)
    claim(app_session, other)
    names.texts[f"_affiliate.{HOST}"] = txt(program, sqlite_settings)
    assert look(app_session, names) == 2
    assert (program.own_host, other.own_host) == (HOST, None)
    assert (
        domains.answer(app_session, secret_key=sqlite_settings.secret_key, host=HOST) is None
    )  # two want it: DNS alone tells
    third = factories.make_program(app_session, slug="third")
    with pytest.raises(Invalid) as refusal:
        claim(app_session, third)
    assert refusal.value.errors == {"host": ["Another program has this host."]}


def test_what_the_host_answers_proves_it_too(
    app_session: Session, program: Program, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"text": "something else"}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == domains.PROOF_PATH else 404)
            self.end_headers()
            self.wfile.write(said["text"].encode())

        def log_message(self, *_arguments: object) -> None:
            """Nothing: tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    monkeypatch.setenv("AFFILIATE_BASE_URL", f"http://installation.example:{server.server_port}")
    settings_module.current.cache_clear()
    facts = {"program_id": program.id, "host": "localhost", "asked_at": NOW, "updated_at": NOW}
    app_session.add(ProgramDomain(**facts))  # a name that leads to this machine; nobody may claim it
    app_session.commit()
    with servers.serving(server):
        look(app_session, names)
        assert program.own_host is None
        said["text"] = txt(program, settings_module.current(), "localhost")
        look(app_session, names, after=timedelta(minutes=1))
        assert program.own_host == "localhost"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "localhost",
        "10.0.0.1",
        "shop.example:8000",
        "https://shop.example",
        "shop.example/x",
        "a b.example",
        "-a.example",
    ],
)
def test_what_is_no_host_of_ones_own_is_refused(app_session: Session, program: Program, typed: str) -> None:
    with pytest.raises(Invalid):
        claim(app_session, program, typed)


def test_giving_a_host_up_leads_everything_back(
    app_session: Session, program: Program, sqlite_settings: Settings, names: Names
) -> None:
    claim(app_session, program)
    names.texts[f"_affiliate.{HOST}"] = txt(program, sqlite_settings)
    look(app_session, names)
    assert addresses.links(program.own_host, sqlite_settings).split("://")[1].startswith(HOST)
    claim(app_session, program, "other.shop.example")
    look(app_session, names, after=timedelta(minutes=2))
    assert program.own_host == HOST  # until the new one is proved
    domains.give_up(app_session, program_id=program.id, actor=SYSTEM, now=NOW)
    assert program.own_host is None
    assert addresses.pages(program.own_host, sqlite_settings) == sqlite_settings.base_url


def test_a_host_that_another_was_named_for_goes_on_for_two_days_and_no_longer(
    app_session: Session, program: Program, sqlite_settings: Settings, names: Names
) -> None:
    program.own_host = HOST  # proved long ago; nobody looks at it any more
    claim(app_session, program, "other.shop.example")
    for minute in range(2 * domains.FAILURES_MAX):  # looks are near together at first
        look(app_session, names, after=timedelta(minutes=minute))
    assert program.own_host == HOST
    look(app_session, names, after=timedelta(days=2) - timedelta(seconds=1))
    assert program.own_host == HOST
    look(app_session, names, after=timedelta(days=2, hours=2))
    assert program.own_host is None


def test_a_host_that_is_named_again_has_two_days_for_its_proof_as_well(
    app_session: Session, program: Program, sqlite_settings: Settings, names: Names
) -> None:
    claim(app_session, program)
    names.texts[f"_affiliate.{HOST}"] = txt(program, sqlite_settings)
    look(app_session, names)
    claim(app_session, program, "other.shop.example")
    claim(app_session, program)
    names.texts.clear()
    for minute in range(1, 2 * domains.FAILURES_MAX):
        look(app_session, names, after=timedelta(minutes=minute))
    assert program.own_host == HOST


@pytest.mark.parametrize(
    ("header", "host"),
    [("Shop.Example", "shop.example"), ("shop.example.:8443", "shop.example"), ("[::1]:80", ""), ("", "")],
)
def test_a_host_is_read_from_its_header(header: str, host: str) -> None:
    assert addresses.host_of(header) == host
