"""What the click path is held against: an empty redirect on the same server, and the same route as a plain Flask view."""

from typing import Any

from flask import Flask, Response, request

from affiliate import clock, ids, settings, streams
from affiliate.tracking import exchange, lanes
from affiliate.tracking.codec import encode
from affiliate.tracking.decide import decide
from affiliate.tracking.parts import Parts
from affiliate.tracking.wsgi import request_facts

_LOCATION = "https://www.shop.example/shoes"


async def rsgi(_scope: Any, protocol: Any) -> None:
    """A redirect over RSGI."""
    protocol.response_empty(302, [("location", _LOCATION), ("cache-control", "no-store")])


def wsgi(_environ: Any, start_response: Any) -> list[bytes]:
    """A redirect over WSGI."""
    start_response("302 Found", [("Location", _LOCATION), ("Cache-Control", "no-store"), ("Content-Length", "0")])
    return []


def flask() -> Flask:
    """The same decision in a Flask view, stored with redis-py."""
    app, parts = Flask("plain"), Parts.of(settings.current())

    @app.get("/r/<code>")
    def link(code: str) -> Response:
        now = clock.now()
        facts, identifier = request_facts(request.environ), ids.new_at(now)
        view = parts.directory.view
        decision = decide(facts, view, parts.keys, now=now, click_id=identifier, fresh_visitor_id=ids.random)
        streams.client().xadd(lanes.stream_of(decision.event), {streams.FIELD: encode(decision.event)})
        return Response(status=302, headers=exchange.headers_of(decision, decision.location or ""))

    return app
