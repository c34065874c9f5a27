"""Applying: the form that the program defines, saved as one goes, the proof of the mailbox, questions, and what the applicant sees."""

import hashlib
import html
import io
import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import PASSWORD, give, make_person, sign_in
from factories import NOW, make_partner, make_program, make_user
from flask import Flask
from flask.testing import FlaskClient
from joining_cast import FORM, TERMS, address_in_mail, apply_and_confirm
from PIL import Image
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent, GrantRole, User
from affiliate.files import StoredFile
from affiliate.joining import forgetting, inviting, questions, service, writing
from affiliate.joining.models import ApplicationDraft, PublicText
from affiliate.joining.questions import Question, QuestionKind
from affiliate.joining.writing import PageText
from affiliate.mailer import OutboxMail
from affiliate.partners import service as partners
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus, PartnerTerms
from affiliate.programs.models import Program


@pytest.fixture
def program(app_session: Session) -> Program:
    program = make_program(app_session, name="Casa Ondera", slug="casa-ondera", terms=TERMS)
    program.application_answer_days = 5
    app_session.commit()
    return program


def _count(session: Session, table: type) -> int:
    counted = session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    session.commit()  # SQLite has one writer, and the next request wants to be it
    return counted


def _application(session: Session) -> Application:
    session.expire_all()
    found = session.scalars(sa.select(Application).where(Application.is_current)).one()
    session.commit()
    return found


def _ask(session: Session, program: Program, *own: Question) -> None:
    asked = (*questions.STANDARD, *own)
    service.set_form(session, program_id=program.id, asked=asked, seen_at=None, actor=SYSTEM, now=NOW)
    session.commit()


