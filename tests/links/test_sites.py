"""Partners' own websites: confirmed, in nobody else's hands, taken back."""

import pytest
import sqlalchemy as sa
from factories import NOW, make_link, make_partner, make_program
from sqlalchemy.orm import Session

from affiliate import clock
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent
from affiliate.links import sites
from affiliate.programs.models import Program
from affiliate.settings import Settings
from affiliate.tracking.directory import Directory


@pytest.fixture
def program(session: Session) -> Program:
    """A program with two links."""
    program = make_program(session)
    partner = make_partner(session, program=program)
    for code in ("anna", "berta"):
        make_link(session, program=program, partner=partner, code=code)
    session.flush()
    return program


def confirm(session: Session, program: Program, url: str, code: str = "anna") -> None:
    sites.confirm(
        session, program_id=program.id, shop_hosts=["www.shop.example"], url=url, code=code, actor=SYSTEM, now=NOW
    )


def test_a_site_counts_for_one_link_until_it_is_taken_back(session: Session, program: Program) -> None:
    confirm(session, program, " https://www.Blog.example/about ")
    [(site_id, host, code, _)] = sites.sites_of(session, program_id=program.id)
    assert (host, code) == ("blog.example", "anna")
    with pytest.raises(sites.SiteTaken):
        confirm(session, program, "blog.example", "berta")
    for _ in range(2):
        sites.withdraw(session, program_id=program.id, site_id=site_id, actor=SYSTEM, now=NOW)
    assert sites.sites_of(session, program_id=program.id) == []
    confirm(session, program, "blog.example", "BERTA ")
    assert [code for _, _, code, _ in sites.sites_of(session, program_id=program.id)] == ["berta"]
    actions = sorted(session.scalars(sa.select(AuditEvent.action)))
    assert actions == ["site.confirm", "site.confirm", "site.withdraw"]


@pytest.mark.parametrize(
    "url", ["", "blog", "javascript:alert(1)", "https://shop.example", "https://www.shop.example/x"]
)
def test_what_is_no_site_of_somebody_else_is_refused(session: Session, program: Program, url: str) -> None:
    with pytest.raises(sites.BadSite) as refused:
        confirm(session, program, url)
    assert set(refused.value.errors) == {"url"}


def test_another_programs_link_is_none(session: Session, program: Program) -> None:
    other = make_program(session)
    with pytest.raises(sites.BadSite) as refused:
        confirm(session, other, "https://blog.example")
    assert set(refused.value.errors) == {"code"}


def test_the_tracker_learns_of_sites_and_forgets_them(settings: Settings, session: Session, program: Program) -> None:
    directory = Directory(secret_key=settings.secret_key, poll_seconds=None)
    now = clock.now()
    confirm(session, program, "https://blog.example")
    session.commit()
    directory.refresh(now=now)
    assert directory.view.sites == {(program.id, "blog.example"): "anna"}
    [(site_id, *_)] = sites.sites_of(session, program_id=program.id)
    sites.withdraw(session, program_id=program.id, site_id=site_id, actor=SYSTEM, now=now)
    session.commit()
    directory.refresh(now=now)
    assert directory.view.sites == {}
