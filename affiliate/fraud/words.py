"""The rules in the reader's language: their names, what each means, and the numbers it saw."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from affiliate import formats
from affiliate.fraud.signals import Action, Verdict


def verdict(code: Verdict) -> str:
    """A verdict as a word."""
    return {Verdict.PASS: _("Passed"), Verdict.FLAG: _("Under review"), Verdict.REJECT: _("Rejected")}[code]


def action(code: Action) -> str:
    """What a program does when a rule speaks."""
    return {Action.OFF: _("Do nothing"), Action.FLAG: _("Put under review"), Action.REJECT: _("Reject")}[code]


def rule(name: str | None) -> str:
    """A rule by its name, short."""
    names: dict[str, str] = {
        "self_referral": _("Own purchase"),
        "banned_referrer": _("Banned site"),
        "unconfirmed": _("Never confirmed"),
        "replayed_order": _("Order told again"),
        "varied_order_id": _("Order told twice"),
        "told_otherwise": _("Amounts differ"),
        "tampered_click": _("Forged click id"),
        "machine_network": _("Data centre or Tor"),
        "brand_bidding": _("Ad on the brand's name"),
        "lookalike_referrer": _("Site that copies the shop"),
        "duplicate_partner": _("Second partner account"),
        "partner_ring": _("Ring of partners"),
        "disposable_mail": _("Throwaway mailbox"),
        "one_place": _("Many customers, one place"),
        "click_flood": _("Flood of clicks"),
        "too_fast": _("Too fast"),
        "too_flat": _("Times that no people have"),
        "high_rate": _("Too many orders for the clicks"),
        "low_rate": _("Too few orders for the clicks"),
        "velocity": _("Sudden jump"),
        "coupon_leak": _("Leaked code"),
        "refund_farming": _("Too much sent back"),
        "missing_disclosure": _("Ad without a disclosure"),
        "by_hand": _("Found by a person"),
    }
    return names.get(name or "", name or "")


def meaning(name: str | None) -> str:
    """What a rule looks at, as a sentence for partners and managers alike."""
    sentences: dict[str, str] = {
        "self_referral": _("The customer seems to be one of the partner's own people."),
        "banned_referrer": _("The click came from a site that the program does not allow."),
        "unconfirmed": _("Only a page of the shop reported the order, and the shop's server never confirmed it."),
        "replayed_order": _("The same order number was reported again and again with other facts."),
        "varied_order_id": _("The same order seems to have been reported twice under two numbers."),
        "told_otherwise": _("A page reported another amount or currency than the shop's server."),
        "tampered_click": _("The order named a click id with a signature that is not ours."),
        "machine_network": _("The click came out of a data centre or the Tor network."),
        "brand_bidding": _("A paid search ad on the program's own name brought the click."),
        "lookalike_referrer": _("The click came from a site that looks like the shop's but is not."),
        "duplicate_partner": _(
            "Another account in the program has the same mailbox, website, payout account or VAT number."
        ),
        "partner_ring": _("Partners who recruited one another seem to be one person, or buy from one another."),
        "disposable_mail": _("The partner can be reached at throwaway mailboxes only."),
        "one_place": _("Many new customers ordered from one browser or one connection."),
        "click_flood": _("Very many clicks of one customer came before the order."),
        "too_fast": _("Again and again orders follow seconds after the click."),
        "too_flat": _("Orders follow the clicks at all times alike, or always after the same time."),
        "high_rate": _("Far more of the clicks become orders than with the other partners."),
        "low_rate": _("Far fewer of the clicks become orders than with the other partners."),
        "velocity": _("Many more orders came on one day than usual, while others sold as always."),
        "coupon_leak": _("The code was suddenly used by many customers who never clicked."),
        "refund_farming": _("Far more orders are sent back than with the other partners."),
        "missing_disclosure": _("The advertising was not marked as such."),
        "by_hand": _("A manager wants to look at this order."),
    }
    return sentences.get(name or "", "")


def limit(name: str) -> str:
    """A threshold of a rule."""
    names: dict[str, str] = {
        "bps": _("Tolerance, hundredths of a percent"),
        "clicks": _("From so many clicks on"),
        "customers": _("From so many customers on"),
        "days": _("After so many days"),
        "early_percent": _("At most so many percent come early"),
        "history": _("After so many earlier orders"),
        "orders": _("From so many orders on"),
        "percent": _("From so many percent on"),
        "reports": _("From so many other reports on"),
        "seconds": _("Below so many seconds"),
        "times": _("So many times the usual"),
    }
    return names.get(name, name)


def evidence(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """The numbers that a rule saw, each with its name."""
    return [{"name": _seen(name), "value": _value(value)} for name, value in found.items()]


def _value(value: Any) -> str:
    return formats.number(value) if isinstance(value, int) else str(value)


def _seen(name: str) -> str:
    names: dict[str, str] = {
        "as_fast_before": _("As fast before"),
        "bought_in_ring": _("Bought by a partner of the ring"),
        "brand_word": _("Word of the brand"),
        "click_ids_not_ours": _("Click ids that are not ours"),
        "clicks": _("Clicks"),
        "clicks_in_a_day": _("Clicks in a day"),
        "clicks_of_others": _("Clicks of the others"),
        "clicks_today": _("Clicks that day"),
        "confirmed_currency": _("Confirmed currency"),
        "confirmed_minor": _("Confirmed, in the smallest coin"),
        "days": _("Days"),
        "days_before": _("Days before"),
        "early_percent": _("Percent that come early"),
        "early_percent_of_others": _("Percent that come early, others"),
        "fastest": _("Fastest, seconds"),
        "limit": _("Limit"),
        "looks_like": _("Looks like"),
        "mail_at_own_domain": _("Mailbox at the partner's own domain"),
        "network": _("Network"),
        "new_customers_of_browser": _("New customers of the browser"),
        "new_customers_of_connection": _("New customers of the connection"),
        "of_last_orders": _("Of the last orders"),
        "of_these_stopped": _("Of these paused or banned"),
        "orders": _("Orders"),
        "orders_alike": _("Orders alike"),
        "orders_before": _("Orders before"),
        "orders_by_machine": _("Orders out of data centres"),
        "orders_by_code_before": _("Orders by code before"),
        "orders_by_code_today": _("Orders by code that day"),
        "orders_of_others": _("Orders of the others"),
        "orders_of_others_by_machine": _("Orders of the others out of data centres"),
        "orders_of_others_before": _("Orders of the others before"),
        "orders_of_others_today": _("Orders of the others that day"),
        "orders_today": _("Orders that day"),
        "other_reports": _("Reports with other facts"),
        "partners_with_this_account": _("Other partners with this payout account"),
        "partners_with_this_mail": _("Other partners with this mailbox"),
        "partners_with_this_vat_id": _("Other partners with this VAT number"),
        "partners_with_this_website": _("Other partners with this website"),
        "people": _("People"),
        "recruiters": _("Recruiters above"),
        "recruiters_same_person": _("Of these the same person"),
        "refunded": _("Sent back"),
        "refunded_of_others": _("Sent back, others"),
        "same_connection": _("Connection of the partner's people"),
        "same_device": _("Browser of the partner's people"),
        "same_mail": _("Same mailbox"),
        "same_mail_as_second_account": _("Same mailbox as a second account of the partner"),
        "seconds": _("Seconds from click to order"),
        "site": _("Site"),
        "slowest": _("Slowest, seconds"),
        "throwaway_mailboxes": _("Throwaway mailboxes"),
        "told_currency": _("Currency told"),
        "told_minor": _("Told, in the smallest coin"),
    }
    return names.get(name, name)
