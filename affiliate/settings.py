"""Settings: defaults from `config/settings.toml`, overridden by `AFFILIATE_*` in the environment, checked once at the start."""

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

_DEFAULTS = Path(__file__).parent.parent / "config" / "settings.toml"
_PREFIX = "AFFILIATE_"
_BARE = ("PORT", "DATA_DIR")  # read without the prefix too: `make run PORT=9000`
_SECRET_KEY_LENGTH_MIN = 32
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
    base_url: str
    tracking_url: str
    secret_key: str
    smtp_url: str
    mail_from: str
    log_level: str
    log_format: str

    @property
    def embedded_redis(self) -> bool:
        """Whether we run our own Redis under `data_dir`."""
        return self.redis_url == embedded_redis_url(self.data_dir)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach us."""
        return self.host == "localhost" or ip_address(self.host).is_loopback


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
    base_url = fields.String()
    tracking_url = fields.String()
    secret_key = fields.String()
    smtp_url = fields.String()
    mail_from = fields.String(validate=validate.Length(min=3))
    log_level = fields.String(validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
    log_format = fields.String(validate=validate.OneOf(["text", "json"]))


def embedded_redis_url(data_dir: Path) -> str:
    """Where the embedded Redis listens: a socket of its own below the data directory."""
    return f"unix://{data_dir / 'redis' / 'redis.sock'}"


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
    values["redis_url"] = values["redis_url"] or embedded_redis_url(data_dir)
    values["stream_url"] = values["stream_url"] or values["redis_url"]
    values["base_url"] = (values["base_url"] or f"http://{values['host']}:{values['port']}").rstrip("/")
    values["tracking_url"] = (values["tracking_url"] or values["base_url"]).rstrip("/")
    values["secret_key"] = _secret_key(values["secret_key"], values["env"], data_dir)
    return Settings(**values)


def _database_url(text: str, data_dir: Path) -> str:
    if not text:
        return f"sqlite:///{data_dir / 'affiliate.db'}"
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


def _secret_key(text: str, env: str, data_dir: Path) -> str:
    if text:
        if env == "production" and len(text) < _SECRET_KEY_LENGTH_MIN:
            raise BadSettings(
                f"AFFILIATE_SECRET_KEY is too short for production: use at least {_SECRET_KEY_LENGTH_MIN} random characters."
            )
        return text
    if env == "production":
        raise BadSettings("AFFILIATE_SECRET_KEY is missing: production needs one of at least 32 random characters.")
    return _kept_secret(data_dir / "secret_key")


def _kept_secret(path: Path) -> str:
    """The development secret: made once, kept with mode 0600, so that sessions outlive a restart."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    except OSError as error:
        raise BadSettings(
            f"DATA_DIR {path.parent} cannot be written ({error.strerror}): choose another folder or change its owner."
        ) from error
    return path.read_text().strip()


@lru_cache(maxsize=1)
def current() -> Settings:
    """The settings of this process, read from its environment once."""
    return load(os.environ)
