"""Pages of proof: the ledger with its balances and postings, and the history of who did what."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from flask import g, request
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import exports, ids
from affiliate.accounts import access
from affiliate.console import presenters, roles
from affiliate.console.blueprint import blueprint, cursor, pager, show
from affiliate.console.money import book_sheets
from affiliate.console.paging import EXPORT_SIZE
from affiliate.console.queries import trail as trail_queries
from affiliate.ledger import queries
from affiliate.ledger.chain import ChainName
from affiliate.partners import queries as partner_queries
from affiliate.web import orm


@blueprint.get("/<slug>/ledger")
@access.console(*roles.BOOKS)
def ledger() -> str:
    """What lies on each account, the proof that the books balance, and the movements."""
    partner_id = _partner_id()
    lines = _lines(partner_id, book_sheets.PAGE_SIZE + 1)
    balances = (
        queries.program_balances(orm.session, program_id=g.program.id)
        if partner_id is None
        else queries.balances_of(orm.session, program_id=g.program.id, partner_id=partner_id)
    )
    proof = queries.latest_proof(orm.session)
    names = _names(lines, partner_id)
    seal = queries.last_seal(orm.session, chain=ChainName.TRANSFERS)
    sheet = book_sheets.ledger(lines, balances, proof, names, partner_id=partner_id)
    return show("money/ledger.html", seal=book_sheets.seal(seal), **sheet)


@blueprint.get("/<slug>/ledger.csv")
@access.console(*roles.BOOKS)
def ledger_csv() -> BaseResponse:
    """All movements as a file."""
    return exports.csv_response("ledger.csv", book_sheets.CSV_HEAD, _file_lines(_partner_id()))


def _file_lines(partner_id: UUID | None) -> Iterator[Sequence[exports.Cell]]:
    before = None
    while lines := queries.transfers(
        orm.session, program_id=g.program.id, partner_id=partner_id, before=before, limit=EXPORT_SIZE
    ):
        names = _names(lines, None)
        yield from (book_sheets.csv_row(line, names) for line in lines)
        before = lines[-1].id


@blueprint.get("/<slug>/history")
@access.console(*roles.BOOKS)
def trail() -> str:
    """Who did what, newest first: all of it, or what concerns one partner."""
    kinds = trail_queries.subject_kinds(orm.session, program_id=g.program.id)
    kind, partner_id = request.args.get("kind", ""), _partner_id()
    page = trail_queries.events(
        orm.session, program_id=g.program.id, subject_kind=kind if kind in kinds else "", partner_id=partner_id,
        cursor=cursor(),
    )  # fmt: skip
    whose = _names([], partner_id).get(partner_id) if partner_id else None
    sheet = book_sheets.trail(page.rows, kinds, kind)
    return show("money/trail.html", pager=pager(page), partner=presenters.partner_link(partner_id, whose), **sheet)


def _partner_id() -> UUID | None:
    """The partner that the address names; one of another program counts as none, and its name is not told."""
    partner_id = _given("ptn", "partner")
    if partner_id is None:
        return None
    enrollment = partner_queries.enrollment_of(orm.session, program_id=g.program.id, partner_id=partner_id)
    return enrollment.partner_id if enrollment else None


def _lines(partner_id: UUID | None, limit: int) -> list[queries.TransferLine]:
    return queries.transfers(
        orm.session,
        program_id=g.program.id,
        partner_id=partner_id,
        before=_given("led", "before"),
        limit=limit,
    )


def _names(lines: list[queries.TransferLine], partner_id: UUID | None) -> dict[UUID, str]:
    wanted: set[Any] = {line.partner_id for line in lines} | {partner_id}
    return partner_queries.partner_names(orm.session, partner_ids=[each for each in wanted if each is not None])


def _given(prefix: str, name: str) -> UUID | None:
    """The public id in the address; a broken one counts as none."""
    return ids.read(prefix, request.args.get(name, ""))
