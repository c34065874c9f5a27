"""Calls that leave this machine over HTTP: to public addresses only, without redirects, bounded in time and size.

The address is resolved once, checked, and connected to, so that a name that changes between check and call leads nowhere inside.
"""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

N_ = str  # marks a sentence for the translators

TOO_LONG = N_("it took too long")
NOT_SECURE = N_("the address does not begin with https://")
NOWHERE_PUBLIC = N_("%(host)s leads nowhere public")
"""What `call` says of its own when nobody answered; the rest are words of the system. `formats.call_problem` says it to people."""

SECONDS_MAX = 20
_CONNECT_SECONDS_MAX = 5
_CHUNK = 65_536
_DIGITS_MAX = 9


class CallFailed(Exception):  # noqa: N818 - read as a kind
    """Nobody answered as asked; the message says what happened, for an operator."""


def get(url: str, *, bytes_max: int, loopback: bool = False) -> bytes:
    """What the address gives, over https. `loopback`: this machine may answer too, and without TLS (tests).

    Raises:
        CallFailed: no answer, a private address, a status other than 200, or more than `bytes_max`.
    """
    import requests  # a second of start for processes that never call out
    from requests_hardened import Config, Manager

    if not url.startswith("https://") and not loopback:
        raise CallFailed(f"{url} does not begin with https://")
    config = Config(
        ip_filter_enable=True, ip_filter_allow_loopback_ips=loopback, never_redirect=True,
        default_timeout=(_CONNECT_SECONDS_MAX, SECONDS_MAX), user_agent_override="affiliate",
    )  # fmt: skip
    try:
        with Manager(config).send_request("GET", url, stream=True) as answer:
            if answer.status_code != requests.codes.ok:
                raise CallFailed(f"{url} answered {answer.status_code}")
            return _bounded(answer.iter_content(_CHUNK), bytes_max)
    except (requests.RequestException, ValueError) as error:
        raise CallFailed(f"{url}: {error}") from error


def _bounded(chunks: Iterable[bytes], bytes_max: int) -> bytes:
    found = bytearray()
    for chunk in chunks:
        found += chunk
        if len(found) > bytes_max:
            raise CallFailed(f"the answer is larger than {bytes_max} bytes")
    return bytes(found)


def texts_of(name: str, *, name_server: tuple[str, int] | None = None) -> list[str]:
    """The TXT records of a name. `name_server`: an address and a port to ask instead of the system's (tests).

    Raises:
        CallFailed: there is none, or nobody answers in time.
    """
    import dns.exception  # few processes ask
    import dns.resolver

    resolver = dns.resolver.Resolver(configure=name_server is None)
    if name_server is not None:
        resolver.nameservers, resolver.port = [name_server[0]], name_server[1]
    try:
        found = resolver.resolve(name, "TXT", lifetime=_CONNECT_SECONDS_MAX)
    except (dns.exception.DNSException, ValueError, OSError) as error:
        raise CallFailed(f"no TXT record of {name} ({type(error).__name__})") from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in found]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a stranger's server said: its status, the first bytes as text, for how long it wants to be left alone, and where it leads on."""

    status: int
    text: str
    retry_after_seconds: int | None
    location: str | None = None


def call(
    url: str, *, headers: Mapping[str, str], seconds_max: float, characters_max: int, body: bytes | None = None,
    loopback: bool = False,
) -> Answer:  # fmt: skip
    """GET an address that a stranger gave us, or POST a body to it, within a time that holds for all of it: a server that drips ends as well.

    Raises:
        CallFailed: no address, no answer in time, no such host, or a private address.
    """
    try:
        connection = _Pinned(url, seconds_max=seconds_max, loopback=loopback)
    except (http.client.HTTPException, ValueError) as error:
        raise CallFailed(str(error)) from error
    alarm = threading.Timer(seconds_max, connection.abort)
    alarm.daemon = True
    alarm.start()
    try:
        method = "GET" if body is None else "POST"
        connection.request(method, _target(url), body, {"User-Agent": "affiliate", **headers})
        answer = connection.getresponse()
        text = answer.read(characters_max).decode("utf-8", "replace")
        if connection.is_aborted:  # what was cut reads as a short answer
            raise OSError("aborted")  # noqa: TRY301 - told below, with all other ends of a call
        said = answer.headers
        return Answer(answer.status, _printable(text), _seconds(said.get("Retry-After")), said.get("Location"))
    except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:  # the last: cut while it read
        is_late = connection.is_aborted or isinstance(error, TimeoutError)  # the alarm and the socket wait equally long
        told = TOO_LONG if is_late else str(error) or type(error).__name__
        raise CallFailed(told) from error
    finally:
        alarm.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to the one address that its host's name was resolved to and that was found public."""

    def __init__(self, url: str, *, seconds_max: float, loopback: bool) -> None:
        self._parts = urlsplit(url)
        self._tls, self._loopback = self._parts.scheme == "https", loopback
        self.is_aborted = False
        port = self._parts.port or (443 if self._tls else 80)
        super().__init__(self._parts.hostname or "", port, timeout=seconds_max)
        self.default_port = 443 if self._tls else 80  # which the Host header leaves out

    def connect(self) -> None:
        """Resolve, check, connect to what was checked."""
        from requests import RequestException
        from requests_hardened.ip_filter import filter_host

        if not self._tls and not self._loopback:
            raise ValueError(NOT_SECURE)
        try:
            place = filter_host(self.host, self.port, allow_loopback=self._loopback)
        except RequestException as error:
            raise OSError(NOWHERE_PUBLIC % {"host": self.host}) from error
        self.sock = socket.create_connection((place.strip("[]"), self.port), self.timeout)
        if self._tls:
            context = ssl.create_default_context()
            tls = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock = tls  # before it shakes hands: `abort` cuts what it finds here
            tls.do_handshake()
        if self.is_aborted:  # before there was anything to cut
            raise OSError("aborted")

    def abort(self) -> None:
        """Cut the connection, whatever it waits for."""
        self.is_aborted = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                # Past TLS's own good-bye, which another thread may be using.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text).strip()


def _seconds(header: str | None) -> int | None:
    return int(header) if header and header.isascii() and header.isdigit() and len(header) <= _DIGITS_MAX else None
