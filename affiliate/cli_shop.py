"""Commands that bring orders in, and that try whether orders come in."""

import time
from pathlib import Path

import click

from affiliate.commandline import Refused, begin_on_database

_LOOK_EVERY_SECONDS = 0.5
_PROBLEMS_SHOWN_MAX = 50


@click.command(name="import-orders")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--program", "slug", required=True)
def import_orders(*, file: Path, slug: str) -> None:
    """Take orders from a CSV with the fields of the API as columns; the same file again changes nothing."""
    settings = begin_on_database()
    from affiliate import clock
    from affiliate.app import create_app
    from affiliate.imports import BadTable
    from affiliate.tracking import order_import
    from affiliate.tracking.tracker import NoSuchProgram, Tracker

    tracker: Tracker = create_app(settings).extensions["affiliate_tracker"]
    try:
        results = order_import.import_orders(
            file.read_bytes(), program=tracker.program(slug), keys=tracker.keys, buffer=tracker.buffer, now=clock.now()
        )
    except (BadTable, NoSuchProgram) as error:
        raise Refused(str(error)) from error
    refused = [result for result in results if result.status == "refused"]
    for result in refused[:_PROBLEMS_SHOWN_MAX]:
        click.echo(f"line {result.number}, order {result.order_id or '-'}: {result.problem}", err=True)
    known = sum(result.status == "known" for result in results)
    click.echo(f"{len(results) - known - len(refused)} taken, {known} known, {len(refused)} refused")
    if refused:
        raise SystemExit(1)


@click.command()
def canary() -> None:
    """Send a test order the whole way and say how it went; it never counts and never shows."""
    begin_on_database()
    from affiliate import db
    from affiliate.canary import jobs, queries
    from affiliate.canary.models import CanaryState

    if not jobs.begin():
        raise Refused("There is no link of an approved partner in a live program to try.")
    with db.reading() as session:
        run = queries.last_begun(session)
    while run is not None and run.state in queries.OPEN:
        if jobs.proceed() == 0:
            time.sleep(_LOOK_EVERY_SECONDS)
        with db.reading() as session:
            run = queries.run_of(session, run_id=run.id)
    if run is None or run.state is CanaryState.FAILED:
        raise Refused(run.finding or "The test order failed." if run else "The run is gone.")
    seconds = (run.stepped_at - run.started_at).total_seconds()
    click.echo(f"A test click, order and refund went the whole way in {seconds:.1f} s.")
