"""How a letter is set: the same words as text and as HTML."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2


def rendered(values: Mapping[str, Any]) -> dict[str, str]:
    """The two bodies of a mail, by their columns in the outbox."""
    return {
        "body_text": _templates().get_template("mail/letter.txt").render(values),
        "body_html": _templates().get_template("mail/letter.html").render(values),
    }


@lru_cache(maxsize=1)
def _templates() -> "jinja2.Environment":
    import jinja2  # here, because whoever only sends does not need it

    return jinja2.Environment(
        loader=jinja2.PackageLoader("affiliate", "templates"),
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
