"""Rules on the way of the click: floods, times that no people have, networks of machines, bought brand words. Pure."""

from collections.abc import Sequence

from affiliate.fraud.facts import DATACENTRE, Facts
from affiliate.fraud.signals import Limits, Signal

_PERCENT = 100
_TENTH = 10


def click_flood(facts: Facts, limits: Limits) -> Signal | None:
    """The customer clicked the partner's links again and again on the day of the order: somebody clicked for them."""
    contact = facts.contact
    if contact is None or contact.clicks_of_customer < limits["clicks"]:
        return None
    return Signal({"clicks_in_a_day": contact.clicks_of_customer, "limit": limits["clicks"]})


def low_rate(facts: Facts, limits: Limits) -> Signal | None:
    """Of very many clicks almost none becomes an order, far below the others: clicks made to catch whoever orders anyway."""
    mine, others = facts.past, facts.program_past.without(facts.past)
    if mine.clicks < limits["clicks"] or others.clicks < limits["clicks"] or not others.orders_by_click:
        return None
    if mine.orders_by_click * others.clicks * limits["times"] >= others.orders_by_click * mine.clicks:
        return None
    return Signal(_rates(facts))


def high_rate(facts: Facts, limits: Limits) -> Signal | None:
    """Far more of the clicks become orders than with the others: clicks laid over orders that were coming anyway."""
    mine, others = facts.past, facts.program_past.without(facts.past)
    if mine.orders_by_click < limits["orders"] or not mine.clicks or others.clicks < limits["clicks"]:
        return None
    if mine.orders_by_click * others.clicks <= limits["times"] * max(others.orders_by_click, 1) * mine.clicks:
        return None
    return Signal(_rates(facts))


def _rates(facts: Facts) -> dict[str, int | str]:
    mine, others = facts.past, facts.program_past.without(facts.past)
    return {
        "clicks": mine.clicks,
        "orders": mine.orders_by_click,
        "clicks_of_others": others.clicks,
        "orders_of_others": others.orders_by_click,
    }


def too_fast(facts: Facts, limits: Limits) -> Signal | None:
    """From click to order in seconds, and not for the first time: nobody chooses, types an address and pays so fast."""
    contact = facts.contact
    if contact is None or contact.seconds_to_order >= limits["seconds"]:
        return None
    before = sum(1 for seconds in facts.times if seconds < limits["seconds"])
    if before + 1 < limits["orders"]:
        return None
    evidence: dict[str, int | str] = {"seconds": contact.seconds_to_order, "as_fast_before": before}
    return Signal(evidence | {"of_last_orders": len(facts.times)})


def too_flat(facts: Facts, limits: Limits) -> Signal | None:
    """Orders follow the clicks at any time alike, or always after the same time. People order soon, or not at all.

    Compared with the program's other orders, because some things are bought after weeks of thought.
    """
    if facts.contact is None or len(facts.times) < limits["orders"]:
        return None
    if _is_constant(facts.times):
        return Signal({"orders": len(facts.times), "fastest": min(facts.times), "slowest": max(facts.times)})
    early = _early_percent(facts.times, facts.program.window_seconds)
    usual = _early_percent(facts.program_times, facts.program.window_seconds)
    if early > limits["early_percent"] or len(facts.program_times) < limits["orders"] or usual < 2 * max(early, 1):
        return None
    return Signal({"orders": len(facts.times), "early_percent": early, "early_percent_of_others": usual})


def _is_constant(times: Sequence[int]) -> bool:
    """Whether all lie within a twentieth of their middle. Below a minute they are too short to tell."""
    middle = sorted(times)[len(times) // 2]
    return middle >= 60 and max(times) - min(times) <= middle // 20  # noqa: PLR2004 - said above


def _early_percent(times: Sequence[int], window_seconds: int) -> int:
    """How many of a hundred orders came in the first tenth of the window."""
    if not times:
        return 0
    return _PERCENT * sum(1 for seconds in times if seconds * _TENTH < window_seconds) // len(times)


def machine_network(facts: Facts, limits: Limits) -> Signal | None:
    """The click came out of the Tor network, or out of a data centre as too many of the partner's do.

    Some people shop through a VPN that ends in a data centre; with every partner about as many.
    """
    network = facts.contact.network if facts.contact else None
    if network == "tor":
        return Signal({"network": network})
    return _out_of_data_centres(facts, limits) if network == DATACENTRE else None


def _out_of_data_centres(facts: Facts, limits: Limits) -> Signal | None:
    mine, others = facts.past, facts.program_past.without(facts.past)
    of_machines = mine.orders_by_machine + facts.today.orders_by_machine
    orders = mine.orders + facts.today.place
    if of_machines < limits["orders"]:
        return None
    if of_machines * others.orders <= limits["times"] * others.orders_by_machine * orders:
        return None
    return Signal(
        {
            "network": DATACENTRE,
            "orders": orders,
            "orders_by_machine": of_machines,
            "orders_of_others": others.orders,
            "orders_of_others_by_machine": others.orders_by_machine,
        }
    )


def brand_bidding(facts: Facts, _limits: Limits) -> Signal | None:
    """A paid ad in a search engine brought the click, for words with the program's own name."""
    searched = " ".join((facts.contact.search_term if facts.contact else "").lower().split())
    term = next((one for one in facts.program.brand_terms if one and f" {one} " in f" {searched} "), None)
    return Signal({"brand_word": term}) if searched and term else None


def tampered_click(facts: Facts, _limits: Limits) -> Signal | None:
    """The order named a click with a signature that is not ours, and was credited in another way."""
    return Signal({"click_ids_not_ours": 1}) if facts.order.has_tampered_click else None
