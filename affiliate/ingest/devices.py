"""What a click was made with, by the name that the browser gives itself: the expression that counts, recounts and reports share."""

import sqlalchemy as sa

from affiliate.ingest.models import Click

PHONE, TABLET, COMPUTER = "phone", "tablet", "computer"
NAMES = (PHONE, TABLET, COMPUTER)


def device() -> sa.ColumnElement[str]:
    """One of NAMES; empty where the browser gave no name."""
    agent = sa.func.coalesce(Click.user_agent, "")
    is_android, is_mobile = agent.contains("Android"), agent.contains("Mobi")
    is_tablet = sa.or_(agent.contains("iPad"), agent.contains("Tablet"), sa.and_(is_android, sa.not_(is_mobile)))
    return sa.case((agent == "", ""), (is_tablet, TABLET), (is_mobile, PHONE), else_=COMPUTER)
