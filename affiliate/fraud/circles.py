"""Whom a batch's partners know: their people, second accounts, recruiters. And whether the customer is one of these."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import settings
from affiliate.fraud import mailboxes, partners, rings
from affiliate.fraud.facts import Own, PartnerFacts, Ring
from affiliate.fraud.partners import Enrolled, Twins
from affiliate.fraud.queries import CreditRow
from affiliate.fraud.rings import Kin
from affiliate.fraud.surroundings import ClickFacts

_ALONE = Kin()


@dataclass(frozen=True, slots=True)
class Circles:
    """What the queries brought, by partner or by program and partner."""

    mails: Mapping[UUID, Sequence[str]]
    websites: Mapping[UUID, str | None]
    twins: Mapping[UUID, Twins]
    kin: Mapping[Enrolled, Kin]
    sightings: Mapping[UUID, Collection[str]]
    facts: Mapping[Enrolled, PartnerFacts]

    def own(self, row: CreditRow, click: ClickFacts | None) -> Own:
        """In what the customer of an order is like the people of the credited partner."""
        partner_id, customer = row.partner_id, row.email_hash
        seen = self.sightings.get(partner_id, ())
        return Own(
            mail=self._is_of(customer, [partner_id]),
            mail_of_twin=self._is_of(customer, self.twins[partner_id].proven),
            domain=self._is_nearby(customer, partner_id),
            device=click is not None and click.device in seen,
            connection=click is not None and click.connection in seen,
        )

    def ring(self, row: CreditRow) -> Ring:
        """Who recruited the credited partner, and whether one of them bought or is the partner itself."""
        kin = self.kin.get((row.program_id, row.partner_id), _ALONE)
        recruiters = kin.recruiters.keys()
        return Ring(
            recruiters=len(recruiters),
            same_person=len(recruiters & self.twins[row.partner_id].everybody),
            bought=self._is_of(row.email_hash, kin.everybody),
        )

    def _is_of(self, customer: str | None, partner_ids: Iterable[UUID]) -> bool:
        """Whether a hashed address is of one of these partners' people, however spelled."""
        if customer is None:
            return False
        addresses = [address for one in partner_ids for address in self.mails.get(one, ())]
        return bool(addresses) and customer in mailboxes.hashes_of(_secret(), addresses)

    def _is_nearby(self, customer: str | None, partner_id: UUID) -> bool:
        if customer is None:
            return False
        addresses, website = self.mails.get(partner_id, ()), self.websites[partner_id]
        return customer in mailboxes.hashes_nearby(_secret(), addresses=addresses, website=website)


def of(session: Session, *, credits_: Sequence[CreditRow]) -> Circles:
    """The circles of the partners who are credited. The number of queries does not depend on theirs."""
    enrolled = {(row.program_id, row.partner_id) for row in credits_}
    partner_ids = {partner_id for _, partner_id in enrolled}
    mails = partners.mails_of(session, partner_ids=partner_ids)
    websites = partners.websites_of(session, partner_ids=partner_ids)
    twins = partners.twins_of(session, mails=mails, websites=websites)
    kin = rings.of(session, program_ids={one[0] for one in enrolled}, partner_ids=partner_ids)
    others = {other for one in twins.values() for other in one.proven}
    others |= {other for one in kin.values() for other in one.everybody}
    return Circles(
        mails=dict(partners.mails_of(session, partner_ids=others - partner_ids)) | mails,
        websites=websites,
        twins=twins,
        kin=kin,
        sightings=partners.sightings_of(session, partner_ids=partner_ids),
        facts=partners.facts_of(session, enrolled=enrolled, mails=mails, websites=websites, twins=twins),
    )


def _secret() -> str:
    return settings.current().secret_key
