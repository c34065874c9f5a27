"""What people read about strengths and weaknesses: the figure, what it was held against, what changed, what to do next."""

from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats
from affiliate.money import Money
from affiliate.reports.strengths import Against, Change, Finding, Side, Topic
from affiliate.reports.words import Sign

_IN_MONEY = frozenset({Topic.REVENUE, Topic.BASKET})
_COUNTS = frozenset({Topic.SALES, Topic.LATE, Topic.GOALS})
_DAY_SECONDS = 86_400


def topic(one: Topic) -> str:
    """What is judged, in a word or two."""
    return {
        Topic.REVENUE: _("Revenue"),
        Topic.SALES: _("Sales"),
        Topic.CONVERSION_RATE: _("Conversion rate"),
        Topic.BASKET: _("Basket (AOV)"),
        Topic.ROI: _("ROI"),
        Topic.NEW_CUSTOMERS: _("New customers"),
        Topic.REVERSALS: _("Orders come back"),
        Topic.DOUBTFUL: _("Doubtful orders"),
        Topic.ONE_PARTNER: _("Share of the best partner"),
        Topic.ABANDONMENT: _("Abandoned carts"),
        Topic.MOMENTUM: _("Partners at risk"),
        Topic.APPROVAL: _("Time to approval"),
        Topic.LATE: _("Late decisions"),
        Topic.GOALS: _("Goals"),
    }[one]


def named(one: Topic, side: Side) -> str:
    """The same as a name of what the program is strong or weak at: nobody is strong at late decisions."""
    strengths = {
        Topic.REVERSALS: _("Few orders come back"),
        Topic.DOUBTFUL: _("Few doubtful orders"),
        Topic.ONE_PARTNER: _("Revenue from many partners"),
        Topic.ABANDONMENT: _("Few abandoned carts"),
        Topic.MOMENTUM: _("Few partners at risk"),
        Topic.APPROVAL: _("Quick approval"),
        Topic.LATE: _("No late decisions"),
    }
    return strengths.get(one, topic(one)) if side is Side.STRONG else topic(one)


