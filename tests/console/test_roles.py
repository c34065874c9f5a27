"""Narrower roles: each opens its own pages, acts only on what is its own, and is shown no button that would be refused."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import give, make_person
from console_cast import Cast, main_of, public, text_of
from creative_cast import make_creative
from factories import make_plan
from flask import Flask
from flask.testing import FlaskClient
from newsletter_cast import make_issue, order

from affiliate import clock, web
from affiliate.accounts import access, service
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.accounts.models import Grant, GrantRole, User
from affiliate.commissions.models import CommissionPlan
from affiliate.joining.models import Invitation
from affiliate.mailer import OutboxMail
from affiliate.newsletters.models import SuppressedAddress
from affiliate.relations import service as cases
from affiliate.relations.claims import Claim
from affiliate.relations.models import CaseKind, CaseStatus
from affiliate.replay.models import Replay

NARROW = ["reader", "logistics", "tech", "marketing"]
STARTS = {
    "reader": "/console/casa/performance",
    "logistics": "/console/casa/views/logistics",
    "tech": "/console/casa/views/tech",
    "marketing": "/console/casa/views/marketing",
}
KEEPING = {"performance_kept", "performance_combined"}
ACTS_IN = {
    "reader": KEEPING,
    "logistics": KEEPING | {"cases", "service"},
    "tech": KEEPING | {"events"},
    "marketing": KEEPING
    | {
        "annotations",
        "bulk_acts",
        "campaigns",
        "creative_acts",
        "creatives",
        "invitations",
        "newsletter_editor",
        "newsletters",
        "prospects",
        "service",
    },
}
"""The modules of the console in which each of them changes something."""
MANAGE = "manager"
MONEY, KEEP = "manager finance", "manager finance reader"
ACTS = {
    "archive": MANAGE, "articles/write": MANAGE, "attribution": MANAGE, "attribution/check": MANAGE, "campaigns/new": MANAGE,
    "clone": "", "conversions/import": MANAGE, "creatives/new": MANAGE, "dead-letters": MANAGE, "dead-letters/discard": MANAGE, "fraud/rules": MANAGE,
    "fraud/rules/try": MANAGE, "goals": MANAGE, "goals/usual": MANAGE, "invitations": MANAGE, "kpis": MANAGE, "newsletters": MANAGE,
    "newsletters/suppressed": MANAGE, "papers/buyer": MONEY, "papers/buyer/preview": MONEY, "papers/rules": MONEY,
    "papers/rules/examples": MONEY, "papers/rules/preview": MONEY, "partners/import": MANAGE, "partners/import/take": MANAGE,
    "partners/segments": MANAGE, "payouts": MONEY, "payouts/policy": MANAGE, "payouts/policy/preview": MANAGE, "people": MANAGE,
    "performance/combined": KEEP, "performance/kept": KEEP, "performance/margin": MONEY, "performance/notes": MONEY,
    "performance/service": MANAGE, "performance/service/table": MANAGE, "performance/service/table/take": MANAGE,
    "performance/shared": MANAGE, "performance/shop": MANAGE, "plans/examples": MANAGE, "plans/new": MANAGE, "reopen": MANAGE,
    "rubric": MANAGE, "rubric/preview": MANAGE, "settings": MANAGE, "settings/application-form": MANAGE,
    "settings/application-form/look": MANAGE, "settings/brand": MANAGE, "settings/brand/domain": MANAGE,
    "settings/brand/sender": MANAGE, "settings/chats": MANAGE, "settings/preview": MANAGE, "setup/key": MANAGE, "setup/link": MANAGE,
    "today/letters": MANAGE, "tracking/keys": MANAGE, "tracking/secret": MANAGE, "tracking/sites": MANAGE, "tracking/team": MONEY,
    "tracking/token": MANAGE, "validation": MANAGE, "validation/choose": MANAGE,
}  # fmt: skip
"""Every act of the console that needs nothing but its program, and who of a manager, finance, a reader and an outsider finds it."""

BrowserOf = Callable[[User], FlaskClient]


@pytest.fixture
def browser_as(cast: Cast, browser_of: BrowserOf) -> Callable[[str], FlaskClient]:
    """A browser of somebody with this role alone."""

    def signed_in(role: str) -> FlaskClient:
        person = make_person(cast.session, role.capitalize())
        give(cast.session, person, GrantRole(role), cast.program)
        return browser_of(person)

    return signed_in


@pytest.fixture
def read_alone(cast: Cast, mara: FlaskClient) -> list[str]:
    """Pages on which managers act and readers read, each with something on it."""
    here, today = f"/console/casa/partners/{public('ptn', cast.partner)}", clock.now().date().isoformat()
    trial = {"scope": "One post", "starts_on": today, "last_on": today, "orders_min": "1", "orders_max": "5"}
    mara.post(f"{here}/trial", data=trial)
    mara.post(f"{here}/duties", data={"task": "Two posts", "side": "partner", "cadence": "monthly", "first_on": today})
    mara.post(f"{here}/goals", data={"metric": "sales", "target": "10", "starts_on": today, "last_on": today})
    example = {"name": "Pan", "amount": "100.00", "expected": "10.00", "customer": ""}
    assert mara.post("/console/casa/plans/examples", data=example).status_code == 303
    mara.post("/console/casa/attribution/check")
    claim = Claim(CaseKind.WRONG_AMOUNT, "Too little", "1001")
    case = cases.open_case(
        cast.session, program=cast.program, partner_id=cast.partner.id, claim=claim, actor=SYSTEM, now=clock.now()
    )
    creative = make_creative(cast.session, program=cast.program, now=clock.now())
    issue, ordered = (make_issue(cast.session, program=cast.program, now=clock.now()) for _ in range(2))
    order(cast.session, ordered, now=clock.now())
    plan = make_plan(cast.session, program=cast.program, name="Bold", effective_from=None, published_at=None)
    cast.session.commit()
    days = {"starts_on": today, "ends_on": today}
    tried = mara.post(f"/console/casa/plans/{public('pln', plan)}/simulate", data=days).location
    replay = cast.session.scalars(sa.select(Replay)).one()
    in_force = cast.session.scalars(sa.select(CommissionPlan).where(CommissionPlan.id != plan.id)).one()
    cast.session.commit()
    of_partner = f"partners/{public('ptn', cast.partner)}"
    found = [f"{of_partner}/care", f"{of_partner}/contacts", f"partners/{public('ptn', cast.applicant)}/weighed"]
    found += ["cases", f"cases/{public('cas', case)}", "creatives", f"creatives/{public('crv', creative)}"]
    found += ["newsletters", *(f"newsletters/{public('nws', each)}" for each in (issue, ordered))]
    found += [
        "plans",
        f"plans/{public('pln', plan)}",
        f"plans/{public('pln', in_force)}",
        tried.removeprefix("/console/casa/"),
    ]
    found += [
        "attribution",
        f"replays/{public('rpl', replay)}",
        "fraud/rules",
        "rubric",
        "settings",
        "settings/overview",
    ]
    return [*found, "tracking", "requests", "payouts/policy"]


@pytest.mark.parametrize("role", NARROW)
def test_each_begins_on_its_page_and_every_entry_of_its_rail_opens(
    cast: Cast, browser_as: Callable[[str], FlaskClient], role: str
) -> None:
    cast.sale("1")
    browser = browser_as(role)
    assert browser.get("/console/").location == STARTS[role]
    page = text_of(browser.get(STARTS[role]))
    rail = page[page.index('class="rail-nav"') : page.index('class="foot"')]
    addresses = [part.split('"')[0] for part in rail.split('href="')[1:]]
    assert len(addresses) >= 5
    assert {address: browser.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)
    assert browser.get("/console/casa/").status_code == 404
    assert browser.get("/console/altra/performance").status_code == 404


@pytest.mark.parametrize("role", NARROW)
def test_no_role_changes_more_than_its_own(app: Flask, role: str) -> None:
    mine = {
        app.view_functions[rule.endpoint].__module__.rpartition(".")[2]
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("console.")
        for method in set(rule.methods or ()) - web.SAFE_METHODS
        if (declared := access.declaration_of(app, rule.endpoint, method)) is not None
        and GrantRole(role) in declared.roles
    }
    assert "performance_kept" in mine  # own bookmarks, and nothing of the program
    assert mine <= ACTS_IN[role]


@pytest.mark.parametrize("role", NARROW)
def test_pages_show_no_form_and_no_link_that_would_be_refused(
    app: Flask, cast: Cast, browser_as: Callable[[str], FlaskClient], read_alone: list[str], role: str
) -> None:
    sale = cast.approved_sale("1")
    browser = browser_as(role)
    paths = ["partners", f"partners/{public('ptn', cast.partner)}", "applications", "conversions", "commissions"]
    paths += [f"commissions/{public('com', sale)}", "goals", "kpis", "fraud", "payouts", "ledger", "performance"]
    for path in [*paths, *read_alone]:
        answer = browser.get(f"/console/casa/{path}", follow_redirects=True)
        if answer.status_code == 404:
            continue
        page = text_of(answer)
        asked = [("POST", part.split('"')[0]) for part in page.split('method="post" action="')[1:]]
        asked += [("GET", part.split('"')[0]) for part in page.split(' href="/console/')[1:]]
        assert [one for one in asked if not _may(app, role, *one)] == [], path


def test_a_reader_reads_what_is_set_agreed_and_said_and_finds_nothing_to_press(
    cast: Cast, browser_as: Callable[[str], FlaskClient], read_alone: list[str]
) -> None:
    reader, pressed = browser_as("reader"), {}
    for path in read_alone:
        answer = reader.get(f"/console/casa/{path}", follow_redirects=True)
        assert answer.status_code == 200, path
        main = main_of(answer)
        pressed[path] = (main.count('method="post"'), main.count("popovertarget"), main.count('type="submit"'))
    assert pressed == dict.fromkeys(read_alone, (0, 0, 0))
    for path in (
        "rejected",
        "dead-letters",
        "people",
        "tracking/more",
        "papers",
        "newsletters/prospects",
        "newsletters/suppressed",
    ):
        assert reader.get(f"/console/casa/{path}").status_code == 404, path
    keys = main_of(reader.get("/console/casa/tracking"))
    assert ("1. The tag" in keys, "API keys" in keys) == (True, False)
    pays = main_of(reader.get("/console/casa/payouts/policy"))
    assert ("When runs are due" in pays, "account that pays" in pays) == (True, False)
    assert "/console/casa/payouts/policy" in main_of(reader.get("/console/casa/payouts"))
    for act in ("payouts/policy", "payouts/policy/preview", "dead-letters"):
        assert reader.post(f"/console/casa/{act}").status_code == 404, act


def _may(app: Flask, role: str, method: str, address: str) -> bool:
    """Whether this role may ask for what an address of a page names; a link's comes without its first part."""
    path = address if method == "POST" else f"/console/{address}"
    endpoint, _arguments = app.url_map.bind("localhost").match(re.split("[?#]", path)[0], method=method)
    declared = access.declaration_of(app, endpoint, method)
    assert declared is not None
    return declared.kind != "console" or GrantRole(role) in declared.roles


