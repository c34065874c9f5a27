"""A shop in a running application, as the tests of the tracker's edge hold it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis
from flask.testing import FlaskClient

from affiliate import streams
from affiliate.links.models import Link
from affiliate.partners.models import Partner
from affiliate.programs.models import Program
from affiliate.tracking.codec import Event, decode
from affiliate.tracking.tracker import Tracker


@dataclass(frozen=True, slots=True)
class Shop:
    """What the tests of the edge have in hand."""

    program: Program
    partner: Partner
    link: Link
    client: FlaskClient
    tracker: Tracker
    redis_client: redis.Redis
    secret: str
    make_key: Callable[..., str]

    def post(self, path: str, body: Any = None, *, secret: str | None = None, **arguments: Any) -> Any:
        """A call of the shop's server."""
        headers = {"Authorization": f"Bearer {secret or self.secret}"} | arguments.pop("headers", {})
        if body is not None:
            arguments["json"] = body
        return self.client.post(f"/api/v1{path}", headers=headers, **arguments)

    def stored(self, stream: str = streams.order_shard(0)) -> list[Any]:
        """The events in a stream, in their order."""
        entries: Any = self.redis_client.xrange(stream)
        events: list[Event] = [decode(fields[streams.FIELD]) for _, fields in entries]
        return events

    def clicks(self) -> list[Any]:
        """The stored clicks."""
        return self.stored(streams.click_shard(0))
