"""The person as Flask-Security sees it: a second mapping of the users' table.

Its own class, so that the tables can be read (by workers, by migrations) without loading a web stack.
"""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask_security import UserMixin

from affiliate.accounts.models import User
from affiliate.db import Base


class SignInUser(Base, UserMixin):
    """Who signs in. For everything else there is `User`, the same row."""

    __table__ = User.__table__

    if TYPE_CHECKING:
        id: UUID  # type: ignore[assignment] # the library thinks of integers
        email: str
        name: str
        locale: str | None
        time_zone: str | None
        password: str | None
        active: bool
        fs_uniquifier: str
        tf_primary_method: str | None
        tf_totp_secret: str | None
        tf_last_counter: int | None
        mf_recovery_codes: list[Any] | None
