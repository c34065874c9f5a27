"""Mails as bytes: what the standard library reads from them is what was meant, whatever was typed."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import UUID

import pytest
from factories import NOW

from affiliate.newsletters import letters
from affiliate.newsletters.letters import Envelope
from affiliate.newsletters.rendering import Mail

ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


def written(mail: Mail, *, recipient: str = "alice@example.test", sender: str = "Casa Ondera") -> EmailMessage:
    envelope = Envelope(sender, "news@shop.example", "news.casa.shop.example")
    message = letters.written(
        mail, head=envelope.head(), domain=envelope.domain, delivery_id=ID, recipient=recipient,
        one_click="https://shop.example/hooks/unsubscribe/" + "x" * 200, now=NOW,
    )  # fmt: skip
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert max(map(len, message.split(b"\r\n"))) < 998
    return message_from_bytes(message, policy=policy.default)


def test_a_mail_holds_what_mail_providers_ask_for() -> None:
    mail = written(Mail("Żółć & co: 漢字", "<p>Cześć — 漢字</p>" * 300, "Cześć\n.\nEnd"), sender="Casa Óndera")
    assert mail["Subject"] == "Żółć & co: 漢字"
    assert (mail["From"], mail["To"]) == ("Casa Óndera <news@shop.example>", "alice@example.test")
    assert mail["Message-ID"] == f"<{ID}@shop.example>"
    assert (mail["List-Id"], mail["List-Unsubscribe-Post"]) == (
        "<news.casa.shop.example>",
        "List-Unsubscribe=One-Click",
    )
    assert mail["List-Unsubscribe"].startswith("<https://shop.example/hooks/")
    text, html = mail.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert text.get_content() == "Cześć\n.\nEnd"
    assert html.get_content() == "<p>Cześć — 漢字</p>" * 300
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")


def test_a_name_of_several_lines_is_one() -> None:
    assert written(Mail("s", "h", "t"), sender="Casa\r\nBcc: x@y.test")["Bcc"] is None


@pytest.mark.parametrize(
    "recipient", ["", "alice", "@b.test", "a@", "a b@c.test", "a@b.test\r\nBcc: c@d.test", "<a@b.test>"]
)
def test_an_address_that_is_none_is_refused(recipient: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        written(Mail("s", "h", "t"), recipient=recipient)


@pytest.mark.parametrize("recipient", ["a+b.c@d-e.test", '"a b"@c.test'])
def test_an_unusual_address_is_kept(recipient: str) -> None:
    assert written(Mail("s", "h", "t"), recipient=recipient)["To"].addresses[0].addr_spec == recipient
