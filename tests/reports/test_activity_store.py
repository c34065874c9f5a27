"""The number of active partners is kept for an hour; a large program that was never counted has none yet."""

from datetime import timedelta

import pytest
from factories import NOW, make_clicks, make_link, make_partner, make_program
from sqlalchemy.orm import Session

from affiliate.programs.models import Program
from affiliate.reports import activity_store, grids, jobs
from affiliate.reports.written_models import CountedGrid


def _active(session: Session, program: Program, *, days_ago: int) -> None:
    link = make_link(session, program=program, partner=make_partner(session, program=program))
    make_clicks(session, link=link, hour=NOW.replace(minute=0) - timedelta(days=days_ago), clicks=3)


def test_whole_days_count_and_what_is_kept_is_shown(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make_program(session)
    for days_ago in (0, 1, 90, 91):
        _active(session, program, days_ago=days_ago)
    assert activity_store.shown(session, program=program, now=NOW) == 2
    monkeypatch.setattr(grids, "HOURS_READ_MAX", 3)
    with pytest.raises(grids.NotCounted):
        activity_store.shown(session, program=program, now=NOW)
    grids.keep(session, grid=activity_store.grid_of(session, program_id=program.id, now=NOW))
    _active(session, program, days_ago=2)
    assert activity_store.shown(session, program=program, now=NOW) == 2
    assert activity_store.stale(session, now=NOW + timedelta(minutes=59), limit=9) == []
    assert activity_store.stale(session, now=NOW + timedelta(minutes=61), limit=9) == [program.id]


def test_the_job_counts_each_program_once(app_session: Session) -> None:
    program = make_program(app_session)
    app_session.commit()
    assert [jobs.count_active(), jobs.count_active()] == [1, 0]
    assert app_session.get_one(CountedGrid, (program.id, activity_store.KIND)).grid == {"partners": 0}
