"""A partner's own tracker, as a server on this machine, and an address that leads to it."""

import contextlib
import http.server
from collections.abc import Iterator
from dataclasses import dataclass, field

import servers
from sqlalchemy.orm import Session

from affiliate.accounts.actors import SYSTEM
from affiliate.notifications import service
from affiliate.notifications.models import PostbackAddress
from affiliate.partners.models import Partner
from affiliate.programs.models import Program


@dataclass
class Tracker:
    """What it heard, and what it answers from now on."""

    url: str
    heard: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"OK"
    posted: list[bytes] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [path for path, _headers in self.heard]


@contextlib.contextmanager
def tracker() -> Iterator[Tracker]:
    """A server that writes down each call."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.heard.append((self.path, dict(self.headers)))
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.body)

        def do_POST(self) -> None:
            told.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.do_GET()

        def log_message(self, *_args: object) -> None:
            pass

    with servers.serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        told = Tracker(f"http://127.0.0.1:{port}")
        yield told


def make_address(session: Session, program: Program, partner: Partner, url: str, **fields: object) -> PostbackAddress:
    """An address that wants everything, switched on a long time ago."""
    from factories import NOW

    return service.add(
        session, program=program, partner_id=partner.id, url=url, events=fields.pop("events", service.CHOICES),
        is_signed=bool(fields.pop("is_signed", False)), plain=True, actor=SYSTEM, now=fields.pop("now", NOW),
    )  # fmt: skip
