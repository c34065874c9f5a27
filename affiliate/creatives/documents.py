"""Documents that partners download: PDF, checked for what it openly carries. Pure. They leave as attachments only."""

import re

N_ = str  # marks a sentence for the translators

BYTES_MAX = 4_500_000
_HEAD, _TAIL = b"%PDF-", b"%%EOF"
_TAIL_BYTES = 2_048
# What runs or brings other files by itself. A document can hide these in a compressed part: hence attachments only.
_ACTIVE = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA)\b")


def pdf_problem(content: bytes, *, name: str) -> str | None:
    """Why the file may not be offered as a document, or nothing; a sentence for gettext."""
    if len(content) > BYTES_MAX:
        return N_("The file is larger than 4.5 MB.")
    if not name.lower().endswith(".pdf") or not content.startswith(_HEAD) or _TAIL not in content[-_TAIL_BYTES:]:
        return N_("This is no PDF. Export the document as PDF, then upload it.")
    if _ACTIVE.search(content):
        return N_("This PDF carries scripts or other files. Export it without them.")
    return None
