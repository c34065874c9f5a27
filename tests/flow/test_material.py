"""What a manager puts into the library, and what a partner takes from it: a snippet, a mail, a video, a document in two versions, the feed of products; and what each tells the other."""

import secrets
from collections.abc import Callable

import pytest
from installation import Installation
from pages import Visitor, is_sound
from playwright.sync_api import FilePayload, Page, expect
from walks import allow, downloaded, look, spoken

MakeVisitor = Callable[..., Visitor]
MARK = secrets.token_hex(3)
SNIPPET = (
    '<h3>Pots</h3><script>top.document.title = "x"</script><p><a href="{link}" onclick="alert(1)">See them</a></p>'
)
VIDEO = "https://video.example/watch?v=pots"
FIRST, SECOND = (b"%%PDF-1.4\n%% the guide, %s\n%%%%EOF\n" % part for part in (b"as it was", b"as it is now"))
KINDS = {"html": "HTML snippet", "mail": "Mail text", "video": "Video", "document": "Brand guide or document"}
STORY, TOLD = f"Marta piecze chleb {MARK}", "Sto bochenków w **jednym** garnku."
PLACE = "Slow Letter, la domenica"
italian, polish = spoken("it"), spoken("pl")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_snippet_a_mail_a_video_and_a_document_are_offered_and_taken(
    installation: Installation, visitor: MakeVisitor
) -> None:
    slug = installation.demo["program"]
    manager, partner = visitor("manager", **look("en", 360)), visitor("partner", **look("it", 1440))
    for kind in KINDS:
        offer(manager.open(f"/console/{slug}/creatives"), kind)
    offer_another_version(manager.page)
    take_the_snippet(find(partner, slug, "html"))
    take_the_mail(find(partner, slug, "mail"))
    take_the_video(find(partner, slug, "video"))
    take_the_document(find(partner, slug, "document"))
    take_the_feed(partner, visitor(), slug)


def title(kind: str) -> str:
    """By which a partner finds it."""
    return f"Winter {kind} {MARK}"


def offer(page: Page, kind: str) -> None:
    """By the list of kinds; how it looks is shown at once."""
    page.get_by_role("complementary").get_by_role("link", name=KINDS[kind], exact=True).click()
    page.get_by_label("Title").fill(title(kind))
    typed = {
        "html": {"Text": SNIPPET},
        "mail": {"Subject": "Pots that stay", "Text": "Dear reader, look here: {link}"},
        "video": {"Address of the video": VIDEO},
        "document": {},
    }[kind]
    for label, text in typed.items():
        page.get_by_label(label, exact=True).fill(text)
    if kind == "document":
        page.get_by_label("File").set_input_files(guide(FIRST))
    page.get_by_role("button", name="Offer it to partners").click()
    expect(page.get_by_role("heading", name=title(kind), level=1)).to_be_visible()
    assert is_sound(page)


def guide(content: bytes) -> FilePayload:
    """The document as a file to choose."""
    return {"name": "guide.pdf", "mimeType": "application/pdf", "buffer": content}


def offer_another_version(page: Page) -> None:
    """Of what is open: the document."""
    panel = page.get_by_role("region", name="New version")
    panel.get_by_label("File").set_input_files(guide(SECOND))
    panel.get_by_role("button", name="Offer this version").click()
    expect(page.get_by_text("The new version is offered now.")).to_be_visible()
    expect(panel.get_by_role("listitem")).to_have_count(2)


def find(partner: Visitor, slug: str, kind: str) -> Page:
    """In the library, by its title."""
    page = partner.open(f"/portal/{slug}/creatives?q={title(kind).replace(' ', '+')}")
    page.get_by_role("link", name=title(kind)).click()
    expect(page.get_by_role("heading", name=title(kind), level=1)).to_be_visible()
    assert is_sound(page)
    return page


def copied(page: Page, region: str) -> str:
    """What the clipboard holds after the first button that copies, in a part of the page."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("region", name=region).get_by_role("button", name=italian("Copy")).last.click()
    expect(page.get_by_role("button", name=italian("Copied"))).to_be_visible()
    held: str = page.evaluate("navigator.clipboard.readText()")
    return held


def take_the_snippet(page: Page) -> None:
    """Previewed in a frame that may do nothing; its script is gone from the code as well, which leads by the partner's link."""
    frame = page.locator("iframe[sandbox='']")
    preview = frame.content_frame
    expect(preview.get_by_role("link", name="See them")).to_be_visible()
    assert preview.locator("script").count() == 0
    code = copied(page, italian("With your link"))
    assert "/r/" in code
    assert "<script" not in code
    assert "onclick" not in code


