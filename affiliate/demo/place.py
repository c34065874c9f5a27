"""Where the demo may stand. Apart from what makes it: every start asks, and the making loads all of the program."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import errors
from affiliate.accounts.models import User
from affiliate.demo import cast
from affiliate.programs.models import Program
from affiliate.settings import Settings


class DemoRefused(errors.Conflict):
    """The demo would stand beside real data, or where others can reach it."""


def refuse_unless_safe(session: Session, settings: Settings) -> None:
    """The demo belongs on an empty database of a machine that only its owner reaches.

    Raises:
        DemoRefused: says which of the three does not hold.
    """
    if settings.env == "production":
        raise DemoRefused("The demo is not for production: its people and passwords are public.")
    if not settings.on_loopback:
        raise DemoRefused(
            f"The demo runs on this machine only, and HOST is {settings.host}. Set AFFILIATE_HOST to 127.0.0.1."
        )
    if _is_used(session):
        raise DemoRefused("This database is not empty: the demo is loaded into an empty one only.")


def is_welcome(session: Session, settings: Settings) -> bool:
    """Whether the demo may stand here."""
    try:
        refuse_unless_safe(session, settings)
    except DemoRefused:
        return False
    return True


def refuse_in_production(session: Session) -> None:
    """Real business must not begin beside people whose passwords lie in a file.

    Raises:
        DemoRefused: the demo's people are in this database.
    """
    addresses = [person.email for person in cast.STAFF]
    if session.scalar(sa.select(sa.exists().where(User.email.in_(addresses)))):
        raise DemoRefused(
            "This database holds the demo, and AFFILIATE_ENV is production: begin with an empty one (AFFILIATE_DATABASE_URL)."
        )


def _is_used(session: Session) -> bool:
    people, programs = sa.exists().where(User.id.is_not(None)), sa.exists().where(Program.id.is_not(None))
    return bool(session.scalar(sa.select(sa.or_(people, programs))))
