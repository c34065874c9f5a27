"""What an issue says: an envelope per language, and blocks with their texts in each language. Pure.

Text is Markdown with merge fields in braces. Sentences about what is wrong are English sources marked with `N_`.
"""

import enum
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from affiliate.links import hosts
from affiliate.links.hosts import LandingProblem
from affiliate.newsletters import markdown

N_ = str  # marks a sentence for the translators

LANGUAGES = ("en", "it", "pl")
BLOCKS_MAX = 30
LENGTHS_MAX = {"subject": 150, "preheader": 150, "title": 150, "body": 20_000, "label": 60, "url": 500}

ADDRESS_FIELDS = frozenset({"my_link", "portal_link"})
FIELDS = ("first_name", "name", "partner_name", "program_name", "my_link", "portal_link")
"""What braces in a text may name: `{first_name}`."""

_FIELD = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")
_SOUND_TARGET = re.compile(r"https?://[^\s{}]+|mailto:[^\s{}]+|\{(?:my_link|portal_link)\}")
_WEB_ADDRESS = re.compile(r"https?://[^\s{}/?#\\@]+(?:[/?#][^\s{}\\]*)?")


class IssueKind(enum.StrEnum):
    """What an issue is about, as readers choose it."""

    NEWS = "news"
    OFFERS = "offers"
    EDUCATION = "education"


class BlockKind(enum.StrEnum):
    """What a block is."""

    TEXT = "text"
    NEWS = "news"
    STORY = "story"  # a success story of a partner, with its consent
    OFFER = "offer"  # with the reader's own link
    EDUCATION = "education"
    CREATIVES = "creatives"  # its words, and below them what is new in the library


PARTS: Mapping[BlockKind, tuple[str, ...]] = {
    BlockKind.TEXT: ("body",),
    BlockKind.NEWS: ("title", "body", "label", "url"),
    BlockKind.STORY: ("title", "body", "partner"),
    BlockKind.OFFER: ("title", "body", "url"),
    BlockKind.EDUCATION: ("title", "body", "label", "url"),
    BlockKind.CREATIVES: ("title", "body"),
}
"""The fields of each kind of block. `url` and `partner` are the same in every language."""

_NEEDED = {kind: {"body"} | ({"title"} & set(parts)) for kind, parts in PARTS.items()}


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps an issue from being sent: its place in the form, and a sentence with its values."""

    place: str
    sentence: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """A part of an issue; `texts` by language, each with `title`, `body` and `label`."""

    id: str
    kind: BlockKind
    texts: Mapping[str, Mapping[str, str]]
    url: str = ""
    partner_id: str = ""

    def text(self, language: str, name: str) -> str:
        """One text in one language, empty when nobody wrote it."""
        return self.texts.get(language, {}).get(name, "")

    def document(self) -> dict[str, Any]:
        """The block as it is stored."""
        texts = {language: dict(said) for language, said in self.texts.items()}
        return {"id": self.id, "kind": self.kind.value, "texts": texts, "url": self.url, "partner_id": self.partner_id}


@dataclass(frozen=True, slots=True)
class Draft:
    """The words of an issue. `language` is the one that readers get whose own is not complete."""

    language: str
    texts: Mapping[str, Mapping[str, str]]
    blocks: Sequence[Block]

    def envelope(self, language: str, name: str) -> str:
        """Subject or preheader in one language."""
        return self.texts.get(language, {}).get(name, "")


def read(*, language: str, texts: Mapping[str, Any], blocks: Sequence[Mapping[str, Any]]) -> Draft:
    """An issue's words as they are stored."""
    found = [
        Block(each["id"], BlockKind(each["kind"]), each["texts"], each["url"], each["partner_id"]) for each in blocks
    ]
    return Draft(language, texts, found)


def with_envelope(draft: Draft, language: str, said: Mapping[str, str]) -> Draft:
    """The same with another subject and preheader in one language."""
    return replace(draft, texts={**draft.texts, language: dict(said)})


def with_block(draft: Draft, kind: BlockKind, block_id: str) -> Draft:
    """The same with one more block at its end; nothing changes when there are as many as there may be."""
    if len(draft.blocks) >= BLOCKS_MAX:
        return draft
    return replace(draft, blocks=[*draft.blocks, Block(block_id, kind, {})])


def without_block(draft: Draft, block_id: str) -> Draft:
    """The same without a block."""
    return replace(draft, blocks=[block for block in draft.blocks if block.id != block_id])


def moved(draft: Draft, block_id: str, by: int) -> Draft:
    """The same with a block further up (negative) or down; at an end it stays."""
    blocks = list(draft.blocks)
    place = next((at for at, block in enumerate(blocks) if block.id == block_id), None)
    if place is not None and 0 <= place + by < len(blocks):
        blocks.insert(place + by, blocks.pop(place))
    return replace(draft, blocks=blocks)


def is_begun(draft: Draft, language: str) -> bool:
    """Whether anybody wrote anything in this language."""
    said = [*draft.texts.get(language, {}).values()]
    said += [text for block in draft.blocks for text in block.texts.get(language, {}).values()]
    return any(text.strip() for text in said)


