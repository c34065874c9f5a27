"""A partner is forgotten: once nothing is owed, without a trace of who it was, with books and chain as they were."""

import csv
import io
import zipfile
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from accounts_cast import make_person
from factories import NOW, make_application, make_grant, make_link, make_member, make_partner, make_program
from money_cast import MATURE, Books, open_books
from newsletter_cast import Block, BlockKind, a_draft, make_issue
from payout_cast import PAYDAY, approve, earn, pay, propose
from sqlalchemy.orm import Session

from affiliate import files, ids, mailer, tables
from affiliate.accounts import audit
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import ApiKey, AuditEvent, GrantRole, User
from affiliate.files import File, StoredFile
from affiliate.joining import inviting, writing
from affiliate.joining import service as joining
from affiliate.joining.models import ArticleKind
from affiliate.joining.service import Origin
from affiliate.joining.writing import Draft
from affiliate.ledger import queries as ledger
from affiliate.mailer import MailStatus, OutboxMail
from affiliate.newsletters import content, mailroom
from affiliate.newsletters import service as newsletters
from affiliate.newsletters.models import (
    ConsentStatus,
    DeliveryStatus,
    IssueStatus,
    NewsletterDelivery,
    NewsletterIssue,
    NewsletterOpening,
    OpeningConsent,
    StoryConsent,
)
from affiliate.partners import service as partners
from affiliate.partners.applying import Applicant
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus, Member, Partner
from affiliate.privacy import copying, erasing, mentions, queries
from affiliate.privacy.models import ErasureRequest, ErasureStatus
from affiliate.programs.models import Program

WORD = "Pentolaccia"
"""Stands in everything that the partner and its people ever typed here."""


def settle(books: Books) -> None:
    """All that was earned is paid."""
    earn(books)
    run = propose(books)
    approve(books, run)
    pay(books, run)


def people(books: Books) -> tuple[User, User, User]:
    """An owner who is nobody else's, a manager who helps out, and a colleague of another partner."""
    session = books.session
    mine, staff, other = (make_person(session, f"{WORD}{number}") for number in range(3))
    for person in (mine, staff, other):
        make_member(session, user=person, partner=books.partner)
    make_grant(session, user=staff, role=GrantRole.MANAGER, program=books.program)
    elsewhere = partners.create_partner(session, name="Elsewhere", now=NOW)
    make_member(session, user=other, partner=elsewhere)
    return mine, staff, other


def ask(books: Books, who: User, *, now: datetime = PAYDAY) -> ErasureRequest:
    actor = Actor(kind="user", id=who.id)
    erasing.ask(books.session, program=books.program, partner_id=books.partner.id, actor=actor, now=now)
    request = queries.open_request(books.session, partner_id=books.partner.id)
    assert request is not None
    return request


def everything(session: Session) -> str:
    """All that all tables say, but for papers and files."""
    said = []
    for table in tables.metadata.sorted_tables:
        said += [f"{table.name}: {row!r}" for row in session.execute(sa.select(table))]
    return "\n".join(said)


def test_nothing_that_says_who_it_was_is_left_and_the_books_are_as_they_were(session: Session) -> None:
    books = open_books(session)
    mine, staff, other = people(books)
    books.partner.name, books.partner.website = WORD, f"https://{WORD}.example/"
    make_link(session, program=books.program, partner=books.partner, name=WORD, subs={"sub1": WORD})
    make_application(session, program=books.program, partner=books.partner, user=mine, why=WORD)
    mailer.enqueue(session, recipient=mine.email, subject=WORD, body_text=WORD, now=NOW)
    enrollment = session.scalars(sa.select(Enrollment)).one()
    here = {"enrollment_id": enrollment.id, "program_id": books.program.id, "actor": books.alice, "now": NOW}
    partners.pause(session, **here, reason=WORD)
    partners.resume(session, **here)
    whose = {"program_id": books.program.id, "partner_id": books.partner.id}
    accounts.create_api_key(session, **whose, name=WORD, scopes=["links:read"], actor=Actor("user", mine.id), now=NOW)
    settle(books)
    before = ledger.program_balances(session, program_id=books.program.id)
    for helper in (staff, other):  # theirs is another matter: what they typed stays theirs
        helper.name, helper.email = "Helper", f"{helper.id.hex}@example.test"
    request = ask(books, mine)
    session.commit()
    assert everything(session).count(WORD) > 8
    erasing.erase(session, request=request, actor=books.bob, now=PAYDAY + timedelta(days=1))
    session.commit()
    left = everything(session)
    assert [line for line in left.splitlines() if WORD.lower() in line.lower()] == []
    assert ledger.program_balances(session, program_id=books.program.id) == before
    books.assert_proven()
    assert all(audit.is_intact(row) for row in session.execute(sa.select(AuditEvent.__table__)).mappings())
    assert session.scalars(sa.select(Member).where(Member.partner_id == books.partner.id)).all() == []
    assert session.scalars(sa.select(ApiKey.revoked_at)).one() == PAYDAY + timedelta(days=1)
    active = {person.id: person.active for person in session.scalars(sa.select(User))}
    assert (active[mine.id], active[staff.id], active[other.id]) == (False, True, True)
    assert session.get_one(Partner, books.partner.id).name == "erased"
    with pytest.raises(erasing.RequestMoved):
        erasing.erase(session, request=request, actor=books.bob, now=PAYDAY)


