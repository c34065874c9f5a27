"""Codes with a partner's link in them, cleaned HTML, disclosures, documents: hostile text stays text."""

import pytest

from affiliate.creatives import codes, disclosures, documents, kinds
from affiliate.creatives.kinds import BadContent, CreativeKind, Said, Upload

LINK = "https://track.example/r/ragu?creative=crv_1&url=https%3A%2F%2Fwww.shop.example%2F"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ('<a href="{link}">Buy</a>', '<a href="{link}" rel="sponsored noopener">Buy</a>'),
        ('<script>alert(1)</script><a href="{link}" onclick="x()">Buy</a>', '<a href="{link}" rel="sponsored noopener">Buy</a>'),
        ('<iframe src="https://evil.example"></iframe>{link}', "{link}"),
        ('<a href="javascript:alert(1)">x</a> {link}', '<a rel="sponsored noopener">x</a> {link}'),
        ('<a href="javascript:{link}">x</a> {link}', '<a rel="sponsored noopener">x</a> {link}'),
        ('<img src="data:text/html,x" alt="a">{link}', '<img alt="a">{link}'),
        ('<p style="position:fixed" class="x">{link}</p>', "<p>{link}</p>"),
        ('<form action="https://evil.example"><input name="p">{link}</form>', "{link}"),
    ],
)  # fmt: skip
def test_html_is_cleaned(typed: str, kept: str) -> None:
    assert codes.cleaned(typed) == kept


def test_a_link_cannot_leave_its_attribute() -> None:
    hostile = 'https://track.example/r/a?x="><script>alert(1)</script>'
    assert "<script>" not in codes.snippet('<a href="{link}">x</a>', link=hostile)
    banner = codes.banner(link=hostile, picture_url="https://a.example/b.png", width=1, height=2, alt='"><script>')
    assert "<script>" not in banner
    assert 'width="1" height="2"' in banner
    assert codes.text_link(link=LINK, words="<b>&", label="Ad <x>") == (
        f'Ad &lt;x&gt;: <a href="{LINK.replace("&", "&amp;")}" rel="sponsored noopener">&lt;b&gt;&amp;</a>'
    )


def test_the_own_link_names_the_creative_and_its_page() -> None:
    found = codes.own_link("https://t.example/r/ragu", creative="crv_1", landing_url="https://www.shop.example/a?b=c&d")
    assert found == "https://t.example/r/ragu?creative=crv_1&url=https%3A%2F%2Fwww.shop.example%2Fa%3Fb%3Dc%26d"
    assert codes.own_link("https://t.example/r/ragu", creative="crv_1").endswith("?creative=crv_1")


def test_a_post_says_first_what_it_is_and_always_holds_the_link() -> None:
    assert codes.post("Look: {link} now", link=LINK, label="Ad") == f"Ad\n\nLook: {LINK} now"
    assert codes.post("Look", link=LINK, label="Ad") == f"Ad\n\nLook\n\n{LINK}"
    assert codes.mail("Hello {link}", link=LINK, sentence="Advertising.").endswith("\n-- \nAdvertising.")


@pytest.mark.parametrize(
    ("country", "rule"),
    [
        ("FR", "Directive 2005/29/EC"),
        ("no", "Directive 2005/29/EC"),
        ("GB", "CAP Code"),
        ("US", "FTC"),
        ("IT", "IAP"),
        ("JP", ""),
        ("CH", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_rule_is_named_where_it_holds_and_nowhere_else(country: str | None, rule: str) -> None:
    found = disclosures.for_country(country).rule
    assert found.startswith(rule)
    assert bool(found) is bool(rule)


@pytest.mark.parametrize(
    ("country", "language", "label"),
    [
        ("IT", "it", "#pubblicità Link affiliato Casa"),
        ("pl", "pl", "[Materiał reklamowy] link partnerski, Casa"),
        ("PL", "de", "[Advertising] partner link, Casa"),
        ("FR", "it", "Pubblicità: link affiliato, Casa"),
        (None, "en", "Advertising: partner link, Casa"),
    ],
)
def test_the_country_of_the_partner_and_the_language_of_the_post_choose_the_words(
    country: str | None, language: str, label: str
) -> None:
    assert disclosures.for_country(country).label(language, brand="Casa") == label


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"%PDF-1.7\n1 0 obj\n%%EOF\n", "guide.pdf", None),
        (b"%PDF-1.7\n%%EOF", "guide.exe", "no PDF"),
        (b"MZ%PDF-1.7\n%%EOF", "guide.pdf", "no PDF"),
        (b"%PDF-1.7\n<< /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>\n%%EOF", "guide.pdf", "scripts"),
        (b"%PDF-1.7\n" + b"x" * documents.BYTES_MAX + b"%%EOF", "guide.pdf", "larger"),
    ],
)
def test_a_document_is_a_plain_pdf(content: bytes, name: str, told: str | None) -> None:
    problem = documents.pdf_problem(content, name=name)
    assert problem is None if told is None else told in str(problem)


@pytest.mark.parametrize(
    ("kind", "said", "part"),
    [
        (CreativeKind.BANNER, Said(), "file"),
        (CreativeKind.BANNER, Said(upload=Upload("a.svg", b"<svg/>")), "file"),
        (CreativeKind.TEXT, Said(body=" "), "body"),
        (CreativeKind.TEXT, Said(body="x" * 301), "body"),
        (CreativeKind.MAIL, Said(subject="a\nb", body="x"), "subject"),
        (CreativeKind.HTML, Said(body="<script>{link}</script>"), "body"),
        (CreativeKind.VIDEO, Said(address="http://videos.example/1"), "address"),
        (CreativeKind.VIDEO, Said(address="https://shop@evil.example/1"), "address"),
        (CreativeKind.VIDEO, Said(address="javascript:alert(1)"), "address"),
        (CreativeKind.DOCUMENT, Said(upload=Upload("a.pdf", b"MZ")), "file"),
    ],
)
def test_content_that_cannot_be_offered_is_refused_at_its_part(kind: CreativeKind, said: Said, part: str) -> None:
    with pytest.raises(BadContent) as refused:
        kinds.checked(kind, said)
    assert set(refused.value.problems) == {part}


def test_the_name_of_a_file_becomes_harmless() -> None:
    assert kinds.file_name('..\\..\\etc/"brand\r\nguide".pdf') == "-brand--guide-.pdf"
    assert kinds.file_name("…") == "-"


def test_groups_are_read_from_commas_and_lines() -> None:
    assert kinds.group_names("Gold,  top  bloggers\n\nGold") == ["Gold", "top bloggers"]
