"""Jobs of programs: their mails leave in their names; the hosts that they want are looked at."""

from affiliate import clock, db, mailer, outgoing, settings
from affiliate.outgoing import CallFailed
from affiliate.programs import addresses, domains, sender
from affiliate.programs.models import ProgramDomain
from affiliate.settings import Settings

HOSTS_AT_ONCE = 5
_SECONDS_MAX = 5.0
_CHARACTERS_MAX = 200
_OK = 200


def send_mails() -> int:
    """Send what is due of the outbox; gives how many mails were claimed."""
    return mailer.send_due(of_programs=sender.of_programs)


def look_at_hosts(*, name_server: tuple[str, int] | None = None) -> int:
    """Ask for the proof of the hosts that are due, outside any transaction; gives how many. `name_server`: the system's."""
    with db.reading() as session:
        due = domains.due(session, now=clock.now(), limit=HOSTS_AT_ONCE)
    for each in due:
        problem = _problem(each, settings.current(), name_server)
        with db.transaction() as session:
            domains.settle(session, looked_at=each, problem=problem, now=clock.now())
    return len(due)


def _problem(wanted: ProgramDomain, to: Settings, name_server: tuple[str, int] | None) -> str | None:
    """Null where either place has the proof, else what was found instead."""
    proof = domains.proof(to.secret_key, program_id=wanted.program_id, host=wanted.host)
    try:
        if proof in outgoing.texts_of(f"{domains.TXT_LABEL}.{wanted.host}", name_server=name_server):
            return None
        in_dns = "no such TXT record"
    except CallFailed as failed:
        in_dns = str(failed)
    try:
        said = outgoing.call(
            f"{addresses.pages(wanted.host, to)}{domains.PROOF_PATH}", headers={}, seconds_max=_SECONDS_MAX,
            characters_max=_CHARACTERS_MAX, loopback=to.env != "production",
        )  # fmt: skip
    except CallFailed as failed:
        return f"DNS: {in_dns}. HTTPS: {failed}"
    if said.status == _OK and said.text == proof:
        return None
    return f"DNS: {in_dns}. HTTPS: {said.status}, another text"
