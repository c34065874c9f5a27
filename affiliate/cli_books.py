"""Commands about the books, and about what partners entrust to us."""

from pathlib import Path
from typing import Any, TypeVar

import click

from affiliate.commandline import Refused, begin, begin_on_database

Row = TypeVar("Row")


@click.group()
def ledger() -> None:
    """The books."""


@ledger.command("verify")
def ledger_verify() -> None:
    """Prove balances, causes and the chain of seals; fail and say where if something does not hold."""
    current = begin_on_database()
    from affiliate import db
    from affiliate.ledger import keys
    from affiliate.payouts import proof as books

    with db.reading() as session:
        proof = books.verify(session, trusted=keys.trusted(current))
    for finding in proof.findings:
        click.echo(finding, err=True)
    if proof.findings:
        raise Refused("The books do not balance.")
    click.echo(f"The books balance: {proof.transfers} transfers, {proof.sealed} of them sealed.")


@ledger.command("key")
def ledger_key() -> None:
    """Print the public key that checks the seals; keep it outside this machine."""
    current = begin()
    from affiliate.ledger import chain

    click.echo(chain.public_key(current.secret_key))


@ledger.command("export")
@click.option("--program", "slug", required=True)
@click.option("--format", "form", type=click.Choice(["beancount", "csv"]), default="beancount")
def ledger_export(*, slug: str, form: str) -> None:
    """Write the whole ledger of a program to standard output, oldest movement first."""
    begin_on_database()
    from affiliate import db
    from affiliate.ledger import beancount, queries
    from affiliate.programs.queries import program_by_slug

    with db.reading() as session:
        program = _known(program_by_slug(session, slug=slug), f"There is no program {slug!r}.")
        transfers = queries.every_transfer(session, program_id=program.id)
        lines = beancount.lines(transfers, title=program.name) if form == "beancount" else beancount.table(transfers)
        for line in lines:
            click.echo(line)


@click.command("backup")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def backup(*, folder: Path) -> None:
    """Copy database, Redis, spool and keys into FOLDER while everything runs; it is the DATA_DIR of a restore."""
    current = begin_on_database()
    from affiliate import backup as backups

    try:
        parts = backups.make(current, folder=folder)
    except (backups.NotEmpty, backups.NoDump) as refusal:
        raise Refused(str(refusal)) from refusal
    click.echo(f"{folder} holds {', '.join(parts)}.")


@click.group()
def payouts() -> None:
    """How partners are paid."""


@payouts.command("key")
def payouts_key() -> None:
    """Print the key that follows from the secret; append it to DATA_DIR/details-keys before you change the secret."""
    current = begin_on_database()
    from affiliate.payouts import vault

    click.echo(vault.derived_key(current.secret_key))


@payouts.command("rekey")
def payouts_rekey() -> None:
    """Put all payment details under the newest key of DATA_DIR/details-keys; older keys can go afterwards."""
    current = begin_on_database()
    from affiliate import db
    from affiliate.payouts import details, vault

    try:
        with db.transaction() as session:
            count = details.renew_vault(session, vault=vault.vault_of(current))
    except vault.Unreadable as wrong:
        raise Refused(str(wrong)) from wrong
    click.echo(f"{count} records are under the newest key.")


@payouts.command("limit")
@click.option("--email", required=True)
@click.option("--program", "slug", required=True)
@click.option("--amount", help="The largest run that this person may approve; without it, any.")
def payouts_limit(*, email: str, slug: str, amount: str | None) -> None:
    """Bound what a person may approve in a program."""
    begin_on_database()
    from affiliate import clock, db
    from affiliate.accounts import queries
    from affiliate.accounts.actors import SYSTEM
    from affiliate.money import BadAmount, parse_amount
    from affiliate.payouts import limits
    from affiliate.programs.queries import program_by_slug

    with db.transaction() as session:
        person = _known(queries.user_by_email(session, email=email), f"Nobody here has the address {email}.")
        program = _known(program_by_slug(session, slug=slug), f"There is no program {slug!r}.")
        try:
            limit = None if amount is None else parse_amount(amount, program.currency)
        except BadAmount as wrong:
            raise Refused(str(wrong)) from wrong
        facts: dict[str, Any] = {"user_id": person.id, "program_id": program.id, "actor": SYSTEM, "now": clock.now()}
        try:
            limits.set_limit(session, limit=limit, **facts)
        except limits.NoRoleHere as refusal:
            raise Refused(f"{email} has no role of its own in {slug}: give it one first.") from refusal
    click.echo(f"{email} may approve {'any run' if limit is None else 'runs up to ' + limit.text()}.")


def _known(row: Row | None, refusal: str) -> Row:
    if row is None:
        raise Refused(refusal)
    return row
