"""Applications in the console: questions to the applicant, files, the form, invitations."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from console_cast import NO_MOMENTS, Cast, text_of
from factories import make_member, make_user
from flask.testing import FlaskClient

from affiliate import clock, files, ids
from affiliate.files import File
from affiliate.joining import inviting, queries, questions
from affiliate.joining.models import Invitation
from affiliate.joining.questions import Question
from affiliate.mailer import OutboxMail
from affiliate.partners import queries as partners
from affiliate.partners.models import Application, Enrollment
from affiliate.programs.models import ProgramStatus


def _url(cast: Cast, page: str) -> str:
    return f"/console/{cast.program.slug}/{page}"


def _partner_url(cast: Cast, act: str) -> str:
    return _url(cast, f"partners/{ids.public('ptn', cast.applicant.id)}/{act}")


def _mails(cast: Cast) -> list[OutboxMail]:
    found = list(cast.session.scalars(sa.select(OutboxMail).order_by(OutboxMail.id)))
    cast.session.commit()  # SQLite has one writer, and the next request wants to be it
    return found


def test_a_manager_asks_and_the_applicant_gets_a_mail_with_the_address(cast: Cast, mara: FlaskClient) -> None:
    make_member(cast.session, user=make_user(cast.session), partner=cast.applicant)
    cast.session.commit()
    page = text_of(mara.post(_partner_url(cast, "ask"), data={"text": "Which films?"}, follow_redirects=True))
    assert "Which films?" in page
    [mail] = _mails(cast)
    assert "Which films?" in mail.body_text
    assert f"/apply/{cast.program.slug}/status/" in mail.body_text
    mara.post(_partner_url(cast, "approve"))
    late = text_of(mara.post(_partner_url(cast, "ask"), data={"text": "And?"}, follow_redirects=True))
    assert "decided already" in late


def test_finance_reads_the_application_and_cannot_ask(cast: Cast, finn: FlaskClient) -> None:
    assert "Ask the applicant" not in finn.get(_partner_url(cast, "").rstrip("/")).text
    assert finn.post(_partner_url(cast, "ask"), data={"text": "Hello"}).status_code == 404


@pytest.mark.parametrize(("again", "days"), [("90", 90), ("", None), ("7", None)])
def test_a_refusal_keeps_when_to_try_again(cast: Cast, mara: FlaskClient, again: str, days: int | None) -> None:
    before = clock.now()
    mara.post(_partner_url(cast, "reject"), data={"reason": "Too early.", "again": again})
    cast.session.expire_all()
    kept = cast.session.scalars(
        sa.select(Enrollment.apply_again_at).where(Enrollment.partner_id == cast.applicant.id)
    ).one()
    assert (kept is None) == (days is None)
    if kept is not None and days is not None:
        assert timedelta(0) <= kept - before - timedelta(days=days) < timedelta(minutes=10)


def test_a_file_of_an_application_is_downloaded_and_nothing_else(cast: Cast, mara: FlaskClient) -> None:
    [application] = cast.session.scalars(sa.select(Application)).all()
    file_id = files.keep(cast.session, File("kit.pdf", "application/pdf", b"%PDF-x"), now=clock.now())
    application.answers = application.answers | {"kit": {"file_id": file_id.hex, "name": "kit.pdf"}}
    cast.session.commit()
    address = _partner_url(cast, "application/kit/file")
    assert address in mara.get(_partner_url(cast, "").rstrip("/")).text
    answer = mara.get(address)
    assert (answer.data, answer.headers["Content-Disposition"]) == (b"%PDF-x", "attachment; filename=kit.pdf")
    assert mara.get(_partner_url(cast, "application/why/file")).status_code == 404


def _asked(cast: Cast) -> tuple[Question, ...]:
    found = queries.form_of(cast.session, program_id=cast.program.id)
    cast.session.commit()
    return found


def _form_page(cast: Cast) -> dict[str, str | list[str]]:
    """What the page of the form sends when nobody changes it."""
    asked = _asked(cast)
    sent: dict[str, str | list[str]] = {"key": [one.key for one in asked], "seen_at": ""}
    for place, one in enumerate(asked):
        sent[f"{one.key}-place"] = str(place * 10)
        sent |= {f"{one.key}-asked": "1"} if one.is_asked else {}
    return sent


def test_a_manager_adds_a_question_reorders_and_the_form_asks_it(cast: Cast, mara: FlaskClient) -> None:
    url = _url(cast, "settings/application-form")
    assert "A question of your own" in mara.get(url).text
    form = _form_page(cast)
    form["key"] = [*form["key"], "own_1"]
    form |= {"own_1-kind": "choice", "own_1-asked": "1", "own_1-required": "1", "own_1-place": "1"}
    form |= {"own_1-label-en": "How large?", "own_1-options-en": "Small\nLarge", "own_1-label-it": "<b>Quanto?</b>"}
    assert mara.post(url, data=form).status_code == 303
    asked = _asked(cast)
    assert [one.key for one in asked][:2] == ["channels", "own_1"]
    assert asked[1].options == {"en": ["Small", "Large"]}
    public = mara.get(f"/apply/{cast.program.slug}").text
    assert "How large?" in public
    assert "&lt;b&gt;Quanto?" in mara.get(f"/apply/{cast.program.slug}", headers={"Accept-Language": "it"}).text
    for seen_at in ("", *NO_MOMENTS):
        assert mara.post(url, data=form | {"seen_at": seen_at}).status_code == 409  # it was read before this change


def test_the_form_is_seen_before_the_program_is_live_and_as_it_was_typed(cast: Cast, mara: FlaskClient) -> None:
    cast.program.status = ProgramStatus.DRAFT
    cast.session.commit()
    url = _url(cast, "settings/application-form")
    assert f'href="{url}/look"' in mara.get(url).text
    stored = mara.get(f"{url}/look").text
    form = _form_page(cast)
    form["key"] = [*form["key"], "own_1"]
    form |= {"own_1-kind": "text", "own_1-asked": "1", "own_1-place": "1", "own_1-label-en": "How large?"}
    assert "How large?" not in stored
    page = mara.post(f"{url}/look", data=form).text
    assert "How large?" in page
    assert "disabled" in page
    assert "own_1" not in [one.key for one in _asked(cast)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"own_1-kind": "choice"}, "Write the options"),
        ({"own_1-label-en": "x" * 201}, "up to 200 characters"),
        ({"own_1-kind": "choices", "own_1-options-en": "a\nb", "own_1-options-pl": "a"}, "same options"),
    ],
)
def test_a_wrong_question_is_named_and_what_was_typed_stays(
    cast: Cast, mara: FlaskClient, change: dict[str, str], said: str
) -> None:
    form = _form_page(cast)
    form["key"] = [*form["key"], "own_1"]
    answer = mara.post(
        _url(cast, "settings/application-form"), data=form | {"own_1-label-en": "How <i>large</i>?"} | change
    )
    assert answer.status_code == 422
    assert said in answer.text
    assert 'href="#own_1"' in answer.text
    assert _asked(cast) == questions.complete(questions.STANDARD)


def test_an_invitation_by_mail_is_for_one_and_can_be_withdrawn(cast: Cast, mara: FlaskClient) -> None:
    url = _url(cast, "invitations")
    sent = {"name": "Rosa", "email": "Rosa@table.example", "text": "We like your table.", "locale": "it"}
    page = text_of(mara.post(url, data=sent, follow_redirects=True))
    assert "rosa@table.example" in page
    [mail] = _mails(cast)
    [made] = cast.session.scalars(sa.select(Invitation)).all()
    cast.session.commit()
    assert mail.recipient == "rosa@table.example"
    assert f"/join/{made.code}" in mail.body_text
    assert "We like your table." in mail.body_text
    assert made.uses_max == 1
    _withdraw(cast, mara, made.id)
    assert mara.get(f"/join/{made.code}").status_code == 404


def _withdraw(cast: Cast, mara: FlaskClient, invitation_id: UUID) -> None:
    for _twice in range(2):
        assert mara.post(_url(cast, f"invitations/{invitation_id}/withdraw")).status_code == 303


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Fair", "email": "rosa@"}, "email"),
        ({"name": "Fair", "email": "rosa@table.example"}, "text"),
        ({"name": "Fair", "uses_max": "many"}, "uses_max"),
        ({"name": "Fair", "uses_max": "0"}, "uses_max"),
    ],
)
def test_a_wrong_invitation_is_refused_at_its_field(
    cast: Cast, mara: FlaskClient, typed: dict[str, str], field: str
) -> None:
    answer = mara.post(_url(cast, "invitations"), data={"locale": "en"} | typed)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert _mails(cast) == []


def test_withdrawn_invitations_make_room_and_the_list_is_paged(cast: Cast, mara: FlaskClient) -> None:
    url = _url(cast, "invitations")
    many = [
        Invitation(
            id=ids.new(), program_id=cast.program.id, code=f"code-{number}", name=f"Fair {number:03}",
            created_at=clock.now() - timedelta(days=number + 1),
        )
        for number in range(inviting.INVITATIONS_MAX)
    ]  # fmt: skip
    cast.session.add_all(many)
    cast.session.commit()
    page = text_of(mara.get(url))
    assert "Fair 000" in page
    assert "Fair 050" not in page
    assert 'rel="next"' in page
    new = {"name": "Fair of May", "locale": "en"}
    assert "has 200 invitations" in text_of(mara.post(url, data=new))
    many[0].withdrawn_at = clock.now()
    cast.session.commit()
    made = text_of(mara.post(url, data=new, follow_redirects=True))
    assert '<span class="b">Fair of May</span>' in made


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("recruiter:Larkfen", "Recruiting address of Larkfen"), ("recruiter:erased", "Recruiting address of erased"),
        ("invitation:Fair: May", "Invitation: Fair: May"), ("article:iron", "Article: iron"), ("spring: one", "spring: one"),
    ],
)  # fmt: skip
def test_through_what_somebody_came_is_told_in_words(cast: Cast, mara: FlaskClient, source: str, told: str) -> None:
    [application] = cast.session.scalars(sa.select(Application)).all()
    application.source = source
    cast.session.commit()
    assert f"Came by: {told}<" in mara.get(_partner_url(cast, "").rstrip("/")).text
    assert f"<dt>{told}</dt>" in mara.get(_url(cast, "invitations")).text
    assert f'<option value="{source}">{told}</option>' in mara.get(_url(cast, "applications")).text


def test_the_facts_of_an_application_are_plain_values(cast: Cast, mara: FlaskClient) -> None:
    [application] = cast.session.scalars(sa.select(Application)).all()
    answers = {
        "channels": [{"kind": "blog", "address": "Slow", "people": 4000}],
        "why": " Pots. ",
        "kit": {"file_id": "1"},
    }
    application.answers, application.source = answers, "invitation:Fair"
    application.asked = questions.to_documents(questions.STANDARD)
    cast.session.commit()
    of: dict[str, Any] = {"program_id": cast.program.id, "enrollment_ids": [application.enrollment_id]}
    [facts] = partners.application_facts(cast.session, **of)
    assert (facts.reach, facts.why, facts.files, facts.is_invited) == (4000, "Pots.", 1, True)
    assert (facts.asked, facts.answered) == (len(questions.STANDARD), 3)
    assert partners.application_facts(cast.session, program_id=ids.new(), enrollment_ids=of["enrollment_ids"]) == []


def test_the_public_page_is_written_per_language_and_two_do_not_overwrite_one_another(
    cast: Cast, mara: FlaskClient
) -> None:
    url = _url(cast, "settings/page/it")
    sent = {"headline": "Ferro", "questions": "Quanto?\nOtto per cento.\n\nQuando?\nOgni mese.", "terms": "Mai spam."}
    assert mara.post(url, data=sent).status_code == 303
    page = mara.get(url).text
    assert "Quando?\nOgni mese.</textarea>" in page
    assert "Mai spam.</textarea>" in page
    assert "Ferro" in mara.get(f"/p/{cast.program.slug}?lang=it").text
    look = mara.get(_url(cast, "settings/application-form/look"), headers={"Accept-Language": "it"}).text
    assert "<p>Mai spam.</p>" in look
    for seen_at in ("", *NO_MOMENTS):
        assert mara.post(url, data=sent | {"seen_at": seen_at}).status_code == 409
    wrong = mara.post(url, data={"questions": "A question alone", "terms": "x" * 10_001})
    assert wrong.status_code == 422
    assert all(f'id="{name}-error"' in wrong.text for name in ("questions", "terms"))


def test_an_article_is_written_published_and_taken_off(cast: Cast, mara: FlaskClient) -> None:
    sent = {"kind": "article", "title": "Iron", "slug": "iron", "language": "en", "body": "Text."}
    edit = mara.post(_url(cast, "articles/write"), data=sent).location
    assert mara.post(_url(cast, "articles/write"), data=sent).status_code == 422  # the name is taken
    public = f"/p/{cast.program.slug}/a/iron"
    for act, status in (("publish", 200), ("withdraw", 404)):
        assert mara.post(f"{edit}/{act}").status_code == 303
        assert mara.get(public).status_code == status
    changed = mara.post(edit, data=sent | {"title": "<b>Iron</b>"}, follow_redirects=True)
    assert "&lt;b&gt;Iron&lt;/b&gt;" in changed.text


def test_nobody_agrees_to_a_story_by_a_box_that_is_ticked_already(cast: Cast, mara: FlaskClient) -> None:
    sent = {"kind": "story", "title": "Rosa", "slug": "rosa", "language": "en", "body": "Text.", "told_by": "Rosa"}
    edit = mara.post(_url(cast, "articles/write"), data=sent | {"is_agreed": "y"}).location
    assert re.search(r'<input(?=[^>]*id="is_agreed")[^>]*>', mara.get(edit).text)
    assert not re.search(r'<input(?=[^>]*id="is_agreed")[^>]*checked', mara.get(edit).text)
    refused = mara.post(edit, data=sent | {"body": "Other words."})
    assert (refused.status_code, "Other words.</textarea>" in refused.text) == (422, True)
    assert 'id="is_agreed-error"' in refused.text
    assert mara.post(edit, data=sent | {"slug": "rosas-year"}).status_code == 303  # the same words
