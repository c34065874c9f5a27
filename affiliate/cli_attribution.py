"""Commands that ask why, and what if."""

from typing import Any

import click

from affiliate.commandline import Refused, begin_on_database


@click.command()
@click.option("--program", "slug", required=True)
@click.option("--model", help="last_click, first_click, linear, position_based or time_decay.")
@click.option("--window", "window_days", type=int, help="Days that a contact counts.")
@click.option("--ladder", help='Ways to recognise, in their order: "coupon,click_id,visitor".')
@click.option("--classes/--no-classes", "classes_outrank", default=None, help="Whether preferred partners go first.")
@click.option("--from", "first", help="The first day, in the program's time zone; else all orders.")
@click.option("--to", "until", help="The first day after the period; else now.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON document.")
def replay(*, slug: str, first: str | None, until: str | None, as_json: bool, **terms: Any) -> None:
    """Decide stored orders again under another policy, and say what would change in money. Nothing is written.

    Without a change of policy each order is decided as it was, by its trace: nothing may change.
    """
    begin_on_database()
    import orjson

    from affiliate import clock, db
    from affiliate.programs.queries import program_by_slug
    from affiliate.replay import asking, report

    with db.reading() as session:
        program = program_by_slug(session, slug=slug)
        if program is None:
            raise Refused(f"There is no program {slug!r}.")
        question = asking.question(session, program=program, terms=terms, first=first, until=until, now=clock.now())
    told = report.run(db.reading, question=question)
    click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2) if as_json else report.summary(told))


@click.command()
@click.argument("order_id")
@click.option("--program", "slug", help="Needed only if several programs know the order.")
@click.option("--kind", default="sale", show_default=True)
def explain(*, order_id: str, slug: str | None, kind: str) -> None:
    """Say who is credited for an order, and why: every contact, the rule, and what each partner earns."""
    begin_on_database()
    from affiliate import db
    from affiliate.reports import plain
    from affiliate.reports.language import spoken

    with spoken(), db.reading() as session:
        found = plain.orders(session, order_id=order_id, slug=slug, kind=kind)
        if len(found) != 1:
            raise Refused(plain.not_one(found, order_id=order_id))
        click.echo(plain.explain(session, *found[0]))
