"""What the fraud rules look at: one partner's credit for one order, and the numbers around it. Pure values.

Nobody's address, mail or name is in here: what had to be compared was compared before, and counts and yes or no are left.
Seconds and days are whole; amounts are in minor units of the order's currency. “Past” is the 28 UTC days before the
order's own day, so that the answer does not depend on the hour at which somebody asks.
"""

from dataclasses import dataclass, field

PAST_DAYS = 28
DATACENTRE = "datacentre"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a less trusted source had said about the order, and what the more trusted one said that replaced it."""

    amount_minor: int
    currency: str
    confirmed_minor: int
    confirmed_currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """An earlier order of the same click or browser, at most a week before."""

    order_id: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The order as believed now. Tax and shipping are what the amount holds of them."""

    order_id: str
    amount_minor: int
    currency: str
    tax_minor: int = 0
    shipping_minor: int = 0
    is_verified: bool = True
    days_since_report: int = 0  # how long ago we first heard of it
    has_tampered_click: bool = False
    conflicts: int = 0  # reports of the same number with other facts, none of which was believed
    claims: tuple[Claim, ...] = ()
    siblings: tuple[Sibling, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The credited click. The same customer is the same browser, or without a cookie the same connection and device."""

    seconds_to_order: int  # from the customer's first click on the partner's links on that day
    clicks_of_customer: int = 1  # on the partner's links, in the 24 hours before this click
    referrer_host: str | None = None
    network: str | None = None  # datacentre, tor, mobile
    search_term: str = ""  # what was typed into a search engine whose paid ad was clicked


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How many new customers, this one included, ordered within 30 days from one browser, and from one connection."""

    of_browser: int = 1
    of_connection: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """In what the customer is one of the partner's people, or looks like one of them."""

    mail: bool = False  # the same mailbox, however spelled
    mail_of_twin: bool = False  # the mailbox of a person of another partner with the same account or VAT id
    domain: bool = False  # a usual mailbox at the partner's own domain
    device: bool = False  # a browser and connection from which the partner's people sign in
    connection: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Those who recruited the partner, directly or not, and those who were recruited with it."""

    recruiters: int = 0
    same_person: int = 0  # recruiters with the partner's mailbox, website, account or VAT id
    bought: bool = False  # the customer is one of their people


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerFacts:
    """Who gets the credit, beside the other partners of the program."""

    website_host: str = ""
    disposable_mails: int = 0  # of its people
    people: int = 1
    twins_by_mail: int = 0  # other partners with the same person's mail, however spelled
    twins_by_website: int = 0
    twins_by_account: int = 0  # other partners whose money goes to the same account
    twins_by_vat_id: int = 0
    twins_stopped: int = 0  # of those twins: refused, paused or banned


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a partner, or the whole program, brought in the past days."""

    clicks: int = 0
    orders: int = 0
    orders_by_click: int = 0
    orders_by_code: int = 0  # credited by a coupon, without any click
    orders_by_machine: int = 0  # by a click out of a data centre
    orders_refunded: int = 0

    def without(self, other: "Past") -> "Past":
        """What the others brought."""
        return Past(
            clicks=max(self.clicks - other.clicks, 0),
            orders=max(self.orders - other.orders, 0),
            orders_by_click=max(self.orders_by_click - other.orders_by_click, 0),
            orders_by_code=max(self.orders_by_code - other.orders_by_code, 0),
            orders_by_machine=max(self.orders_by_machine - other.orders_by_machine, 0),
            orders_refunded=max(self.orders_refunded - other.orders_refunded, 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The order's own day, up to and with the order where it says place, else the whole day."""

    place: int = 1  # which of the partner's orders of the day this is
    place_by_code: int = 0  # which of those by its coupons without a click
    clicks: int = 0  # on the partner's links
    orders_by_machine: int = 0  # by a click out of a data centre
    orders_of_others: int = 0  # of the program's other partners


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramFacts:
    """What the program has to do with it."""

    hosts: tuple[str, ...] = ()  # the shop's own
    window_seconds: int = 30 * 86_400
    brand_terms: tuple[str, ...] = ()
    banned_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is known about one credit when it is judged."""

    order: Order
    contact: Contact | None = None  # none when a coupon alone brought it
    by_code: bool = False
    own: Own = field(default_factory=Own)
    ring: Ring = field(default_factory=Ring)
    crowd: Crowd = field(default_factory=Crowd)
    partner: PartnerFacts = field(default_factory=PartnerFacts)
    past: Past = field(default_factory=Past)
    program_past: Past = field(default_factory=Past)
    today: Today = field(default_factory=Today)
    program: ProgramFacts = field(default_factory=ProgramFacts)
    times: tuple[int, ...] = ()  # seconds from click to order of the partner's last orders before this one
    program_times: tuple[int, ...] = ()  # the same of the program's other orders
