"""Creatives for tests: pictures, and one creative of any kind."""

import io
from typing import Any

from PIL import Image
from sqlalchemy.orm import Session

from affiliate.accounts.actors import SYSTEM
from affiliate.creatives import service
from affiliate.creatives.facts import Facts
from affiliate.creatives.kinds import CreativeKind, Said, Upload
from affiliate.creatives.models import Creative
from affiliate.programs.models import Program

SAID = {
    CreativeKind.TEXT: Said(body="The pan that stays"),
    CreativeKind.POST: Said(body="Look at {link}."),
    CreativeKind.MAIL: Said(subject="Sunday", body="Hello, see {link}"),
    CreativeKind.HTML: Said(body='<p>Pans</p><a href="{link}">Buy</a>'),
    CreativeKind.VIDEO: Said(address="https://videos.example/1", body="Watch"),
    CreativeKind.DOCUMENT: Said(upload=Upload("guide.pdf", b"%PDF-1.7\n%%EOF\n")),
    CreativeKind.FEED: Said(
        upload=Upload("feed.csv", b"id,title,link,price\n1,=Pan,https://www.shop.example/pan?a=1&b=2,49.90 EUR\n")
    ),
}


def png(width: int = 300, height: int = 250) -> bytes:
    """A picture."""
    drawn = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(drawn, "PNG")
    return drawn.getvalue()


def make_creative(
    session: Session, *, program: Program, kind: CreativeKind = CreativeKind.BANNER, now: Any, **facts: Any
) -> Creative:
    """A creative of the program, offered from now on."""
    said = SAID.get(kind) or Said(alt="A pan", upload=Upload("pan.png", png()))
    values = {"title": f"A {kind.value}"} | facts
    made, _refused = service.add(
        session, program=program, kind=kind, facts=Facts(**values), said=said, actor=SYSTEM, now=now
    )
    return made
