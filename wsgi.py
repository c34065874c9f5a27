"""The WSGI application: clicks are answered before Flask is asked, pages and API behind. Any WSGI server can serve it."""

from affiliate import garbage, logs, settings
from affiliate.app import create_app
from affiliate.tracking import durability, tracker

_settings = settings.current()
logs.configure(level=_settings.log_level, form=_settings.log_format)

durability.check()
application = create_app(_settings)
tracker.warm_up(application)
garbage.settle()
