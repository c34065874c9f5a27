"""Which addresses of the application are pages that a person looks at."""

import re

from flask import Flask

NO_PAGES = re.compile(
    r"\.(csv|xlsx|xml|atom|svg|png|pdf|json|txt|ico|css|js|zip|<kind>)$|/newsletters/.*/mail$|/creatives/.*/(file|frame|code)$|/setup/visit$|/application/.*/file$|/cases/.*/proof/|/logo$|^/(static|t|hooks|hosts|\.well-known)/|^/(healthz|readyz|metrics|logout|welcome)$|^/api/v1/|^/r/(?!no-such)"
)
"""Files, mails and snippets in frames, machines' addresses, redirects."""


def page_endpoints(app: Flask) -> set[str]:
    """The endpoints that answer with a page for a person."""
    rules = (rule for rule in app.url_map.iter_rules() if rule.methods and "GET" in rule.methods)
    return {rule.endpoint for rule in rules if not NO_PAGES.search(rule.rule) and ".<any(" not in rule.rule}
