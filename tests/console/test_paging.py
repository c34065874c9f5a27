"""Pages by keyset: every row once, in both directions, whatever arrives meanwhile. On SQLite and PostgreSQL."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from factories import NOW, make_conversion, make_program
from sqlalchemy.orm import Session

from affiliate.console import paging
from affiliate.ingest.models import Conversion
from affiliate.programs.models import Program

LIST = sa.select(Conversion.id, Conversion.occurred_at.label("at"), Conversion.order_id)


def page(session: Session, cursor: str | None, size: int = 3) -> paging.Page:
    by, identifier = Conversion.occurred_at, Conversion.id
    return paging.page_of(session, LIST, by=by, identifier=identifier, cursor=paging.read_cursor(cursor), size=size)


def orders(found: paging.Page) -> list[str]:
    return [row.order_id for row in found.rows]


@pytest.fixture
def program(session: Session) -> Program:
    """Seven orders; two of them at the same instant."""
    program = make_program(session)
    for number, hours in enumerate((7, 6, 5, 5, 3, 2, 1)):
        make_conversion(session, program=program, order_id=str(number), occurred_at=NOW - timedelta(hours=hours))
    return program


def test_walking_older_shows_every_row_once(session: Session, program: Program) -> None:
    seen, cursor = [], None
    while True:
        found = page(session, cursor)
        seen += orders(found)
        cursor = found.older
        if cursor is None:
            break
    assert sorted(seen) == list("0123456")
    assert seen[:3] == ["6", "5", "4"]
    assert seen[-2:] == ["1", "0"]


def test_walking_back_shows_the_same_pages(session: Session, program: Program) -> None:
    first = page(session, None)
    second = page(session, first.older)
    third = page(session, second.older)
    back = page(session, third.newer)
    assert orders(back) == orders(second)
    assert orders(page(session, back.newer)) == orders(first)
    assert (first.newer, third.older) == (None, None)
    assert page(session, back.newer).newer is None


def test_what_arrives_meanwhile_moves_no_row_to_another_page(session: Session, program: Program) -> None:
    first = page(session, None)
    second = orders(page(session, first.older))
    make_conversion(session, program=program, order_id="new", occurred_at=NOW)
    assert orders(page(session, first.older)) == second


@pytest.mark.parametrize(
    "text", [None, "", "x", "o", "o1.2", "o1.zz", "o99999999999999999999999.00000000000000000000000000000000"]
)
def test_a_broken_cursor_counts_as_none(text: str | None) -> None:
    assert paging.read_cursor(text) is None


def test_an_empty_list_has_no_neighbours(session: Session) -> None:
    assert page(session, None) == paging.Page([], None, None)


def test_an_export_reads_every_row_once_a_page_at_a_time(session: Session, program: Program) -> None:
    by, identifier = Conversion.occurred_at, Conversion.id
    found = paging.every_row(
        lambda cursor: paging.page_of(session, LIST, by=by, identifier=identifier, cursor=cursor, size=2)
    )
    assert [row.order_id for row in found][:2] == ["6", "5"]
    assert sorted(row.order_id for row in paging.every_row(lambda cursor: paging.page_of(session, LIST, by=by, identifier=identifier, cursor=cursor, size=7))) == list("0123456")  # fmt: skip