def hands_out_links(draft: Draft) -> bool:
    """Whether readers find links of their own in it: offers (without an address by the reader's usual link), and texts that name `{my_link}`."""
    said = [text for block in draft.blocks for texts in block.texts.values() for text in texts.values()]
    offers = any(block.kind is BlockKind.OFFER for block in draft.blocks)
    return offers or any("my_link" in fields_in(text) for text in said)


def is_complete(draft: Draft, language: str) -> bool:
    """Whether a reader of this language gets the whole issue in it: a subject, and the texts of every block."""
    return bool(draft.blocks) and not list(_missing(draft, language))


def language_for(draft: Draft, wanted: str | None) -> str:
    """The reader's language if the issue is complete in it, else the issue's own: never a mixture."""
    return wanted if wanted in LANGUAGES and is_complete(draft, wanted) else draft.language


def fingerprint(block: Block) -> str:
    """A hash of what a story says in every language: consent is given to words."""
    said = {language: dict(texts) for language, texts in block.texts.items()}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def addresses(draft: Draft) -> list[str]:
    """The web addresses that the issue leads to, each once: of its buttons, and of links in its texts. Readers' own links are not among them."""
    found = [block.url for block in draft.blocks if block.kind is not BlockKind.OFFER]
    found += [
        address
        for block in draft.blocks
        for said in block.texts.values()
        for address in markdown.addresses(said.get("body", ""))
    ]
    return list(dict.fromkeys(url for url in found if is_web_address(url)))


def fields_in(text: str) -> list[str]:
    """The names in braces, as they stand."""
    return _FIELD.findall(text)


def split(text: str) -> list[str]:
    """Text and names of fields in turn; the names are at the odd places."""
    return _FIELD.split(text)


def problems(draft: Draft, *, allowed_hosts: Collection[str]) -> list[Problem]:
    """Everything that keeps the issue from being sent, field by field; an unfinished other language is none.

    `allowed_hosts` are those of the shop: a reader's own link leads to no other.
    """
    if not draft.blocks:
        return [Problem("blocks", N_("There is no block yet. Add one."))]
    found = list(_missing(draft, draft.language))
    for language in LANGUAGES:
        found += _wrong(draft, language)
    return found + [problem for block in draft.blocks for problem in _of_block(block, allowed_hosts)]


def _missing(draft: Draft, language: str) -> Iterator[Problem]:
    if not draft.envelope(language, "subject").strip():
        yield Problem(f"{language}-subject", N_("Write a subject."))
    for block in draft.blocks:
        for name in ("title", "body"):
            if name in _NEEDED[block.kind] and not block.text(language, name).strip():
                yield Problem(f"{language}-{block.id}-{name}", N_("Write something here, or remove the block."))


def _wrong(draft: Draft, language: str) -> Iterator[Problem]:
    said = {f"{language}-{name}": text for name, text in draft.texts.get(language, {}).items()}
    for block in draft.blocks:
        said |= {f"{language}-{block.id}-{name}": text for name, text in block.texts.get(language, {}).items()}
    for place, text in said.items():
        unknown = next((name for name in fields_in(text) if name not in FIELDS), None)
        if unknown:
            values = {"field": unknown, "known": ", ".join(FIELDS)}
            yield Problem(place, N_("Unknown field {%(field)s}. Known: %(known)s."), values)
        if place.endswith("-body"):
            yield from _wrong_targets(place, text)


def _wrong_targets(place: str, text: str) -> Iterator[Problem]:
    for target in markdown.targets(text):
        if not _SOUND_TARGET.fullmatch(target):
            sentence = N_("“%(address)s” is no address of a link. Write https://…, {my_link} or {portal_link}.")
            yield Problem(place, sentence, {"address": target[:80]})


def _of_block(block: Block, allowed_hosts: Collection[str]) -> Iterator[Problem]:
    if "url" in PARTS[block.kind] and block.url:
        yield from _wrong_address(block, allowed_hosts)
    if block.kind is BlockKind.STORY and not block.partner_id:
        yield Problem(f"{block.id}-partner", N_("Name the partner whose story it is."))
    labelled = any(said.get("label", "").strip() for said in block.texts.values())
    if "label" in PARTS[block.kind] and labelled != bool(block.url):
        yield Problem(f"{block.id}-url", N_("A button needs both: its words and its address."))


def _wrong_address(block: Block, allowed_hosts: Collection[str]) -> Iterator[Problem]:
    if block.kind is BlockKind.OFFER:
        refused = hosts.landing_problem(block.url, allowed_hosts)
    else:
        refused = None if is_web_address(block.url) else LandingProblem.NOT_A_WEB_ADDRESS
    if refused is LandingProblem.HOST_NOT_ALLOWED:
        values = {"host": hosts.host_of(block.url) or "", "hosts": ", ".join(allowed_hosts)}
        sentence = N_("This address is at %(host)s. Links can point to %(hosts)s only.")
        yield Problem(f"{block.id}-url", sentence, values)
    elif refused is not None:
        yield Problem(f"{block.id}-url", N_("This is not a web address. Start with https://."))


def is_web_address(text: str) -> bool:
    """Whether a button may lead there."""
    return _WEB_ADDRESS.fullmatch(text) is not None
