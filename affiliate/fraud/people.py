"""Rules on who is who: the customer and the partner, partners among themselves, many customers at one place. Pure."""

from affiliate.fraud import identity
from affiliate.fraud.facts import Facts
from affiliate.fraud.signals import Action, Limits, Signal

_SHARED = frozenset({"mobile"})
"""Networks in which strangers share one address."""

_SHARED_TIMES = 40
"""How many times as many customers it takes there."""


def self_referral(facts: Facts, _limits: Limits) -> Signal | None:
    """The customer is one of the partner's people. A shared roof or domain does not prove it."""
    own = facts.own
    proof = {"same_mail": own.mail, "same_mail_as_second_account": own.mail_of_twin}
    signs = {"mail_at_own_domain": own.domain} | (
        {} if _is_shared(facts) else {"same_device": own.device, "same_connection": own.connection}
    )
    evidence = {name: 1 for name, found in (proof | signs).items() if found}
    if not evidence:
        return None
    return Signal(evidence, at_most=Action.REJECT if any(proof.values()) else Action.FLAG)


def duplicate_partner(facts: Facts, _limits: Limits) -> Signal | None:
    """The partner has another account in the program: the same mailbox or website, spelled otherwise, account or VAT id."""
    partner = facts.partner
    twins = {
        "partners_with_this_mail": partner.twins_by_mail,
        "partners_with_this_website": partner.twins_by_website,
        "partners_with_this_account": partner.twins_by_account,
        "partners_with_this_vat_id": partner.twins_by_vat_id,
    }
    if not any(twins.values()):
        return None
    evidence = {name: number for name, number in twins.items() if number} | {"of_these_stopped": partner.twins_stopped}
    return Signal(evidence, at_most=Action.REJECT if partner.twins_stopped else Action.FLAG)


def partner_ring(facts: Facts, _limits: Limits) -> Signal | None:
    """Partners recruited themselves, or buy from one another: the recruiter's share is paid for nobody's work."""
    ring = facts.ring
    if not (ring.same_person or ring.bought):
        return None
    found = {
        "recruiters": ring.recruiters,
        "recruiters_same_person": ring.same_person,
        "bought_in_ring": int(ring.bought),
    }
    return Signal(
        {name: number for name, number in found.items() if number},
        at_most=Action.REJECT if ring.same_person else Action.FLAG,
    )


def disposable_mail(facts: Facts, _limits: Limits) -> Signal | None:
    """All people of the partner are reached at throwaway mailboxes only."""
    partner = facts.partner
    if not partner.disposable_mails or partner.disposable_mails < partner.people:
        return None
    return Signal({"people": partner.people, "throwaway_mailboxes": partner.disposable_mails})


def one_place(facts: Facts, limits: Limits) -> Signal | None:
    """Many new customers order from one browser or one connection. In a mobile network thousands share a connection."""
    crowd, needed = facts.crowd, limits["customers"]
    evidence = {"new_customers_of_browser": crowd.of_browser, "new_customers_of_connection": crowd.of_connection}
    if crowd.of_browser >= needed:
        return Signal(evidence)
    shared = _is_shared(facts)
    if crowd.of_connection < needed * (_SHARED_TIMES if shared else 1):
        return None
    return Signal(evidence, at_most=Action.FLAG if shared else Action.REJECT)


def banned_referrer(facts: Facts, _limits: Limits) -> Signal | None:
    """The click came from a site that the program has banned."""
    host = _referrer(facts)
    banned = next((one for one in facts.program.banned_hosts if identity.is_within(host, one)), None)
    return Signal({"site": banned}) if host and banned else None


def lookalike_referrer(facts: Facts, _limits: Limits) -> Signal | None:
    """The click came from a site that passes itself off as the shop's, and is not the website that the partner told us."""
    host = _referrer(facts)
    own = facts.partner.website_host
    if not host or (own and identity.is_within(host, own)):
        return None
    if any(identity.is_within(host, shop) for shop in facts.program.hosts):
        return None
    copied = next((shop for shop in facts.program.hosts if identity.looks_like(host, shop)), None)
    return Signal({"site": host, "looks_like": copied}) if copied else None


def _is_shared(facts: Facts) -> bool:
    return facts.contact is not None and facts.contact.network in _SHARED


def _referrer(facts: Facts) -> str:
    return (facts.contact.referrer_host or "") if facts.contact else ""