def printed(one: Topic, value: int | None, currency: str) -> str:
    """A figure in the unit of its topic."""
    if value is None:
        return formats.UNKNOWN
    if one in _IN_MONEY:
        return formats.money(Money(value, currency))
    if one is Topic.APPROVAL:
        return ngettext("%(num)s day", "%(num)s days", -(-value // _DAY_SECONDS))
    return formats.number(value) if one in _COUNTS else formats.percent_bps(value)


def told(found: Finding, currency: str) -> str:
    """The figure in a sentence."""
    now, of = printed(found.topic, found.now, currency), formats.number(found.of)
    return {
        Topic.REVENUE: _("Partners brought %(now)s.", now=now),
        Topic.SALES: _("Partners brought %(now)s sales.", now=now),
        Topic.CONVERSION_RATE: _("%(now)s of the valid clicks became a sale.", now=now),
        Topic.BASKET: _("Customers paid %(now)s per order on average.", now=now),
        Topic.ROI: _("What came in, less the cost, was %(now)s of the cost.", now=now),
        Topic.NEW_CUSTOMERS: _("%(share)s of the orders whose customer is known came from new ones.", share=now),
        Topic.REVERSALS: _("%(share)s of commissions were taken back.", share=now),
        Topic.DOUBTFUL: _("%(share)s of orders are under review or rejected.", share=now),
        Topic.ONE_PARTNER: _("The best partner brings %(share)s of the revenue.", share=now),
        Topic.ABANDONMENT: _("%(share)s of the visits that came to the last step before the order ended there.", share=now),
        Topic.MOMENTUM: _("%(share)s of %(count)s partners fade, sleep or need support.", share=now, count=of),
        Topic.APPROVAL: _("Half of the commissions are approved within %(time)s of the order.", time=now),
        Topic.LATE: _("Decisions that are late: %(count)s of %(of)s.", count=now, of=of),
        Topic.GOALS: _("Goals that are behind: %(count)s of %(of)s.", count=now, of=of),
    }[found.topic]  # fmt: skip


def compared(found: Finding, currency: str) -> str:
    """What the figure was held against, in a sentence."""
    other = printed(found.topic, found.compared, currency)
    if found.against is Against.NOTHING:
        return _("There is nothing yet to hold it against.")
    if found.against is Against.BEFORE:
        return _("Held against the days before: %(number)s.", number=other)
    if found.against is Against.MIDDLE:
        said = _("Held against the program's own middle of %(count)s spans of as many days: %(number)s.", count=formats.number(found.spans), number=other)  # fmt: skip
        return str(said)
    promised = {
        Topic.GOALS: _("Held against the line of each goal, or its season."),
        Topic.LATE: _("Held against the times that the program promises."),
    }
    bound = {
        Side.STRONG: _("Held against the level of a strong program: at most %(number)s.", number=other),
        Side.WEAK: _("Held against the level from which it is a weakness: %(number)s.", number=other),
        Side.NEITHER: _("Not strong any more, and a weakness from %(number)s on.", number=other),
    }
    return promised.get(found.topic) or bound[found.side]


def change(found: Finding, currency: str) -> str:
    """What became of it since the days before, in a sentence."""
    before = printed(found.topic, found.before, currency)
    return {
        Change.BETTER: _("Better than in the days before: %(number)s then.", number=before),
        Change.WORSE: _("Worse than in the days before: %(number)s then.", number=before),
        Change.SAME: _("About as in the days before: %(number)s then.", number=before),
        Change.UNKNOWN: _("How it was in the days before is not known."),
    }[found.change]


def changed(one: Change) -> Sign:
    """The same as a badge."""
    return {
        Change.BETTER: Sign("good", _("Better"), "trending-up"),
        Change.WORSE: Sign("bad", _("Worse"), "trending-down"),
        Change.SAME: Sign("", _("The same"), "minus"),
        Change.UNKNOWN: Sign("", _("Not known"), "minus"),
    }[one]


def step(found: Finding) -> str | None:
    """A suggested next step: of a weakness what helps, of a strength how to keep it; none between."""
    if found.side is Side.NEITHER:
        return None
    return _helps(found.topic) if found.side is Side.WEAK else _keeps(found.topic)


def _helps(one: Topic) -> str:
    return {
        Topic.REVENUE: _("See which partners brought less, and write to them before you look for new ones."),
        Topic.SALES: _("See which partners sold less, and ask them what has changed."),
        Topic.CONVERSION_RATE: _("See by partner and page where clicks bring nothing, and give these partners better pages to link to."),
        Topic.BASKET: _("Let partners link to sets and larger goods, or pay more for larger orders."),
        Topic.ROI: _("See what was spent beside commissions, and try another plan on your own orders before you change it."),
        Topic.NEW_CUSTOMERS: _("Pay more for new customers, and give partners material for people who do not know you."),
        Topic.REVERSALS: _("See which products come back, and tell the partners who sell them what customers expect wrongly."),
        Topic.DOUBTFUL: _("Look at the orders under review by partner, and talk to the ones behind most of them."),
        Topic.ONE_PARTNER: _("Win more partners, and agree on goals with the next best ones."),
        Topic.ABANDONMENT: _("See at which step visits end, and by which device; try the order yourself on a phone."),
        Topic.MOMENTUM: _("Write to the partners at risk with the most at stake first."),
        Topic.APPROVAL: _("Shorten the validation period, or tell the shop to report deliveries sooner: partners wait for their money."),
        Topic.LATE: _("Decide what is late today: people remember how long they waited."),
        Topic.GOALS: _("Look at the goals that are behind: do something for them, or agree on another number."),
    }[one]  # fmt: skip


def _keeps(one: Topic) -> str:
    return {
        Topic.REVENUE: _("See which partners brought it, and tell them."),
        Topic.SALES: _("See which partners brought them, and tell them."),
        Topic.CONVERSION_RATE: _("See which pages sell, and show them to the other partners."),
        Topic.ONE_PARTNER: _("Many carry the program: go on inviting."),
        Topic.GOALS: _("Aim higher with the next goal."),
    }.get(one) or _("Go on as now, and note on the day what you change, so that one sees what it did.")
