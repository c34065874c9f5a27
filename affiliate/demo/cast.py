"""Who and what the demo shows: a shop for kitchen things, its partners, its people. All invented."""

from dataclasses import dataclass
from typing import Any

from affiliate.money import BPS_PER_UNIT, divide_half_even

PROGRAM_SLUG = "casa-ondera"
PROGRAM_NAME = "Casa Ondera"
CURRENCY = "EUR"
TAX_BPS = 22_00
SHIPPING_MINOR = 4_90
FREE_SHIPPING_FROM_MINOR = 80_00
COUPON = "MARTA10"
DISCOUNT_BPS = 10_00

ACCOUNTS = {
    "IT": "IT60 X054 2811 1010 0000 0123 456",
    "PL": "PL61 1090 1014 0000 0712 1981 2874",
    "DE": "DE89 3704 0044 0532 0130 00",
    "IE": "IE29 AIBK 9311 5212 3456 78",
}
"""The account numbers that banks print as examples; partners have those that come after them."""


def N_(text: str) -> str:  # noqa: N802 - the name that Babel's extraction knows
    """Mark a text that is translated where it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class Product:
    """Something the demo shop sells; the price in minor units, tax inside. Name and text are translated where they are shown."""

    sku: str
    name: str
    group: str
    price_minor: int
    weight: int
    text: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in."""

    email: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Promoter:
    """A partner of the demo: how many clicks a day its links bring, and how often a click becomes a sale."""

    name: str
    owner: str
    email: str
    website: str
    country: str
    clicks_per_day: int
    sale_bps: int
    links: tuple[tuple[str, str, str], ...]  # code, name, path in the shop
    subs: tuple[str, ...]
    coupon: str | None = None


GROUPS = {
    "cookware": N_("Pots and pans"),
    "knives": N_("Knives"),
    "textiles": N_("Linen"),
    "coffee": N_("Coffee"),
    "wood": N_("Wood"),
}

PRODUCTS = (
    Product(
        "pot-26", N_("Cast-iron pot, 26 cm"), "cookware", 118_00, 5,
        N_("Enamelled inside, four litres, for the oven and every hob."),
    ),
    Product(
        "pan-28", N_("Carbon-steel pan, 28 cm"), "cookware", 64_00, 8,
        N_("Light for its size, and better with every month."),
    ),
    Product(
        "knife-chef", N_("Chef’s knife, 20 cm"), "knives", 89_00, 6,
        N_("Forged in Maniago, with an olive-wood handle."),
    ),
    Product("apron", N_("Linen apron"), "textiles", 32_50, 9, N_("Washed linen, crossed at the back, one size.")),
    Product("towels", N_("Three kitchen towels"), "textiles", 18_90, 12, N_("Cotton and linen, woven in Puglia.")),
    Product("moka", N_("Moka pot, six cups"), "coffee", 34_00, 10, N_("Steel, for induction too.")),
    Product(
        "grinder", N_("Hand coffee grinder"), "coffee", 72_00, 4,
        N_("Steel burrs, forty clicks from espresso to filter."),
    ),
    Product(
        "board", N_("Walnut board"), "wood", 45_00, 6, N_("One piece, oiled, with a groove for the juice.")
    ),
)  # fmt: skip

STAFF = (
    Person("admin@casa-ondera.example", "Ada Conti", "admin"),
    Person("manager@casa-ondera.example", "Ines Keller", "manager"),
    Person("finance@casa-ondera.example", "Tomasz Wolny", "finance"),
)

DEPUTY = Person("deputy@casa-ondera.example", "Greta Lind", "manager")
"""A second manager, who stands in for the first."""

PROMOTERS = (
    Promoter(
        "Marta’s Slow Kitchen", "Marta Sala", "marta@slow-kitchen.example", "https://slow-kitchen.example", "IT", 34, 340,
        (("marta-ragu", "Sunday ragù", "p/pot-26"), ("marta-shop", "The shop", "")), ("ragu-post", "newsletter", "bio"), COUPON,
    ),
    Promoter(
        "Domowe Smaki Ewy", "Ewa Lis", "ewa@domowe-smaki.example", "https://domowe-smaki.example", "PL", 26, 260,
        (("ewa-pan", "Patelnia", "p/pan-28"), ("ewa-shop", "Sklep", "")), ("pierogi", "filmik"),
    ),
    Promoter(
        "Piatto Lento", "Luca Ferri", "luca@piatto-lento.example", "https://piatto-lento.example", "IT", 18, 300,
        (("piatto-lento", "La dispensa", ""),), ("ricetta", "storia"),
    ),
    Promoter(
        "Kochfreunde Elbtal", "Jana Roth", "jana@kochfreunde.example", "https://kochfreunde.example", "DE", 15, 240,
        (("kochfreunde", "Messer", "p/knife-chef"),), ("forum",),
    ),
    Promoter(
        "Studio Larkfen", "Owen Larkfen", "owen@larkfen.example", "https://larkfen.example", "IE", 12, 180,
        (("larkfen-coffee", "Coffee corner", "p/grinder"),), ("reel", "story"),
    ),
    Promoter(
        "Tavola & Tela", "Bianca Orsi", "bianca@tavola-tela.example", "https://tavola-tela.example", "IT", 10, 320,
        (("tavola-tela", "Linen", "p/apron"),), ("lookbook",),
    ),
    Promoter(
        "Il Cucchiaio Storto", "Paolo Neri", "paolo@cucchiaio.example", "https://cucchiaio.example", "IT", 6, 150,
        (("cucchiaio", "Moka", "p/moka"),), ("podcast",),
    ),
    Promoter(
        "Nordbrise Angebote", "Nils Petersen", "nils@nordbrise.example", "https://nordbrise.example", "DE", 22, 60,
        (("nordbrise", "Angebote", ""),), ("deal", "push"),
    ),
)  # fmt: skip

APPLICANTS: tuple[tuple[Promoter, dict[str, Any]], ...] = (
    (
        Promoter("Fornelli Spenti", "Sara Vento", "sara@fornelli.example", "https://fornelli.example", "IT", 0, 0, (), ()),
        {
            "channels": [
                {"kind": "blog", "address": "fornelli.example", "people": 4_200},
                {"kind": "newsletter", "address": "Fornelli, ogni venerdì", "people": 900},
            ],
            "audience": "Home cooks in Italy, most of them between 30 and 50.",
            "experience": "Two cookbooks and a pasta machine; 40 sales last year.",
            "why": "I cook with your pots and would like to write about them.",
        },
    ),
    (
        Promoter("Zielnik Babci", "Anna Kos", "anna@zielnik.example", "https://zielnik.example", "PL", 0, 0, (), ()),
        {"channels": [{"kind": "instagram", "address": "@zielnik.babci", "people": 11_000}], "conflicts": "None.", "why": "My readers ask for a knife that lasts. Yours has for six years."},
    ),
)  # fmt: skip

MISSION = "Things for the kitchen that outlive fashions: repaired for life, made within a day’s drive of our workshop."
DESCRIPTION = (
    "Pots, knives, linen and coffee tools. An average basket is about 75 euro, and one order in twelve comes back."
)
AUDIENCE = "Food writers, cooking channels and small newsletters whose readers cook at home and buy few, good things."
TERMS = (
    "No bidding on our name. Say that a link is paid. Coupons only those we gave you. We answer within one working day."
)


def tax_inside(gross_minor: int) -> int:
    """The tax that a price with tax contains, in minor units."""
    return gross_minor - divide_half_even(gross_minor * BPS_PER_UNIT, BPS_PER_UNIT + TAX_BPS)
