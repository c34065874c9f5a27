"""The demo's library of creatives: banners drawn on the spot, posts in three languages, a snippet, and the shop's products."""

import csv
import io
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.creatives import service
from affiliate.creatives.facts import Facts
from affiliate.creatives.kinds import CreativeKind, Said, Upload
from affiliate.demo import cast
from affiliate.money import Money
from affiliate.programs.models import Program

_SIZES = ((300, 250), (728, 90), (160, 600))
_GROUND, _RIM, _LETTERS = "#0A5A6E", "#78C6DA", "#FFFFFF"
_CAMPAIGN = "Winter kitchen"
_NEW_BEFORE = timedelta(days=9)
_POSTS = (
    ("en", "Pots for life", "The one pot that I have used every week for ten years: {link}"),
    ("it", "Pentole per la vita", "La pentola che uso ogni settimana da dieci anni: {link}"),
    ("pl", "Garnki na całe życie", "Garnek, którego używam co tydzień od dziesięciu lat: {link}"),
)
_SNIPPET = '<h3>Casa Ondera</h3><p>Cookware that stays.</p><p><a href="{link}">See the pots and pans</a></p>'


def fill(session: Session, *, program_id: UUID, manager: Actor, now: datetime) -> None:
    """Put the library together, nine days old at `now`."""
    program, at = session.get_one(Program, program_id), now - _NEW_BEFORE
    shop_url = program.shop_url
    pieces = [
        *((CreativeKind.BANNER, _CAMPAIGN, "", f"Winter kitchen {w}×{h}", _banner(w, h)) for w, h in _SIZES),
        *((CreativeKind.POST, _CAMPAIGN, language, title, Said(body=text)) for language, title, text in _POSTS),
        (CreativeKind.TEXT, "", "en", "Pots and pans", Said(body="Pots and pans that stay for life")),
        (CreativeKind.HTML, "", "en", "Box for articles", Said(body=_SNIPPET)),
        (CreativeKind.FEED, "", "en", "All products", Said(upload=Upload("products.csv", _feed(shop_url)))),
    ]
    for kind, campaign, language, title, said in pieces:
        facts = Facts(title, campaign, language, shop_url if kind is not CreativeKind.FEED else "", starts_at=at)
        service.add(session, program=program, kind=kind, facts=facts, said=said, actor=manager, now=at)


def _banner(width: int, height: int) -> Said:
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (width, height), _GROUND)
    pen = ImageDraw.Draw(picture)
    edge = min(width, height) // 14
    pen.rectangle((edge, edge, width - edge - 1, height - edge - 1), outline=_RIM, width=2)
    font = ImageFont.load_default(size=max(14, min(width // 9, height // 3)))
    pen.multiline_text(
        (width / 2, height / 2), _lines(width, height), fill=_LETTERS, font=font, anchor="mm", align="center"
    )
    drawn = io.BytesIO()
    picture.save(drawn, "PNG")
    return Said(alt="Casa Ondera: pots for life", upload=Upload("banner.png", drawn.getvalue()))


def _lines(width: int, height: int) -> str:
    return "Casa Ondera: pots for life" if width > 2 * height else "Casa\nOndera\n\npots\nfor life"


def _feed(shop_url: str) -> bytes:
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["id", "title", "link", "price", "product_type"])
    for product in cast.PRODUCTS:
        address = f"{shop_url}p/{product.sku}"
        writer.writerow(
            [
                product.sku,
                product.name,
                address,
                f"{Money(product.price_minor, cast.CURRENCY).text()} {cast.CURRENCY}",
                product.group,
            ]
        )
    return table.getvalue().encode()
