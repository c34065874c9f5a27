"""Partners from a table and into one: the upload with a look at each row before anything is made, and the list as a file."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from flask import g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import exports
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import blueprint, show
from affiliate.console.partners import partner_sheets
from affiliate.console.partners.partners import table_of
from affiliate.console.queries import partners as queries
from affiliate.console.words import Sign
from affiliate.errors import Conflict
from affiliate.imports import BadTable
from affiliate.partners import importing, table
from affiliate.partners.table import Judged, Outcome
from affiliate.relations import care_queries, caring
from affiliate.web import orm, request_now

HEAD = (
    "partner", "id", "status", "clicks", "valid_clicks", "sales", "revenue", "commission", "currency", "website",
    "country", "email", "group", "tags", "lead",
)  # fmt: skip
Answer = ResponseReturnValue


@blueprint.get("/<slug>/partners.<any(csv, xlsx):kind>")
@access.console(*roles.EVERYBODY)
def partners_file(kind: str) -> BaseResponse:
    """The list as it is filtered, as a file that can be read in again."""
    rows = exports.every(lambda first: list(_lines(table_of(limit=exports.PART_SIZE, offset=first))))
    return exports.response(kind, "partners", HEAD, rows)


@blueprint.get("/<slug>/partners/import")
@access.console("manager")
def import_partners() -> str:
    """The form, and what the table looks like."""
    return _page()


@blueprint.post("/<slug>/partners/import")
@access.console("manager")
def look_at_partners() -> Answer:
    """What each row would come to. Nothing is made yet."""
    uploaded = request.files.get("table")
    content = uploaded.read(table.BYTES_MAX + 1) if uploaded else b""
    if not content:
        return _page(problem=_("Choose a file first.")), 422
    try:
        rows = table.read(content)
    except BadTable as bad:
        return _page(problem=_(bad.sentence) % bad.values), 422
    found = importing.judge(orm.session, program_id=g.program.id, rows=rows)
    return _page(results=found, text=content.decode("utf-8-sig"))


@blueprint.post("/<slug>/partners/import/take")
@access.console("manager")
def take_partners() -> Answer:
    """Make what was looked at; each row is judged anew."""
    text, invites = request.form.get("text", ""), request.form.get("invites") == "1"
    try:
        rows = table.read(text.encode())
        done = importing.take(
            orm.session, program_id=g.program.id, rows=rows, invites=invites, actor=access.actor(), now=request_now()
        )
        _tag(done)
    except BadTable as bad:
        return _page(problem=_(bad.sentence) % bad.values), 422
    except Conflict as refusal:
        orm.session.rollback()
        return _page(problem=_(str(refusal))), 409
    return _page(results=[one for one, _made in done], is_done=True)


def _tag(done: Sequence[tuple[Judged, UUID | None]]) -> None:
    """Put each tag on all its new partners at once."""
    by_tag: dict[str, list[UUID]] = defaultdict(list)
    for one, made in done:
        for tag in one.row.tags if made is not None else ():
            by_tag[tag].append(made)  # type: ignore[arg-type] # it is not null here
    for tag, partner_ids in by_tag.items():
        caring.tag(
            orm.session, program_id=g.program.id, partner_ids=partner_ids, text=tag, actor=access.actor(),
            now=request_now(),
        )  # fmt: skip


def _lines(found: Sequence[Any]) -> Iterator[list[Any]]:
    """The rows of the list with what stands beside them: a part of it in three queries, however many there are."""
    here: dict[str, Any] = {"program_id": g.program.id, "partner_ids": [row.partner_id for row in found]}
    beside = queries.beside(orm.session, **here)
    tags, leads = care_queries.tags_of(orm.session, **here), care_queries.leads_of(orm.session, **here)
    for row in found:
        one = beside.get(row.partner_id)
        told = [one.website, one.country, one.email, one.group_name] if one else [None] * 4
        yield [
            *partner_sheets.csv_row(row), *told, ", ".join(tags.get(row.partner_id, [])), leads.get(row.partner_id),
        ]  # fmt: skip


def _page(
    *, problem: str | None = None, results: Sequence[Judged] | None = None, text: str = "", is_done: bool = False
) -> str:
    counts = {each: sum(one.outcome is each for one in results or ()) for each in Outcome}
    return show(
        "partners/import_partners.html",
        problem=problem,
        rows=None if results is None else [_shown(one, is_done=is_done) for one in results],
        new=counts[Outcome.NEW],
        known=counts[Outcome.KNOWN],
        refused=counts[Outcome.REFUSED],
        text=text,
        is_done=is_done,
        rows_max=table.ROWS_MAX,
        columns=[*table.REQUIRED, *table.OPTIONAL],
    )


def _shown(one: Judged, *, is_done: bool) -> dict[str, Any]:
    signs = {
        Outcome.NEW: Sign("good", _("Taken in") if is_done else _("New")),
        Outcome.KNOWN: Sign("", _("Known"), "minus"),
        Outcome.REFUSED: Sign("bad", _("Refused"), "alert-triangle"),
    }
    row = one.row
    return {
        "number": row.number, "name": row.name, "email": row.email, "sign": signs[one.outcome],
        "why": _(one.why) if one.why else None,
    }  # fmt: skip
