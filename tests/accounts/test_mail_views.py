"""Which mails a person gets: chosen in the account, stopped by the link in a mail and by a provider's button."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from accounts_cast import give, make_person, read, sign_in
from factories import NOW, make_member, make_partner, make_program
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import mailer
from affiliate.accounts import stops
from affiliate.accounts.mail_kinds import OPTIONAL, REQUIRED, TO_MANAGERS, MailKind
from affiliate.accounts.models import GrantRole, MailRefusal, User
from affiliate.accounts.roles import MemberRole
from affiliate.mailer import Letter, OutboxMail
from affiliate.partners import posting, readers
from affiliate.relations import queries as relations
from affiliate.settings import current

BUTTON = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def marta(app_session: Session) -> Iterator[User]:
    return make_person(app_session, "Marta")


def refused(session: Session) -> set[MailKind]:
    return set(read(session, sa.select(MailRefusal.kind)))


def stop_path(person: User, kind: MailKind) -> str:
    address = stops.address(current(), user_id=person.id, kind=kind)
    assert address is not None
    return address.removeprefix("http://localhost")


def test_a_person_chooses_and_what_law_asks_for_cannot_be_chosen_away(
    client: FlaskClient, app_session: Session, marta: User
) -> None:
    sign_in(client, marta)
    page = client.get("/account/mails").text
    to_partners = set(OPTIONAL) - TO_MANAGERS
    assert page.count('name="kind"') == page.count(" checked") == len(to_partners)
    assert "An invoice is wanted" in page
    client.post("/account/mails", data={"kind": [MailKind.PAID.value, MailKind.LATE.value, "nonsense"]})
    assert refused(app_session) == to_partners - {MailKind.PAID}
    client.post("/account/mails", data={"kind": [kind.value for kind in OPTIONAL]})
    assert refused(app_session) == set()


def test_a_manager_chooses_among_mails_to_managers(client: FlaskClient, app_session: Session, marta: User) -> None:
    program = make_program(app_session, slug="casa")
    give(app_session, marta, GrantRole.MANAGER, program)
    sign_in(client, marta)
    page = client.get("/account/mails").text
    assert page.count('name="kind"') == len(TO_MANAGERS)
    assert "An invoice is wanted" not in page
    client.post("/account/mails", data={"kind": [MailKind.ALARMS.value]})
    assert refused(app_session) == TO_MANAGERS - {MailKind.ALARMS}

    def told(kind: MailKind) -> list[str]:
        return [person.name for person in relations.managers_of(app_session, program_id=program.id, kind=kind)]

    assert (told(MailKind.ALARMS), told(MailKind.LATE)) == (["Marta Example"], [])
    ada = make_person(app_session, "Ada")
    give(app_session, ada, GrantRole.ADMIN)
    assert told(MailKind.LATE) == []  # who does not want it is not stood in for
    assert "in the console" in client.get(stop_path(marta, MailKind.DUTIES), follow_redirects=True).text


def test_a_providers_button_stops_one_kind_without_a_sign_in(
    app: Flask, client: FlaskClient, app_session: Session, marta: User
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    path = stop_path(marta, MailKind.DAY)
    assert client.post(path).status_code == 400
    for _ in range(2):
        answer = client.post(path, data=BUTTON)
        assert (answer.status_code, answer.location) == (200, None)
    assert refused(app_session) == {MailKind.DAY}


def test_opening_the_link_changes_nothing_and_the_button_on_its_page_does(
    client: FlaskClient, app_session: Session, marta: User
) -> None:
    page = client.get(stop_path(marta, MailKind.CASES), follow_redirects=True)
    assert "Stop these mails?" in page.text
    assert refused(app_session) == set()
    assert "These mails have stopped" in client.post(page.request.path).text
    assert refused(app_session) == {MailKind.CASES}


@pytest.mark.parametrize("spoil", [lambda token: token[:-1], lambda token: "Z" + token[1:], lambda _token: "é"])
def test_a_spoiled_link_is_none(client: FlaskClient, app_session: Session, marta: User, spoil: object) -> None:
    start, _slash, token = stop_path(marta, MailKind.DAY).rpartition("/")
    path = f"{start}/{spoil(token)}"  # type: ignore[operator]
    assert client.post(path, data=BUTTON).status_code == 404
    assert client.get(path.replace("/hooks", "")).status_code == 404
    assert refused(app_session) == set()


def test_who_reads_follows_from_role_and_wish(app_session: Session) -> None:
    partner = make_partner(app_session)
    for name, role in (("Olga", MemberRole.OWNER), ("Finn", MemberRole.FINANCE), ("Mark", MemberRole.MARKETER)):
        make_member(app_session, user=make_person(app_session, name), partner=partner).role = role
    finn = app_session.scalars(sa.select(User).where(User.name.startswith("Finn"))).one()
    for kind in (MailKind.PAID, MailKind.INVOICES):
        app_session.add(MailRefusal(user_id=finn.id, kind=kind, created_at=NOW))
    app_session.flush()

    def names(kind: MailKind) -> list[str]:
        found = readers.readers(app_session, partner_ids=[partner.id], kind=kind)
        return sorted(person.name.split()[0] for person in found)

    assert names(MailKind.PAID) == ["Olga"]
    assert names(MailKind.INVOICES) == ["Finn", "Olga"]  # whatever was said about it
    assert names(MailKind.CASES) == ["Finn", "Mark", "Olga"]
    assert names(MailKind.POSTBACKS) == ["Mark", "Olga"]


def test_a_mail_that_may_be_stopped_carries_the_providers_button_whole(app_session: Session, marta: User) -> None:
    program = make_program(app_session, slug="casa")
    letter = Letter("Hello", ["A word."], None, "You get this because.")
    for kind in (MailKind.DAY, MailKind.INVOICES):
        posting.post(app_session, person=marta, letter=letter, kind=kind, program=program, now=NOW)
    app_session.flush()
    first, second = app_session.scalars(sa.select(OutboxMail).order_by(OutboxMail.stop_url.is_(None))).all()
    sent = mailer._message(first, "Program <a@program.example>", None).as_bytes().decode()
    assert f"\nList-Unsubscribe: <{first.stop_url}>\n" in sent
    assert "\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n" in sent
    assert first.stop_url in first.body_text
    assert first.stop_url in (first.body_html or "")
    assert second.stop_url is None
    assert "List-Unsubscribe" not in mailer._message(second, "Program <a@program.example>", None).as_string()


def test_every_kind_is_either_asked_for_by_law_or_can_be_stopped() -> None:
    assert REQUIRED.isdisjoint(OPTIONAL)
    assert REQUIRED | set(OPTIONAL) == set(MailKind)
