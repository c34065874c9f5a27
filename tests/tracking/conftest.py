"""A shop in a running application: its program, a partner with a link, and keys."""

import factories
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from shop_cast import Shop
from sqlalchemy.orm import Session

from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.programs.models import Program
from affiliate.tracking.tracker import Tracker


@pytest.fixture
def shop(app: Flask, app_session: Session, client: FlaskClient, redis_client: redis.Redis) -> Shop:
    """The shop of the program `ondera`, with the link `anna` and a key that may write conversions."""
    program = factories.make_program(app_session, slug="ondera")
    partner = factories.make_partner(app_session, program=program)
    link = factories.make_link(
        app_session, program=program, partner=partner, code="anna", landing_url="https://www.shop.example/shoes"
    )
    actor = Actor(kind="user", id=factories.make_user(app_session).id)

    def make_key(
        *, of: Program = program, scopes: tuple[str, ...] = ("conversions:write",), is_test: bool = False
    ) -> str:
        _key, secret = accounts.create_api_key(
            app_session,
            program_id=of.id,
            name="shop",
            scopes=scopes,
            is_test=is_test,
            actor=actor,
            now=factories.NOW,
        )
        app_session.commit()
        return secret

    secret = make_key()
    tracker: Tracker = app.extensions["affiliate_tracker"]
    return Shop(program, partner, link, client, tracker, redis_client, secret, make_key)