def test_a_manager_sees_all_four_views(cast: Cast, mara: FlaskClient) -> None:
    cast.sale("1")
    cast.approved_sale("2")
    for view, told in (("logistics", "Newest returns"), ("tech", "Where orders come from"), ("marketing", "Momentum"), ("finance", "Costs beside commissions")):  # fmt: skip
        page = text_of(mara.get(f"/console/casa/views/{view}"))
        assert told in page
        assert page.count("/console/casa/views/") >= 4


def test_the_views_show_the_numbers_of_the_books(cast: Cast, mara: FlaskClient) -> None:
    cast.sale("1", amount_minor=100_00)
    page = text_of(mara.get("/console/casa/views/finance"))
    assert "€10.00" in page  # ten percent, pending
    assert ">1<" in text_of(mara.get("/console/casa/views/logistics"))
    assert "api" in text_of(mara.get("/console/casa/views/tech"))


def risks(browser: FlaskClient) -> dict[str, str | None]:
    """Each risk of the map by its name, with the way to where one acts on it."""
    page = browser.get("/console/casa/kpis").text
    found = re.findall(r'<tr><td>(?:<a class="b text-reset" href="([^"]+)"|<span class="b")>\d ([^<]+)</', page)
    return {name: url or None for url, name in found}


def test_a_risk_leads_to_what_the_person_may_open(
    cast: Cast, mara: FlaskClient, finn: FlaskClient, browser_as: Callable[[str], FlaskClient]
) -> None:
    cast.sale("1", days_ago=2)
    told = risks(mara)
    assert told == {
        "Much hangs on one partner": f"/console/casa/partners/{public('ptn', cast.partner)}",
        "Orders come back": "/console/casa/commissions?status=reversed",
        "Orders are doubtful": "/console/casa/fraud",
        "People wait longer than promised": "/console/casa/",
        "Orders do not arrive": "/console/casa/rejected",
    }
    browsers = {"finance": finn} | {role: browser_as(role) for role in NARROW}
    found = {role: risks(browser) for role, browser in browsers.items()}
    for role, ways in found.items():
        assert [url for url in ways.values() if url and browsers[role].get(url).status_code != 200] == [], role
    overdue, lost = "People wait longer than promised", "Orders do not arrive"
    assert {role: (ways[overdue], ways[lost]) for role, ways in found.items()} == {
        "finance": ("/console/casa/", None),
        "reader": ("/console/casa/cases", None),
        "logistics": ("/console/casa/cases", None),
        "tech": ("/console/casa/applications", "/console/casa/rejected"),
        "marketing": ("/console/casa/applications", None),
    }


