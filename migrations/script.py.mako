"""${message}.

One idea per migration; it runs on SQLite and PostgreSQL, with data in the tables.
"""

import sqlalchemy as sa
from alembic import op

from affiliate import db

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
