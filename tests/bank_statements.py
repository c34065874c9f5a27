"""What a bank says of payouts: camt.053 statements in the two versions that banks send, each valid by its schema."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

import xmlschema

from affiliate import ids

VERSIONS = ("02", "08")
_SCHEMAS = Path(__file__).parent / "vendor" / "iso20022-camt.053"
_BALANCE = '<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-17</Dt></Dt></Bal>'
_KIND = "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"


@dataclass(frozen=True)
class Entry:
    """One payment: what it took from the account or brought back, and, where the bank says so, as it was asked for ("42.53 PLN")."""

    payout_id: UUID
    amount: str = "10.00 EUR"
    asked: str = ""
    side: str = "DBIT"
    returned: str = ""
    is_booked: bool = True

    def xml(self, version: str) -> str:
        """As this version of the message has it: in the older one a payment names its amount among the details only."""
        status = "BOOK" if self.is_booked else "PDNG"
        if version == "02":
            amounts = _details(self.asked, self.amount)
        else:
            status = f"<Cd>{status}</Cd>"
            amounts = f"{_amount(self.amount)}<CdtDbtInd>{self.side}</CdtDbtInd>{_details(self.asked)}"
        reference = ids.public("pay", self.payout_id).replace("_", "-")
        original = _KIND.replace("BkTxCd>", "OrgnlBkTxCd>")
        back = f"<RtrInf>{original}<Rsn><Cd>{self.returned}</Cd></Rsn></RtrInf>" if self.returned else ""
        told = f"<TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>{amounts}{back}</TxDtls>"
        return (
            f"<Ntry>{_amount(self.amount)}<CdtDbtInd>{self.side}</CdtDbtInd><Sts>{status}</Sts>{_KIND}"
            f"<NtryDtls>{told}</NtryDtls></Ntry>"
        )


def statement(*entries: Entry, version: str = "08") -> str:
    """A statement of a day.

    Raises:
        XMLSchemaValidationError: no bank would send it.
    """
    said = "<CreDtTm>2026-11-17T06:00:00Z</CreDtTm>"
    account = "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>"
    lines = "".join(entry.xml(version) for entry in entries)
    content = (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>1</MsgId>{said}</GrpHdr><Stmt><Id>1</Id>{said}{account}{_BALANCE}{lines}</Stmt>"
        "</BkToCstmrStmt></Document>"
    )
    _schema(version).validate(content)
    return content


@lru_cache(maxsize=len(VERSIONS))
def _schema(version: str) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(_SCHEMAS / f"camt.053.001.{version}.xsd"))


def _amount(amount: str) -> str:
    number, currency = amount.split()
    return f'<Amt Ccy="{currency}">{number}</Amt>'


def _details(asked: str, paid: str = "") -> str:
    parts = {"InstdAmt": asked, "TxAmt": paid}
    told = "".join(f"<{name}>{_amount(amount)}</{name}>" for name, amount in parts.items() if amount)
    return f"<AmtDtls>{told}</AmtDtls>" if told else ""
