"""The talk with the mail server, step by step, because it matters where it breaks.

Before the text nothing was sent; after it nobody knows. Every mail of a connection has its answer before the next begins.
"""

import contextlib
import enum
import re
import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from affiliate import ids, mailer
from affiliate.settings import Settings

_TIMEOUT_SECONDS = 10
_OK = 250
_FORWARDED = 251
_CLOSING = 421  # the server ends the connection, whatever the mail was
_PERMANENT = 500
_SIGNED = (b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type", b"list-unsubscribe", b"list-unsubscribe-post", b"list-id")  # fmt: skip
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
        server = mailer.connect(to.smtp_url, timeout_seconds=_TIMEOUT_SECONDS)
    except (OSError, smtplib.SMTPException) as error:
        raise ServerAway(str(error) or type(error).__name__) from error
    try:
        yield lambda sender, recipient, message: carry(server, sender, recipient, message)
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            server.quit()
        server.close()


def _keep(folder: Path, message: bytes) -> Answer:
    mailer.keep(message, folder=folder, name=ids.new().hex)
    return Answer(Verdict.TAKEN)


def carry(server: smtplib.SMTP, sender: str, recipient: str, message: bytes) -> Answer:
    """Hand one mail over. Never raises for what a server or a network does."""
    try:
        refusal = _envelope(server, sender, recipient)
        if refusal is not None:
            return refusal
    except (OSError, smtplib.SMTPException) as error:
        return Answer(Verdict.AWAY, str(error) or type(error).__name__)
    except ValueError as error:  # an address that no server can take
        _reset(server)
        return Answer(Verdict.REFUSED, str(error), is_about_address=True)
    try:
        return _answer(*server.data(message))
    except smtplib.SMTPDataError as error:  # refused before the text
        _reset(server)
        return _answer(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        return Answer(Verdict.UNKNOWN, str(error) or type(error).__name__)


def _envelope(server: smtplib.SMTP, sender: str, recipient: str) -> Answer | None:
    """Sender and recipient; the answer when one is refused."""
    options = [] if recipient.isascii() else ["SMTPUTF8", "BODY=8BITMIME"]
    if options and not server.has_extn("smtputf8"):
        return Answer(Verdict.REFUSED, "553 5.6.7 the server takes no such address", is_about_address=True)
    code, reply = server.mail(sender, options)
    if code != _OK:  # no mail of ours is welcome now: that is not this recipient's matter
        _reset(server)
        return Answer(Verdict.AWAY, _printed(code, reply))
    code, reply = server.rcpt(recipient)
    if code in {_OK, _FORWARDED}:
        return None
    _reset(server)
    answer = _answer(code, reply)
    return Answer(answer.verdict, answer.text, _is_about_address(answer))


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


def signed(message: bytes, *, domain: str, selector: str, key: bytes) -> bytes:
    """The message with its DKIM signature in front, which also covers the ways to unsubscribe, as RFC 8058 asks."""
    names = [name for name in _SIGNED if re.search(rb"^" + name + rb":", message, re.IGNORECASE | re.MULTILINE)]
    import dkim  # here: few installations sign by themselves

    signature = dkim.sign(
        message, selector.encode(), domain.encode(), key, include_headers=names, canonicalize=(b"relaxed", b"relaxed")
    )
    return bytes(signature) + message
