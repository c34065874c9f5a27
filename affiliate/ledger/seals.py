"""Checking the chains: rows are fed in their order, seals are held against them as they come, and what differs is named."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from affiliate.ledger import chain as rules
from affiliate.ledger.chain import ChainName, Statement
from affiliate.ledger.findings import Findings
from affiliate.ledger.models import LedgerSeal


@dataclass(slots=True)
class Walk:
    """One pass over a chain. `trusted` are the public keys that may have signed; None trusts whatever key a seal names.

    `describe` turns the hex id of a row into its name in a finding.
    """

    chain: ChainName
    seals: Iterator[LedgerSeal]
    findings: Findings
    trusted: Collection[str] | None
    describe: Callable[[str], str]
    sealed: int = 0
    unsealed: int = 0
    _head: bytes = rules.START
    _open: LedgerSeal | None = None
    _last: LedgerSeal | None = None
    _rows: list[tuple[str, bytes]] = field(default_factory=list)  # of the open seal: id, digest

    def __post_init__(self) -> None:
        self._open = next(self.seals, None)

    def row(self, position: int, identifier: str, digest: bytes) -> None:
        """The next row."""
        while self._open is not None and position > self._open.last_position:
            self._close(self._open)
        if self._open is None:
            self.unsealed += 1
            return
        self._head = rules.link(self._head, digest)
        self._rows.append((identifier, digest))

    def end(self) -> None:
        """No more rows: what is left must be closed too."""
        while self._open is not None:
            self._close(self._open)
        if self._last is not None:
            self._check_signature(self._last)

    def _close(self, seal: LedgerSeal) -> None:
        if (self._last.number if self._last else 0) + 1 != seal.number:
            self.findings.add(f"Seal {seal.number} of {self.chain} does not follow on the one before it.")
        if self._head.hex() != seal.head or len(self._rows) != seal.rows:
            self._tell_difference(seal)
        if self._last is not None and self._last.sealed_at.date() != seal.sealed_at.date():
            self._check_signature(self._last)
        self.sealed += len(self._rows)
        self._head = bytes.fromhex(seal.head)  # one difference is told once, not with every later seal
        self._last, self._rows = seal, []
        self._open = next(self.seals, None)

    def _tell_difference(self, seal: LedgerSeal) -> None:
        width = rules.PREFIX_BYTES
        missing = Counter(seal.digests[at : at + width] for at in range(0, len(seal.digests), width))
        for identifier, digest in self._rows:
            prefix = digest[:width]
            if missing[prefix]:
                missing[prefix] -= 1
            else:
                self.findings.add(
                    f"{self.describe(identifier)} is not what seal {seal.number} of {self.chain} was put on."
                )
        gone = missing.total()
        text = f"Seal {seal.number} of {self.chain} does not fit its rows"
        self.findings.add(f"{text}; {gone} of {seal.rows} are gone or changed." if gone else f"{text}.")

    def _check_signature(self, seal: LedgerSeal) -> None:
        names = (name for name in Statement.__dataclass_fields__ if name != "chain")
        said = Statement(chain=self.chain.value, **{name: getattr(seal, name) for name in names})
        if not rules.is_signed(said, public=seal.public_key, signature=seal.signature):
            self.findings.add(f"Seal {seal.number} of {self.chain} is not what was signed.")
        elif self.trusted is not None and seal.public_key not in self.trusted:
            self.findings.add(f"Seal {seal.number} of {self.chain} was signed with a key that is not ours.")
