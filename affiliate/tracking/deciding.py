"""Clicks that came together, decided together: each gets its id and its moment here, before any I/O.

A click by itself runs through so much code that the processor has forgotten most of it when the next one comes; a stage that
is done for all of them in a row finds its code and its values still at hand.
"""

from collections.abc import Sequence

from affiliate import clock, ids
from affiliate.tracking.decide import Decision, RequestFacts, decide
from affiliate.tracking.facts import View
from affiliate.tracking.keys import Keys


def decide_in_turn(requests: Sequence[RequestFacts], view: View, keys: Keys) -> list[Decision]:
    """The decision about each, in their order, all at one moment."""
    now = clock.now()
    fresh = [ids.new_at(now) for _ in requests]
    return [
        decide(request, view, keys, now=now, click_id=click_id, fresh_visitor_id=ids.random)
        for request, click_id in zip(requests, fresh, strict=True)
    ]
