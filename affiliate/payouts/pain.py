"""The file for banks: ISO 20022's pain.001.001.09, one batch of credit transfers. The same run gives the same file each time.

A bank that gets it twice sees the same message id; the run's file of another currency has another one. Texts keep to the
letters that every bank must take, or it sends the whole file back.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime

from affiliate.payouts.files import Payer, Payment

SCHEMA = "pain.001.001.09"
NAME_LENGTH_MAX = 70
TEXT_LENGTH_MAX = 140
_FOREIGN = re.compile(r"[^A-Za-z0-9/?:().,'+ -]+")


class NotInThisFile(ValueError):  # noqa: N818 - read as a kind
    """There is nothing to pay, or the library wrote another form than we know."""


def pain(
    payments: Sequence[Payment],
    *,
    payer: Payer,
    is_sepa: bool,
    message_id: str,
    created_at: datetime,
    execute_on: date,
    text: str,
) -> bytes:
    """A pain.001.001.09 of one batch, valid against its schema; all payments are in one currency.

    `message_id`: up to 35 letters, of the file and of its one batch.

    Raises:
        NotInThisFile: no payment.
    """
    if not payments:
        raise NotInThisFile("There is no payment for this file.")
    from sepaxml import SepaTransfer  # type: ignore[import-untyped]  # here, because pages need only the kinds of files

    name, told = plain(payer.name, NAME_LENGTH_MAX) or message_id, plain(text, TEXT_LENGTH_MAX)
    config = {"name": name, "IBAN": payer.iban, "batch": True, "currency": payments[0].amount.currency}
    config |= {"domestic": not is_sepa} | ({"BIC": payer.bic} if payer.bic else {})
    made = SepaTransfer(config, schema=SCHEMA, clean=False)
    for each in payments:
        row = {
            "name": plain(each.holder, NAME_LENGTH_MAX) or each.reference, "IBAN": each.fields["iban"],
            "amount": each.amount.amount_minor, "execution_date": execute_on, "description": told or each.reference,
            "endtoend_id": each.reference,
        }  # fmt: skip
        made.add_payment(row | ({"BIC": each.fields["bic"]} if "bic" in each.fields else {}))
    return _finished(
        made.export(validate=False),
        is_sepa=is_sepa,
        message_id=message_id,
        created_at=created_at,
        has_bic=bool(payer.bic),
    )


def plain(text: str, length: int) -> str:
    """The text in the Latin letters, digits and signs that the European Payments Council asks every bank to take."""
    from text_unidecode import unidecode  # type: ignore[import-untyped]

    latin = _FOREIGN.sub(" ", unidecode(text.replace("&", "+")))
    return re.sub(r"/+", "/", " ".join(latin.split())).strip("/ ")[:length].rstrip("/ ")


def _finished(document: bytes, *, is_sepa: bool, message_id: str, created_at: datetime, has_bic: bool) -> bytes:
    """The document as banks want it, under ids of our own.

    The library draws ids anew each time, by which a bank could not see a file that comes twice. It has every transfer's
    charges follow the service level, which there is none of outside SEPA, and leaves the payer's bank empty without a BIC.
    """
    text = document.decode()
    text = _filled(text, "MsgId", message_id)
    text = _filled(text, "PmtInfId", message_id)
    text = _filled(text, "CreDtTm", created_at.strftime("%Y-%m-%dT%H:%M:%S"))
    if not is_sepa:
        text = _filled(text, "ChrgBr", "SHAR")
    if not has_bic:
        text = _filled(text, "DbtrAgt", "<FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId>")
    return text.encode()


def _filled(document: str, name: str, content: str) -> str:
    """The document with another content of the one element of this name. Texts in it are escaped: no tag is one of theirs."""
    head, opening, rest = document.partition(f"<{name}>")
    _before, closing, tail = rest.partition(f"</{name}>")
    if not closing:
        raise NotInThisFile(f"The document has no {name}.")
    return head + opening + content + closing + tail
