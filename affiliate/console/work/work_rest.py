"""What a work list that was cut leaves out, in words: as many more of a kind."""

from flask_babel import ngettext


def applications(count: int) -> str:
    """Applications that are not shown."""
    return ngettext("%(num)d more application", "%(num)d more applications", count)


def cases(count: int) -> str:
    """Cases that are not shown."""
    return ngettext("%(num)d more case", "%(num)d more cases", count)


def runs(count: int) -> str:
    """Payout runs that are not shown."""
    return ngettext("%(num)d more payout run", "%(num)d more payout runs", count)


def invoices(count: int) -> str:
    """Invoices of partners that are not shown."""
    return ngettext("%(num)d more invoice", "%(num)d more invoices", count)


def at_risk(count: int) -> str:
    """Partners at risk that are not shown."""
    return ngettext("%(num)d more partner at risk", "%(num)d more partners at risk", count)


def trials(count: int) -> str:
    """Partners on trial that need somebody and are not shown."""
    return ngettext("%(num)d more partner on trial", "%(num)d more partners on trial", count)


def deadlines(count: int) -> str:
    """Responsibilities that are not shown."""
    return ngettext("%(num)d more deadline", "%(num)d more deadlines", count)


def shared_goals(count: int) -> str:
    """Goals proposed by partners that are not shown."""
    return ngettext("%(num)d more proposed goal", "%(num)d more proposed goals", count)


def running_goals(count: int) -> str:
    """Shared goals behind, or long without a review, that are not shown."""
    return ngettext("%(num)d more shared goal", "%(num)d more shared goals", count)
