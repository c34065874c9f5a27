"""Where mails leave: a mail server, or a folder where none is named."""

import os
import smtplib
import ssl
from pathlib import Path
from urllib.parse import unquote, urlsplit

_TIMEOUT_SECONDS = 10
_PORTS = {"smtp": 25, "smtps": 465}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def keep(message: bytes, *, folder: Path, name: str) -> None:
    """Write a mail into a folder that only we may read, where no server is named."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(folder / f"{name}.eml", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(message)


def connect(url: str, *, timeout_seconds: int = _TIMEOUT_SECONDS) -> smtplib.SMTP:
    """A connection to `smtp[s]://user:password@host:port`, encrypted wherever the server can, but on this very machine."""
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port or _PORTS[parts.scheme]
    if parts.scheme == "smtps":
        context = ssl.create_default_context()
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout_seconds, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=timeout_seconds)
    try:
        server.ehlo()
        if parts.scheme == "smtp" and host not in _LOOPBACK and (parts.username or server.has_extn("starttls")):
            server.starttls(
                context=ssl.create_default_context()
            )  # with a password always: it never travels in the clear
            server.ehlo()
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except Exception:
        server.close()
        raise
    return server
