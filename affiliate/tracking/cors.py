"""Which pages may read our answers: those on the program's own hosts. Pure; the same words by every adapter."""

from collections.abc import Iterable

from affiliate.links import hosts

_PREFLIGHT_SECONDS = "3600"


def headers(origin: str, allowed_hosts: Iterable[str]) -> dict[str, str]:
    """What lets scripts of this origin read an answer; nothing for the origins of others."""
    if hosts.landing_problem(f"{origin}/", allowed_hosts) is not None:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
    }
