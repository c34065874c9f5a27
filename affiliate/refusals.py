"""What goes wrong at a command, as one sentence for the person at the terminal, who reads no tracebacks."""

import re
import sys

from affiliate.errors import DomainError, Invalid
from affiliate.settings import BadSettings

_LIBRARY = re.compile(r"([^\s:]+): cannot open shared object file")


def sentence(error: BaseException) -> str | None:
    """One sentence that says what to do, or None for an error that is ours: its traceback is wanted."""
    if isinstance(error, Invalid):
        return " ".join(f"{field}: {' '.join(texts)}" for field, texts in error.errors.items()) or str(error)
    if isinstance(error, BadSettings | DomainError):
        return str(error)
    if isinstance(error, ImportError | OSError) and (library := _LIBRARY.search(str(error))):
        return f"The system library {library[1]} is missing: install the package that contains it."
    if isinstance(error, ModuleNotFoundError):
        return f"The Python package {error.name} is not installed: run `make setup`."
    return _database(error) or _redis(error)


def _database(error: BaseException) -> str | None:
    # Looked up, not imported: a command that never loaded SQLAlchemy cannot have raised its errors.
    sqlalchemy = sys.modules.get("sqlalchemy.exc")
    if sqlalchemy is None or not isinstance(error, sqlalchemy.OperationalError | sqlalchemy.DatabaseError):
        return None
    said = str(error.orig).strip().splitlines()[0]
    if isinstance(error, sqlalchemy.ProgrammingError):
        return f"The database lacks what this program needs ({said}): run `affiliate db upgrade`."
    return f"The database does not let us work ({said}): check AFFILIATE_DATABASE_URL."


def _redis(error: BaseException) -> str | None:
    redis = sys.modules.get("redis.exceptions")
    if redis is None or not isinstance(error, redis.RedisError):
        return None
    return f"Redis does not let us work ({str(error).rstrip('.')}): check AFFILIATE_REDIS_URL."
