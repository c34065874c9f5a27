"""The jobs of the ledger, once a minute: sealing, and totals for pages."""

from affiliate import clock, db, settings
from affiliate.ledger import chain as rules
from affiliate.ledger import heads, sealer, service, total_queries
from affiliate.ledger.chain import ChainName

_PROGRAMS_AT_ONCE = 100


def seal() -> int:
    """Seal what was committed until now, in transactions of at most one seal each; gives the number of rows."""
    return sum(_seal(name) for name in ChainName)


def carry_totals() -> int:
    """Bring the totals of programs and partners to their newest transfer; gives how many programs. Added up without a lock, written one by one."""
    with db.reading() as session:
        behind = total_queries.behind(session, limit=_PROGRAMS_AT_ONCE)
    carried = 0
    for program in behind:
        with db.reading() as session:
            since = total_queries.since(session, behind=program)
        with db.transaction() as session:
            carried += service.keep_total(session, behind=program, since=since)
    return carried


def mail_heads() -> int:
    """Write the day's letter with the heads of the chains, where an address is set; gives the number of letters."""
    current = settings.current()
    if not current.ledger_mail_to:
        return 0
    with db.transaction() as session:
        return int(
            heads.mail_heads(session, recipient=current.ledger_mail_to, base_url=current.base_url, now=clock.now())
        )


def _seal(chain: ChainName) -> int:
    key = rules.signing_key(settings.current().secret_key)
    with db.transaction() as session:  # of its own, because it holds up whoever would write
        until = sealer.horizon(session, chain=chain)
    done = count = 0
    while done == 0 or count == sealer.ROWS_MAX:
        with db.transaction() as session:
            count = sealer.seal(session, chain=chain, until=until, key=key, now=clock.now())
        done += count
        if not count:
            break
    return done
