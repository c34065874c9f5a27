"""The heads of the chains leave once a day, with all that is needed to check them."""

from datetime import timedelta

import sqlalchemy as sa
from money_cast import MATURE, open_books
from sqlalchemy.orm import Session

from affiliate.ledger import chain, heads, queries, sealer
from affiliate.ledger.chain import ChainName
from affiliate.mailer import OutboxMail
from affiliate.settings import Settings

TO = {"recipient": "books@accountant.example", "base_url": "https://partners.example"}


def test_the_newest_seals_are_mailed_once_a_day(sqlite_settings: Settings, app_session: Session) -> None:
    books = open_books(app_session)
    assert not heads.mail_heads(app_session, **TO, now=MATURE)  # nothing is sealed yet
    books.order()
    books.work(now=MATURE)
    sealer.seal_all(app_session, key=chain.signing_key(sqlite_settings.secret_key), now=MATURE)
    moments = [MATURE, MATURE + timedelta(hours=1), MATURE + timedelta(days=1)]
    assert [heads.mail_heads(app_session, **TO, now=moment) for moment in moments] == [True, False, True]
    (mail, *_) = app_session.scalars(sa.select(OutboxMail).order_by(OutboxMail.created_at)).all()
    seal = queries.last_seal(app_session, chain=ChainName.TRANSFERS)
    assert seal is not None
    assert mail.recipient == TO["recipient"]
    for fact in (seal.head, seal.signature, seal.public_key):
        assert fact in " ".join(mail.body_text.split())
