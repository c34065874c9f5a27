"""Whether to ask a server that failed lately, or to go on without it. Pure: moments are arguments, in seconds of a clock that only runs forward."""

from dataclasses import dataclass
from typing import Literal

FAILURES_MAX = 2
"""So many failures in a row, and nobody waits for the server any more."""
PAUSE_SECONDS_MIN = 0.5
PAUSE_SECONDS_MAX = 5.0

State = Literal["closed", "open", "half_open"]


@dataclass(slots=True)
class Breaker:
    """Closed: everybody asks. Open: nobody. Half open: one asks, and what comes of it decides for the others.

    Threads may share one: where two decide in the same instant, one probe more is sent, and nothing else happens.
    """

    failures: int = 0
    _asked_again_at: float = 0.0
    _is_probing: bool = False

    def allows(self, now: float) -> bool:
        """Whether to ask. After a pause this says yes once, and then no until the outcome of that one is told."""
        if self.failures < FAILURES_MAX:
            return True
        if now < self._asked_again_at:
            return False
        self._asked_again_at = now + self._pause_seconds
        self._is_probing = True
        return True

    def succeeded(self) -> None:
        """The server answered: everybody may ask again."""
        self.failures = 0

    def failed(self, now: float) -> None:
        """The server did not answer, or said no. Each failed probe doubles the pause, up to its limit.

        Hundreds may fail together, who asked before it opened: theirs is one failure, and does not lengthen the pause.
        """
        if self.failures >= FAILURES_MAX and not self._is_probing:
            return
        self._is_probing = False
        self.failures += 1
        self._asked_again_at = now + self._pause_seconds

    def state(self, now: float) -> State:
        """The state in a word, for people who look after the server."""
        if self.failures < FAILURES_MAX:
            return "closed"
        return "open" if now < self._asked_again_at else "half_open"

    @property
    def _pause_seconds(self) -> float:
        doublings = min(self.failures - FAILURES_MAX, 10)
        return float(min(PAUSE_SECONDS_MIN * 2 ** max(doublings, 0), PAUSE_SECONDS_MAX))