def test_what_was_sent_signed_out_told_and_recruited_names_nobody_either(session: Session) -> None:
    books = open_books(session)
    program, now, origin = books.program, {"now": NOW}, {"locale": "en", "now": NOW}
    draft = joining.begin(session, program=program, origin=Origin(word=WORD), user_id=None, **origin)
    draft.files = {"proof": {"file_id": files.keep(session, File(WORD, "text/plain", b"-"), **now).hex, "name": WORD}}
    told = Applicant(f"{WORD}@example.test", WORD, f"{WORD} Kitchen", None, None, "en", {"why": WORD})
    joining.send(session, program=program, draft=draft, applicant=told, asked=(), **now)
    joining.confirm(session, program=program, draft=draft, **now)
    mine = session.scalars(sa.select(User).where(User.name == WORD)).one()
    assert draft.user_id == mine.id
    partner = session.scalars(sa.select(Partner).where(Partner.name == told.partner_name)).one()
    here = {"program_id": program.id, "partner_id": partner.id}
    invitation = inviting.recruit(session, **here, partner_name=partner.name, **now)
    recruited = joining.begin(session, program=program, origin=Origin(invitation), user_id=None, **origin)
    other = Applicant("otto@example.test", "Otto", "Pans", None, None, "en", {})
    joining.send(session, program=program, draft=recruited, applicant=other, asked=(), **now)
    joining.confirm(session, program=program, draft=recruited, **now)
    by = {"program_id": program.id, "article_id": None, "actor": books.alice, **now}
    words: dict[str, Any] = {"language": "en", "kind": ArticleKind.STORY, "is_agreed": True}
    story = Draft(slug=WORD.lower(), title=WORD, summary=WORD, body=WORD, told_by=f"Marta, {partner.name}", **words)
    own = writing.save_article(session, draft=story, **by)
    writing.publish(session, program_id=program.id, article_id=own.id, is_public=True, actor=books.alice, **now)
    another = Draft(slug="pans", title="Pans", summary="", body="Pans.", told_by="Otto", **words)
    kept = writing.save_article(session, draft=another, **by)
    erasing.ask(session, program=program, partner_id=partner.id, actor=Actor(kind="user", id=mine.id), **now)
    request = session.scalars(sa.select(ErasureRequest)).one()
    session.execute(sa.delete(OutboxMail).where(OutboxMail.recipient != mine.email))
    session.commit()
    erasing.erase(session, request=request, actor=books.bob, now=PAYDAY)
    session.commit()
    left = everything(session)
    assert [line for line in left.splitlines() if WORD.lower() in line.lower()] == []
    assert (own.published_at, kept.told_by) == (None, "Otto")
    assert invitation.withdrawn_at == PAYDAY
    assert session.get_one(Application, recruited.id).source == "recruiter:erased"
    assert session.scalars(sa.select(StoredFile.id)).all() == []


def a_story(words: str, partner: Partner) -> Block:
    texts = {"en": {"title": words, "body": words}, "it": {"title": "", "body": ""}}
    return Block(f"of-{partner.id.hex}", BlockKind.STORY, texts, "", str(partner.id))


def agree(session: Session, issue: NewsletterIssue, story: Block) -> None:
    """The partner of a story said yes to exactly these words."""
    consent = StoryConsent(program_id=issue.program_id, issue_id=issue.id, partner_id=UUID(story.partner_id))
    consent.id, consent.fingerprint, consent.story = ids.new(), content.fingerprint(story), dict(story.texts)
    consent.status, consent.asked_at = ConsentStatus.GIVEN, NOW
    session.add(consent)


