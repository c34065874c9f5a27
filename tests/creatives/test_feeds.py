"""Product feeds: the three ways to write them read alike, hostile files are refused, and what leaves holds the partner's links."""

import csv
import io
from xml.etree import ElementTree as ET

import orjson
import pytest

from affiliate.creatives import feeds
from affiliate.creatives.feeds import BadFeed, read, stored, written

HOSTS = ["www.shop.example"]
CSV = (
    b"ID;Title;Link;Price\n1;Pan;https://www.shop.example/pan;49.90 EUR\n2;Pot;https://www.shop.example/pot;9.00 EUR\n"
)
XML = b"""<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item><g:id>1</g:id><title>Pan</title><link>https://www.shop.example/pan</link><g:price>49.90 EUR</g:price></item>
<item><g:id>2</g:id><title>Pot</title><link>https://www.shop.example/pot</link><g:price>9.00 EUR</g:price></item></channel></rss>"""
JSON = orjson.dumps({"products": [
    {"id": 1, "title": "Pan", "link": "https://www.shop.example/pan", "price": "49.90 EUR", "nested": {"a": 1}},
    {"id": "2", "title": "Pot", "link": "https://www.shop.example/pot", "price": "9.00 EUR"},
]})  # fmt: skip


@pytest.mark.parametrize(("name", "content"), [("a.csv", CSV), ("a.xml", XML), ("A.JSON", JSON)])
def test_the_three_ways_of_writing_read_alike(name: str, content: bytes) -> None:
    found = read(content, name=name, allowed_hosts=HOSTS)
    assert found.products == [
        {"id": "1", "title": "Pan", "link": "https://www.shop.example/pan", "price": "49.90 EUR"},
        {"id": "2", "title": "Pot", "link": "https://www.shop.example/pot", "price": "9.00 EUR"},
    ]
    assert list(feeds.kept(stored(found.products))) == found.products


def test_a_row_that_cannot_be_used_is_left_out_with_its_reason() -> None:
    rows = b"id,title,link\n1,Pan,https://www.shop.example/pan\n1,Again,https://www.shop.example/x\n3,Evil,https://evil.example/\n4,,x\n"
    found = read(rows, name="a.csv", allowed_hosts=HOSTS)
    assert [product["id"] for product in found.products] == ["1"]
    assert [(each.number, each.sentence.split()[0]) for each in found.refused] == [(2, "The"), (3, "The"), (4, "A")]
    assert found.refused_count == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.exe", CSV),
        ("a.csv", b"title\nPan\n"),
        ("a.csv", b"\xff\xfe"),
        ("a.xml", b"<rss>"),
        ("a.xml", b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r><item><id>&b;</id></item></r>'),
        ("a.xml", b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>'),
        ("a.json", b"[1]"),
        ("a.json", b"{"),
        ("a.json", b"[" * 100_000),
        ("a.json", b"[]"),
        ("a.csv", b"x" * (feeds.BYTES_MAX + 1)),
    ],
)
def test_a_file_that_is_no_feed_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(BadFeed):
        read(content, name=name, allowed_hosts=HOSTS)


def test_what_leaves_holds_the_partners_links_and_no_formula() -> None:
    hostile = {"id": "=1+1", "title": "<b>&", "link": "https://www.shop.example/a?b=1&c"}

    def link_of(url: str) -> str:
        return f"https://t.example/r/ragu?url={url}"

    def text(kind: str) -> bytes:
        return b"".join(written(kind, [hostile, {**hostile, "id": "2"}], title="A & B", link_of=link_of))

    rows = list(csv.DictReader(io.StringIO(text("csv").decode())))
    assert rows[0]["id"] == "'=1+1"
    assert rows[0]["link"] == link_of(hostile["link"])
    items = list(ET.fromstring(text("xml")).iter("item"))  # noqa: S314 - we wrote it
    assert [item.findtext("title") for item in items] == ["<b>&"] * 2
    assert items[0].findtext("link") == link_of(hostile["link"])
    products = orjson.loads(text("json"))["products"]
    assert [product["id"] for product in products] == ["=1+1", "2"]
    assert products[0]["link"] == link_of(hostile["link"])