def test_keys_of_partners_are_not_among_the_programs(cast: Cast, mara: FlaskClient) -> None:
    facts: dict[str, Any] = {"program_id": cast.program.id, "actor": Actor("user", cast.mara.id), "now": clock.now()}
    for name, partner_id in (("Ours", None), ("Board of Marta", cast.partner.id)):
        service.create_api_key(cast.session, partner_id=partner_id, name=name, scopes=["reports:read"], **facts)
    cast.session.commit()
    page = text_of(mara.get("/console/casa/views/tech"))
    assert ("Ours" in page, "Board of Marta" in page) == (True, False)


def test_who_answers_cases_posts_no_money(
    cast: Cast, mara: FlaskClient, browser_as: Callable[[str], FlaskClient]
) -> None:
    here: dict[str, Any] = {"program": cast.program, "partner_id": cast.partner.id, "actor": SYSTEM, "now": clock.now()}
    claim = Claim(CaseKind.WRONG_AMOUNT, "Too little", "1001")
    case = cases.open_case(cast.session, claim=claim, **here)
    cast.session.commit()
    logistics, page = browser_as("logistics"), f"/console/casa/cases/{public('cas', case)}"
    assert ('value="entry"' in logistics.get(page).text, 'value="entry"' in mara.get(page).text) == (False, True)
    for money in ("entry", "credit"):
        form = {"settlement": money, "amount": "900.00", "text": "Yes"}
        assert logistics.post(f"{page}/accept", data=form).status_code == 404
    assert (
        logistics.post(f"{page}/accept", data={"settlement": "words", "text": "Sorry", "seen": "1"}).status_code == 303
    )
    cast.session.refresh(case)
    assert case.status is CaseStatus.ACCEPTED
    cast.session.commit()


