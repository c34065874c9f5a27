"""What is made up in the month, a function for each kind, and beside each what looks like it and is honest."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from fraud_story import BEGINS, DAYS, Month

from affiliate import ids
from affiliate.ingest.models import ConversionRevision, Refund, RejectedEvent, RejectReason, Trust
from affiliate.partners import marks
from affiliate.partners.models import EnrollmentStatus, MarkKind, PartnerMark, PartnerTerms

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"


def somewhere() -> dict[str, Any]:
    """A click from a connection of its own."""
    return {"address_hash": ids.new().hex * 2}


def on(day: int, minutes: int = 0) -> Any:
    """Some time of a day, the same in every run."""
    return BEGINS + timedelta(days=day % DAYS, hours=9, minutes=minutes)


def machines(month: Month) -> None:
    """A script in a data centre, another behind Tor."""
    for number in range(16):
        network = "tor" if number % 2 else "datacentre"
        month.fraud("machine", 30, month.moment(number), somewhere() | {"network": network})


def burst(month: Month) -> None:
    """Two dozen orders on one day, of a partner known for little. Beside it one whose video is a success: half as many."""
    for number in range(24):
        month.fraud("burst", 36, on(25, number), somewhere())
    for number in range(7):
        month.order(24, on(18, number * 50), click=somewhere())


def one_place(month: Month) -> None:
    """New customers, one connection. Beside it an office of four, and a household that shares a browser."""
    for number in range(14):
        month.fraud("one_place", 25, on(12 + number), {"address_hash": "f" * 64})
    visitor = ids.new()
    for number in range(4):
        month.order(26, on(4 + number), click={"address_hash": "e" * 64})
        month.order(26, on(4 + number), click=somewhere(), visitor_id=visitor)


def too_fast(month: Month) -> None:
    """A script that orders seconds after its click. Beside it buyers whose basket was full before they clicked, one a partner."""
    for number in range(12):
        month.fraud("too_fast", 35, on(2 + number), somewhere(), after=timedelta(seconds=2))
    for partner in range(12):
        month.order(partner, on(3 + partner), click=somewhere(), after=timedelta(seconds=4))


def told_twice(month: Month) -> None:
    """The same order once more under another spelling. Beside it a customer's second order, and one in two parcels."""
    for number in range(10):
        visitor, told = ids.new(), {"visitor_id": ids.new(), "amount_minor": 80_00}
        first = month.order(5, on(number), click=somewhere(), order_id=f"T-{number}7001", **told)
        at = month.orders[first]
        month.fraud("told_twice", 5, at + 5 * MINUTE, somewhere(), order_id=f"t{number}7001", **told)
        for order_id in (f"S-{number}8001", f"S-{number}8002"):
            month.order(5, at, click=somewhere(), visitor_id=visitor, order_id=order_id, amount_minor=80_00)


def flood(month: Month) -> None:
    """Clicks made for the customer. Beside it somebody who comes back to the same link all day."""
    for number in range(8):
        for clicks, is_fraud in ((40, True), (9, False)):
            visitor, at = ids.new(), month.moment(number + 3)
            for one in range(clicks):
                month.click(15, at - timedelta(minutes=90 + one), visitor_id=visitor)
            last = {"click": {"visitor_id": visitor}, "after": timedelta(minutes=20)}
            month.fraud("flood", 15, at, **last) if is_fraud else month.order(15, at, **last)


def tampered(month: Month) -> None:
    """A click id that is not ours. Beside it one that has expired: the shop kept it too long."""
    for number in range(8):
        month.fraud("tampered", 10, month.moment(number), somewhere(), click_refusal="tampered_click_id")
        month.order(10, month.moment(number), click=somewhere(), click_refusal="unknown_click")


def told_otherwise(month: Month) -> None:
    """A page that tells ten times the amount. Beside it one that leaves the tax out."""
    for number in range(8):
        for told_minor, tax_minor, kind in ((500_00, 0, "told_otherwise"), (41_00, 9_00, None)):
            fields = {"amount_minor": 50_00, "tax_minor": tax_minor}
            at = month.moment(number)
            made = (
                month.fraud(kind, 8, at, somewhere(), **fields)
                if kind
                else month.order(8, at, click=somewhere(), **fields)
            )
            before = {"conversion_id": made, "delivery_id": ids.new(), "revision": 1, "trust": Trust.OPEN}
            facts = {"amount_minor": told_minor, "currency": "EUR"}
            differences = {"amount_minor": [told_minor, 50_00]}
            month.add(ConversionRevision, id=ids.new(), **before, facts=facts, differences=differences, replaced_at=at)