def test_a_story_about_the_partner_is_told_by_no_newsletter_any_more(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mentions, "_ISSUES_AT_ONCE", 2)
    books = open_books(session)
    mine = make_person(session, "Marta")
    make_member(session, user=mine, partner=books.partner)
    other = make_partner(session, program=books.program, name="Otto")
    story, others = a_story(WORD, books.partner), a_story("Otto links one pan.", other)
    draft = a_draft("S", f"Not a story of {books.partner.id}", story, others)
    issues = [make_issue(session, program=books.program, now=NOW, draft=draft) for _status in IssueStatus]
    for issue, status in zip(issues, IssueStatus, strict=True):
        issue.status = status
        agree(session, issue, story)
        agree(session, issue, others)
    session.commit()

    def mail(issue: NewsletterIssue) -> str:
        compiled = mailroom.compile_issue(session, issue=issue, program=books.program, wanted="en")
        return "".join(compiled.text)

    assert all(WORD in mail(issue) for issue in issues)
    versions = [issue.version for issue in issues]
    erasing.erase(session, request=ask(books, mine), actor=books.bob, now=PAYDAY)
    session.commit()
    left = everything(session)
    assert [line for line in left.splitlines() if WORD.lower() in line.lower()] == []
    for issue in issues:
        assert "Otto links one pan." in mail(issue)
        assert "erased" not in mail(issue)
        blocks = newsletters.draft_of(issue).blocks
        assert [(block.partner_id, block.text("en", "body")) for block in blocks[1:]] == [
            ("", "erased"),
            (str(other.id), "Otto links one pan."),
        ]
        assert blocks[1].text("it", "body") == ""
    assert [issue.version for issue in issues] == [
        version + 1 for version in versions
    ]  # who reads one cannot put it back
    said = {row.partner_id: row.status for row in session.scalars(sa.select(StoryConsent))}
    assert said == {books.partner.id: ConsentStatus.DECLINED, other.id: ConsentStatus.GIVEN}


def openings_of(session: Session, program: Program, *readers: User) -> None:
    """Each of them agreed to tell of openings, and opened the same issue."""
    issue = make_issue(session, program=program, now=NOW)
    for person in readers:
        consent = OpeningConsent(id=ids.new(), program_id=program.id, user_id=person.id, agreed_at=NOW)
        consent.consent_text, consent.source = "Tell", "page"
        mail = NewsletterDelivery(id=ids.new(), issue_id=issue.id, user_id=person.id, due_at=NOW)
        mail.status = DeliveryStatus.SENT
        session.add_all([consent, mail])
        session.flush()
        session.add(NewsletterOpening(delivery_id=mail.id, consent_id=consent.id, is_opened=True))
    session.commit()


def test_that_somebody_opened_newsletters_is_in_its_copy_and_forgotten_with_it(session: Session) -> None:
    books = open_books(session)
    mine, _staff, other = people(books)
    openings_of(session, books.program, mine, other)
    theirs = sa.select(OpeningConsent.id).where(OpeningConsent.user_id == mine.id)
    consent_id = session.scalars(theirs).one()
    copy = copying.ask(
        session, program=books.program, partner_id=books.partner.id, actor=Actor("user", mine.id), now=NOW
    )
    with zipfile.ZipFile(io.BytesIO(copying.packed(session, copy=copy))) as packed:
        agreed, opened = (
            list(csv.DictReader(io.StringIO(packed.read(f"{name}.csv").decode("utf-8-sig"))))
            for name in ("opening_consents", "newsletter_openings")
        )
    assert [(row["id"], row["user_id"], row["consent_text"]) for row in agreed] == [
        (str(consent_id), str(mine.id), "Tell")
    ]
    assert [(row["consent_id"], row["is_opened"]) for row in opened] == [(str(consent_id), "yes")]
    erasing.erase(session, request=ask(books, mine), actor=books.bob, now=PAYDAY)
    session.commit()
    assert session.scalars(sa.select(OpeningConsent.user_id)).all() == [other.id]
    assert len(session.scalars(sa.select(NewsletterOpening)).all()) == 1


