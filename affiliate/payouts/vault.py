"""What partners entrust to us, encrypted at rest: Fernet, with keys that can be changed while old rows are still read.

The newest key writes. Keys come from `DATA_DIR/details-keys` (one Fernet key per line, the newest first); behind them always stands
the one that follows from the installation's secret, which is the only one until somebody writes that file.
"""

import base64

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from affiliate import signing
from affiliate.settings import Settings

KEYS = "details-keys"
_PURPOSE = "payout-details"
_MARK = "payout-account-mark"


class Unreadable(Exception):  # noqa: N818 - read as a kind
    """None of the keys opens this: the key that closed it is missing from `DATA_DIR/details-keys`."""


class Vault:
    """Closes and opens small records of text."""

    def __init__(self, keys: list[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._mark_key = signing.derive(keys[-1], _MARK)

    def close(self, fields: dict[str, str]) -> str:
        """The record, encrypted."""
        return self._fernet.encrypt(orjson.dumps(fields)).decode()

    def open(self, token: str) -> dict[str, str]:
        """The record.

        Raises:
            Unreadable: no key fits.
        """
        try:
            found: dict[str, str] = orjson.loads(self._fernet.decrypt(token.encode()))
        except InvalidToken as wrong:
            raise Unreadable("No key opens these payment details: see DATA_DIR/details-keys.") from wrong
        return found

    def mark(self, fields: dict[str, str]) -> str | None:
        """A keyed hash by which the same account is found again; nothing for what names no account.

        The key is the one that never changes: the one that stands behind all others.
        """
        account = fields.get("iban") or " ".join(fields[name] for name in ("routing", "number") if name in fields)
        told = account or fields.get("email", "").lower()
        return signing.keyed_hash(self._mark_key, told) if told else None

    def renew(self, token: str) -> str:
        """The same record under the newest key.

        Raises:
            Unreadable: no key fits.
        """
        try:
            return self._fernet.rotate(token.encode()).decode()
        except InvalidToken as wrong:
            raise Unreadable("No key opens these payment details: see DATA_DIR/details-keys.") from wrong


def derived_key(secret: str) -> str:
    """The key that follows from the secret of the installation."""
    return base64.urlsafe_b64encode(signing.derive(secret, _PURPOSE)).decode()


def vault_of(settings: Settings) -> Vault:
    """The vault of this installation."""
    path = settings.data_dir / KEYS
    newer = path.read_text().split() if path.exists() else []
    return Vault([*newer, derived_key(settings.secret_key)])