def told_again(month: Month) -> None:
    """Numbers sent again and again with other facts. Beside them a shop that corrected itself once."""
    for number in range(6):
        for reports, is_fraud in ((4, True), (1, False)):
            at = month.moment(number)
            made = month.fraud("told_again", 9, at, somewhere()) if is_fraud else month.order(9, at, click=somewhere())
            for _ in range(reports):
                told = {"program_id": month.program_id, "kind": "conversion", "conversion_id": made, "payload": {}}
                month.add(RejectedEvent, id=ids.new(), **told, reason=RejectReason.CONFLICTING_BODY, received_at=at)


def own_purchases(month: Month) -> None:
    """Partners who buy from themselves: by mail, however spelled, from their own browser or domain. Beside them neighbours."""
    shopper = month.partner(mail="anna.riva@gmail.com", website="https://anna-riva.example/")
    home, phone = "d" * 64, "c" * 64
    for kind, mark in (
        (MarkKind.CONNECTION, home),
        (MarkKind.DEVICE, marks.device(home, FIREFOX)),
        (MarkKind.CONNECTION, phone),
    ):
        month.add(PartnerMark, partner_id=month.links[shopper][0], kind=kind, mark=mark, noted_at=BEGINS)
    for number, mail in enumerate(("annariva@gmail.com", "anna.riva@gmail.com", "annariva@googlemail.com") * 2):
        month.fraud("own_mail", shopper, on(number), somewhere(), email_hash=month.hashed(mail))
    for number in range(3):
        month.fraud(
            "own_domain", shopper, on(9 + number), somewhere(), email_hash=month.hashed("info@anna-riva.example")
        )
        click = {"address_hash": home, "user_agent": FIREFOX, "visitor_id": ids.new()}
        month.fraud("own_browser", shopper, on(13 + number), click)
        # Strangers behind the mobile address that her phone had, and a customer at the same mail service.
        month.order(shopper, on(16 + number), click={"address_hash": phone, "network": "mobile"})
        month.order(
            shopper, on(19 + number), click=somewhere(), email_hash=month.hashed(f"anna.rivara{number}@gmail.com")
        )


def sites(month: Month) -> None:
    """Banned sites, and some that copy the shop. Beside them names that only sound like these, and a partner's own fan page."""
    fan = month.partner(mail="fan@post.example", website="https://casaondera-fans.example/")
    for number in range(5):
        for kind, host in (("banned_site", "it.coupons.example"), ("copied_site", "casaondara.example")):
            month.fraud(kind, 14, on(number), somewhere() | {"referrer_host": host})
        for host in ("mycoupons.example", "casarosa.example"):
            month.order(14, on(number), click=somewhere() | {"referrer_host": host})
        month.order(fan, on(number), click=somewhere() | {"referrer_host": "casaondera-fans.example"})


def brand_bidding(month: Month) -> None:
    """Paid ads on the shop's name. Beside them ads on pans, and the shop's own newsletter."""
    for number in range(6):
        ad = {"utm": {"term": "casa ondera sale", "medium": "cpc"}}
        month.fraud("brand_ad", 11, on(number), somewhere() | ad)
        for utm in ({"term": "copper pans", "medium": "cpc"}, {"term": "casa ondera", "medium": "email"}):
            month.order(11, on(number), click=somewhere() | {"utm": utm})


def second_accounts(month: Month) -> None:
    """One person behind two partners: by mailbox, website, account or VAT id. Beside them an agency's people, and namesakes."""
    banned = EnrollmentStatus.BANNED
    month.partner(mail="rosa.b@gmail.com", status=banned)
    pairs = {"second_mail": [month.partner(mail="rosab+2@gmail.com")]}
    site = "https://www.instagram.com/ragu/"
    pairs["second_site"] = [month.partner(mail=f"ragu{n}@post.example", website=site) for n in range(2)]
    for kind, mark in (("second_account", MarkKind.ACCOUNT), ("second_vat_id", MarkKind.VAT_ID)):
        pairs[kind] = [month.partner(mail=f"{kind}{n}@post.example") for n in range(2)]
        for one in pairs[kind]:
            month.add(PartnerMark, partner_id=month.links[one][0], kind=mark, mark=kind, noted_at=BEGINS)
    honest = [
        month.partner(mail=mail) for mail in ("rosa.bianchi@gmail.com", "one@agency.example", "two@agency.example")
    ]
    honest.append(month.partner(mail="gnocchi@post.example", website="https://www.instagram.com/gnocchi/"))
    for number in range(4):
        for kind, partners in pairs.items():
            for one in partners:
                month.fraud(kind, one, on(number * 5), somewhere())
        for one in honest:
            month.order(one, on(number * 5), click=somewhere())
    buyer, other = pairs["second_account"]
    assert buyer != other
    month.fraud("second_account", buyer, on(7), somewhere(), email_hash=month.hashed("second_account1@post.example"))


