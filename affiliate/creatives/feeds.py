"""Product feeds: read from CSV, XML or JSON with the usual names of fields, and written again with a partner's own links.

Names are those that shops export already (`id title link price image_link …`, in XML also with the prefix `g:`). A row that
cannot be used is left out with its reason; a file that cannot be read is refused. XML is read without entities.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

import defusedxml.ElementTree
import orjson
from defusedxml import DefusedXmlException

from affiliate import imports
from affiliate.exports import neutral
from affiliate.links import hosts

N_ = str  # marks a sentence for the translators

FIELDS = ("id", "title", "link", "price", "sale_price", "image_link", "availability", "brand", "product_type", "gtin", "description")  # fmt: skip
REQUIRED = ("id", "title", "link")
KINDS = ("csv", "xml", "json")
BYTES_MAX = 4_500_000
PRODUCTS_MAX = 20_000
_TEXT_LENGTH_MAX = 2_000
_PROBLEMS_MAX = 20
_ITEM_TAGS = {"item", "entry", "product"}

Product = dict[str, str]


class BadFeed(ValueError):  # noqa: N818 - read as a kind
    """The file cannot be read as a feed; the message is an English source for gettext, with `values` in it."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence % values if values else sentence)
        self.sentence, self.values = sentence, values


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is left out: its number (from 1) and why."""

    number: int
    sentence: str


@dataclass(slots=True)
class Reading:
    """What a file holds. `refused_count` counts what `refused` names only the first of."""

    products: list[Product] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    refused_count: int = 0

    def refuse(self, number: int, sentence: str) -> None:
        """Leave a row out."""
        self.refused_count += 1
        if len(self.refused) < _PROBLEMS_MAX:
            self.refused.append(Refused(number, sentence))


def read(content: bytes, *, name: str, allowed_hosts: Iterable[str]) -> Reading:
    """The products of a feed; `name` is the file's, whose end says how it is written.

    Raises:
        BadFeed: too large, unreadable, of no kind that we know, or without a single product that can be used.
    """
    if len(content) > BYTES_MAX:
        raise BadFeed(N_("The file is larger than 4.5 MB."))
    readers: Mapping[str, Callable[[bytes], Iterable[Mapping[str, Any]]]] = {"csv": _csv, "xml": _xml, "json": _json}
    ending = name.rpartition(".")[2].lower()
    if ending not in readers:
        raise BadFeed(N_("Feeds are files called .csv, .xml or .json."))
    reading, hosts_allowed, seen = Reading(), list(allowed_hosts), set[str]()
    for number, row in enumerate(readers[ending](content), start=1):
        if number > PRODUCTS_MAX:
            raise BadFeed(N_("The feed has more than %(count)s products."), count=PRODUCTS_MAX)
        product = {key: _text(row.get(key)) for key in FIELDS}
        problem = _problem(product, hosts_allowed, seen)
        if problem is None:
            seen.add(product["id"])
            reading.products.append({key: text for key, text in product.items() if text})
        else:
            reading.refuse(number, problem)
    if not reading.products:
        first = reading.refused[0].sentence if reading.refused else N_("It is empty.")
        raise BadFeed(N_("The feed has no product that can be used. %(reason)s"), reason=first)
    return reading


def _problem(product: Product, allowed_hosts: list[str], seen: set[str]) -> str | None:
    if not all(product[name] for name in REQUIRED):
        return N_("A product needs id, title and link.")
    if product["id"] in seen:
        return N_("The same id stands in the feed twice.")
    if hosts.landing_problem(product["link"], allowed_hosts) is not None:
        return N_("The link does not lead to a page of the shop.")
    if any(len(text) > _TEXT_LENGTH_MAX for text in product.values()):
        return N_("A text is longer than 2,000 characters.")
    return None


def _text(value: Any) -> str:
    """A value as one line of text: numbers as they are written, anything nested as nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())


def _csv(content: bytes) -> Iterable[Mapping[str, Any]]:
    try:
        lines = imports.read(
            content,
            required=REQUIRED,
            optional=[name for name in FIELDS if name not in REQUIRED],
            rows_max=PRODUCTS_MAX,
            bytes_max=BYTES_MAX,
        )
    except imports.BadTable as error:
        raise BadFeed(error.sentence, **error.values) from error
    return [line.cells for line in lines]


def _xml(content: bytes) -> Iterable[Mapping[str, Any]]:
    try:
        root = defusedxml.ElementTree.fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise BadFeed(N_("The file is no XML that we read: well-formed, without a document type.")) from error
    return (_fields_of(item) for item in root.iter() if _local(item.tag) in _ITEM_TAGS)


def _fields_of(item: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for child in item:
        name = _local(child.tag)
        found.setdefault(name, child.text or child.get("href") or "")
    return found


def _local(tag: Any) -> str:
    """The name without its namespace; comments have none."""
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _json(content: bytes) -> Iterable[Mapping[str, Any]]:
    try:
        found = orjson.loads(content)
    except ValueError as error:
        raise BadFeed(N_("The file is no JSON.")) from error
    rows = found.get("products") if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadFeed(N_("The JSON holds no list of products."))
    return rows


def stored(products: Iterable[Product]) -> bytes:
    """The products as they are kept: a JSON object on each line."""
    return b"".join(orjson.dumps(product) + b"\n" for product in products)


def kept(content: bytes) -> Iterator[Product]:
    """The products of a kept feed, one after the other."""
    for line in io.BytesIO(content):
        yield orjson.loads(line)


def written(kind: str, products: Iterable[Product], *, title: str, link_of: Callable[[str], str]) -> Iterator[bytes]:
    """The feed as `csv`, `xml` or `json`, piece by piece; `link_of` turns an address of the shop into the partner's link."""
    own = ({**product, "link": link_of(product["link"])} for product in products)
    if kind == "csv":
        return _written_csv(own)
    return _written_xml(own, title) if kind == "xml" else _written_json(own)


def _written_csv(products: Iterable[Product]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(FIELDS)
    for product in products:
        writer.writerow([neutral(product.get(name, "")) for name in FIELDS])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def _written_xml(products: Iterable[Product], title: str) -> Iterator[bytes]:
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>'
    yield f"<title>{escape(title)}</title>\n".encode()
    for product in products:
        cells = (f"<{_tag(name)}>{escape(product[name])}</{_tag(name)}>" for name in FIELDS if name in product)
        yield f"<item>{''.join(cells)}</item>\n".encode()
    yield b"</channel></rss>\n"


def _tag(name: str) -> str:
    return name if name in {"title", "link", "description"} else f"g:{name}"


def _written_json(products: Iterable[Product]) -> Iterator[bytes]:
    yield b'{"products":['
    for number, product in enumerate(products):
        yield (b",\n" if number else b"\n") + orjson.dumps(product)
    yield b"\n]}\n"