def test_an_application_arrives_once_its_mailbox_is_proved(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    sent = client.post("/apply/casa-ondera", data=FORM)
    assert "confirm that the address is yours" in client.get(sent.location).text
    assert _count(app_session, Application) == 0
    mail = app_session.scalars(sa.select(OutboxMail.body_text)).one()
    assert "the answer comes to this address within 5 days." in " ".join(mail.split())
    confirm = address_in_mail(app_session, "confirm")
    assert "answers to this address within 5 days." in client.get(confirm).text
    assert "Slow Kitchen" in client.get(confirm).text  # whoever reads the mail sees whose it is, and nothing happened
    assert _count(app_session, Application) == 0
    for _twice in range(2):
        assert client.post(confirm).location == sent.location
    application = _application(app_session)
    assert application.answers["website"] == "https://kitchen.example"
    assert application.answers["channels"] == [{"kind": "newsletter", "address": "Slow Letter", "people": 2400}]
    assert application.answers["terms_accepted_at"]
    assert application.confirmed_at is not None
    page = client.get(sent.location).text
    assert "A person reads it" in page
    assert f"An answer is promised by {application.confirmed_at + timedelta(days=5):%-d %b %Y}." in page
    assert "Slow Letter (2,400)" in page


def test_nothing_tells_whether_an_address_has_an_account(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    known = make_user(app_session, email="known@kitchen.example")
    app_session.commit()
    pages = []
    for email in ("marta@kitchen.example", "Known@kitchen.example"):
        sent = client.post("/apply/casa-ondera", data=FORM | {"email": email})
        page = client.get(sent.location).text
        pages.append(
            page[page.index("One step is left</h1>") : page.index('id="here"')].lower().replace(email.lower(), "")
        )
    assert pages[0] == pages[1]
    client.post(address_in_mail(app_session, "confirm"))
    assert _application(app_session).user_id == known.id  # whoever reads the mailbox is the person


def test_a_mail_holds_nothing_that_a_stranger_typed_and_three_in_an_hour_are_enough(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    for _again in range(4):
        client.post("/apply/casa-ondera", data=FORM | {"partner_name": "Buy pills at pills.example"})
    mails = app_session.scalars(sa.select(OutboxMail)).all()
    assert len(mails) == 3
    assert not any("pills" in mail.body_text + mail.subject for mail in mails)


def test_a_token_opens_what_it_was_made_for_and_nothing_else(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    sent = client.post("/apply/casa-ondera", data=FORM)
    token = sent.location.rpartition("/")[2]
    assert client.post(f"/apply/casa-ondera/confirm/{token}").status_code == 404
    assert client.get(f"/apply/casa-ondera/status/{token}x").status_code == 404
    make_program(app_session, slug="another")
    app_session.commit()
    assert client.get(f"/apply/another/status/{token}").status_code == 404
    assert _count(app_session, Application) == 0


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("email", "marta@"),
        ("email", ""),
        ("website", "https://a b"),
        ("country", "XX"),
        ("name", "  "),
        ("channels-address", ""),
        ("channels-people", "many"),
        ("terms", ""),
        ("partner_name", "x" * 121),
        ("why", "x" * 2_001),
    ],
)
def test_a_wrong_field_is_named_and_what_was_typed_stays(
    client: FlaskClient, app_session: Session, program: Program, field: str, typed: str
) -> None:
    form = {key: value for key, value in (FORM | {field: typed}).items() if value}
    answer = client.post("/apply/casa-ondera", data=form)
    name = field.partition("-")[0]
    assert answer.status_code == 422
    assert f'id="{name}-error"' in answer.text
    assert f'href="#{name}"' in answer.text
    if field != "why":
        assert "I cook with it.</textarea>" in answer.text
    assert _count(app_session, ApplicationDraft) == 0


def test_hostile_text_stays_text(client: FlaskClient, app_session: Session, program: Program) -> None:
    hostile = "<script>alert(1)</script>\x07"
    answer = client.post("/apply/casa-ondera", data=FORM | {"name": hostile, "why": hostile, "terms": ""})
    assert "<script>alert(1)" not in answer.text
    assert answer.text.count("&lt;script&gt;alert(1)") == 2
    apply_and_confirm(client, app_session, "casa-ondera", partner_name="Slow\x07 Kitchen\u202e", why="a\x07b\r\nc")
    answers = _application(app_session).answers
    assert (answers["partner_name"], answers["why"]) == ("Slow Kitchen", "ab\nc")


def test_without_its_token_the_form_is_refused(app: Flask, program: Program) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert app.test_client().post("/apply/casa-ondera", data=FORM).status_code == 400


def test_a_draft_is_kept_while_one_types_and_goes_on_elsewhere(
    app: Flask, client: FlaskClient, app_session: Session, program: Program
) -> None:
    first = client.post("/apply/casa-ondera/save", data={"partner_name": "Slow", "why": "I co", "from": "fair"})
    draft = {"draft": first.json["draft"]}  # type: ignore[index]
    again = client.post("/apply/casa-ondera/save", data=draft | {"partner_name": "Slow Kitchen", "why": "I cook."})
    assert again.json["url"] == first.json["url"]  # type: ignore[index]
    client.post("/apply/casa-ondera/save", data=FORM | draft | {"partner_name": "Slow Kitchen", "why": "I cook."})
    elsewhere = app.test_client().get(again.json["url"]).text  # type: ignore[index]
    assert (
        re.search(r'name="terms" type="checkbox"[^>]*checked|checked[^>]*name="terms"', elsewhere) is None
    )  # whatever it says by now
    assert 'value="Slow Kitchen"' in elsewhere
    assert "I cook.</textarea>" in elsewhere
    assert client.post("/apply/casa-ondera", data=FORM | draft).status_code == 303
    assert _count(app_session, ApplicationDraft) == 1
    late = client.post("/apply/casa-ondera/save", data=draft | {"why": "Other words."})
    assert late.status_code == 409
    client.post(address_in_mail(app_session, "confirm"))
    assert (_application(app_session).answers["why"], _application(app_session).source) == ("I cook with it.", "fair")


def test_the_button_saves_too_and_a_mail_brings_the_address(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    saved = client.post("/apply/casa-ondera", data={"act": "save", "email": "marta@kitchen.example", "why": "I co"})
    assert saved.location == address_in_mail(app_session, "draft")
    assert "I co</textarea>" in client.get(saved.location).text


def test_old_drafts_and_their_files_are_removed_and_received_ones_stay(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    _ask(app_session, program, Question("own_1", QuestionKind.FILE, labels={"en": "Kit"}))
    client.post("/apply/casa-ondera/save", data={"why": "I co", "own_1": (_picture(), "me.png")})
    apply_and_confirm(client, app_session, "casa-ondera")
    assert _count(app_session, StoredFile) == 1
    gone = forgetting.forget_old_drafts(app_session, limit=10, now=clock.now() + timedelta(days=31))
    app_session.commit()
    assert (gone, _count(app_session, StoredFile), _count(app_session, ApplicationDraft)) == (1, 0, 1)


def _picture() -> io.BytesIO:
    picture = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(picture, "PNG", pnginfo=None)
    return io.BytesIO(picture.getvalue() + b"<script>hidden</script>")


def test_a_programs_own_questions_are_asked_and_read_in_their_kinds(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    own = (
        Question("own_1", QuestionKind.CHOICE, True, labels={"en": "Size?", "pl": "Ile?"}, options={"en": ["Small", "Large"]}),
        Question("own_2", QuestionKind.FILE, True, labels={"en": "Kit"}),
        Question("own_3", QuestionKind.NUMBER, labels={"en": "Posts"}),
    )  # fmt: skip
    _ask(app_session, program, *own)
    assert "Ile?" in client.get("/apply/casa-ondera", headers={"Accept-Language": "pl"}).text
    missing = client.post("/apply/casa-ondera", data=FORM | {"own_1": "3", "own_3": "1,5e3"})
    for key in ("own_1", "own_2", "own_3"):
        assert f'id="{key}-error"' in missing.text
    right = FORM | {"own_1": "2", "own_3": "12", "own_2": (_picture(), "../me.png")}
    assert client.post("/apply/casa-ondera", data=right).status_code == 303
    client.post(address_in_mail(app_session, "confirm"))
    answers = _application(app_session).answers
    assert (answers["own_1"], answers["own_3"], answers["own_2"]["name"]) == ("2", 12, "me.png")
    stored = app_session.scalars(sa.select(StoredFile.content)).one()
    assert b"script" not in stored  # the picture was drawn anew


@pytest.mark.parametrize(
    ("name", "content"),
    [("kit.pdf", b"no pdf"), ("kit.svg", b"<svg onload='x()'/>"), ("me.png", b"GIF89a"), ("big.png", b"x" * 3_000_001)],
)
def test_a_file_that_lies_or_is_too_large_is_refused(
    client: FlaskClient, app_session: Session, program: Program, name: str, content: bytes
) -> None:
    _ask(app_session, program, Question("own_1", QuestionKind.FILE, labels={"en": "Kit"}))
    answer = client.post("/apply/casa-ondera", data=FORM | {"own_1": (io.BytesIO(content), name)})
    assert answer.status_code == 422
    assert 'id="own_1-error"' in answer.text
    assert _count(app_session, StoredFile) == 0


def test_a_file_that_no_question_asks_for_is_not_even_read(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    _ask(app_session, program, Question("own_1", QuestionKind.FILE, labels={"en": "Kit"}))
    strange = {f"a{number}": (io.BytesIO(b"no picture"), "me.png") for number in range(5)}
    answer = client.post("/apply/casa-ondera/save", data=strange | {"own_1": (_picture(), "me.png")}).get_json()
    assert (answer["files"], answer["problems"]) == ({"own_1": "me.png"}, {})


def test_pages_at_a_secret_address_and_those_filled_for_one_person_are_kept_by_nobody(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    person = make_person(app_session, "Marta")
    app_session.commit()
    assert "Cache-Control" not in client.get("/apply/casa-ondera").headers
    url = client.post("/apply/casa-ondera/save", data={"why": "I co"}).get_json()["url"]
    assert client.get(url).headers["Cache-Control"] == "private, no-store"
    sign_in(client, person)
    assert client.get("/apply/casa-ondera").headers["Cache-Control"] == "private, no-store"


def test_a_question_goes_by_mail_and_its_answer_comes_back(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    status = apply_and_confirm(client, app_session, "casa-ondera")
    application = _application(app_session)
    enrollment = app_session.get_one(Enrollment, application.enrollment_id)
    app_session.commit()
    said: dict[str, Any] = {"program": program, "application": application, "enrollment": enrollment}
    service.ask(app_session, **said, text="Which films?", actor=SYSTEM, now=clock.now())
    app_session.commit()
    assert address_in_mail(app_session, "status") == status
    assert "Which films?" in client.get(status).text
    assert client.post(status, data={"text": " "}).status_code == 422
    assert client.post(status, data={"text": "The <b>three</b> of May."}).status_code == 303
    assert "The &lt;b&gt;three&lt;/b&gt; of May." in client.get(status).text
    for number in range(4 + 5):  # five of its own accord, five for the question
        assert client.post(status, data={"text": f"And one more, {number}."}).status_code == 303
    assert "Send the answer" not in client.get(status).text
    assert client.post(status, data={"text": "An eleventh."}).status_code == 422


def test_an_applicant_asks_first_and_bounded(client: FlaskClient, app_session: Session, program: Program) -> None:
    mona = make_person(app_session, "Mona")
    give(app_session, mona, GrantRole.MANAGER, program)
    status = apply_and_confirm(client, app_session, "casa-ondera")
    page = client.get(status).text
    assert "Your question" in page
    assert "Send the question" in page
    assert client.post(status, data={"text": " "}).status_code == 422
    assert client.post(status, data={"text": "May I use <b>video</b>?"}).status_code == 303
    assert "May I use &lt;b&gt;video&lt;/b&gt;?" in client.get(status).text
    mine = sa.select(OutboxMail).where(OutboxMail.recipient == mona.email).order_by(OutboxMail.id.desc())
    letter = app_session.scalars(mine).first()
    assert letter is not None
    assert (letter.subject.endswith("asks something"), "May I use" in letter.body_text) == (True, True)
    app_session.commit()
    for _more in range(4):
        assert client.post(status, data={"text": "Hello?"}).status_code == 303
    late = client.post(status, data={"text": "A sixth."})
    assert (late.status_code, "Wait for the program" in late.text) == (422, True)
    assert "Send the question" not in client.get(status).text
    application = _application(app_session)
    enrollment = app_session.get_one(Enrollment, application.enrollment_id)
    said: dict[str, Any] = {"program": program, "application": application, "enrollment": enrollment}
    service.ask(app_session, **said, text="Yes. Which films?", actor=SYSTEM, now=clock.now())
    app_session.commit()
    assert client.post(status, data={"text": "These."}).status_code == 303
    enrollment.status = EnrollmentStatus.REJECTED
    app_session.commit()
    assert "Send the answer" not in client.get(status).text
    assert client.post(status, data={"text": "Why?"}).status_code == 422


def test_a_refusal_says_when_to_try_again_and_then_the_form_is_open(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    status = apply_and_confirm(client, app_session, "casa-ondera")
    application, now = _application(app_session), clock.now()
    act: dict[str, Any] = {"enrollment_id": application.enrollment_id, "program_id": program.id, "actor": SYSTEM}
    partners.reject(app_session, **act, reason="Too few readers.", apply_again_at=now + timedelta(days=30), now=now)
    app_session.commit()
    page = client.get(status).text
    assert "Reason: Too few readers." in page
    assert "You can apply again from" in page
    letter = app_session.scalars(sa.select(OutboxMail.body_text).order_by(OutboxMail.id.desc())).first()
    app_session.commit()
    assert "You can apply again from" in (letter or "")
    assert "Apply again</a>" not in page
    app_session.execute(sa.update(Enrollment).values(apply_again_at=now - timedelta(seconds=1)))
    app_session.commit()
    page = client.get(status).text
    assert '<a class="btn btn-primary w-100" href="/apply/casa-ondera">Apply again</a>' in page
    assert "You can apply again from" not in page
    again = apply_and_confirm(client, app_session, "casa-ondera", why="I have more now.")
    assert _application(app_session).answers["why"] == "I have more now."
    assert _count(app_session, Application) == 2
    assert "You have applied again since" in client.get(status).text
    assert "Your application is being read" in client.get(again).text


def test_a_signed_in_person_applies_with_what_is_known_and_at_once(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    person = make_person(app_session, "Marta")
    partner = make_partner(app_session, user=person, name="Slow Kitchen")
    app_session.commit()
    sign_in(client, person)
    page = client.get("/apply/casa-ondera").text
    assert 'value="Slow Kitchen"' in page
    assert 'name="email"' not in page
    form = {key: value for key, value in FORM.items() if key not in {"name", "email"}}
    assert client.post("/apply/casa-ondera", data=form).status_code == 303
    [enrollment] = app_session.scalars(sa.select(Enrollment)).all()
    assert (enrollment.partner_id, enrollment.status) == (partner.id, EnrollmentStatus.PENDING)
    portal = client.get("/portal/casa-ondera/").text
    assert "I cook with it." in portal


@pytest.mark.parametrize("status", list(EnrollmentStatus))
def test_who_has_applied_already_is_led_on(
    client: FlaskClient, app_session: Session, program: Program, status: EnrollmentStatus
) -> None:
    person = make_person(app_session, "Marta")
    make_partner(app_session, program=program, user=person, status=status)
    app_session.execute(sa.update(Enrollment).values(reason="No site yet."))
    app_session.commit()
    sign_in(client, person)
    answer = client.get("/apply/casa-ondera")
    if status in {EnrollmentStatus.REJECTED, EnrollmentStatus.BANNED}:
        assert "Reason: No site yet." in answer.text
    else:
        assert (answer.status_code, answer.location) == (303, "/portal/casa-ondera/")


def test_an_invitation_leads_to_the_program_and_its_source_is_kept(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    terms = inviting.Terms("Fair of May", lets_in=True, uses_max=1)
    made = inviting.invite(app_session, program=program, terms=terms, actor=SYSTEM, now=clock.now())
    app_session.commit()
    leads = client.get(f"/join/{made.code}").location
    assert f"/apply/casa-ondera?invite={made.code}" in client.get(leads).text
    apply_and_confirm(client, app_session, "casa-ondera", invite=made.code)
    application = _application(app_session)
    assert application.source == "invitation:Fair of May"
    assert app_session.get_one(Enrollment, application.enrollment_id).status is EnrollmentStatus.APPROVED
    assert client.get(f"/join/{made.code}").status_code == 404  # its one place is taken
    assert client.get("/join/made-up").status_code == 404


def test_who_signs_in_from_the_form_comes_back_with_its_origin(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    recruiter = make_partner(app_session, program=program, name="Larkfen")
    made = inviting.recruit(
        app_session, program_id=program.id, partner_id=recruiter.id, partner_name="Larkfen", now=NOW
    )
    person = make_person(app_session, "Known")
    app_session.commit()
    page = client.get(f"/apply/casa-ondera?from=fair&invite={made.code}").text
    [sign_in_url] = set(re.findall(r'href="(/login[^"]*)"', page))
    answer = client.post(
        html.unescape(sign_in_url), data={"email": person.email, "password": PASSWORD}, follow_redirects=True
    )
    assert answer.request.full_path == f"/apply/casa-ondera?from=fair&invite={made.code}"
    hidden = dict(re.findall(r'type="hidden" name="(from|invite)" value="([^"]+)"', answer.text))
    assert hidden == {"from": "fair", "invite": made.code}
    typed = {name: value for name, value in FORM.items() if name not in {"name", "email"}}
    client.post("/apply/casa-ondera", data=typed | hidden)
    app_session.expire_all()
    assert app_session.scalars(sa.select(Application.source)).one() == "recruiter:Larkfen"


@pytest.mark.parametrize("word", ["recruiter:Larkfen", "invitation:Fair", " invitation:Fair", "spring"])
def test_a_word_in_an_address_is_no_invitation(
    client: FlaskClient, app_session: Session, program: Program, word: str
) -> None:
    apply_and_confirm(client, app_session, program.slug, **{"from": word})
    assert _application(app_session).source == ("spring" if word == "spring" else "")


def test_a_refused_form_and_a_kept_draft_lead_back_to_themselves_after_the_sign_in(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    refused = client.post("/apply/casa-ondera", data=FORM | {"terms": "", "from": "fair"}).text
    assert 'href="/login?next=/apply/casa-ondera?from%3Dfair"' in refused
    saved = client.post("/apply/casa-ondera", data=FORM | {"act": "save", "from": "fair"}).location
    assert f'href="/login?next={saved}"' in client.get(saved).text


def test_of_two_who_come_by_the_last_place_one_is_let_in(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    terms = inviting.Terms("Fair of May", lets_in=True, uses_max=1)
    made = inviting.invite(app_session, program=program, terms=terms, actor=SYSTEM, now=clock.now())
    app_session.commit()
    confirms = []
    for name in ("one", "two"):
        client.post("/apply/casa-ondera", data=FORM | {"email": f"{name}@kitchen.example", "invite": made.code})
        confirms.append(address_in_mail(app_session, "confirm"))
    for address in confirms:
        client.post(address)
    app_session.expire_all()
    statuses = app_session.scalars(sa.select(Enrollment.status).order_by(Enrollment.id)).all()
    assert statuses == [EnrollmentStatus.APPROVED, EnrollmentStatus.PENDING]


def test_a_partners_recruiting_address_makes_it_the_recruiter(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    recruiter = make_partner(app_session, program=program, name="Larkfen")
    made = inviting.recruit(
        app_session, program_id=program.id, partner_id=recruiter.id, partner_name="Larkfen", now=NOW
    )
    app_session.commit()
    apply_and_confirm(client, app_session, "casa-ondera", invite=made.code)
    assert _application(app_session).source == "recruiter:Larkfen"
    assert app_session.scalars(sa.select(PartnerTerms.recruiter_id)).one() == recruiter.id
    assert app_session.scalars(sa.select(User.email)).one() == "marta@kitchen.example"


def _write_terms(session: Session, program: Program, language: str, text: str, *, is_first: bool = True) -> None:
    row = session.get(PublicText, (program.id, language))
    page = PageText(headline="", summary="", stands_for="", sold="", audience="", terms=text)
    writing.save_text(
        session, program_id=program.id, language=language, text=page, seen_at=None if is_first or not row else row.updated_at,
        actor=SYSTEM, now=clock.now(),
    )  # fmt: skip
    session.commit()


def test_who_applies_accepts_the_terms_of_the_page_and_their_language_and_version_are_kept(
    client: FlaskClient, app: Flask, app_session: Session, program: Program
) -> None:
    _write_terms(app_session, program, "it", "Niente spam.\n\nMai.")
    _write_terms(app_session, program, "pl", "")
    polish = client.get("/apply/casa-ondera", headers={"Accept-Language": "pl"}).text
    assert '<div class="stack-s s3 m2" lang=""><p>One.</p>' in polish  # an empty field of theirs hides nothing
    italian = {"Accept-Language": "it"}
    page = client.get("/apply/casa-ondera", headers=italian).text
    assert '<div class="stack-s s3 m2"><p>Niente spam.</p><p>Mai.</p></div>' in page
    assert "<p>Niente spam.</p>" in client.get("/p/casa-ondera?lang=it").text
    [version] = re.findall(r'name="terms_version" value="([0-9a-f]{64})"', page)
    read = FORM | {"terms_version": version}
    _write_terms(app_session, program, "it", "Niente spam, mai.", is_first=False)
    refused = client.post("/apply/casa-ondera", data=read, headers=italian)
    assert refused.status_code == 422
    assert 'id="terms-error"' in refused.text
    assert 'name="terms" checked' not in refused.text
    [version] = re.findall(r'name="terms_version" value="([0-9a-f]{64})"', refused.text)
    sent = client.post("/apply/casa-ondera", data=read | {"terms_version": version})  # with buttons in English by now
    assert sent.status_code == 303
    client.post(address_in_mail(app_session, "confirm"))
    answers = _application(app_session).answers
    assert (answers["terms_language"], answers["terms_version"]) == ("it", version)
    assert version == hashlib.sha256(b"Niente spam, mai.").hexdigest()
    manager = make_person(app_session, "Mara")
    give(app_session, manager, GrantRole.MANAGER, program)
    [partner_id] = app_session.scalars(sa.select(Enrollment.partner_id))
    app_session.commit()
    mara = app.test_client()
    sign_in(mara, manager)
    panel = f"/console/casa-ondera/partners/{ids.public('ptn', partner_id)}"
    said = f"Accepted the terms of this language: Italiano, version {version[:8]}, on "
    page = mara.get(panel).text
    assert said in page
    assert "They still read so." in page
    _write_terms(app_session, program, "it", "Altro.", is_first=False)
    assert "They have changed since." in mara.get(panel).text
    kept = app_session.scalars(sa.select(AuditEvent.details).where(AuditEvent.action == "public_text.save")).all()
    assert {"terms": "Niente spam, mai."} in [details.get("after") for details in kept]
