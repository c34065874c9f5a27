"""The few words that we add to a newsletter, in the reader's language."""

from dataclasses import dataclass

from affiliate.newsletters.content import N_
from affiliate.speech import say

__all__ = ["FOR_PARTNERS", "FOR_PROSPECTS", "Ours", "say"]


@dataclass(frozen=True, slots=True)
class Ours:
    """Why the reader gets it, how to stop it, and what stands above the reader's own link, or above where one is made."""

    why: str
    stop: str
    your_link: str
    no_link: str


FOR_PARTNERS = Ours(
    N_("You get this mail because you are a partner of %(program)s."),
    N_("Stop these mails, or choose which you get"),
    N_("Your link, ready to copy:"),
    N_("You have no link that counts. Make one here:"),
)
FOR_PROSPECTS = Ours(
    N_("You get this mail because you asked for news of the partner program of %(program)s."),
    N_("Stop these mails, or choose which you get"),
    N_("Become a partner and get a link of your own:"),
    N_("Become a partner and get a link of your own:"),
)
