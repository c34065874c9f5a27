"""What somebody asks of a report, as an address or a kept report holds it. Pure; anything that cannot be read counts as not asked."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from affiliate import ids
from affiliate.reports import periods
from affiliate.reports.periods import Period, Span

NAME = "name"
TEXT_LENGTH_MAX = 100
NARROWING = ("tag", "group", "segment")
"""By what a program's partners can be narrowed beside a single one."""
_NARROWING_LENGTH_MAX = 40
USUAL = Span.MONTH


class By(enum.StrEnum):
    """What a row of a report is."""

    DAY = "day"
    LINK = "link"
    CREATIVE = "creative"
    SUB = "sub"  # sub1
    SUB2 = "sub2"
    SUB3 = "sub3"
    SUB4 = "sub4"
    SUB5 = "sub5"
    SUB6 = "sub6"
    SUB7 = "sub7"
    SUB8 = "sub8"
    SUB9 = "sub9"
    SUB10 = "sub10"
    PRODUCT = "product"
    CATEGORY = "category"
    COUNTRY = "country"
    DEVICE = "device"
    REFERRER = "referrer"
    COUPON = "coupon"
    PARTNER = "partner"  # of a program


class Against(enum.StrEnum):
    """What each row is compared with."""

    BEFORE = "before"  # as many days just before
    YEAR = "year"  # the same weekdays a year earlier


FURTHER_SUBS = (By.SUB2, By.SUB3, By.SUB4, By.SUB5, By.SUB6, By.SUB7, By.SUB8, By.SUB9, By.SUB10)
"""The sub ids beside the first, called as clicks call them. No rollup counts by them: only a combined report does, from the clicks."""
SUBS = (By.SUB, *FURTHER_SUBS)
PARTNERS_OWN = tuple(by for by in By if by not in {By.PARTNER, *FURTHER_SUBS})
PROGRAMS = (By.PARTNER, By.DAY, By.COUNTRY, By.REFERRER, By.DEVICE, By.CREATIVE, By.COUPON, By.PRODUCT, By.CATEGORY)
COLUMNS = ("clicks_raw", "clicks_valid", "conversions", "conversion_rate", "epc", "aov", "revenue", "earnings")
USUAL_COLUMNS = tuple(key for key in COLUMNS if key != "aov")
_SOLD_COLUMNS = ("conversions", "aov", "revenue", "earnings")
_OF_PROGRAM = ("reversal_rate",)
_OF_CLICKS = ("rpc",)  # of rows that have clicks
_OF_PARTNERS = ("new_customers", "new_share", "cost", "ecpa", "roas", "roi", "margin")
"""What a program counts beside. Costs are of partners and days: no country or product has any."""
OF_SALES = frozenset(_SOLD_COLUMNS)
"""What follows from sales alone, whatever the clicks."""
OF_CUSTOMERS = frozenset({"new_customers", "new_share"})
_GRADED = ("rating",)  # of partners alone: no day has a grade
USUAL_OF_PROGRAM = (
    "clicks_valid", "conversions", "conversion_rate", "revenue", "earnings", "reversal_rate", "cost", "roi",
)  # fmt: skip
_ALL_COLUMNS = (*COLUMNS, *_OF_CLICKS, *_OF_PROGRAM, *_OF_PARTNERS, *_GRADED)


