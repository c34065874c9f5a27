"""Commands about events: recount the rollups, and deal with what could not be stored."""

from uuid import UUID

import click

from affiliate.commandline import Refused, begin_on_database, require_tables

_SHOWN_MAX = 50
_TEXT_LENGTH_MAX = 20_000


@click.command()
def verify() -> None:
    """Count the clicks of the months that are kept again, and compare every rollup with them; fail where they differ.

    So are the steps of visits, the orders that the fraud rules compare, by partner and day, and the sums of days, weeks and
    devices that pages add up.
    """
    begin_on_database()
    from affiliate import clock, db
    from affiliate.fraud import recount as fraud
    from affiliate.ingest import recount, step_recount
    from affiliate.ingest.clickrules import ClickVerdict
    from affiliate.reports import day_recount

    require_tables()
    with db.reading() as session:
        found = recount.recount(session, limit=_SHOWN_MAX, now=clock.now())
        steps = step_recount.recount(session, limit=_SHOWN_MAX, now=clock.now())
        days = fraud.recount(session, limit=_SHOWN_MAX)
        sums = day_recount.recount(session, limit=_SHOWN_MAX, now=clock.now())
    for difference in (*found.differences, *steps):
        key = " ".join(f"{name}={value}" for name, value in difference.key.items())
        click.echo(f"{difference.rollup} {key}: {difference.counted} counted, {difference.clicks} clicks", err=True)
    for day in days:
        click.echo(f"fraud_days program_id={day.program_id} owner_id={day.owner_id} day={day.day}", err=True)
    for one in sums:
        click.echo(f"{one.table} {one.key}: {one.counted} counted, {one.found} found", err=True)
    if found.differences or steps or days or sums:
        raise Refused("The rollups do not say what the clicks and orders say.")
    rejected = ", ".join(
        f"{number} {verdict}" for verdict, number in sorted(found.by_verdict.items()) if verdict != ClickVerdict.VALID
    )
    valid = found.by_verdict.get(ClickVerdict.VALID, 0)
    click.echo(f"Every rollup agrees with {found.raw} clicks since {found.since:%Y-%m-%d}: {valid} valid.")
    click.echo(f"Not valid: {rejected or 'none'}.")


@click.command("overrule-click")
@click.argument("click_id")
@click.option("--to", "verdict", required=True, help="For example valid, bot or own_team.")
@click.option("--reason", required=True, help="Why you know better; kept in the audit trail.")
def overrule_click(click_id: str, verdict: str, reason: str) -> None:
    """Change the verdict on a click (clk_…): the counts move with it, and the orders that it reaches are attributed again."""
    begin_on_database()
    from affiliate import clock, db, ids
    from affiliate.accounts import audit
    from affiliate.accounts.actors import SYSTEM
    from affiliate.ingest import queries, service
    from affiliate.ingest.clickrules import ClickVerdict

    require_tables()
    wanted = {one.value: one for one in ClickVerdict if one not in {ClickVerdict.TEST, ClickVerdict.PAST_RETENTION}}
    if verdict not in wanted:
        raise Refused(f"There is no verdict {verdict}. Say one of: {', '.join(wanted)}.")
    try:
        number = ids.parse("clk", click_id)
    except ids.BadPublicId as error:
        raise Refused(f"{click_id} is no click: its id begins with clk_.") from error
    with db.transaction() as session:
        found = queries.judged(session, click_id=number)
        if found is None or found.verdict not in wanted.values():
            raise Refused("There is no such click, or it is the installation's own test.")
        now, before = clock.now(), found.verdict
        if before is wanted[verdict] or not service.overrule(
            session, click_id=number, expected=before, verdict=wanted[verdict], now=now
        ):
            raise Refused(f"Nothing was changed: the click is {before}.")
        audit.record(
            session, actor=SYSTEM, action="click.overrule", subject_kind="click", subject_id=number,
            program_id=found.program_id, details={"from": before.value, "to": verdict, "reason": reason}, now=now,
        )  # fmt: skip
    click.echo(f"It was {before}, and is {verdict}.")


@click.group("dead-letters")
def dead_letters() -> None:
    """Events that could not be stored, with their error."""


@dead_letters.command("list")
@click.option("--limit", default=_SHOWN_MAX, show_default=True, type=click.IntRange(1, 10_000))
def list_letters(limit: int) -> None:
    """Print the oldest ones: id, time, stream, error."""
    begin_on_database()
    from affiliate import db
    from affiliate.ingest import queries

    with db.reading() as session:
        for letter in queries.dead_letters(session, limit=limit):
            click.echo(f"{letter.id}  {letter.failed_at:%Y-%m-%d %H:%M:%S}  {letter.stream}  {letter.error}")


@dead_letters.command("show")
@click.argument("letter_id", type=click.UUID)
def show_letter(letter_id: UUID) -> None:
    """Print the error and what was sent. It may tell of a customer."""
    begin_on_database()
    from affiliate import db
    from affiliate.ingest import letters, queries

    with db.reading() as session:
        found = queries.dead_letters(session, limit=1, letter_ids=[letter_id])
        if not found:
            raise Refused("There is no such dead letter.")
        click.echo(found[0].error)
        click.echo(letters.readable(found[0].payload, length_max=_TEXT_LENGTH_MAX))


@dead_letters.command("replay")
@click.argument("letter_id", type=click.UUID, required=False)
@click.option("--all", "every", is_flag=True, help="All of them, a thousand at once.")
def replay_letters(letter_id: UUID | None, every: bool) -> None:  # noqa: FBT001 - click gives it
    """Try one of them, or all of them, again."""
    if (letter_id is None) != every:
        raise click.UsageError("Name one dead letter, or say --all.")
    begin_on_database()
    from affiliate import clock, db
    from affiliate.accounts.actors import SYSTEM
    from affiliate.ingest import letters

    require_tables()
    chosen = None if letter_id is None else [letter_id]
    with db.transaction() as session:
        done = letters.replay(session, limit=1000, letter_ids=chosen, by=letters.Clerk(SYSTEM), now=clock.now())
    click.echo(f"{done.stored} stored, {done.failed} failed again.")
    if done.failed or not done.stored:
        raise Refused("Nothing was stored." if not done.stored else "Some could not be stored; `list` says why.")


@dead_letters.command("discard")
@click.argument("letter_id", type=click.UUID)
@click.option("--reason", required=True, help="Why nobody needs it; kept in the audit trail.")
def discard_letter(letter_id: UUID, reason: str) -> None:
    """Throw one of them away."""
    begin_on_database()
    from affiliate import clock, db
    from affiliate.accounts.actors import SYSTEM
    from affiliate.ingest import letters

    require_tables()
    with db.transaction() as session:
        by = letters.Clerk(SYSTEM)
        gone = letters.discard(session, limit=1, letter_ids=[letter_id], reason=reason, by=by, now=clock.now())
    if not gone:
        raise Refused("There is no such dead letter.")
    click.echo("Thrown away.")
