"""What narrows a program's report to some partners: `steering.choosing.narrowed` says it, which stands above, and so is handed in."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

Chooser = Callable[[Session, UUID, Mapping[str, str]], Sequence[sa.ColumnElement[bool]]]
"""The conditions on enrollments of a program for what `asked.NARROWING` names: a tag, a group, a saved choice."""
