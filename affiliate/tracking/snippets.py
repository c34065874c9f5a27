"""Code for a shop's developer to copy: the tag, the signed pixel, the call from the server. Pure; tests run what they can of it.

The secrets are not in it: a page that shows them would hand them to every visitor.
"""

import json
from collections.abc import Sequence
from typing import Any

_TAG = """\
<script src="%(tracking_url)s/t/tag.js" data-program="%(program)s"%(more)s defer></script>"""

_POSTBACK = (
    "%(tracking_url)s/t/postback?token=%(token)s&click_id={click_id}&txid={order_id}"
    "&amount={amount}&currency={currency}&status={status}"
)

_PYTHON = '''\
import hashlib
import hmac
import os
from urllib.parse import quote

SECRET = os.environ["PIXEL_SECRET"]


def pixel_url(**parameters: str) -> str:
    """The address of the pixel for the page after the order. Call it on your server."""
    pairs = sorted(parameters.items())
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    signature = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"%(tracking_url)s/t/pixel.gif?{query}&sig={signature}"


print(pixel_url(
%(arguments)s
))'''

_PHP = """\
<?php
function pixel_url(array $parameters): string {
    ksort($parameters, SORT_STRING);
    $query = http_build_query($parameters, '', '&', PHP_QUERY_RFC3986);
    $signature = hash_hmac('sha256', $query, getenv('PIXEL_SECRET'));
    return "%(tracking_url)s/t/pixel.gif?$query&sig=$signature";
}

echo pixel_url([
%(arguments)s
]);"""

_BY_TAG = """\
window.affiliate ||= (...command) => (window.affiliate.queue ||= []).push(command)
affiliate('conversion', %s)"""

_CURL = """\
curl %(base_url)s/api/v1/conversions \\
  -H "Authorization: Bearer %(key)s" \\
  -H "Content-Type: application/json" \\
  -d '%(body)s'"""


def tag(*, tracking_url: str, program: str, has_sites: bool = False, signs: Sequence[str] = ()) -> str:
    """The line for every page of the shop; `has_sites`: visitors from partners' confirmed sites count.

    `signs` are parameters of other paid channels that the tag does not know by itself.
    """
    more = ' data-sites="yes"' if has_sites else ""
    if signs:
        more += f' data-paid="{" ".join(signs)}"'
    return _TAG % {"tracking_url": tracking_url, "program": program, "more": more}


def postback(*, tracking_url: str, token: str) -> str:
    """The address for another tracker, with macros as most of them write them."""
    return _POSTBACK % {"tracking_url": tracking_url, "token": token}


def pixel_in_python(*, tracking_url: str, parameters: dict[str, str]) -> str:
    """The signed pixel of an order, made by a server in Python."""
    arguments = "\n".join(f"    {name}={json.dumps(value)}," for name, value in parameters.items())
    return _PYTHON % {"tracking_url": tracking_url, "arguments": arguments}


def pixel_in_php(*, tracking_url: str, parameters: dict[str, str]) -> str:
    """The same in PHP."""
    arguments = "\n".join(f"    {_single(name)} => {_single(value)}," for name, value in parameters.items())
    return _PHP % {"tracking_url": tracking_url, "arguments": arguments}


def api_call(*, base_url: str, body: dict[str, Any], key: str = "$API_KEY") -> str:
    """The order as the shop's server reports it, for a terminal. `key`: as it may be shown once, to who has just made it."""
    text = json.dumps(body, ensure_ascii=False, indent=2).replace("'", "'\\''")
    return _CURL % {"base_url": base_url, "body": text, "key": key}


def conversion_by_tag(*, body: dict[str, Any]) -> str:
    """The order as a script of the shop's page tells the tag."""
    return _BY_TAG % json.dumps(body, ensure_ascii=False, indent=2)


def _single(text: str) -> str:
    """A string in single quotes, as PHP reads it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
