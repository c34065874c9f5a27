"""The command line. Each command imports what it needs when it runs, so that a worker carries no web stack."""

import logging
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from affiliate import cli_attribution, cli_books, cli_events, cli_rates, cli_shop, refusals
from affiliate.commandline import Refused as _Refused
from affiliate.commandline import begin as _begin
from affiliate.commandline import begin_on_database as _begin_on_database
from affiliate.commandline import require_tables as _require_tables

if TYPE_CHECKING:
    from affiliate.settings import Settings

Row = TypeVar("Row")


class _Commands(click.Group):
    """Turns what can be said in a sentence into a sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            text = refusals.sentence(error)
            if text is None:
                raise
            raise _Refused(text) from error


_ROLES = ("manager", "finance", "admin", "reader", "logistics", "tech", "marketing")


@click.group(cls=_Commands)
@click.version_option(package_name="affiliate")
def cli() -> None:
    """Run and look after a partner program server. Settings come from AFFILIATE_* in the environment."""


@cli.command()
def up() -> None:
    """Start everything in the foreground: Redis if none is set, migrations, demo, web, ingest, workers, cron."""
    from affiliate import up as tree

    sys.exit(tree.run(_begin()))


@cli.command()
def prepare() -> None:
    """Do what must be done before the servers start: check Redis, migrate, load the demo into an empty database."""
    settings = _begin()
    from affiliate import db, libraries, queues, schema
    from affiliate.demo import place
    from affiliate.tracking import durability

    queues.connection().ping()
    durability.check()
    _say(settings, f"The database stands at {schema.upgrade()}.")
    libraries.check(settings.data_dir)
    with db.reading() as session:
        if settings.env == "production":
            place.refuse_in_production(session)
        loads_demo = settings.env == "development" and place.is_welcome(session, settings)
    if loads_demo:
        _load_demo(settings)


def _load_demo(settings: "Settings") -> None:
    from affiliate import clock
    from affiliate import db as database
    from affiliate.demo import service

    sheet = service.load(settings=settings, transaction=database.transaction, now=clock.now())
    _say(settings, f"The demo is in place; {sheet} holds its sign-ins.")


def _say(settings: "Settings", text: str) -> None:
    """A step that a person waits for; a line of the log where machines read."""
    if settings.log_format == "json":
        logging.getLogger(__name__).info(text)
    else:
        click.echo(text)


@cli.command()
def web() -> None:
    """Answer HTTP on HOST:PORT: pages, API and tracking."""
    from affiliate import server

    server.serve(_begin())


@cli.command()
def edge() -> None:
    """Answer links on HOST and the port after PORT, in a process of its own."""
    from affiliate import server

    server.serve_edge(_begin())


@cli.command()
def ingest() -> None:
    """Take events from the stream into the database, until a signal comes."""
    _begin_on_database("affiliate.accounts.models", "affiliate.programs.models", "affiliate.ingest.models")
    from affiliate import queues
    from affiliate import worker as workers
    from affiliate.ingest import consumer
    from affiliate.tracking import durability

    _require_tables()
    durability.check()
    connection = queues.connection()
    consumer.run(after_commit=lambda: workers.wake(connection))


@cli.command()
@click.argument("queue", type=click.Choice(["stages", "slow"]))
def worker(queue: str) -> None:
    """Run the jobs of one queue, until a signal comes."""
    from affiliate import worker as workers

    _begin_on_database(*workers.modules(queue))
    _require_tables()
    workers.work(queue)


@cli.command()
def cron() -> None:
    """Queue the periodic jobs: the sweep of the stages, mail, the proof of the ledger."""
    _begin()
    from affiliate import queues
    from affiliate import worker as workers

    workers.cron(connection=queues.connection()).start()  # type: ignore[no-untyped-call]  # RQ leaves it untyped


@cli.group()
def db() -> None:
    """Look after the database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Run the migrations that are missing."""
    _begin()
    from affiliate import schema

    click.echo(f"The database stands at {schema.upgrade()}.")


@db.command("current")
def db_current() -> None:
    """Print the revision of the database."""
    _begin()
    from affiliate import db as database
    from affiliate import schema

    with database.reading() as session:
        click.echo(schema.current(session) or "empty")


@db.command("check")
def db_check() -> None:
    """Fail if the tables are not the ones this version needs."""
    _begin()
    _require_tables()
    click.echo("The tables are the ones this version needs.")


@cli.group()
def demo() -> None:
    """The demo program, for development."""


@demo.command("load")
def demo_load() -> None:
    """Fill an empty database with a program, its partners and ninety days of business."""
    _load_demo(_begin_on_database())


@cli.group()
def user() -> None:
    """People who sign in."""


@user.command("create")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--role", type=click.Choice(_ROLES), required=True)
@click.option("--program", "slug", help="The program of the role; all programs without it.")
@click.password_option(help="Asked for if it is not given.")
def user_create(*, email: str, name: str, role: str, slug: str | None, password: str) -> None:
    """Make an account for a person of the team."""
    _begin_on_database()
    from affiliate import clock
    from affiliate import db as database
    from affiliate.accounts import service
    from affiliate.accounts.actors import SYSTEM
    from affiliate.accounts.models import GrantRole
    from affiliate.programs.queries import program_by_slug

    with database.transaction() as session:
        now = clock.now()
        program_id = _known(program_by_slug(session, slug=slug), f"There is no program {slug!r}.").id if slug else None
        person = service.create_user(session, email=email, name=name, password=password, now=now)
        service.grant(session, user_id=person.id, role=GrantRole(role), program_id=program_id, actor=SYSTEM, now=now)
    click.echo(f"{email} can sign in.")


@user.command("second-factor-off")
@click.option("--email", required=True)
def user_second_factor_off(*, email: str) -> None:
    """Let somebody in who lost the phone and the recovery codes: make sure who asks."""
    _begin_on_database()
    from affiliate import clock
    from affiliate import db as database
    from affiliate.accounts import queries, service
    from affiliate.accounts.actors import SYSTEM

    with database.transaction() as session:
        person = _known(queries.user_by_email(session, email=email), f"Nobody here has the address {email}.")
        service.switch_second_factor_off(session, user_id=person.id, actor=SYSTEM, now=clock.now())
    click.echo(f"{email} signs in with the password alone, and can switch a second factor on again.")


@cli.group()
def apikey() -> None:
    """Keys for shops and tools."""


@apikey.command("create")
@click.option("--email", required=True, help="The person who answers for the key.")
@click.option("--program", "slug", required=True)
@click.option("--scopes", required=True, help='For example "conversions:write conversions:read".')
@click.option("--name", default="command line")
@click.option("--test", "is_test", is_flag=True, help="A key whose orders never count.")
def apikey_create(*, email: str, slug: str, scopes: str, name: str, is_test: bool) -> None:
    """Make a key and print it alone. It is shown once."""
    _begin_on_database()
    from affiliate import clock
    from affiliate import db as database
    from affiliate.accounts import service
    from affiliate.accounts.actors import Actor
    from affiliate.accounts.queries import user_by_email
    from affiliate.programs.queries import program_by_slug

    with database.transaction() as session:
        person = _known(user_by_email(session, email=email), f"Nobody here has the address {email}.")
        program = _known(program_by_slug(session, slug=slug), f"There is no program {slug!r}.")
        _key, secret = service.create_api_key(
            session,
            program_id=program.id,
            name=name,
            scopes=scopes.replace(",", " ").split(),
            is_test=is_test,
            actor=Actor(kind="user", id=person.id),
            now=clock.now(),
        )
    click.echo(secret)


cli.add_command(cli_books.backup)
cli.add_command(cli_books.ledger)
cli.add_command(cli_books.payouts)
cli.add_command(cli_shop.canary)
cli.add_command(cli_shop.import_orders)
cli.add_command(cli_attribution.replay)
cli.add_command(cli_attribution.explain)
cli.add_command(cli_rates.rates)
cli.add_command(cli_events.verify)
cli.add_command(cli_events.dead_letters)
cli.add_command(cli_events.overrule_click)


def _known(row: Row | None, refusal: str) -> Row:
    if row is None:
        raise _Refused(refusal)
    return row


def main() -> None:
    """The entry of the `affiliate` command."""
    cli(prog_name="affiliate")


if __name__ == "__main__":
    main()
