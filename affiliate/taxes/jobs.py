"""The job that asks VIES: reads what waits, asks outside of any transaction, writes each answer in one of its own."""

from affiliate import clock, db, settings
from affiliate.taxes import queries, service, vies

_ASKED_AT_ONCE = 10


def ask_vies() -> int:
    """Ask about the numbers that wait, and give how many that were. Without an address of the service they go on waiting."""
    configured = settings.current()
    if not configured.vies_url:
        return 0
    with db.reading() as session:
        waiting = [(each.id, each.vat_id) for each in queries.waiting_checks(session, limit=_ASKED_AT_ONCE)]
    for check_id, vat_id in waiting:
        said = vies.ask(url=configured.vies_url, vat_id=vat_id, loopback=configured.env == "test")
        with db.transaction() as session:
            service.answer_vies(session, check_id=check_id, is_valid=said.is_valid, name=said.name, now=clock.now())
    return len(waiting)
