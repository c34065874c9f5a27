"""Users, grants, keys, sign-in, and the audit trail."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from affiliate.accounts.resolvers import Resolvers
    from affiliate.settings import Settings


def init_app(app: "Flask", settings: "Settings", *, resolvers: "Resolvers") -> None:
    """Give the app sign-in, account pages, limits, and the enforcement of who may call which route.

    After `web` and `formats`, whose hooks run first. Imported here, so that workers read the tables without a web stack.
    """
    from affiliate.accounts import mail_views, security, views

    security.init_app(app, settings, resolvers=resolvers)
    app.register_blueprint(views.blueprint)
    app.register_blueprint(mail_views.blueprint)
