"""Hostile text in every field that people fill stays text: on each page of portal and console and each public page, and in each file.

It is put into the columns themselves, so that no form has to let it in, and a new column is tried without anybody thinking of it.
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import give, make_person, sign_in
from creative_cast import make_creative
from event_cast import click
from factories import make_application, make_clicks, make_commission, make_payout
from flask import Flask
from flask.testing import FlaskClient
from newsletter_cast import make_issue
from portal_cast import Cast
from postback_cast import make_address
from sqlalchemy.orm import Session

from affiliate import clock, ids, tables
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.mail_kinds import IN_CHATS, MailKind
from affiliate.accounts.models import GrantRole
from affiliate.creatives.kinds import CreativeKind
from affiliate.ingest import service as ingest
from affiliate.ingest.models import Conversion
from affiliate.joining.models import Article, ArticleKind, PublicText
from affiliate.mailer import Letter
from affiliate.newsletters.content import Block, BlockKind, Draft
from affiliate.notifications import chat_service
from affiliate.notifications.chats import ChatKind
from affiliate.partners import noticing
from affiliate.relations import service as relations
from affiliate.relations.care_models import Duty, DutyStatus, PartnerNote, PartnerTag
from affiliate.relations.claims import Claim
from affiliate.relations.models import CaseKind, Side
from affiliate.relations.rounds import Cadence
from affiliate.reports.service_measures import ServiceMeasure
from affiliate.reports.written_models import Annotation, Campaign, ServiceEntry

HOSTILE = "=1+1<img src=x onerror=alert(1)>\"'&{{7*7}}"
FREE = {
    "alt", "answer", "answers", "audience", "body", "campaign", "channel", "coupon", "customer_id",
    "description", "device", "end_note", "error", "evidence", "finding", "group_name", "headline", "label",
    "legal_name", "masked", "mission", "name", "note", "number", "order_id", "payment_method", "reason",
    "refund_id", "sold", "source", "stands_for", "sub", "subject", "summary", "tag", "task", "tax_number",
    "terms", "text", "title", "told_by", "trial_scope", "user_agent",
}  # fmt: skip
"""Columns that hold what somebody typed or sent. Others are addresses, codes, languages and words of ours."""
SHAPED = {("creative_versions", "body"), ("chat_deliveries", "body"), ("outbox_mails", "subject")}
"""Bodies that were cleaned or made when they were stored; they have tests of their own."""
PLACE = re.compile(r"<(?:(\w+)(?:\([^)]*?\"?(\w+)\"?[^)]*\))?:)?(\w+)>")


@pytest.fixture
def filled(app_session: Session, cast: Cast) -> dict[str, list[str]]:
    """Marta's program with one row of what a partner can have, each free text hostile; public ids by their prefix."""
    session, now = app_session, clock.now()
    mine: dict[str, Any] = {"program_id": cast.program.id, "partner_id": cast.partner.id}
    session.add(application := make_application(session, program=cast.program, partner=cast.partner, user=cast.person))
    application.answers = {"channels": [{"kind": "other", "address": HOSTILE, "people": 3}], "audience": HOSTILE}
    creatives = [
        make_creative(session, program=cast.program, kind=kind, now=now - timedelta(1)) for kind in CreativeKind
    ]
    event = click(
        1, **mine, link_id=cast.link.id, click_id=ids.new_at(now), occurred_at=now - timedelta(hours=2),
        subs={"sub1": HOSTILE, "sub2": HOSTILE}, referrer="https://blog.example/<img src=x>",
    )  # fmt: skip
    ingest.store_batch(session, events=[event], now=now)
    make_clicks(session, link=cast.link, hour=now.replace(minute=0, second=0, microsecond=0), clicks=5)
    sold = make_commission(session, program=cast.program, partner=cast.partner, link=cast.link, earned_at=now)
    order = session.get_one(Conversion, sold.conversion_id)
    order.items = [{"sku": HOSTILE, "name": HOSTILE, "group": HOSTILE, "quantity": 1, "amount_minor": 1_00}]
    payout = make_payout(session, program=cast.program, partner=cast.partner, proposer=cast.person)
    claim = Claim(CaseKind.MISSING_SALE, HOSTILE, order_id="10482")
    case = relations.open_case(
        session, program=cast.program, partner_id=cast.partner.id, claim=claim, actor=SYSTEM, now=now
    )
    relations.answer(session, program=cast.program, case_id=case.id, text=HOSTILE, asks=True, actor=SYSTEM, now=now)
    postback = make_address(session, cast.program, cast.partner, "https://t.example/p?id={event_id}")
    hook = chat_service.add(
        session, program=cast.program, partner_id=cast.partner.id, kind=ChatKind.SLACK, name="Team", events=IN_CHATS,
        url="https://chat.example/hook", locale="en", actor=SYSTEM, now=now,
    )  # fmt: skip
    noticing.note(
        session, program_id=cast.program.id, partner_ids=[cast.partner.id], kind=MailKind.CASES,
        letter=lambda _who: Letter(HOSTILE, [HOSTILE], (HOSTILE, "/portal/casa/cases")), now=now,
    )  # fmt: skip
    issue = make_issue(session, program=cast.program, now=now, draft=_hostile_draft(cast))
    session.add_all(_rows_of_managers(cast, now))
    cast.link.subs = {"sub1": HOSTILE}
    cast.partner.channels = [{"kind": "other", "address": HOSTILE, "people": 1}]
    session.flush()
    _make_hostile(session)
    session.commit()
    rows = {
        "lnk": [cast.link],
        "com": [sold],
        "pay": [payout],
        "cas": [case],
        "pba": [postback],
        "cht": [hook],
        "crv": creatives,
        "nws": [issue],
        "ptn": [cast.partner],
        "cnv": [order],
    }
    return {prefix: [ids.public(prefix, row.id) for row in found] for prefix, found in rows.items()}


