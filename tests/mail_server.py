"""A real mail server for tests that can be told what to answer, to go away, or to keep somebody waiting."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from affiliate import smtp


@dataclass
class MailServer:
    """`answers` to recipients; `closes_at` drops the connection after the text for one, `waits_at` never answers it.

    `pipelining`: it says that it takes several commands at once. `folder`: where it writes down each mail, in order of arrival.
    """

    port: int
    answers: dict[str, str] = field(default_factory=dict)
    text_answer: str = "250 OK"
    closes_at: str = ""
    waits_at: str = ""
    pipelining: bool = False
    messages: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    senders: set[str] = field(default_factory=set)
    sessions: set[int] = field(default_factory=set)
    is_waiting: bool = False
    folder: Path | None = None
    controller: Controller | None = None

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name and order
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]] if self.pipelining else responses

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - as above
        if self.text_answer.startswith("2"):
            self.sessions.add(id(session))
            self.senders.add(envelope.mail_from)
            self.raw.append(envelope.content)
            self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
            self._write_down(envelope.content)
        if self.closes_at in envelope.rcpt_tos:
            server.transport.abort()
        while self.waits_at in envelope.rcpt_tos:
            self.is_waiting = True
            await asyncio.sleep(0.02)
        return self.text_answer

    def _write_down(self, content: bytes) -> None:
        if self.folder is not None:
            smtp.keep(content, folder=self.folder, name=f"{len(self.raw):06}")

    def received(self) -> Counter[str]:
        """How many mails each address got."""
        return Counter(str(message["To"]) for message in self.messages)

    def start(self) -> None:
        """Listen."""
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def stop(self) -> None:
        """Go away."""
        if self.controller is not None:
            self.waits_at = ""
            self.controller.stop()
            self.controller = None


@contextlib.contextmanager
def running() -> Iterator[MailServer]:
    """A mail server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        server = MailServer(free.getsockname()[1])
    server.start()
    try:
        yield server
    finally:
        server.stop()
