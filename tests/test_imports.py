"""CSV files as people upload them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affiliate import exports, imports
from affiliate.imports import BadTable, Line, read


def _cells(content: bytes) -> list[dict[str, str]]:
    return [line.cells for line in read(content, required=["order_id"], optional=["amount"])]


@pytest.mark.parametrize(
    "content",
    [
        b"order_id,amount\r\n7,1.50\r\n",
        b"order_id;amount\n7;1.50",
        b"Amount\tOrder ID\n 1.50 \t 7 \n",
        b"\xef\xbb\xbforder_id,what,amount\n\n7,ignored,1.50\n,,\n",
        b'"order_id","amount"\n"7","1.50"\n',
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(content: bytes) -> None:
    assert _cells(content) == [{"order_id": "7", "amount": "1.50"}]


def test_a_line_knows_its_place_in_the_file_and_lacks_no_column() -> None:
    content = b'order_id,amount\n"two\nlines",1\n\n8\n'
    assert read(content, required=["order_id"], optional=["amount", "reason"]) == [
        Line(3, {"order_id": "two\nlines", "amount": "1"}),
        Line(5, {"order_id": "8", "amount": ""}),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no column “order_id”"),
        (b"amount\n1\n", "no column “order_id”"),
        (b"order_id,order_id\n1,2\n", "two columns “order_id”"),
        (b"order_id\n\xff\xfe\n", "not written in UTF-8"),
        (b"order_id\n\x00\n", "no CSV table"),
        (b'order_id\n"never closed\n', "no CSV table"),
        (b"order_id\n" + b"1\n" * 4, "more than 3 rows"),
        (b"order_id\n" + b"x" * imports.BYTES_MAX, "larger than 2 MB"),
    ],
)
def test_what_cannot_be_read_is_said(content: bytes, said: str) -> None:
    with pytest.raises(BadTable, match=said):
        read(content, required=["order_id"], rows_max=3)


# An apostrophe of one's own before a formula cannot be told from that of an export, and is lost.
_TEXTS = (
    st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]))
    .map(str.strip)
    .filter(lambda text: text and not text.startswith("'"))
)


def test_a_small_limit_is_said_as_it_is() -> None:
    with pytest.raises(BadTable, match=r"larger than 0\.2 MB"):
        read(b"x" * 200_001, required=[], bytes_max=200_000)


@given(st.lists(_TEXTS, max_size=5))
def test_what_we_export_is_read_back(texts: list[str]) -> None:
    written = exports.csv_text(["order_id"], [[text] for text in texts]).encode()
    assert [cells["order_id"] for cells in _cells(written)] == texts