def rings(month: Month) -> None:
    """Somebody who recruited himself, and partners who buy from one another. Beside them honest recruits."""
    mills = [month.partner(mail=mail) for mail in ("mill@gmail.com", "m.ill+2@gmail.com")]
    circle = [month.partner(mail=f"circle{n}@post.example") for n in range(3)]
    honest = [month.partner(mail=f"recruit{n}@post.example") for n in range(3)]
    for group in (mills, circle, honest):
        for one in group[1:]:
            recruiter_id, partner_id = month.links[group[0]][0], month.links[one][0]
            terms = {"program_id": month.program_id, "partner_id": partner_id, "recruiter_id": recruiter_id}
            month.add(PartnerTerms, **terms, group_name=None, updated_at=BEGINS)
    for number in range(4):
        month.fraud("recruited_himself", mills[1], on(number * 3), somewhere())
        month.fraud(
            "bought_in_ring", circle[1], on(number * 3), somewhere(), email_hash=month.hashed("circle2@post.example")
        )
        month.order(circle[1], on(number * 3 + 1), click=somewhere(), email_hash=month.hashed("somebody@post.example"))
        month.order(honest[1], on(number * 3), click=somewhere(), email_hash=month.hashed("anybody@post.example"))


def throwaway(month: Month) -> None:
    """A partner who is reached at a throwaway mailbox only. Beside it one at a small mail service."""
    thrown, small = month.partner(mail="x@mailinator.com"), month.partner(mail="x@mail-in-a-box.example")
    for number in range(5):
        month.fraud("throwaway", thrown, on(number * 4), somewhere())
        month.order(small, on(number * 4), click=somewhere())


def unconfirmed(month: Month) -> None:
    """Orders that only a page told of. Beside them those that the server confirmed after a week."""
    for number in range(8):
        made = month.fraud("unconfirmed", 13, month.moment(number), somewhere(), trust=Trust.OPEN, source="pixel")
        month.late.add(made)
        month.order(13, month.moment(number), click=somewhere(), trust=Trust.SERVER, source="pixel")


def too_flat(month: Month) -> None:
    """Orders at any time after the click alike: somebody writes clicks for orders that come anyway. Others decide soon."""
    flat = month.partner(mail="flat@post.example")
    for number in range(60):
        after = timedelta(hours=6 + 11 * number % 640)
        month.fraud("too_flat", flat, on(number // 2, number), somewhere(), after=after)
        month.clicks(flat, number // 2, 30)


def rates(month: Month) -> None:
    """Clicks laid over orders that were coming anyway, and clicks by the ten thousand. Beside them a critic, and a big banner."""
    high, low, critic, banner = (month.partner(mail=f"rate{n}@post.example") for n in range(4))
    for day in range(DAYS):
        month.clicks(high, day, 2)
        month.clicks(low, day, 4_000)
        month.clicks(critic, day, 10)
        month.clicks(banner, day, 200)
        month.fraud("high_rate", high, on(day), somewhere())
        month.order(critic, on(day), click=somewhere())
        if day % 3 == 0:
            month.fraud("low_rate", low, on(day), somewhere())
        month.order(banner, on(day, 30), click=somewhere())


def leaked(month: Month) -> None:
    """A code that stands on a coupon site for two days. Beside it a code that a video made known, with the clicks that it brings."""
    for partner, is_fraud in ((17, True), (18, False)):
        month.coupon(partner)
        for number in range(24):
            at = on(23 + number // 16, 3 * number)
            month.fraud("leaked", partner, at, None) if is_fraud else month.order(partner, at, click=None)
        if not is_fraud:
            month.clicks(partner, 23, 4_000)
            month.clicks(partner, 24, 4_000)


def farming(month: Month) -> None:
    """A partner most of whose orders go back. Beside it one of whose orders every fifth does."""
    farm, usual = month.partner(mail="farm@post.example"), month.partner(mail="usual@post.example")
    for day in range(DAYS):
        for partner, every in ((farm, 1), (usual, 5)):
            for minute in range(2):
                at = on(day, minute)
                is_fraud = partner == farm
                made = (
                    month.fraud("farming", partner, at, somewhere())
                    if is_fraud
                    else month.order(partner, at, click=somewhere())
                )
                if day % every == 0:
                    whose = {
                        "program_id": month.program_id,
                        "conversion_id": made,
                        "is_test": False,
                        "order_id": str(made),
                    }
                    when = {"occurred_at": at + DAY, "received_at": at + DAY}
                    told = {
                        "refund_id": str(made),
                        "amount_minor": 10_00,
                        "currency": "EUR",
                        "items": [],
                        "fingerprint": "0" * 64,
                    }
                    month.add(Refund, id=ids.new(), **whose, **told, **when)


KINDS: tuple[Callable[[Month], None], ...] = (
    *(machines, burst, one_place, too_fast, told_twice, flood, tampered, told_otherwise, told_again, own_purchases),
    *(sites, brand_bidding, second_accounts, rings, throwaway, unconfirmed, too_flat, rates, leaked, farming),
)
