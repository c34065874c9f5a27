"""The few words that we add to a newsletter, in the reader's language."""

from affiliate.newsletters.content import N_
from affiliate.speech import say

__all__ = ["STOP", "WHY", "YOUR_LINK", "say"]

WHY = N_("You get this mail because you are a partner of %(program)s.")
STOP = N_("Stop these mails, or choose which you get")
YOUR_LINK = N_("Your link, ready to copy:")