def test_tests_of_newsletters_that_have_not_left_are_dropped_with_a_story(session: Session) -> None:
    books = open_books(session)
    mine = make_person(session, "Marta")
    make_member(session, user=mine, partner=books.partner)
    stop = "http://localhost/mail/abc"
    kept = [("Test: A rate", "nothing to stop", books.program), (f"News and Test: {stop}", stop, books.program)]
    kept.append(("Test: Elsewhere", stop, make_program(session)))
    gone = [(f"{word}: News", f"{WORD} {stop}", books.program) for word in ("Test", "Prova", "Próba")]
    for subject, text, program in (*gone, *kept):
        mailer.enqueue(
            session, recipient="mara@example.test", subject=subject, body_text=text, program=program, now=NOW
        )
    session.execute(sa.update(OutboxMail).where(OutboxMail.subject.contains("Prova")).values(status=MailStatus.FAILED))
    session.commit()
    erasing.erase(session, request=ask(books, mine), actor=books.bob, now=PAYDAY)
    session.commit()
    found = sa.select(OutboxMail.subject).where(OutboxMail.recipient == "mara@example.test")
    assert sorted(session.scalars(found)) == sorted(subject for subject, _text, _program in kept)


def test_nobody_is_forgotten_while_money_is_on_its_way(session: Session) -> None:
    books = open_books(session)
    mine = make_person(session, "Marta")
    make_member(session, user=mine, partner=books.partner)
    books.order()
    books.work()
    request = ask(books, mine)
    for now in (NOW, MATURE):
        books.work(now=now)
        with pytest.raises(erasing.MoneyOpen):
            erasing.erase(session, request=request, actor=books.bob, now=now)
    session.expire_all()
    assert (request.status, mine.active) == (ErasureStatus.ASKED, True)
    run = propose(books)
    approve(books, run)
    with pytest.raises(erasing.MoneyOpen):
        erasing.erase(session, request=request, actor=books.bob, now=PAYDAY)
    pay(books, run)
    erasing.erase(session, request=request, actor=books.bob, now=PAYDAY)
    assert session.get_one(User, mine.id).active is False


def test_who_was_banned_or_refused_stays_so(session: Session) -> None:
    books = open_books(session)
    mine = make_person(session, "Marta")
    make_member(session, user=mine, partner=books.partner)
    for status in EnrollmentStatus:
        partners.enroll(
            session, program_id=make_program(session).id, partner_id=books.partner.id, status=status, now=NOW
        )
    ada = make_person(session, "Ada")
    make_grant(session, user=ada, role=GrantRole.MANAGER)
    erasing.erase(session, request=ask(books, mine), actor=Actor(kind="user", id=ada.id), now=PAYDAY)
    found = session.scalars(sa.select(Enrollment.status).where(Enrollment.program_id != books.program.id)).all()
    assert sorted(found) == ["banned", "paused", "paused", "paused", "rejected"]


def test_a_partner_of_other_programs_is_forgotten_by_who_manages_them_too(session: Session) -> None:
    books = open_books(session)
    mine, mona = make_person(session, "Marta"), make_person(session, "Mona")
    make_member(session, user=mine, partner=books.partner)
    make_grant(session, user=mona, role=GrantRole.MANAGER, program=books.program)
    other = make_program(session)
    partners.enroll(
        session, program_id=other.id, partner_id=books.partner.id, status=EnrollmentStatus.APPROVED, now=NOW
    )
    make_grant(session, user=mona, role=GrantRole.FINANCE, program=other)
    request, decides = ask(books, mine), Actor(kind="user", id=mona.id)
    with pytest.raises(erasing.OtherPrograms):
        erasing.erase(session, request=request, actor=decides, now=PAYDAY)
    session.expire_all()
    assert (request.status, mine.active) == (ErasureStatus.ASKED, True)
    make_grant(session, user=mona, role=GrantRole.MANAGER, program=other)
    erasing.erase(session, request=request, actor=decides, now=PAYDAY)
    assert session.get_one(User, mine.id).active is False


def test_a_wish_is_said_once_taken_back_and_refused_with_a_reason(session: Session) -> None:
    books = open_books(session)
    mine = make_person(session, "Marta")
    request = ask(books, mine)
    assert ask(books, mine).id == request.id
    own = {
        "program": books.program,
        "partner_id": books.partner.id,
        "actor": Actor(kind="user", id=mine.id),
        "now": NOW,
    }
    erasing.withdraw(session, **own)
    with pytest.raises(erasing.RequestMoved):
        erasing.withdraw(session, **own)
    session.expire_all()
    again = ask(books, mine, now=PAYDAY + timedelta(days=1))
    erasing.refuse(session, request=again, reason=" A case\nis open. ", actor=books.bob, now=NOW)
    session.expire_all()
    found = queries.latest_request(session, partner_id=books.partner.id)
    assert found is not None
    assert (found.status, found.reason) == (ErasureStatus.REFUSED, "A case is open.")
