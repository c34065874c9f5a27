"""A job that is killed in the middle of its work: the next one goes on, and each line is done once."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from factories import NOW
from money_cast import Books, open_books
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.commissions import jobs, validating
from affiliate.commissions.models import ValidationFile

LINES, BATCH = 40, 5
_HALF_WAY = f"""
import time
from affiliate.commissions import jobs, validating, validation_acts
validating.BATCH, done = {BATCH}, []
act = validation_acts.do
def waits_in_the_third(*arguments, **named):
    act(*arguments, **named)
    done.append(1)
    if len(done) == 3:
        print("half-way", flush=True)
        time.sleep(600)
validation_acts.do = waits_in_the_third
jobs.validate()
"""


@pytest.mark.usefixtures("settings")
def test_a_validation_killed_in_the_middle_of_a_batch_goes_on_and_does_each_line_once(session: Session) -> None:
    books = open_books(session)
    for number in range(LINES):
        books.order(order_id=str(number))
    books.work()
    file_id = _confirmed(books)
    session.commit()
    _kill_half_way()
    assert _lines_done(file_id) == 3 * BATCH  # those of the confirmation, and two batches of the job
    while jobs.validate():
        pass
    assert _lines_done(file_id) == LINES
    session.expire_all()
    assert books.balances() == {"approved": LINES // 2 * 4_00}
    books.assert_proven()


def _confirmed(books: Books) -> UUID:
    """Every other order counts forty instead of a hundred, the others are declined."""
    words = ("approved,40.00,", "declined,,returned")
    text = "\n".join(["order_id,status,amount,reason", *(f"{number},{words[number % 2]}" for number in range(LINES))])
    facts: dict[str, Any] = {"program_id": books.program.id, "actor": books.alice, "now": NOW}
    content: dict[str, Any] = {"name": "month.csv", "content": text.encode(), "currency": "EUR"}
    file = validating.upload(books.session, **content, **facts)
    validating.confirm(books.session, file_id=file.id, **facts, limit=BATCH)
    return file.id


def _kill_half_way() -> None:
    command = [sys.executable, "-c", _HALF_WAY]
    folder = Path(__file__).parents[2]
    with subprocess.Popen(command, env=dict(os.environ), cwd=folder, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == "half-way\n"
        job.send_signal(signal.SIGKILL)


def _lines_done(file_id: UUID) -> int:
    with db.reading() as session:
        return session.scalars(sa.select(ValidationFile.lines_done).where(ValidationFile.id == file_id)).one()
