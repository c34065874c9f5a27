"""The bank's file: the bundled one, and what is none."""

import io
import zipfile
from datetime import date

import pytest

from affiliate.currencies import ecb, sources

TABLE = b"Date,USD,PLN,HRK,\n2026-10-30,1.1172,4.4038,N/A,\n2026-10-29,1.113,4.3938,N/A,\n2026-10-28,1,4,7.5,\n"


def zipped(content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eurofxref-hist.csv", content)
    return held.getvalue()


@pytest.mark.parametrize("content", [TABLE, zipped(TABLE)], ids=["csv", "zip"])
def test_days_come_oldest_first_without_what_has_no_rate(content: bytes) -> None:
    days = ecb.read(content, since=date(2026, 10, 29))
    assert [(one.day, dict(one.per_euro)) for one in days] == [
        (date(2026, 10, 29), {"USD": "1.113", "PLN": "4.3938"}),
        (date(2026, 10, 30), {"USD": "1.1172", "PLN": "4.4038"}),
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>no</html>", b"PK\x03\x04 broken", b"Date,USD\nyesterday,1.1\n", zipped(b"hello")],
    ids=["nothing", "a page", "a broken archive", "no day", "another file"],
)
def test_what_is_no_such_file_is_refused(content: bytes) -> None:
    with pytest.raises(ecb.BadRates):
        ecb.read(content, since=date(2026, 1, 1))


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecb, "BYTES_MAX", 50)
    with pytest.raises(ecb.BadRates):
        ecb.read(zipped(TABLE), since=date(2026, 1, 1))


def test_a_rate_of_zero_or_of_words_is_none() -> None:
    (found,) = ecb.read(b"Date,USD,PLN,GBP,Euro\n2026-10-30,0,1e5,-1,2\n", since=date(2026, 1, 1))
    assert found.per_euro == {}


def test_the_bundled_history_is_read() -> None:
    days = ecb.read(sources.bundled(), since=date(2026, 10, 1))
    assert days[-1].day >= date(2026, 10, 30)
    assert {"USD", "PLN", "GBP"} <= days[-1].per_euro.keys()
