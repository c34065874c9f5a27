"""The talk with the mail server, step by step, because it matters where it breaks.

Before the text nothing was sent; after it nobody knows. Every mail of a connection has its answer before the next begins. The
dialogue is ours, on the library's connection, because the library waits for each answer before it sends the next command.
"""

import contextlib
import enum
import re
import smtplib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from affiliate import ids, smtp
from affiliate.settings import Settings

_OK = 250
_GO_ON = 354
_WELCOME = ([_OK, _OK], [_OK, 251])  # to sender and recipient; 251: it is led on
_GOOD = {_OK, 251}
_CLOSING = 421  # the server ends the connection, whatever the mail was
_TRANSIENT = 400
_PERMANENT = 500
_ADDRESS = re.compile(r"[^\s<>\x00-\x1f\x7f]+@[^\s<>\x00-\x1f\x7f]+")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_ABOUT_ADDRESS = re.compile(r"\b5\.(?:1|2\.1)\b")


class Verdict(enum.Enum):
    """What became of one mail."""

    TAKEN = "taken"
    REFUSED = "refused"
    LATER = "later"
    AWAY = "away"  # the server is not there, or wants no mail of ours now; this mail was not taken
    UNKNOWN = "unknown"  # the connection broke after the text had left


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict and the server's words. `is_about_address`: it was refused because of its recipient."""

    verdict: Verdict
    text: str = ""
    is_about_address: bool = False


Carrier = Callable[[str, str, bytes], Answer]
"""Carries one mail: sender, recipient, message."""


class ServerAway(Exception):  # noqa: N818 - read as a kind
    """No connection could be made."""


@contextlib.contextmanager
def connection(to: Settings) -> Iterator[Carrier]:
    """One connection for many mails; without `SMTP_URL` a folder takes them.

    Raises:
        ServerAway: the server does not answer, or lets us not in.
    """
    if not to.smtp_url:
        folder = to.data_dir / "mail"
        yield lambda _sender, _recipient, message: _keep(folder, message)
        return
    try:
        server = smtp.connect(to.smtp_url)
    except (OSError, smtplib.SMTPException) as error:
        raise ServerAway(str(error) or type(error).__name__) from error
    try:
        yield lambda sender, recipient, message: carry(server, sender, recipient, message)
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            server.quit()
        server.close()


def _keep(folder: Path, message: bytes) -> Answer:
    smtp.keep(message, folder=folder, name=ids.new().hex)
    return Answer(Verdict.TAKEN)


def carry(server: smtplib.SMTP, sender: str, recipient: str, message: bytes) -> Answer:
    """Hand one mail over. Never raises for what a server or a network does."""
    try:
        refusal = _opened(server, sender, recipient)
        if refusal is not None:
            return refusal
    except (OSError, smtplib.SMTPException) as error:
        return Answer(Verdict.AWAY, str(error) or type(error).__name__)
    except ValueError as error:
        return Answer(Verdict.REFUSED, str(error), is_about_address=True)
    try:
        server.send(_LEADING_DOT.sub(b"..", message) + b".\r\n")
        return _of_text(*server.getreply())
    except (OSError, smtplib.SMTPException) as error:
        return Answer(Verdict.UNKNOWN, str(error) or type(error).__name__)


def _opened(server: smtplib.SMTP, sender: str, recipient: str) -> Answer | None:
    """Sender, recipient, and leave to send the text; the answer when one is refused.

    Raises:
        ValueError: an address that no server can take.
    """
    if not (_ADDRESS.fullmatch(sender) and _ADDRESS.fullmatch(recipient)):
        raise ValueError("553 5.1.3 this is no address")
    options = "" if recipient.isascii() else " SMTPUTF8 BODY=8BITMIME"
    if options and not server.has_extn("smtputf8"):
        return Answer(Verdict.REFUSED, "553 5.6.7 the server takes no such address", is_about_address=True)
    replies = _replies(server, (f"MAIL FROM:<{sender}>{options}", f"RCPT TO:<{recipient}>", "DATA"))
    codes = [code for code, _ in replies]
    if codes[:2] in _WELCOME and codes[2:] == [_GO_ON]:
        return None
    if codes[2:] == [_GO_ON]:  # the server waits for the text of a mail without recipients (RFC 2920, 3.1)
        server.send(b".\r\n")
        server.getreply()
    _reset(server)
    if codes[0] != _OK:  # no mail of ours is welcome now: that is not this recipient's matter
        return Answer(Verdict.AWAY, _printed(*replies[0]))
    if codes[:2] in _WELCOME:
        return _answer(*replies[-1])
    answer = _answer(*replies[1])
    return Answer(answer.verdict, answer.text, _is_about_address(answer))


def _replies(server: smtplib.SMTP, commands: Sequence[str]) -> list[tuple[int, bytes]]:
    """What the server says to commands that belong together: sent at once where it can take that, so that a distant one costs half the time.

    Else, and where it closes, what follows a refusal is not asked any more.
    """
    at_once = server.has_extn("pipelining")
    if at_once:
        server.send("".join(f"{command}\r\n" for command in commands).encode())
    found: list[tuple[int, bytes]] = []
    for command in commands:
        if not at_once:
            server.send(f"{command}\r\n".encode())
        found.append(server.getreply())
        if found[-1][0] == _CLOSING or not (at_once or found[-1][0] in _GOOD):
            break
    return found


def _of_text(code: int, reply: bytes | str) -> Answer:
    """What was said to the whole mail. What says neither yes nor no leaves it unknown: it may have arrived, and goes but once."""
    if code // 100 == _OK // 100:
        return Answer(Verdict.TAKEN)
    return _answer(code, reply) if code >= _TRANSIENT else Answer(Verdict.UNKNOWN, _printed(code, reply))


def _answer(code: int, reply: bytes | str) -> Answer:
    text = _printed(code, reply)
    if code == _OK:
        return Answer(Verdict.TAKEN, "")
    if code == _CLOSING:
        return Answer(Verdict.AWAY, text)
    return Answer(Verdict.REFUSED if code >= _PERMANENT else Verdict.LATER, text)


def _is_about_address(answer: Answer) -> bool:
    return answer.verdict is Verdict.REFUSED and _ABOUT_ADDRESS.search(answer.text) is not None


def _reset(server: smtplib.SMTP) -> None:
    with contextlib.suppress(OSError, smtplib.SMTPException):
        server.rset()


def _printed(code: int, reply: bytes | str) -> str:
    return f"{code} {reply.decode(errors='replace') if isinstance(reply, bytes) else reply}"
