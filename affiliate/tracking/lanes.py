"""Which stream an event goes into: everything about one click, or one order, takes the same one."""

from affiliate import streams
from affiliate.tracking.codec import ClickEvent, Event, RejectedEvent, StepEvent, TouchEvent

_CLICK = "click"


def stream_of(event: Event) -> str:
    """The stream of this event."""
    if isinstance(event, (ClickEvent, StepEvent)):  # a union of both is asked three times as long
        return streams.click_stream(event.click_id)
    if isinstance(event, TouchEvent):
        return streams.click_stream(event.touch_id)
    if isinstance(event, RejectedEvent):
        return _of_rejected(event)
    return streams.order_stream(event.program_id, event.order_id)


def _of_rejected(event: RejectedEvent) -> str:
    if event.kind == _CLICK:
        return streams.click_stream(event.delivery_id)
    order_id = event.payload.get("order_id")
    return streams.order_stream(event.program_id, order_id if isinstance(order_id, str) else None)