def _hostile_draft(cast: Cast) -> Draft:
    said = {"title": HOSTILE, "body": HOSTILE, "label": HOSTILE}
    news = Block("news", BlockKind.NEWS, {"en": said}, url="https://www.shop.example/")
    story = Block("story", BlockKind.STORY, {"en": said}, partner_id=str(cast.partner.id))
    return Draft("en", {"en": {"subject": HOSTILE, "preheader": HOSTILE}}, [news, story])


def _rows_of_managers(cast: Cast, now: datetime) -> Iterator[Any]:
    """What managers write: marks, campaigns, notes, duties, entries of service, articles and the page of the program."""
    mine: dict[str, Any] = {"program_id": cast.program.id}
    made: dict[str, Any] = {"created_at": now, "updated_at": now}
    days: dict[str, Any] = {"starts_on": now.date() - timedelta(5), "ends_on": now.date() + timedelta(5)}
    yield Annotation(id=ids.new_at(now), **mine, day=now.date(), text="x", created_at=now)
    yield Campaign(id=ids.new_at(now), **mine, **days, **made, name="x", note="x", cost_minor=0, currency="EUR")
    yield PartnerNote(id=ids.new_at(now), **mine, partner_id=cast.partner.id, text="x", noted_at=now)
    yield PartnerTag(**mine, partner_id=cast.partner.id, tag="x")
    yield Duty(
        id=ids.new_at(now), **mine, **made, partner_id=cast.partner.id, task="x", side=Side.PARTNER, cadence=Cadence.WEEKLY,
        first_on=now.date(), due_on=now.date(), status=DutyStatus.PENDING,
    )  # fmt: skip
    yield ServiceEntry(
        id=ids.new_at(now), **mine, **days, partner_id=cast.partner.id, measure=ServiceMeasure.COMPLAINTS, number=1, note="x",
        source="x", created_at=now,
    )  # fmt: skip
    words = {"title": "x", "summary": "x", "body": HOSTILE, "told_by": "x"}
    yield Article(
        id=ids.new_at(now), **mine, **made, **words, slug="x", language="en", kind=ArticleKind.STORY, published_at=now
    )
    texts = {"headline": "x", "summary": "x", "stands_for": HOSTILE, "sold": HOSTILE, "audience": HOSTILE}
    yield PublicText(**mine, **texts, language="en", questions=[[HOSTILE, HOSTILE]], updated_at=now)


