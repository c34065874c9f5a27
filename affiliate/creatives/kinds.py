"""The kinds of creatives, and what a new version of each must hold. Pure: values in, checked content or sentences out.

Sentences are English sources marked with `N_`.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from affiliate import pictures
from affiliate.creatives import codes, documents

N_ = str  # marks a sentence for the translators

LANGUAGES = ("en", "it", "pl")
LENGTHS_MAX = {"subject": 150, "body": 10_000, "alt": 200, "address": 500, "text": 300}
_CONTROL = "".join(map(chr, [*range(9), 11, 12, *range(14, 32), 127]))


class CreativeKind(enum.StrEnum):
    """What a partner promotes with."""

    BANNER = "banner"
    TEXT = "text"  # the words of a link
    POST = "post"
    MAIL = "mail"
    HTML = "html"
    VIDEO = "video"
    DOCUMENT = "document"
    FEED = "feed"


PARTS: dict[CreativeKind, tuple[str, ...]] = {
    CreativeKind.BANNER: ("file", "alt"),
    CreativeKind.TEXT: ("body",),
    CreativeKind.POST: ("body",),
    CreativeKind.MAIL: ("subject", "body"),
    CreativeKind.HTML: ("body",),
    CreativeKind.VIDEO: ("address", "body"),
    CreativeKind.DOCUMENT: ("file", "body"),
    CreativeKind.FEED: ("file",),
}
"""What each kind is made of."""
_NEEDED = {"file", "body", "subject", "address"}
_OPTIONAL = {CreativeKind.VIDEO: {"body"}, CreativeKind.DOCUMENT: {"body"}}
PROPOSED = (CreativeKind.BANNER, CreativeKind.TEXT, CreativeKind.POST, CreativeKind.HTML, CreativeKind.VIDEO)
"""What a partner may propose itself."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: its name as the sender says, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """What a person typed into the form of a creative."""

    subject: str = ""
    body: str = ""
    alt: str = ""
    address: str = ""
    upload: Upload | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a version holds, checked. `media_type` and `content` are of its file, if it has one."""

    subject: str = ""
    body: str = ""
    alt: str = ""
    address: str = ""
    file_name: str = ""
    media_type: str = ""
    content: bytes | None = None
    width: int | None = None
    height: int | None = None
    item_count: int | None = None


class BadContent(ValueError):  # noqa: N818 - read as a kind
    """The content cannot be offered: `problems` has a sentence for each part."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def checked(kind: CreativeKind, said: Said) -> Content:
    """The content of a new version of any kind but a feed, cleaned: pictures drawn anew, HTML without what could run.

    Raises:
        BadContent: names each part that is missing or wrong.
    """
    parts = PARTS[kind]
    texts = {
        name: _clean(getattr(said, name)) if name in parts else "" for name in ("subject", "body", "alt", "address")
    }
    problems = {name: sentence for name, text in texts.items() if (sentence := _problem(kind, name, text))}
    if "file" in parts and said.upload is None:
        problems["file"] = N_("Choose a file.")
    if problems:
        raise BadContent(problems)
    content = Content(texts["subject"], texts["body"], texts["alt"], texts["address"])
    if kind is CreativeKind.HTML:
        return _snippet(content)
    if kind is CreativeKind.BANNER and said.upload:
        return _banner(content, said.upload)
    return _document(content, said.upload) if kind is CreativeKind.DOCUMENT and said.upload else content


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").translate(dict.fromkeys(map(ord, _CONTROL))).strip()


def _problem(kind: CreativeKind, name: str, text: str) -> str | None:
    needed = name in PARTS[kind] and name in _NEEDED - _OPTIONAL.get(kind, set())
    if not text:
        return N_("This is needed.") if needed else None
    limit = LENGTHS_MAX["text" if kind is CreativeKind.TEXT and name == "body" else name]
    if len(text) > limit:
        return N_("This text is too long.")
    if name in {"subject", "alt"} and not text.isprintable():
        return N_("Write it in one line.")
    if name == "address" and not is_video_address(text):
        return N_("This is not a web address. Start with https://.")
    return None


def is_video_address(text: str) -> bool:
    """Whether the text is an address that a page may link to: https, a host, no blanks, no name and password."""
    host = text.removeprefix("https://").partition("/")[0]
    fine = text.startswith("https://") and text.isascii() and text.isprintable() and not set(text) & set(' "<>\\`')
    return fine and "." in host and "@" not in host


def _snippet(content: Content) -> Content:
    body = codes.cleaned(content.body)
    if codes.LINK not in body:
        raise BadContent({"body": N_('Put {link} where the partner\'s link belongs: <a href="{link}">…</a>.')})
    return replace(content, body=body)


def _banner(content: Content, upload: Upload) -> Content:
    try:
        picture = pictures.redrawn(upload.content, name=upload.name)
    except pictures.BadPicture as error:
        raise BadContent({"file": str(error)}) from error
    return replace(
        content,
        file_name=f"banner-{picture.width}x{picture.height}.{picture.extension}",
        media_type=picture.media_type,
        content=picture.content,
        width=picture.width,
        height=picture.height,
    )


def _document(content: Content, upload: Upload) -> Content:
    if problem := documents.pdf_problem(upload.content, name=upload.name):
        raise BadContent({"file": problem})
    return replace(content, file_name=file_name(upload.name), media_type="application/pdf", content=upload.content)


def file_name(said: str) -> str:
    """The name of an upload as we keep it: its last part, letters, digits, dots, hyphens and underscores."""
    last = said.replace("\\", "/").rpartition("/")[2]
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in last)[-100:].lstrip(".") or "file"


def group_names(typed: str) -> Sequence[str]:
    """Names of groups as a person lists them, by commas or lines."""
    names = (" ".join(name.split())[:40] for line in typed.splitlines() for name in line.split(","))
    return sorted({name for name in names if name})