def test_who_invites_lets_nobody_in(cast: Cast, mara: FlaskClient, browser_as: Callable[[str], FlaskClient]) -> None:
    marketing, page = browser_as("marketing"), "/console/casa/invitations"
    form = {"name": "Fair", "locale": "en"}
    assert ("lets_in" in marketing.get(page).text, "lets_in" in mara.get(page).text) == (False, True)
    assert marketing.post(page, data=form | {"lets_in": "y"}).status_code == 404
    assert marketing.post(page, data=form).status_code == 303
    assert mara.post(page, data=form | {"name": "May", "lets_in": "y"}).status_code == 303
    made = cast.session.scalars(sa.select(Invitation.lets_in).order_by(Invitation.created_at)).all()
    cast.session.commit()
    assert list(made) == [False, True]


def test_an_administrator_gives_roles_and_a_manager_only_narrow_ones(
    cast: Cast, mara: FlaskClient, browser_of: BrowserOf
) -> None:
    people = "/console/casa/people"
    added = mara.post(people, data={"email": "lena@casa-ondera.example", "name": "Lena", "preset": "logistics"})
    assert added.status_code == 303
    assert "Only an administrator gives this role." in text_of(
        mara.post(people, data={"email": "lena@casa-ondera.example", "preset": "finance"}, follow_redirects=True)
    )
    ada = browser_of(cast.ada)
    assert ada.post(people, data={"email": "lena@casa-ondera.example", "preset": "all"}).status_code == 303
    lena = cast.session.scalars(sa.select(User).where(User.name == "Lena")).one()
    roles = set(cast.session.scalars(sa.select(Grant.role).where(Grant.user_id == lena.id)))
    mails = list(cast.session.scalars(sa.select(OutboxMail.subject).where(OutboxMail.recipient == lena.email)))
    cast.session.commit()
    assert roles == {GrantRole.LOGISTICS, GrantRole.MANAGER, GrantRole.FINANCE}
    assert mails == ["Your access to Casa Ondera"] * 2
    take = f"{people}/{public('usr', lena)}"
    assert "Only an administrator takes this role." in text_of(mara.post(f"{take}/manager/take", follow_redirects=True))
    assert mara.post(f"{take}/logistics/take").status_code == 303
    assert mara.post(f"{take}/logistics/take").status_code == 404
    mine = f"{people}/{public('usr', cast.mara)}/manager/take"
    assert "Nobody changes the own roles." in text_of(mara.post(mine, follow_redirects=True))
    assert "one person" in text_of(ada.get(people)).lower()