def _make_hostile(session: Session) -> None:
    """Each row gets it with a mark of its own, because some of these texts are unique."""
    for table in tables.metadata.sorted_tables:
        if table.name.startswith(("ledger_", "audit_")):
            continue
        free = [
            one for one in table.columns if one.name in FREE and _is_text(one) and (table.name, one.name) not in SHAPED
        ]
        own = sa.literal(HOSTILE).concat(sa.func.hex(sa.func.randomblob(6)))
        if free:
            session.execute(sa.update(table).values({one: sa.case((one.is_not(None), own)) for one in free}))


def _is_text(column: Any) -> bool:
    return isinstance(column.type, sa.String) and not isinstance(column.type, sa.Enum) and not column.foreign_keys


XML = {"application/xml", "application/atom+xml", "application/rss+xml", "text/xml", "image/svg+xml"}
OUTSIDE = ("portal.", "site.", "joining.", "news.", "mails.", "mail.", "mailed.", "shared.", "senders.")


def _addresses(app: Flask, filled: dict[str, list[str]], parts: tuple[str, ...]) -> Iterator[str]:
    """The addresses of these parts of the application, those about one thing for each that there is."""
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or not rule.endpoint.startswith(parts):
            continue
        prefix = re.search(r'public\("(\w+)"\)', rule.rule)
        for value in filled.get(prefix[1], []) if prefix else ["x"]:
            for kind in ("csv", "xml", "json", "svg") if "<any" in rule.rule or "<kind>" in rule.rule else ("csv",):
                address = re.sub(r"<public[^>]*>", value, rule.rule)
                address = re.sub(r"<any[^>]*>|<kind>", kind, address.replace("<slug>", "casa"))
                yield re.sub(r"<[^>]*>", "x", address)


@pytest.fixture
def mara(app: Flask, cast: Cast, app_session: Session) -> FlaskClient:
    """The manager's browser."""
    person = make_person(app_session, "Mara")
    give(app_session, person, GrantRole.MANAGER, cast.program)
    app_session.commit()
    browser = app.test_client()
    sign_in(browser, person)
    return browser


def _told(browser: FlaskClient, addresses: Iterator[str]) -> tuple[dict[str, int], list[str]]:
    """How often each page and file tells of it, and those in which it is more than text."""
    seen, wrong = {}, []
    for address in addresses:
        answer = browser.get(address)
        assert answer.status_code < 500, address
        if answer.status_code != 200:
            continue
        if answer.mimetype == "text/html":
            seen[address] = answer.text.count("&lt;img src=x onerror")
            wrong += [address] if re.search(r"<img src=x|\b49\b&|onerror=alert\(1\)>", answer.text) else []
        elif answer.mimetype == "text/csv":
            cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
            seen[address] = sum("onerror" in cell for cell in cells)
            wrong += [address] if any(cell.startswith(("=", "@", "\t")) for cell in cells) else []
        elif answer.mimetype in XML:
            seen[address] = answer.text.count("onerror")
            wrong += [address] if "<img src=x" in answer.text else []
    return seen, wrong


def test_hostile_text_in_every_field_stays_text_everywhere(
    app: Flask, marta: FlaskClient, filled: dict[str, list[str]]
) -> None:
    seen, wrong = _told(marta, _addresses(app, filled, OUTSIDE))
    assert wrong == []
    assert len(seen) > 50
    assert sum(1 for found in seen.values() if found) > 35


def test_hostile_text_in_every_field_stays_text_for_managers(
    app: Flask, mara: FlaskClient, filled: dict[str, list[str]]
) -> None:
    seen, wrong = _told(mara, _addresses(app, filled, ("console.",)))
    assert wrong == []
    assert len(seen) > 90
    assert sum(1 for found in seen.values() if found) > 80
