"""Settings: defaults from `config/settings.toml`, overridden by `AFFILIATE_*` in the environment, checked once at the start."""

import contextlib
import os
import secrets
import socket
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote

from marshmallow import RAISE, Schema, ValidationError, fields, validate

_DEFAULTS = Path(__file__).parent.parent / "config" / "settings.toml"
_PREFIX = "AFFILIATE_"
_BARE = ("PORT", "DATA_DIR")  # read without the prefix too: `make run PORT=9000`
_SECRET_KEY_LENGTH_MIN = 32
_SOCKET_PATH_BYTES_MAX = 107  # what the system can bind; longer ones fail
_NOT_SETTINGS = {"DEMO_PASSWORD"}  # read by one command only


class BadSettings(Exception):  # noqa: N818 - read as a kind
    """A setting is missing or wrong; the message is one sentence per setting, for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an operator can set. Addresses are without a trailing slash."""

    env: str
    host: str
    port: int
    data_dir: Path
    trusted_proxies: int
    database_url: str
    redis_url: str
    stream_url: str
    stream_shards: int
    spool_megabytes: int
    base_url: str
    tracking_url: str
    geoip_file: str
    network_lists: str
    rates_url: str
    vies_url: str
    secret_key: str
    smtp_url: str
    mail_from: str
    ledger_mail_to: str
    newsletter_rate: int
    dkim_selector: str
    dkim_key_file: str
    bounce_address: str
    bounce_maildir: str
    bounce_webhook: str
    log_level: str
    log_format: str

    @property
    def embedded_redis(self) -> bool:
        """Whether we run our own Redis under `data_dir`."""
        return self.redis_url == embedded_redis_url(self.data_dir)

    @property
    def edge_port(self) -> int:
        """Where the edge listens: beside the pages."""
        return self.port + 1

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach us."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:  # a name
            return self.host == "localhost"


