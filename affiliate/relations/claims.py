"""What a partner claims, and how a case can be settled; the checks of what people type into cases."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from affiliate import pictures
from affiliate.creatives import documents
from affiliate.errors import Invalid
from affiliate.files import File
from affiliate.money import Money
from affiliate.relations.models import CaseKind

N_ = str  # marks a sentence for the translators

TEXT_LENGTH_MAX = 4_000
ORDER_LENGTH_MAX = 120
_AGE_MAX = timedelta(days=730)


class Settlement(enum.StrEnum):
    """How an accepted case is settled."""

    CREDIT = "credit"  # the order is credited to the partner by hand: its commission follows
    ENTRY = "entry"  # a manual entry of an amount
    RELEASE = "release"  # the order passes its review: its commission goes on
    WORDS = "words"  # nothing has to be posted


@dataclass(frozen=True, slots=True)
class Proof:
    """A picture or a PDF as it came: its name as the sender says, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What a partner claims. One of `order_id` and `happened_at` at least; `claimed` is in the program's currency.

    `conversion_id` tells which conversion of the order an appeal is about; nobody has checked yet whose it is.
    """

    kind: CaseKind
    text: str
    order_id: str = ""
    happened_at: datetime | None = None
    claimed: Money | None = None
    proof: Proof | None = None
    conversion_id: UUID | None = None


def checked_text(text: str) -> str:
    """What somebody says in a case, trimmed.

    Raises:
        Invalid: nothing, or too much.
    """
    text = text.replace("\r\n", "\n").strip()
    if not 0 < len(text) <= TEXT_LENGTH_MAX:
        raise Invalid({"text": [N_("Write something, in up to 4,000 characters.")]})
    return text


def check(claim: Claim, *, order_id: str, now: datetime) -> None:
    """Whether a claim can be: about this order or a day of the last two years.

    Raises:
        Invalid: names each wrong field.
    """
    wrong: dict[str, list[str]] = {}
    if len(order_id) > ORDER_LENGTH_MAX or not order_id.isprintable():
        wrong["order_id"] = [N_("Write the order number as the shop shows it.")]
    elif not order_id and claim.happened_at is None:
        wrong["order_id"] = [N_("Name the order, or the day on which it happened.")]
    if claim.happened_at is not None and not now - _AGE_MAX < claim.happened_at <= now:
        wrong["happened_on"] = [N_("Choose a day of the last two years.")]
    if claim.claimed is not None and claim.claimed.amount_minor <= 0:
        wrong["amount"] = [N_("Write an amount above zero.")]
    if wrong:
        raise Invalid(wrong)


def checked_proof(proof: Proof | None) -> File | None:
    """The proof as it is kept: a picture drawn anew, or a PDF that openly carries nothing else, under a name of our own.

    Raises:
        Invalid: it is neither.
    """
    if proof is None:
        return None
    if proof.name.lower().endswith(".pdf"):
        if problem := documents.pdf_problem(proof.content, name=proof.name):
            raise Invalid({"proof": [problem]})
        return File("proof.pdf", "application/pdf", proof.content)
    try:
        picture = pictures.redrawn(proof.content, name=proof.name)
    except pictures.BadPicture as error:
        raise Invalid({"proof": [str(error)]}) from error
    return File(f"proof.{picture.extension}", picture.media_type, picture.content)
