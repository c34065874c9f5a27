"""When a server that fails is asked again."""

from affiliate.tracking.breaker import FAILURES_MAX, PAUSE_SECONDS_MAX, PAUSE_SECONDS_MIN, Breaker


def broken(now: float = 0.0) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker()
    for _ in range(FAILURES_MAX):
        breaker.failed(now)
    return breaker


def test_one_failure_alone_changes_nothing() -> None:
    breaker = Breaker()
    breaker.failed(0.0)
    assert breaker.allows(0.0)
    assert breaker.state(0.0) == "closed"


def test_failures_in_a_row_stop_the_asking_for_a_pause() -> None:
    breaker = broken()
    assert not breaker.allows(PAUSE_SECONDS_MIN - 0.01)
    assert breaker.state(0.0) == "open"


def test_after_the_pause_one_asks_and_the_others_wait_for_what_comes_of_it() -> None:
    breaker = broken()
    assert breaker.state(PAUSE_SECONDS_MIN) == "half_open"
    assert breaker.allows(PAUSE_SECONDS_MIN)
    assert not breaker.allows(PAUSE_SECONDS_MIN)


def test_a_probe_that_never_tells_its_outcome_does_not_close_the_way_for_ever() -> None:
    breaker = broken()
    assert breaker.allows(PAUSE_SECONDS_MIN)
    assert breaker.allows(2 * PAUSE_SECONDS_MIN)


def test_an_answer_opens_the_way_for_all() -> None:
    breaker = broken()
    breaker.succeeded()
    assert breaker.allows(0.0)
    assert breaker.allows(0.0)


def test_a_failure_between_answers_does_not_add_up() -> None:
    breaker = Breaker()
    for _ in range(10):
        breaker.failed(0.0)
        breaker.succeeded()
    assert breaker.allows(0.0)


def test_each_failed_probe_doubles_the_pause_up_to_a_limit() -> None:
    breaker, now, pauses = broken(), PAUSE_SECONDS_MIN, []
    for _ in range(6):
        assert breaker.allows(now)
        breaker.failed(now)
        pauses.append(next(n for n in range(1, 100) if breaker.state(now + n / 2) == "half_open") / 2)
        now += pauses[-1]
    assert pauses == [1.0, 2.0, 4.0, PAUSE_SECONDS_MAX, PAUSE_SECONDS_MAX, PAUSE_SECONDS_MAX]


def test_those_who_fail_together_fail_once() -> None:
    breaker = broken()
    for _ in range(100):
        breaker.failed(0.0)
    assert breaker.allows(PAUSE_SECONDS_MIN)
