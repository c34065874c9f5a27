"""Table of exchange rates: ExchangeRate."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.db import Base


class ExchangeRate(Base):
    """What one euro was worth in a currency on a day, as the source wrote it. Never changed: what was paid by it names it."""

    __tablename__ = "exchange_rates"
    __table_args__ = (sa.PrimaryKeyConstraint("currency", "day"),)

    currency: Mapped[str] = mapped_column(sa.String(3))
    day: Mapped[date] = mapped_column(index=True)
    per_euro: Mapped[str] = mapped_column(sa.String(24))  # a decimal as text: exact on every database
    source: Mapped[str] = mapped_column(sa.String(16))
    stored_at: Mapped[datetime]
