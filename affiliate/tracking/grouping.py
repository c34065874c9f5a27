"""Clicks that come in one turn of the event loop are decided together, stage by stage, before their events go out in one write.

Alone a click waits for nobody.
"""

import asyncio
from collections.abc import Callable

from affiliate.tracking import lanes, rsgi
from affiliate.tracking.codec import encode
from affiliate.tracking.committer import Job
from affiliate.tracking.decide import Decision
from affiliate.tracking.deciding import decide_in_turn
from affiliate.tracking.parts import Parts


class Click(Job, kw_only=True, eq=False, gc=True):  # its error may hold the frame that holds it
    """A click under way. It has its decision and its bytes when `done` is so, by an acknowledgement or by `NotStored`."""

    scope: rsgi.Scope
    decision: Decision | None = None


class Grouping:
    """Gathers clicks for one event loop. `send` brings an event on its way; the links have to be known before a click is taken."""

    def __init__(self, parts: Parts, send: Callable[[Job], None], *, trusted_proxies: int) -> None:
        self._parts = parts
        self._send = send
        self._trusted_proxies = trusted_proxies
        self._loop = asyncio.get_running_loop()
        self._arrived: list[Click] = []

    def take(self, scope: rsgi.Scope) -> Click:
        """Decide this click with those that come in the same turn. Its `done` fails with whatever spoils the decision."""
        click = Click(self._loop.create_future(), scope=scope)
        if not self._arrived:
            self._loop.call_soon(self._take_turn)
        self._arrived.append(click)
        return click

    def _take_turn(self) -> None:
        clicks, self._arrived = self._arrived, []
        try:
            self._decide(clicks)
        except Exception:  # noqa: BLE001 - one that cannot be read must not spoil the others
            clicks = [click for click in clicks if self._is_decided_alone(click)]
        for click in clicks:
            try:
                self._send(click)
            except Exception as error:  # noqa: BLE001 - no visitor waits for an answer that nobody gives
                click.fail(error)

    def _is_decided_alone(self, click: Click) -> bool:
        try:
            self._decide([click])
        except Exception as error:  # noqa: BLE001 - whoever waits for the answer is told
            click.fail(error)
            return False
        return True

    def _decide(self, clicks: list[Click]) -> None:
        facts = [rsgi.request_facts(click.scope, trusted_proxies=self._trusted_proxies) for click in clicks]
        decisions = decide_in_turn(facts, self._parts.directory.view, self._parts.keys)
        payloads = [encode(decision.event) for decision in decisions]
        for click, decision, payload in zip(clicks, decisions, payloads, strict=True):
            click.stream, click.decision, click.payload = lanes.stream_of(decision.event), decision, payload
