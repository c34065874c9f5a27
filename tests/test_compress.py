"""Answers leave compressed where the caller takes it, and say so."""

import gzip

import pytest
from flask.testing import FlaskClient

ZIPPED = {"Accept-Encoding": "gzip, br"}


@pytest.mark.parametrize("path", ["/", "/static/css/app.css", "/static/icons.svg"])
def test_a_page_and_a_file_are_the_same_compressed_and_much_smaller(client: FlaskClient, path: str) -> None:
    plain, small = client.get(path), client.get(path, headers=ZIPPED)
    assert (plain.headers.get("Content-Encoding"), small.headers.get("Content-Encoding")) == (None, "gzip")
    assert "Accept-Encoding" in small.headers["Vary"]
    assert len(small.data) < len(plain.data) / 2
    if path != "/":  # a page holds a fresh nonce or token
        assert gzip.decompress(small.data) == plain.data


def test_a_file_that_the_browser_has_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/static/css/app.css", headers=ZIPPED)
    again = client.get("/static/css/app.css", headers=ZIPPED | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_what_is_compressed_already_or_refused_stays_as_it_is(client: FlaskClient) -> None:
    font = "/static/vendor/instrument-sans-5.3.0/instrument-sans-latin-wght-normal.woff2"
    assert "Content-Encoding" not in client.get(font, headers=ZIPPED).headers
    assert "Content-Encoding" not in client.get("/static/css/app.css", headers={"Accept-Encoding": "gzip;q=0"}).headers
    assert "Content-Encoding" not in client.get("/nothing-here", headers=ZIPPED).headers
