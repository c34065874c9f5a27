"""What a paper says, complete and apart from how it looks: plain JSON from a payout's frozen notice. Pure.

Amounts are minor units; those of corrections are below zero. Later steps make national e-invoice files of the same document.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from affiliate.taxes.figures import Figures, read_figures

FORMAT = 1

SERIES = {"invoice": "SB", "receipt": "R"}
CORRECTION_SERIES = {"invoice": "SBC", "receipt": "RC"}
"""Each kind of paper is numbered by itself, and so are its corrections."""


def number_text(*, series: str, year: int, number: int) -> str:
    """The number as it stands on the paper: `SB-2026-00001`."""
    return f"{series}-{year}-{number:05d}"


def kind_of(notice: Mapping[str, Any]) -> str:
    """What paper of ours a notice calls for."""
    return "receipt" if notice["terms"]["paper"] == "receipt" else "invoice"


def document(
    notice: Mapping[str, Any], *, kind: str, number: str, issued_on: date, payout: str, figures: Figures,
    corrects: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The paper. `corrects` names number and day of the one that a correction changes."""
    return {
        "format": FORMAT,
        "kind": kind,
        "number": number,
        "issued_on": issued_on.isoformat(),
        "payout": payout,
        "currency": notice["currency"],
        "locale": notice["seller"]["locale"],
        "text": notice["text"],
        "buyer": dict(notice["buyer"]),
        "seller": dict(notice["seller"]),
        "rule": notice["rule"],
        "terms": dict(notice["terms"]),
        "figures": figures.plain(),
        "corrects": dict(corrects) if corrects is not None else None,
    }


def negated(plain: Mapping[str, int]) -> Figures:
    """Amounts of a notice or paper, taken back."""
    return -read_figures(dict(plain))
