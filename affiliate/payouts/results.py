"""Result files: what a bank or a person says about payouts that are on their way. Pure: text in, outcomes out."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID
from xml.etree import ElementTree as ET

from affiliate import ids, imports
from affiliate.imports import BadTable
from affiliate.money import Money, parse_amount

N_ = str  # marks a sentence for the translators
BYTES_MAX = 5_000_000
OUTCOMES_MAX = 20_000
_REASON_LENGTH_MAX = 300
_STATUSES = {"paid": True, "failed": False}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a payout; `amount` where the file says it."""

    payout_id: UUID
    is_paid: bool
    reason: str
    amount: Money | None = None


def read(content: bytes) -> list[Outcome]:
    """The outcomes in a camt.053 statement, or in a CSV with the columns payout, status and reason.

    Lines about anything else than payouts of ours are passed over.

    Raises:
        BadTable: too large, neither of the two, or wrong inside.
    """
    if len(content) > BYTES_MAX:
        raise BadTable(N_("The file is larger than %(size)s MB."), size=BYTES_MAX // 1_000_000)
    is_xml = content.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<")
    found = list(_camt(content) if is_xml else _table(content))
    if len(found) > OUTCOMES_MAX:
        raise BadTable(N_("The file has more than %(count)s rows."), count=OUTCOMES_MAX)
    return found


def _table(content: bytes) -> Iterator[Outcome]:
    lines = imports.read(
        content, required=["payout", "status"], optional=["reason"], rows_max=OUTCOMES_MAX, bytes_max=BYTES_MAX
    )
    for line in lines:
        status = line.cells["status"].lower()
        if not status:
            continue  # nothing is known of this one yet
        if status not in _STATUSES:
            raise BadTable(N_("Line %(number)s: the status is neither paid nor failed."), number=line.number)
        payout_id = _payout_id(line.cells["payout"])
        if payout_id is None:
            raise BadTable(N_("Line %(number)s: this is no payout's id."), number=line.number)
        yield Outcome(payout_id, _STATUSES[status], line.cells.get("reason", "")[:_REASON_LENGTH_MAX])


def _camt(content: bytes) -> Iterator[Outcome]:
    """Money that left for a payout was paid; money of a payout that came back has failed."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise BadTable(N_("The file declares a document type; bank statements do not."))
    try:
        root = ET.fromstring(content)  # noqa: S314 - without a document type there is nothing to expand
    except ET.ParseError as wrong:
        raise BadTable(N_("The file is no well-formed XML.")) from wrong
    if not root.tag.rpartition("}")[2] == "Document" or "camt.053" not in root.tag:
        raise BadTable(N_("The file is neither a camt.053 statement nor a CSV with the columns payout and status."))
    space = root.tag.partition("}")[0] + "}"
    outcomes: dict[UUID, Outcome] = {}
    for entry in root.iter(f"{space}Ntry"):
        for details in entry.iter(f"{space}TxDtls"):
            outcome = _outcome(entry, details, space)
            if outcome is not None and (not outcome.is_paid or outcome.payout_id not in outcomes):
                outcomes[outcome.payout_id] = outcome  # what came back, on whatever line, did not arrive
    yield from outcomes.values()


def _outcome(entry: ET.Element, details: ET.Element, space: str) -> Outcome | None:
    payout_id = _payout_id((details.findtext(f"{space}Refs/{space}EndToEndId") or "").strip())
    if (
        payout_id is None
        or entry.findtext(f"{space}Sts") == "PDNG"
        or entry.findtext(f"{space}Sts/{space}Cd") == "PDNG"
    ):
        return None
    # First as our file said it: the others may be what the payer lost. The oldest version has no `Amt` of its own here.
    places = (f"{space}AmtDtls/{space}InstdAmt/{space}Amt", f"{space}Amt", f"{space}AmtDtls/{space}TxAmt/{space}Amt")
    amount = next((found for found in map(details.find, places) if found is not None), None)
    side = details.findtext(f"{space}CdtDbtInd") or entry.findtext(f"{space}CdtDbtInd")
    returned = details.find(f"{space}RtrInf")
    is_paid = side == "DBIT" and returned is None
    return Outcome(payout_id, is_paid, "" if is_paid else _reason(returned, space), _money(amount))


def _reason(returned: ET.Element | None, space: str) -> str:
    """Why it came back: a code, the bank's own word, or a sentence."""
    if returned is None:
        return ""
    places = (f"{space}Rsn/{space}Cd", f"{space}Rsn/{space}Prtry", f"{space}AddtlInf")
    return next(filter(None, map(returned.findtext, places)), "")[:_REASON_LENGTH_MAX]


def _money(element: ET.Element | None) -> Money | None:
    if element is None:
        return None
    try:
        return parse_amount((element.text or "").strip(), element.get("Ccy", ""))
    except ValueError:
        return None


def _payout_id(text: str) -> UUID | None:
    return ids.read("pay", text.strip().lower().replace("-", "_", 1))
