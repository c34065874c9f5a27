"""Commands about exchange rates."""

from pathlib import Path

import click

from affiliate.commandline import Refused, begin_on_database


@click.group()
def rates() -> None:
    """Exchange rates, for orders in another currency than their program's."""


@rates.command("show")
def rates_show() -> None:
    """Say how fresh they are."""
    begin_on_database()
    from affiliate import db
    from affiliate.currencies import queries

    with db.reading() as session:
        day = queries.newest_day(session)
        if day is None:
            raise Refused("There are no exchange rates yet. The worker loads them within the hour.")
        click.echo(f"The newest rates are of {day.isoformat()}, for {queries.currencies(session, day=day)} currencies.")


@rates.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
def rates_load(*, file: Path | None) -> None:
    """Store the rates of a file of the European Central Bank (CSV, or a ZIP with one); without a file, the bundled history."""
    begin_on_database()
    from affiliate import clock, db
    from affiliate.commissions import jobs
    from affiliate.currencies import ecb, service, sources

    now = clock.now()
    try:
        days = ecb.read(file.read_bytes() if file else sources.bundled(), since=(now - service.HISTORY).date())
    except ecb.BadRates as refusal:
        raise Refused(str(refusal)) from refusal
    with db.transaction() as session:
        stored = service.store(session, days=days, now=now)
    jobs.look_again_for_rates()
    click.echo(f"{stored} new rates of {len(days)} days.")