@pytest.mark.parametrize("email", ["zoe@casa-ondera.example", "no-address"])
def test_a_person_who_is_refused_is_typed_once(mara: FlaskClient, email: str) -> None:
    name = "" if "@" in email else "Zoe"  # no account needs a name; no address is nobody's
    answer = mara.post("/console/casa/people", data={"email": email, "name": name, "preset": "tech"})
    assert answer.status_code == 422
    assert "Write the address and the name of a person." in text_of(answer)
    assert f'value="{email}"' in answer.text
    assert f'value="{name}"' in answer.text
    assert re.search(r'value="tech" checked', answer.text)
    assert email not in mara.get("/console/casa/people").text


def test_nobody_becomes_more_than_a_manager_makes_them(cast: Cast, mara: FlaskClient, finn: FlaskClient) -> None:
    assert finn.get("/console/casa/people").status_code == 404
    for role in ("admin", "partner"):
        assert mara.post(f"/console/casa/people/{public('usr', cast.finn)}/{role}/take").status_code == 303
    assert "Write the address" in text_of(
        mara.post("/console/casa/people", data={"email": "nobody", "preset": "reader"}, follow_redirects=True)
    )


def test_no_act_of_the_console_is_left_out(app: Flask) -> None:
    base = "/console/<slug>/"
    rules = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    acts = {rule.rule.removeprefix(base) for rule in rules if rule.rule.startswith(base) and rule.arguments == {"slug"}}
    assert acts == ACTS.keys()


@pytest.mark.parametrize("role", ["manager", "finance", "reader", "outsider"])
def test_who_finds_each_act_of_the_console(cast: Cast, browser_of: BrowserOf, role: str) -> None:
    """What the form makes of it is not asked: whether it is there at all."""
    person = {"manager": cast.mara, "finance": cast.finn}.get(role) or make_person(cast.session, "Somebody")
    if role == "reader":
        give(cast.session, person, GrantRole.READER, cast.program)
    browser = browser_of(person)
    cast.session.add(SuppressedAddress(address="marta@example.test", reason="It came back.", suppressed_at=clock.now()))
    cast.session.commit()
    form = {"address": "marta@example.test"}  # without a known one there is nothing to lift
    statuses = {path: browser.post(f"/console/casa/{path}", data=form).status_code for path in ACTS}
    assert {path for path, status in statuses.items() if status != 404} == {
        path for path, roles in ACTS.items() if role in roles.split()
    }
    assert max(statuses.values()) < 500
    assert {browser.post(f"/console/altra/{path}").status_code for path in ACTS} == {404}