@dataclass(frozen=True, slots=True)
class Asked:
    """A report: what its rows are, of which days, in which order, with which columns, compared with what, whose name holds what.

    A program's may be `narrowed`: to one partner (`partner`, a public id), else to those of a tag, a group, a saved choice (`segment`).
    """

    by: By = By.DAY
    span: Span | None = None
    first: str = ""
    last: str = ""
    sort: str = ""
    columns: tuple[str, ...] = ()
    against: Against | None = None
    text: str = ""
    of_program: bool = False
    narrowed: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> dict[str, str]:
        """What of it has to stand in an address."""
        found = {
            "by": self.by.value,
            "span": self.span.value if self.span else "",
            "first": self.first,
            "last": self.last,
            "sort": self.sort,
            "columns": ",".join(self.columns),
            "compare": self.against.value if self.against else "",
            "q": self.text,
        }
        return {name: value for name, value in (found | dict(self.narrowed)).items() if value}

    @property
    def partner_id(self) -> UUID | None:
        """The one partner that a program's report is narrowed to."""
        return ids.read("ptn", self.narrowed.get("partner", ""))

    def order(self) -> str:
        """The column (or the name) to sort by, with a minus for the largest first."""
        usual = f"-{NAME}" if self.by is By.DAY else "-earnings"
        return self.sort if self.sort.removeprefix("-") in {*self.possible_columns(), NAME} else usual

    def possible_columns(self) -> tuple[str, ...]:
        """The columns that say something about such rows."""
        found = columns_of(self.by)
        if not self.of_program:
            return found
        more = _OF_PARTNERS if self.by in {By.PARTNER, By.DAY} else ()
        clicks = () if by_sales_alone(self.by) else _OF_CLICKS
        return (*found, *clicks, *_OF_PROGRAM, *more, *(_GRADED if self.by is By.PARTNER else ()))

    def shown_columns(self) -> tuple[str, ...]:
        """The columns in their order; those that say nothing about such rows are left out."""
        possible = self.possible_columns()
        chosen = tuple(key for key in possible if key in self.columns)
        usual = USUAL_OF_PROGRAM if self.of_program else USUAL_COLUMNS
        return chosen or tuple(key for key in possible if key in usual or by_sales_alone(self.by))

    def period(self, *, now: datetime, zone: str) -> Period | None:
        """The days it is about; null where those that were typed make no period."""
        if not (self.first or self.last):
            return periods.spanned(self.span or USUAL, now=now, zone=zone)
        try:
            first, last = date.fromisoformat(self.first), date.fromisoformat(self.last)
            found = Period(first, last + timedelta(days=1), zone)
            _instants = (
                found.a_year_before.starts_at,
                found.before.starts_at,
                found.ends_at,
            )  # days at the ends of the calendar have none
        except (ValueError, OverflowError):
            return None
        return found

    def on(self, period: Period) -> "Asked":
        """The same about these days, whatever the calendar says later."""
        last = period.end - timedelta(days=1)
        return replace(self, span=None, first=period.first.isoformat(), last=last.isoformat())


def read(typed: Mapping[str, str], *, possible: Sequence[By]) -> Asked:
    """What an address or a kept report asks for. Narrowed to one partner, a program's report has the rows of that partner."""

    def text(name: str) -> str:
        return str(typed.get(name, ""))[:TEXT_LENGTH_MAX]

    of_program = By.PARTNER in possible
    is_of_one = of_program and ids.read("ptn", text("partner")) is not None
    possible = PARTNERS_OWN if is_of_one else possible
    by = By(text("by")) if text("by") in set(possible) else possible[0]
    return Asked(
        by=by,
        span=Span(text("span")) if text("span") in set(Span) else None,
        first=text("first"),
        last=text("last"),
        sort=text("sort"),
        columns=chosen_columns(str(typed.get("columns", "")), _ALL_COLUMNS),
        against=Against(text("compare")) if text("compare") in set(Against) else None,
        text=" ".join(text("q").split()),
        of_program=of_program,
        narrowed={
            name: text(name)[:_NARROWING_LENGTH_MAX] for name in _narrowing(by, is_of_one=is_of_one) if text(name)
        },
    )


def _narrowing(by: By, *, is_of_one: bool) -> tuple[str, ...]:
    """What narrows such rows: only those of partners can be fewer by what a partner is."""
    if is_of_one:
        return ("partner",)
    return NARROWING if by is By.PARTNER else ()


def by_sales_alone(by: By) -> bool:
    """Whether such rows have sales, but no clicks of their own."""
    return by in {By.PRODUCT, By.CATEGORY, By.COUPON}


def chosen_columns(text: str, possible: Sequence[str]) -> tuple[str, ...]:
    """Those of `possible` that an address names, in their own order; none: the usual ones are meant."""
    named = text.split(",")
    return tuple(key for key in possible if key in named)


def columns_of(by: By) -> tuple[str, ...]:
    """The columns that say something about such rows."""
    return _SOLD_COLUMNS if by_sales_alone(by) else COLUMNS


def compared(period: Period, against: Against | None) -> Period:
    """The days that a period is held against: those before, unless asked otherwise."""
    return period.a_year_before if against is Against.YEAR else period.before