class _SettingsSchema(Schema):
    """The type and range of each setting; unknown names are errors, so that a typo does not pass in silence."""

    class Meta:
        unknown = RAISE

    env = fields.String(validate=validate.OneOf(["development", "test", "production"]))
    host = fields.String(validate=validate.Length(min=1))
    port = fields.Integer(validate=validate.Range(1, 65534))
    data_dir = fields.String(validate=validate.Length(min=1))
    trusted_proxies = fields.Integer(validate=validate.Range(0, 10))
    database_url = fields.String()
    redis_url = fields.String()
    stream_url = fields.String()
    stream_shards = fields.Integer(validate=validate.Range(1, 64))
    spool_megabytes = fields.Integer(validate=validate.Range(1, 1_000_000))
    base_url = fields.String()
    tracking_url = fields.String()
    geoip_file = fields.String()
    network_lists = fields.String()
    rates_url = fields.String(
        validate=validate.Regexp(r"^(https://\S+)?$", error="Write an address that begins with https://.")
    )
    vies_url = fields.String(
        validate=validate.Regexp(
            r"^(https?://\S+[^/])?$", error="Write an address that begins with https://, without a slash at its end."
        )
    )
    secret_key = fields.String()
    smtp_url = fields.String(
        validate=validate.Regexp(
            r"^(smtps?://[^/\s]+)?$", error="Write smtp://user:password@host:port, or smtps://… for TLS."
        )
    )
    mail_from = fields.String(validate=validate.Length(min=3))
    ledger_mail_to = fields.String(
        validate=validate.Regexp(r"^([^@\s]+@[^@\s]+)?$", error="Write one address: books@example.com.")
    )
    newsletter_rate = fields.Integer(validate=validate.Range(1, 100_000))
    dkim_selector = fields.String(validate=validate.Regexp(r"^[A-Za-z0-9._-]*$"))
    dkim_key_file = fields.String()
    bounce_address = fields.String(
        validate=validate.Regexp(r"^([^@\s]+@[^@\s]+)?$", error="Write one address: bounces@example.com.")
    )
    bounce_maildir = fields.String()
    bounce_webhook = fields.String(
        validate=validate.Regexp(
            r"^((generic|mailgun|sendgrid):[!-~]+)?$",
            error="Write provider:key, the provider being generic, mailgun or sendgrid.",
        )
    )
    log_level = fields.String(validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
    log_format = fields.String(validate=validate.OneOf(["text", "json"]))


def embedded_redis_url(data_dir: Path) -> str:
    """Where the embedded Redis listens: a socket below the data directory, or a loopback port of its own if that path is too long."""
    path = data_dir / "redis" / "redis.sock"
    if len(os.fsencode(path)) <= _SOCKET_PATH_BYTES_MAX:
        return f"unix://{quote(str(path))}"
    return _kept(data_dir / "redis" / "address", _free_loopback_address)


def _free_loopback_address() -> str:
    """A port that is free now, and a password, because anybody on this machine can reach a port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"redis://:{secrets.token_urlsafe(24)}@127.0.0.1:{probe.getsockname()[1]}/0"


def load(environ: Mapping[str, str]) -> Settings:
    """Read, complete and check the settings.

    Raises:
        BadSettings: names each wrong setting and what to write instead.
    """
    raw: dict[str, Any] = tomllib.loads(_DEFAULTS.read_text())
    raw.update({name.lower(): environ[name] for name in _BARE if environ.get(name)})
    given = {name.removeprefix(_PREFIX) for name in environ if name.startswith(_PREFIX)} - _NOT_SETTINGS
    raw.update({name.lower(): environ[_PREFIX + name] for name in given if environ[_PREFIX + name] != ""})
    try:
        values = _SettingsSchema().load(raw)
    except ValidationError as error:
        lines = [f"{_PREFIX}{name.upper()}: {' '.join(texts)}" for name, texts in error.messages_dict.items()]
        raise BadSettings(" ".join(lines)) from error
    return _complete(values)


def _complete(values: dict[str, Any]) -> Settings:
    data_dir = Path(values["data_dir"]).expanduser().resolve()
    values["data_dir"] = data_dir
    values["database_url"] = _database_url(values["database_url"], data_dir)
    values["redis_url"] = _redis_url("REDIS_URL", values["redis_url"]) or embedded_redis_url(data_dir)
    values["stream_url"] = _redis_url("STREAM_URL", values["stream_url"]) or values["redis_url"]
    values["base_url"] = (values["base_url"] or f"http://{values['host']}:{values['port']}").rstrip("/")
    values["tracking_url"] = (values["tracking_url"] or values["base_url"]).rstrip("/")
    values["secret_key"] = _secret_key(values["secret_key"], values["env"], data_dir)
    if bool(values["dkim_selector"]) != bool(values["dkim_key_file"]):
        raise BadSettings("AFFILIATE_DKIM_SELECTOR and AFFILIATE_DKIM_KEY_FILE belong together: set both, or neither.")
    return Settings(**values)


def _database_url(text: str, data_dir: Path) -> str:
    if not text:
        return f"sqlite:///{data_dir / 'affiliate.db'}"
    # Imported here: the supervisor needs no SQLAlchemy, and it lives as long as the servers do.
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except ArgumentError as error:
        raise BadSettings(
            "AFFILIATE_DATABASE_URL is not a database address. Write postgresql://user:password@host/name or sqlite:////path/file.db."
        ) from error
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"postgresql+psycopg", "sqlite"}:
        raise BadSettings(f"AFFILIATE_DATABASE_URL names {url.drivername!r}; PostgreSQL and SQLite are supported.")
    return url.render_as_string(hide_password=False)


def _redis_url(name: str, text: str) -> str:
    clusters = ("redis+cluster://", "rediss+cluster://") if name == "STREAM_URL" else ()  # RQ works on no cluster
    if text and not text.startswith(("redis://", "rediss://", "unix://", *clusters)):
        raise BadSettings(
            f"AFFILIATE_{name} is not a Redis address. Write redis://host:6379/0 or unix:///path/of.sock."
        )
    return text


def _secret_key(text: str, env: str, data_dir: Path) -> str:
    if text:
        if env == "production" and len(text) < _SECRET_KEY_LENGTH_MIN:
            raise BadSettings(
                f"AFFILIATE_SECRET_KEY is too short for production: use at least {_SECRET_KEY_LENGTH_MIN} random characters."
            )
        return text
    if env == "production":
        raise BadSettings("AFFILIATE_SECRET_KEY is missing: production needs one of at least 32 random characters.")
    return _kept(data_dir / "secret_key", lambda: secrets.token_urlsafe(48))


def _kept(path: Path, make: Callable[[], str]) -> str:
    """A value made once and kept with mode 0600, so that every process and the next start see the same."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(make())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)  # whole or not at all, and never over another process's value
            draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise BadSettings(
            f"DATA_DIR {path.parent} cannot be written ({error.strerror}): choose another folder or change its owner."
        ) from error


@lru_cache(maxsize=1)
def current() -> Settings:
    """The settings of this process, read from its environment once."""
    return load(os.environ)
