"""What a refused act means, in the reader's language, with what to do next."""

from flask_babel import gettext as _

from affiliate.errors import DomainError, Invalid


def sentence(refusal: DomainError) -> str:
    """The sentence for people; its last resort is the error's own."""
    if isinstance(refusal, Invalid):
        return " ".join(str(_(text)) for texts in refusal.errors.values() for text in texts)
    return str(_(str(refusal)))
