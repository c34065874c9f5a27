"""What a partner claims, and how a case can be settled; the checks of what people type into cases."""

import enum
from collections.abc import Sequence
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
PROOFS_MAX = 5
"""Files with one message."""
PROOF_BYTES_MAX = 4_500_000
"""Of all files of a message together, as they came: what a request may hold is little more."""
_NAME_LENGTH_MAX = 80
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


class BadDocument(ValueError):  # noqa: N818 - read as a kind
    """A PDF that is not taken; the message is an English source for gettext."""


class BadProofs(Invalid):
    """Files that are not taken: `refused` names each with its reason, or says with an empty name what is wrong with all together."""

    def __init__(self, refused: Sequence[tuple[str, str]]) -> None:
        super().__init__({"proof": [f"{name}: {reason}" if name else reason for name, reason in refused]})
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Claim:
    """What a partner claims. One of `order_id` and `happened_at` at least, but for a late payment; `claimed` is in the program's currency.

    `conversion_id` tells which conversion of the order an appeal is about, `payout_id` which payout is late: null, what is in
    none yet. Nobody has checked yet whose they are.
    """

    kind: CaseKind
    text: str
    order_id: str = ""
    happened_at: datetime | None = None
    claimed: Money | None = None
    proofs: Sequence[Proof] = ()
    conversion_id: UUID | None = None
    payout_id: UUID | None = None


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
    """Whether a claim can be: about this order or a day of the last two years, or about a payment, which needs neither.

    Raises:
        Invalid: names each wrong field.
    """
    wrong: dict[str, list[str]] = {}
    if len(order_id) > ORDER_LENGTH_MAX or not order_id.isprintable():
        wrong["order_id"] = [N_("Write the order number as the shop shows it.")]
    elif claim.kind is not CaseKind.LATE_PAYMENT and not order_id and claim.happened_at is None:
        wrong["order_id"] = [N_("Name the order, or the day on which it happened.")]
    if claim.happened_at is not None and not now - _AGE_MAX < claim.happened_at <= now:
        wrong["happened_on"] = [N_("Choose a day of the last two years.")]
    if claim.claimed is not None and claim.claimed.amount_minor <= 0:
        wrong["amount"] = [N_("Write an amount above zero.")]
    if wrong:
        raise Invalid(wrong)


def checked_proofs(proofs: Sequence[Proof]) -> list[File]:
    """The proofs as they are kept: pictures drawn anew, PDFs that openly carry nothing else, under names of our own.

    Raises:
        BadProofs: one is neither, or they are too many or too large.
    """
    if len(proofs) > PROOFS_MAX:
        raise BadProofs([("", N_("Send up to five files at once."))])
    if len(proofs) > 1 and sum(len(proof.content) for proof in proofs) > PROOF_BYTES_MAX:
        raise BadProofs(
            [("", N_("The files are larger than 4.5 MB together. Send some of them with another message."))]
        )
    found, refused = [], []
    for proof in proofs:
        try:
            found.append(_kept(proof))
        except (BadDocument, pictures.BadPicture) as error:
            refused.append((" ".join(proof.name.split())[:_NAME_LENGTH_MAX], str(error)))
    if refused:
        raise BadProofs(refused)
    return found


def _kept(proof: Proof) -> File:
    if proof.name.lower().endswith(".pdf"):
        if problem := documents.pdf_problem(proof.content, name=proof.name):
            raise BadDocument(problem)
        return File("proof.pdf", "application/pdf", proof.content)
    picture = pictures.redrawn(proof.content, name=proof.name)
    return File(f"proof.{picture.extension}", picture.media_type, picture.content)
