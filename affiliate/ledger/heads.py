"""The heads of the chains as a daily letter to somebody outside: whoever rewrites the books cannot rewrite that mailbox."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import mailer
from affiliate.ledger import queries
from affiliate.ledger.chain import ChainName
from affiliate.ledger.models import LedgerSeal
from affiliate.mailer import Letter, OutboxMail

_SUBJECT = "Ledger heads of {day}"
_KEPT_FOR = timedelta(days=2)


def mail_heads(session: Session, *, recipient: str, base_url: str, now: datetime) -> bool:
    """Write today's letter with the newest seal of each chain, once a day (UTC); whether there was one to write.

    It is for a machine or an accountant, so it is in English everywhere.
    """
    subject = _SUBJECT.format(day=now.date().isoformat())
    mine = (OutboxMail.recipient == recipient, OutboxMail.subject == subject, OutboxMail.created_at > now - _KEPT_FOR)
    seals = [seal for chain in ChainName if (seal := queries.last_seal(session, chain=chain)) is not None]
    if not seals or session.scalar(sa.select(sa.exists().where(*mine))):
        return False
    letter = Letter(
        subject=subject,
        paragraphs=[
            f"The newest seals of {base_url}. Keep this letter: `affiliate ledger verify` finds books that were rewritten since.",
            *(line for seal in seals for line in _lines(seal)),
        ],
        why="AFFILIATE_LEDGER_MAIL_TO names this address.",
    )
    mailer.post(session, recipient=recipient, letter=letter, locale="en", now=now)
    return True


def _lines(seal: LedgerSeal) -> list[str]:
    return [
        f"{seal.chain}: seal {seal.number}, {seal.rows} rows up to position {seal.last_position}, {seal.sealed_at.isoformat()}",
        f"head {seal.head}",
        f"signature {seal.signature}",
        f"key {seal.public_key}",
    ]
