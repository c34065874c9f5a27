"""The people of a partner: invited, joined, changed, let go, and what each role may open."""

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import sqlalchemy as sa
from accounts_cast import PASSWORD, forget_password, is_signed_in, make_person, sign_in
from creative_cast import make_creative
from factories import make_clicks, make_commission, make_link, make_member, make_payout, make_user
from flask import Flask
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from affiliate import clock
from affiliate.accounts import access, roles
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.accounts.models import AuditEvent, User
from affiliate.accounts.roles import MemberRole
from affiliate.commissions.models import CommissionStatus
from affiliate.creatives.models import Creative
from affiliate.links.models import Link
from affiliate.mailer import OutboxMail
from affiliate.partners import team
from affiliate.partners.models import Member, MemberInvitation
from affiliate.payouts.models import PaperState, PayoutMethod
from affiliate.relations import service as cases
from affiliate.relations.claims import Claim
from affiliate.relations.models import CaseKind
from affiliate.settings import Settings

PAGE = "/portal/casa/team"


def invite(browser: FlaskClient, email: str = "rita@example.com", role: str = "reader") -> Any:
    return browser.post(PAGE, data={"email": email, "role": role}, follow_redirects=True)


def token_in_mail(session: Session) -> str:
    text = session.scalars(sa.select(OutboxMail.body_text).order_by(OutboxMail.id.desc()).limit(1)).one()
    session.commit()
    found = re.search(r"/portal/join/(\S+)", text)
    assert found is not None
    return found[1]


def members(session: Session, cast: Cast) -> dict[str, MemberRole]:
    found = sa.select(User.email, Member.role).join(User, User.id == Member.user_id)
    rows = session.execute(found.where(Member.partner_id == cast.partner.id)).all()
    session.commit()
    return {row[0]: row[1] for row in rows}


def hire(app: Flask, session: Session, cast: Cast, role: MemberRole, name: str = "Rita") -> tuple[Member, FlaskClient]:
    """A person in this role, signed in."""
    person = make_person(session, name)
    member = make_member(session, user=person, partner=cast.partner)
    member.role = role
    session.commit()
    browser = app.test_client()
    sign_in(browser, person)
    return member, browser


