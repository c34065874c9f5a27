"""API keys in a request: read from the `Authorization` header, found in the tables or in the tracker's memory, their use noted."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
from flask import current_app, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from affiliate import db, errors, signing, web
from affiliate.accounts import keys, queries, service

_BEARER = "Bearer "
_USE_NOTED_EVERY = timedelta(minutes=1)


class ScopeMissing(errors.Forbidden):
    """The key is good, but was not given this scope."""

    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This key does not have the scope {scope}. Make a key that has it.")
        self.scope = scope


@dataclass(frozen=True, slots=True)
class BearerKey:
    """The key of this request, as plain values: they outlive the request's transaction."""

    id: UUID
    program_id: UUID
    is_test: bool
    scopes: frozenset[str]
    used_before_at: datetime | None
    partner_id: UUID | None = None  # whose rows alone it reads; null: the program's


class KeyInMemory(Protocol):
    """The tracker's memory of keys, a second or two old."""

    def __call__(self, *, fingerprint: str) -> BearerKey | None:
        """The key with this SHA-256, if it is known and not revoked."""


def no_key_in_memory(*, fingerprint: str) -> BearerKey | None:  # noqa: ARG001 - the protocol's argument
    """The memory of an app without a tracker."""
    return None


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an app; `used_at` is what this process has noted itself."""

    in_memory: KeyInMemory
    used_at: dict[UUID, datetime] = field(default_factory=dict)

    def read(self, *, scope: str, from_memory: bool) -> BearerKey:
        """The key of this request.

        Raises:
            Unauthorized: none was sent, or it is unknown or revoked.
            ScopeMissing: it was not given this scope.
        """
        authorization = request.authorization
        if authorization is None or authorization.type != "bearer" or not authorization.token:
            raise unauthorized("Send an API key: Authorization: Bearer <key>.")
        fingerprint = keys.fingerprint(authorization.token)
        found = (self._remembered(fingerprint) if from_memory else None) or _stored(fingerprint)
        if not keys.allows(found.scopes, scope):
            raise ScopeMissing(scope)
        return found

    def at_hand(self, authorization: str, *, scope: str, now: datetime) -> BearerKey | None:
        """The key in this header, if it is in memory, was given the scope, and was used a moment ago: there is nothing to ask or note."""
        if not authorization.startswith(_BEARER):
            return None
        found = self._remembered(keys.fingerprint(authorization[len(_BEARER) :]))
        if found is None or not keys.allows(found.scopes, scope) or not _is_noted(found, now):
            return None
        return found

    def note_use(self, found: BearerKey) -> None:
        """Note when a key was last used: after the request's own transaction, at most once a minute, and never in its way."""
        now = web.request_now()
        if _is_noted(found, now):
            return
        self.used_at[found.id] = now
        try:
            with db.read_only(on=False), Session(web.orm.engine) as session, session.begin():
                service.note_key_use(session, key_id=found.id, now=now, every=_USE_NOTED_EVERY)
        except sa.exc.OperationalError:
            current_app.logger.warning("the last use of key %s was not noted: the database is busy", found.id)

    def _remembered(self, fingerprint: str) -> BearerKey | None:
        found = self.in_memory(fingerprint=fingerprint)
        if found is None:
            return None
        # The memory learns of a use only with its next full scan; this process knows what it has noted itself.
        return replace(found, used_before_at=self.used_at.get(found.id, found.used_before_at))


def _is_noted(found: BearerKey, now: datetime) -> bool:
    return found.used_before_at is not None and now - found.used_before_at < _USE_NOTED_EVERY


def _stored(fingerprint: str) -> BearerKey:
    found = queries.api_key_by_fingerprint(web.orm.session, fingerprint=fingerprint)
    if found is None or not signing.same(found.secret_hash, fingerprint) or found.revoked_at is not None:
        raise unauthorized("This API key is unknown or was revoked. Make a new one.")
    scopes = frozenset(found.scopes)
    return BearerKey(found.id, found.program_id, found.is_test, scopes, found.last_used_at, found.partner_id)


def unauthorized(message: str) -> Unauthorized:
    """The answer to a program that does not say who it is."""
    return Unauthorized(message, www_authenticate=WWWAuthenticate("bearer", {"realm": "api"}))