def take_the_mail(page: Page) -> None:
    """Its subject, and its text with the link."""
    expect(page.get_by_label(italian("Subject"))).to_have_value("Pots that stay")
    assert "Dear reader, look here: http" in copied(page, italian("With your link"))


def take_the_video(page: Page) -> None:
    """It is looked at where it is."""
    expect(page.get_by_role("link", name=italian("Watch the video"))).to_have_attribute("href", VIDEO)
    assert "/r/" in copied(page, italian("With your link"))


def take_the_document(page: Page) -> None:
    """In the version of now."""
    assert downloaded(page, page.get_by_role("link", name=italian("Download the file")).click) == SECOND
    about = page.get_by_role("term").filter(has_text=italian("Version")).locator("xpath=following-sibling::dd[1]")
    expect(about).to_have_text("2")


def take_the_feed(partner: Visitor, machine: Visitor, slug: str) -> None:
    """At an address of the partner's own, which opens without signing in, with the partner's links in it."""
    page = partner.open(f"/portal/{slug}/creatives?kind=feed")
    page.get_by_role("link", name="All products").click()
    page.get_by_role("button", name=italian("Make the address")).click()
    field = page.get_by_label(italian("Address of the feed (%(kind)s)", kind="JSON"))
    expect(field).to_be_visible()
    assert is_sound(page)
    address = copied(page, italian("With your link"))
    assert address == field.input_value()
    read = machine.open("/").evaluate("async (address) => (await fetch(address)).text()", address)
    assert "/r/" in read


def test_a_story_is_told_with_its_partners_consent_and_a_profile_names_where_it_promotes(
    installation: Installation, visitor: MakeVisitor
) -> None:
    slug = installation.demo["program"]
    manager, partner = visitor("manager", **look("pl", 1440)), visitor("partner", **look("en", 768))
    page = manager.open(f"/console/{slug}/newsletters")
    write_a_story(page)
    agree(partner.open(f"/portal/{slug}/newsletters"))
    page.reload()
    expect(page.get_by_text(polish("Consent given"))).to_be_visible()
    assert is_sound(page)
    owner = visitor("partner", **look("it", 768))
    name_a_place(owner.open(f"/portal/{slug}/settings/profile"))
    allow(owner, 422)
    page = manager.open(f"/console/{slug}/partners?name=Marta")
    page.get_by_role("link", name="Marta’s Slow Kitchen", exact=True).click()
    expect(page.get_by_text(PLACE).first).to_be_visible()


def write_a_story(page: Page) -> None:
    """It waits for the word of whom it is about."""
    page.get_by_role("button", name=polish("Begin a newsletter")).click()
    page.get_by_label(polish("Kind of the new block")).select_option("story")
    page.get_by_role("button", name=polish("Add a block")).click()
    page.get_by_label(polish("Whose story it is")).fill("Marta’s Slow Kitchen")
    page.get_by_label(polish("Title")).last.fill(STORY)
    page.get_by_label(polish("Text")).last.fill(TOLD)
    page.get_by_role("button", name=polish("Save and ask for consent")).click()
    expect(page.get_by_text(polish("Asked, no answer yet"))).to_be_visible()
    assert is_sound(page)


def agree(page: Page) -> None:
    """To exactly these words."""
    story = page.get_by_role("region", name="A story about you").filter(has_text=STORY)
    expect(story.get_by_text(TOLD)).to_be_visible()
    assert is_sound(page)
    story.get_by_role("button", name="I agree").click()
    expect(page.get_by_text("Thank you. It may be told in these words.")).to_be_visible()
    expect(story.get_by_text("You agreed")).to_be_visible()


def name_a_place(page: Page) -> None:
    """With how many it reaches; a number that is none is refused beside it, and nothing that was typed is lost."""
    place = page.get_by_label(italian("Address or name of place %(number)s", number=1))
    reach = page.get_by_label(italian("People a month at place %(number)s", number=1))
    place.fill(PLACE)
    reach.fill("quasi tutti")
    page.get_by_role("button", name=italian("Save"), exact=True).click()
    expect(page.locator("#channels-error")).to_be_visible()
    expect(place).to_have_value(PLACE)
    assert is_sound(page)
    reach.fill("2600")
    page.get_by_role("button", name=italian("Save"), exact=True).click()
    expect(page.get_by_text(italian("Saved."))).to_be_visible()
    expect(reach).to_have_value("2600")
