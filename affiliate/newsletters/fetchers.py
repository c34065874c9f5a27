"""Who fetches the picture of a mail: a reader who opens it, or a machine that nobody asked. Pure but for the list of bots."""

from affiliate.ingest import bots

_FOR_A_READER = ("GoogleImageProxy", "YahooMailProxy")
"""They stand between a mail and its reader, and fetch its pictures when it is opened: on the list as bots, but no crawlers."""

_AHEAD = "Edge/12.246 Mozilla/5.0"
"""How Gmail signs what it loads before anybody opens the mail."""


def is_reader(*, user_agent: str, purpose: str) -> bool:
    """Whether a picture was fetched for somebody who opens the mail, as far as it can be told.

    `purpose` is what a browser says of a request that nobody may have asked for. Apple's mail programs, which load every
    picture of every mail, call themselves `Mozilla/5.0` and no more: the list knows that as a bot.
    """
    if purpose or user_agent.endswith(_AHEAD):
        return False
    return any(name in user_agent for name in _FOR_A_READER) or not bots.is_bot(user_agent)