def test_somebody_without_an_account_is_invited_and_joins_in_the_role(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    assert "The invitation is on its way" in invite(marta, " Rita@Example.com ").text
    token = token_in_mail(app_session)
    assert app_session.scalars(sa.select(MemberInvitation.token_hash)).one() != token
    app_session.commit()
    rita = app.test_client()
    page = rita.get(f"/portal/join/{token}").text
    assert "Slow Kitchen" in page
    assert "Read only" in page
    form = {"name": "Rita", "password": "short"}
    refused = rita.post(f"/portal/join/{token}", data=form)
    assert (refused.status_code, 'value="Rita"' in refused.text) == (422, True)
    assert rita.post(f"/portal/join/{token}", data=form | {"password": PASSWORD}).location == "/login"
    assert members(app_session, cast) == {
        "marta@example.test": MemberRole.OWNER,
        "rita@example.com": MemberRole.READER,
    }
    rita.post("/login", data={"email": "rita@example.com", "password": PASSWORD})
    assert rita.get("/portal/casa/links").status_code == 200
    assert rita.get(f"/portal/join/{token}").status_code == 404
    acts = app_session.scalars(sa.select(AuditEvent).where(AuditEvent.action.startswith("member."))).all()
    assert [each.action for each in acts] == ["member.invite", "member.join"]
    assert not any("rita" in str(each.details) for each in acts)


def test_an_invitation_leads_to_the_installation_and_not_to_a_host_that_a_programs_manager_holds(
    marta: FlaskClient, app_session: Session, cast: Cast, sqlite_settings: Settings
) -> None:
    cast.program.own_host = "partners.casa.example"
    app_session.commit()
    invite(marta)
    text = app_session.scalars(sa.select(OutboxMail.body_text).order_by(OutboxMail.id.desc()).limit(1)).one()
    assert f"{sqlite_settings.base_url}/portal/join/" in text
    assert "partners.casa.example" not in text


def test_an_account_joins_after_its_own_sign_in_and_nobody_elses(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    rita, other = make_person(app_session, "Rita"), make_person(app_session, "Olga")
    rita.email = "rita@example.com"  # an invitation goes to addresses that mail can reach
    app_session.commit()
    invite(marta, rita.email, "finance")
    path = f"/portal/join/{token_in_mail(app_session)}"
    browser = app.test_client()
    assert "Sign in with it, then accept" in browser.get(path).text
    assert "/login" in browser.post(path, data={"name": "Rita", "password": PASSWORD}).location
    sign_in(browser, other)
    assert "Sign out first" in browser.get(path).text
    assert browser.post(path).status_code == 409
    second = app.test_client()
    sign_in(second, rita)
    assert "Join the team" in second.get(path).text
    assert second.post(path).status_code == 303
    assert members(app_session, cast)[rita.email] is MemberRole.FINANCE


def test_a_newer_invitation_takes_the_place_of_the_older_and_may_be_withdrawn(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    invite(marta)
    first = token_in_mail(app_session)
    invite(marta, role="marketer")
    second = token_in_mail(app_session)
    browser = app.test_client()
    assert browser.get(f"/portal/join/{first}").status_code == 404
    assert "Marketer" in browser.get(f"/portal/join/{second}").text
    waiting = sa.select(MemberInvitation.id).where(MemberInvitation.closed_at.is_(None))
    invitation_id = app_session.scalars(waiting).one()
    app_session.commit()
    withdraw = f"{PAGE}/invitations/{invitation_id}/withdraw"
    assert "The invitation is withdrawn" in marta.post(withdraw, follow_redirects=True).text
    assert marta.post(withdraw).status_code == 404
    assert browser.post(f"/portal/join/{second}", data={"name": "R", "password": PASSWORD}).status_code == 404


@pytest.mark.parametrize("email", ["", "no address", "a@b@c", "<script>@example.test"])
def test_an_odd_address_is_refused_with_what_was_typed(marta: FlaskClient, email: str) -> None:
    answer = invite(marta, email)
    assert answer.status_code == 422
    assert "<script>@" not in answer.text
    assert "The invitation is on its way" not in answer.text


def test_an_invitation_is_typed_once_even_if_the_password_is_asked_for(marta: FlaskClient) -> None:
    forget_password(marta)
    asked = marta.post(PAGE, data={"email": "zoe@example.test", "role": "finance"})
    marta.post(asked.location, data={"password": PASSWORD})
    page = marta.get(f"{PAGE}/invite").text
    assert 'value="zoe@example.test"' in page
    assert re.findall(r'<input[^>]*checked[^>]*value="([a-z]+)"', page) == ["finance"]


def test_the_last_owner_can_neither_go_nor_become_less(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    me = app_session.scalars(sa.select(Member).where(Member.partner_id == cast.partner.id)).one()
    app_session.commit()
    for act, form in (("role", {"role": "reader"}), ("remove", {})):
        assert "This is the last owner" in marta.post(f"{PAGE}/{me.id}/{act}", data=form, follow_redirects=True).text
    second, rita = hire(app, app_session, cast, MemberRole.OWNER)
    assert marta.post(f"{PAGE}/{me.id}/role", data={"role": "marketer"}).status_code == 303
    assert members(app_session, cast)["marta@example.test"] is MemberRole.MARKETER
    assert "This is the last owner" in rita.post(f"{PAGE}/{second.id}/remove", follow_redirects=True).text


def test_a_new_role_and_a_removal_sign_the_person_out(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    member, rita = hire(app, app_session, cast, MemberRole.MARKETER)
    assert marta.post(f"{PAGE}/{member.id}/role", data={"role": "boss"}).status_code == 404
    marta.post(f"{PAGE}/{member.id}/role", data={"role": "finance"})
    assert not is_signed_in(rita)
    rita.post("/login", data={"email": "rita@example.test", "password": PASSWORD})
    assert rita.get("/portal/casa/payouts").status_code == 200
    marta.post(f"{PAGE}/{member.id}/remove")
    assert not is_signed_in(rita)
    rita.post("/login", data={"email": "rita@example.test", "password": PASSWORD})
    assert rita.get("/portal/casa/").status_code == 404


@pytest.mark.parametrize("act", ["role", "remove"])
def test_who_does_not_own_any_more_leaves_no_invitation_open(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast, act: str
) -> None:
    member, rita = hire(app, app_session, cast, MemberRole.OWNER)
    invite(rita, "olga@example.com", "owner")
    theirs = token_in_mail(app_session)
    invite(marta, "nina@example.com")
    ours = token_in_mail(app_session)
    assert rita.get(f"/portal/join/{theirs}").status_code == 200
    marta.post(f"{PAGE}/{member.id}/{act}", data={"role": "marketer"})
    stranger = app.test_client()
    assert [stranger.get(f"/portal/join/{token}").status_code for token in (theirs, ours)] == [404, 200]


def test_a_team_that_is_full_by_now_takes_nobody_in(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    invite(marta)
    token = token_in_mail(app_session)
    for _colleague in range(team.PEOPLE_MAX - 1):
        make_member(app_session, user=make_user(app_session), partner=cast.partner)
    app_session.commit()
    answer = app.test_client().post(f"/portal/join/{token}", data={"name": "Rita", "password": PASSWORD})
    assert (answer.status_code, "at most 50 people" in answer.text) == (409, True)
    assert len(members(app_session, cast)) == team.PEOPLE_MAX
    assert app.test_client().get(f"/portal/join/{token}").status_code == 200


def test_nobody_touches_the_team_of_another_partner(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    ewa = make_member(app_session, user=make_person(app_session, "Ewa"), partner=cast.other)
    app_session.commit()
    assert marta.post(f"{PAGE}/{ewa.id}/role", data={"role": "reader"}).status_code == 404
    assert marta.post(f"{PAGE}/{ewa.id}/remove").status_code == 404


# --- every route of the portal


_READS = {"GET", "HEAD"}
_OWN_THINGS = (
    "/portal/<slug>/statistics/kept", "/portal/<slug>/statistics/combined", "/portal/<slug>/notices",
    "/portal/<slug>/settings/notices",
)  # fmt: skip
"""Views that a person keeps, numbers that it has counted, what it has read and wants to be told."""
_EVERYBODYS = {"portal.choose", "portal.invitation", "portal.accept_invitation"}
_MONEY_PATHS = ("/portal/<slug>/payouts", "/portal/<slug>/papers")
_PROMOTING_PATHS = ("/portal/<slug>/links", "/portal/<slug>/creatives", "/portal/<slug>/postbacks")
_OWNERS_PATHS = (
    "/portal/<slug>/team", "/portal/<slug>/payouts/details", "/portal/<slug>/papers/profile",
    "/portal/<slug>/settings/chats",
)  # fmt: skip


def _routes(app: Flask) -> list[tuple[str, str, frozenset[MemberRole]]]:
    """Each address of the portal with each method, and the roles that pass."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("portal.") and rule.endpoint not in _EVERYBODYS:
            for method in sorted((rule.methods or set()) - {"OPTIONS"}):
                declaration = access.declaration_of(app, rule.endpoint, method)
                assert declaration is not None
                assert declaration.kind == "partner", rule
                found.append((str(rule), method, declaration.members_for(method)))
    return found


def test_whoever_only_reads_changes_nothing_anywhere(app: Flask) -> None:
    changing = [each for each in _routes(app) if each[1] not in _READS and not each[0].startswith(_OWN_THINGS)]
    assert len(changing) > 20
    assert [(rule, method) for rule, method, may in changing if MemberRole.READER in may] == []


def test_a_marketer_sees_no_payouts_papers_or_details(app: Flask) -> None:
    money = [(rule, method, may) for rule, method, may in _routes(app) if rule.startswith(_MONEY_PATHS)]
    assert len(money) > 10
    assert [(rule, method) for rule, method, may in money if MemberRole.MARKETER in may] == []


def test_finance_makes_no_links_and_changes_nothing_that_visitors_see(app: Flask) -> None:
    changing = [
        (rule, method, may)
        for rule, method, may in _routes(app)
        if rule.startswith(_PROMOTING_PATHS) and method not in _READS
    ]
    assert len(changing) > 5
    assert [(rule, method) for rule, method, may in changing if MemberRole.FINANCE in may] == []


def test_only_owners_change_the_team_and_where_money_goes(app: Flask) -> None:
    owners = [
        (rule, method, may)
        for rule, method, may in _routes(app)
        if rule.startswith(_OWNERS_PATHS) and method not in _READS
    ]
    assert len(owners) > 5
    assert [(rule, method) for rule, method, may in owners if may != roles.OWNER] == []


@pytest.mark.parametrize(
    ("role", "opens", "refuses"),
    [
        (MemberRole.READER, "- links payouts papers team settings postbacks", "links/new team/invite"),
        (MemberRole.MARKETER, "- links/new team settings", "payouts papers payouts/details"),
        (MemberRole.FINANCE, "- links payouts papers settings", "links/new postbacks/new"),
    ],
)
def test_each_role_opens_its_pages_and_not_those_of_others(  # noqa: PLR0917 - three fixtures and a row of the table
    app: Flask, app_session: Session, cast: Cast, role: MemberRole, opens: str, refuses: str
) -> None:
    _member, browser = hire(app, app_session, cast, role)
    for page in opens.replace("-", "").split(" "):
        answer = browser.get(f"/portal/casa/{page}")
        assert answer.status_code == 200, page
        rail = answer.text.split('class="rail-nav"')[1].split("</nav>")[0]
        assert ('href="/portal/casa/payouts"' in rail) is (role is not MemberRole.MARKETER), page
    for page in refuses.split():
        assert browser.get(f"/portal/casa/{page}").status_code == 403, page
    form = {"landing_url": "https://www.shop.example/pan"}
    assert browser.post("/portal/casa/links", data=form).status_code == (303 if role is MemberRole.MARKETER else 403)


_LED_TO = re.compile(r'<a\b[^>]*?\bhref="(/portal/casa/[^"]*)"')
_FORM = re.compile(r"<form\b[^>]*>")
_ACTION = re.compile(r'\b(?:form)?action="([^"]*)"')


def _acts(main: str, path: str) -> list[tuple[str, str]]:
    """Where the links, forms and buttons of a page lead, with the method."""
    forms = [one for one in _FORM.findall(main) if 'method="post"' in one]
    posted = [(_ACTION.search(one) or [path, path])[1] for one in forms]
    posted += re.findall(r'\bformaction="([^"]*)"', main)
    return [(one, "GET") for one in _LED_TO.findall(main)] + [(urljoin(path, one), "POST") for one in posted]


def _refused(app: Flask, browser: FlaskClient, role: MemberRole) -> tuple[set[str], set[tuple[str, str, str]]]:
    """Each kind of page once: which are open, and what inside their `main` leads where this role is refused."""
    pages = [rule for rule, method, may in _routes(app) if method == "GET" and role in may and rule.count("<") == 1]
    waiting = [rule.replace("<slug>", "casa") for rule in pages]
    seen, refused = {app.url_map.bind("localhost").match(path)[0] for path in waiting}, set()
    for path in waiting:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        main = answer.text.partition("<main")[2].partition("</main>")[0] if answer.mimetype == "text/html" else ""
        for address, method in _acts(main, path):
            try:
                endpoint, _values = app.url_map.bind("localhost").match(urlsplit(address).path, method)
            except HTTPException:
                pytest.fail(f"{path} leads to {method} {address}, which is nowhere")
            declaration = access.declaration_of(app, endpoint, method)
            if declaration is None or declaration.kind != "partner":
                continue
            if role not in declaration.members_for(method):
                refused.add((path, method, address))
            elif method == "GET" and endpoint not in seen:
                seen.add(endpoint)
                waiting.append(address.replace("&amp;", "&"))
    return seen, refused


_PARTY = {"legal_name": "Marta", "address": "Via Roma 1", "country": "IT", "vat_id": "", "tax_number": ""}
_NOTICE = {
    "text": "Commissions", "buyer": _PARTY, "seller": _PARTY, "rule": None,
    "terms": {"paper": "own_invoice", "vat_status": "domestic", "vat_bps": 0},
}  # fmt: skip


def _new(session: Session, cast: Cast) -> None:
    """A creative, which no link carries yet, and nothing else."""
    session.execute(sa.delete(Link).where(Link.partner_id == cast.partner.id))
    make_creative(session, program=cast.program, now=clock.now())


def _busy(session: Session, cast: Cast) -> None:
    """Sales, a payout that waits for an invoice, no account for it, a case that waits for an answer; and no creative."""
    mine: dict[str, Any] = {"program": cast.program, "partner": cast.partner}
    session.execute(sa.update(Creative).values(only_partner_id=cast.other.id))
    session.execute(sa.delete(PayoutMethod).where(PayoutMethod.partner_id == cast.partner.id))
    link = make_link(session, **mine)
    make_clicks(session, link=link, hour=clock.now().replace(minute=0, second=0, microsecond=0), clicks=1)
    payout = make_payout(session, **mine, proposer=cast.person, paper=PaperState.AWAITED, notice=_NOTICE)
    make_commission(session, **mine, link=link, status=CommissionStatus.IN_PAYOUT, payout_id=payout.id)
    claim, person = Claim(CaseKind.MISSING_SALE, "It is not there.", "1001"), Actor("user", cast.person.id)
    case = cases.open_case(session, program=cast.program, partner_id=cast.partner.id, claim=claim, actor=person, now=clock.now())  # fmt: skip
    cases.answer(session, program=cast.program, case_id=case.id, actor=SYSTEM, now=clock.now(), text="Which day was it?", asks=True)  # fmt: skip


@pytest.mark.parametrize("role", [MemberRole.READER, MemberRole.MARKETER, MemberRole.FINANCE])
def test_no_role_is_led_where_it_is_refused(app: Flask, app_session: Session, cast: Cast, role: MemberRole) -> None:
    """Links and forms are matched with what their routes declare: nothing is posted, and each kind of page is opened once."""
    _member, browser = hire(app, app_session, cast, role)
    found, led = set(), set()
    for world in (_new, _busy):
        world(app_session, cast)
        app_session.commit()
        seen, refused = _refused(app, browser, role)
        found, led = found | refused, led | seen
    assert not found, "\n".join(sorted(map(str, found)))
    assert {"portal.commission", "portal.case", "portal.link", "portal.creative", "portal.statistics"} <= led
    assert ("portal.payment_notice" in led) is (role is not MemberRole.MARKETER)
