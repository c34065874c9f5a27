"""The way back from what stands in a list leads to the list as it stood, through tabs and acts, and nowhere else."""

import html
import re

import pytest
from console_cast import Cast, public, text_of
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

HOME = "/console/casa/"


def _crumb(answer: TestResponse) -> tuple[str, str]:
    """Where the first crumb leads, and its word."""
    found = re.search(r'<nav class="crumb"[^>]*><a href="([^"]+)">([^<]+)</a>', answer.text)
    assert found, answer.text
    return html.unescape(found[1]), found[2]


def _opened(browser: FlaskClient, listed: str, under: str) -> str:
    """The address of the first thing of this kind in a list."""
    found = re.search(rf'<a[^>]* href="({HOME}{under}/[a-z]+_[^"]+)"', browser.get(HOME + listed).text)
    assert found
    return html.unescape(found[1])


@pytest.mark.parametrize(
    ("listed", "under", "word"),
    [
        ("partners?name=slow&page=O-2.0123", "partners", "Partners"),
        ("applications?status=approved&name=slow", "partners", "Applications"),
        ("applications", "partners", "Applications"),
        ("conversions?state=credited&order=10400", "conversions", "Orders"),
        ("commissions?status=pending&order=10400", "commissions", "Commissions"),
    ],
)
def test_the_crumb_leads_back_to_the_list_as_it_stood(
    cast: Cast, mara: FlaskClient, listed: str, under: str, word: str
) -> None:
    cast.sale("10400")
    assert _crumb(mara.get(_opened(mara, listed, under))) == (HOME + listed, word)


def test_a_list_without_filters_adds_nothing_to_the_addresses_of_its_things(cast: Cast, mara: FlaskClient) -> None:
    address = _opened(mara, "partners", "partners")
    assert address == f"{HOME}partners/{public('ptn', cast.partner)}"
    assert _crumb(mara.get(address)) == (f"{HOME}partners", "Partners")


def test_tabs_and_acts_on_the_page_keep_the_way_back(cast: Cast, mara: FlaskClient) -> None:
    listed = f"{HOME}applications?status=pending&name=ferro"
    page = mara.get(_opened(mara, "applications?status=pending&name=ferro", "partners"))
    tabs = {html.unescape(one) for one in re.findall(r'href="([^"]+/(?:agreed|contacts|weighed)[^"]*)"', page.text)}
    assert len(tabs) >= 2
    for tab in tabs:
        assert _crumb(mara.get(tab)) == (listed, "Applications"), tab
    act = html.unescape(re.findall(r'action="([^"]+/approve[^"]*)"', page.text)[0])
    after = mara.post(act, follow_redirects=True)
    assert "Ferro e Fuoco is in." in text_of(after)
    assert _crumb(after) == (listed, "Applications")
    again = mara.post(act)  # the page of a conflict has it, too
    assert (again.status_code, _crumb(again)) == (409, (listed, "Applications"))


def test_no_address_leads_anywhere_but_to_a_list_of_ours(cast: Cast, mara: FlaskClient) -> None:
    address = f"{HOME}partners/{public('ptn', cast.partner)}"
    for said in ("//evil.test", "https://evil.test", "today", "commissions", "console.partners"):
        assert _crumb(mara.get(address, query_string={"from": said})) == (f"{HOME}partners", "Partners")
    strange = {
        "from": "partners",
        "keep-_external": "1",
        "keep-_scheme": "javascript",
        "keep-slug": "altra",
        "keep-next": "x",
    }
    assert _crumb(mara.get(address, query_string=strange | {"keep-tag": '"><b>&x=1'})) == (
        f"{HOME}partners?tag=%22%3E%3Cb%3E%26x%3D1",
        "Partners",
    )
