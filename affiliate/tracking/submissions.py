"""One event on its way into a stream, and the script that takes it: compared, appended and logged in one atomic step."""

import enum
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from affiliate import ids, streams
from affiliate.tracking import known, rawlog
from affiliate.tracking.codec import ConversionEvent, OrderStageEvent, RefundEvent, Trust, encode
from affiliate.tracking.rawlog import RawRequest

FINGERPRINT_SECONDS = 8 * 24 * 3600
"""Longer than any sender repeats itself; later, SQL remembers."""

Call = list[str | bytes | int]
"""A call of the script: how many keys, the keys, the arguments."""

SCRIPT = """
local stream, log, seconds, length = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local answers = {}
for i = 3, #KEYS do
  local at = 4 * i - 9
  local fingerprint, remembered, event, line = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local kept = redis.call('GET', KEYS[i])
  if not kept and remembered ~= '' then
    kept = remembered
    redis.call('SET', KEYS[i], kept, 'EX', seconds)
  end
  local answer = 409
  if not kept then
    redis.call('XADD', stream, '*', 'e', event)
    redis.call('SET', KEYS[i], fingerprint, 'EX', seconds)
    answer = 202
  elseif kept == fingerprint then
    answer = 200
  end
  if line ~= '' then
    local reason = answer == 409 and 'conflicting_body' or ''
    redis.call('XADD', log, 'MAXLEN', length, '*', 'e', line, 's', answer, 'r', reason)
  end
  answers[i - 2] = answer
end
return answers
"""
SCRIPT_SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()  # how Redis names a script
_PIECE = 100  # one to two milliseconds of the server's time; clicks wait for it


class Outcome(enum.IntEnum):
    """What became of a submission."""

    KNOWN = 200
    ACCEPTED = 202
    CONFLICT = 409


class Submission(NamedTuple):
    """An event with an id of its own, the trust at which its body is compared, and where its fingerprint is kept.

    `request` is its line in the log; null where the log would not keep it for the others that come with it.
    """

    event: ConversionEvent | OrderStageEvent | RefundEvent
    kind: known.EventKind
    identifier: UUID
    trust: int
    key: str
    request: RawRequest | None

    @classmethod
    def of(cls, event: ConversionEvent | OrderStageEvent | RefundEvent, request: RawRequest | None) -> "Submission":
        """The submission of an event; order events and refunds come from servers only."""
        kind: known.EventKind = "order"
        trust = int(Trust.SERVER)
        if isinstance(event, ConversionEvent):
            kind, identifier, trust = "conversion", event.conversion_id, event.trust
        elif isinstance(event, RefundEvent):
            kind, identifier = "refund", event.refund_uuid
        else:
            identifier = event.order_event_id
        key = streams.fingerprint_key(identifier, trust, program_id=event.program_id, order_id=event.order_id)
        return cls(event, kind, identifier, trust, key, request)

    @property
    def public_id(self) -> str:
        """The id as the sender sees it."""
        return ids.public({"conversion": "cnv", "order": "evt", "refund": "ref"}[self.kind], self.identifier)


OUTCOMES = {int(outcome): outcome for outcome in Outcome}  # calling an enum costs ten times as much


def pieces(submissions: Sequence[Submission]) -> Iterator[list[int]]:
    """The positions of what goes into one call: of one shard, which one script may touch, of one program, and not too many."""
    alike: dict[tuple[str, UUID], list[int]] = {}
    for at, submission in enumerate(submissions):
        event = submission.event
        alike.setdefault((streams.order_stream(event.program_id, event.order_id), event.program_id), []).append(at)
    for positions in alike.values():
        yield from (positions[start : start + _PIECE] for start in range(0, len(positions), _PIECE))


def call(piece: Sequence[Submission], remembered: Mapping[str, str]) -> Call:
    """The script's keys, counted, and its arguments."""
    program_id, order_id = piece[0].event.program_id, piece[0].event.order_id
    keys = [streams.order_stream(program_id, order_id), streams.raw_log_key(program_id, order_id)]
    said: Call = [len(keys) + len(piece), *keys, *[submission.key for submission in piece]]
    said += [FINGERPRINT_SECONDS, rawlog.LENGTH_MAX]
    for submission in piece:
        line = rawlog.packed(submission.request) if submission.request else ""
        fingerprint = submission.event.fingerprint
        said += [fingerprint, remembered.get(submission.key, ""), encode(submission.event), line]
    return said
