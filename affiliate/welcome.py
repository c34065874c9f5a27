"""What `affiliate up` prints when everything answers: addresses, demo sign-ins, and what to try first."""

from collections.abc import Iterator
from typing import Any

from affiliate.settings import Settings


def lines(settings: Settings, *, demo: dict[str, Any] | None) -> Iterator[str]:
    """The lines, for a person who sees this for the first time. `demo` is the content of `demo.json`."""
    yield ""
    yield f"The partner program server answers at {settings.base_url}"
    yield f"  API      {settings.base_url}/api/docs"
    yield f"  Health   {settings.base_url}/readyz"
    if demo:
        yield from _sign_ins(settings, demo)
        yield from _tour(settings, demo)
    else:
        yield "  Make yourself an account with: .venv/bin/affiliate user create --help"
    yield f"Everything is kept in {settings.data_dir}. Ctrl-C stops all of it."
    yield ""


def _sign_ins(settings: Settings, demo: dict[str, Any]) -> Iterator[str]:
    yield f"Sign in at {settings.base_url}/login as"
    for person in demo["people"]:
        yield f"  {person['role']:<8} {person['email']}  {person['password']}"


def _tour(settings: Settings, demo: dict[str, Any]) -> Iterator[str]:
    code = demo["links"][0]["code"] if demo["links"] else None
    yield "To try"
    if code:
        yield f"  1. Follow a partner's link to the demo shop and buy something: {settings.tracking_url}/r/{code}"
    yield f"  2. See the commission as the partner: {settings.base_url}/portal/"
    yield f"  3. Approve and pay as manager and finance: {settings.base_url}/console/"
    yield f"  4. Send orders from a shop of your own: the API key is in {settings.data_dir / 'demo.json'}"
