"""What a partner copies: the code or text of a creative with the partner's own link in it. Pure.

`{link}` in a text stands for that link. HTML is cleaned when it is stored, so that here a link only has to be escaped.
"""

import html
import secrets
from urllib.parse import quote

import nh3

LINK = "{link}"
REL = "sponsored noopener"
_TAGS = {
    *{"a", "b", "blockquote", "br", "div", "em", "figcaption", "figure", "h2", "h3", "h4", "hr", "i", "img", "li"},
    *{"ol", "p", "small", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "u", "ul"},
}
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "width", "height"}, "td": {"colspan"}, "th": {"colspan"}}


def cleaned(snippet: str) -> str:
    """HTML without scripts, styles, handlers, forms and frames; addresses are https or the partner's link."""
    # The mark is an address itself, so that the cleaner judges it as one; nobody can guess it and write it.
    mark = f"https://link.invalid/{secrets.token_hex(8)}"
    found = nh3.clean(
        snippet.replace(LINK, mark),
        tags=_TAGS,
        clean_content_tags={"script", "style"},
        attributes=_ATTRIBUTES,
        url_schemes={"https"},
        link_rel=REL,
    )
    return found.replace(mark, LINK)


def own_link(link: str, *, creative: str, landing_url: str = "") -> str:
    """The address that a partner's link has in a creative: its clicks say by which one they came, and where they lead."""
    landing = f"&url={quote(landing_url, safe='')}" if landing_url else ""
    return f"{link}?creative={creative}{landing}"


def banner(*, link: str, picture_url: str, width: int, height: int, alt: str) -> str:
    """A picture that leads to the shop."""
    picture = f'<img src="{html.escape(picture_url)}" width="{width}" height="{height}" alt="{html.escape(alt)}">'
    return f'<a href="{html.escape(link)}" rel="{REL}">{picture}</a>'


def text_link(*, link: str, words: str, label: str) -> str:
    """Words that lead to the shop, behind those that say that it is advertising."""
    return f'{html.escape(label)}: <a href="{html.escape(link)}" rel="{REL}">{html.escape(words)}</a>'


def snippet(clean: str, *, link: str) -> str:
    """A cleaned snippet with the link in it."""
    return clean.replace(LINK, html.escape(link))


def post(text: str, *, link: str, label: str) -> str:
    """A ready post: what it is comes first, and it ends with the link where the text names no place for it."""
    filled = text.replace(LINK, link)
    return f"{label}\n\n{filled}" if LINK in text else f"{label}\n\n{filled}\n\n{link}"


def mail(text: str, *, link: str, sentence: str) -> str:
    """The text of a mail, with the sentence on advertising at its foot."""
    filled = text.replace(LINK, link)
    return f"{filled}\n\n-- \n{sentence}"
