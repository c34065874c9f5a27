"""What can go wrong, by kind. Packages subclass these beside the code that raises them; one handler renders them."""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A refusal that a caller can act on. `code` is stable and machine-readable, the message is for people."""

    code = "error"


class NotFound(DomainError):  # noqa: N818 - the kind's name reads better without Error
    """The thing does not exist, or belongs to somebody else: callers cannot tell which."""

    code = "not_found"


class Forbidden(DomainError):  # noqa: N818 - as above
    """The caller is known but may not do this."""

    code = "forbidden"


class Conflict(DomainError):  # noqa: N818 - as above
    """The state has moved on: somebody was faster, or the thing exists with other content."""

    code = "conflict"


class Unavailable(DomainError):  # noqa: N818 - as above
    """A dependency does not answer; the same call may succeed later. `retry_after_seconds` says when."""

    code = "unavailable"
    retry_after_seconds = 5


class Malformed(DomainError):  # noqa: N818 - as above
    """The bytes cannot be read at all (broken JSON, NUL, wrong encoding, too deep)."""

    code = "malformed"


class Invalid(DomainError):  # noqa: N818 - as above
    """Readable, but wrong: `errors` names each field with its messages."""

    code = "invalid"

    def __init__(self, errors: Mapping[str, Sequence[str]], message: str = "Some fields are wrong.") -> None:
        super().__init__(message)
        self.errors = {field: list(messages) for field, messages in errors.items()}
