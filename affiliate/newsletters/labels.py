"""What kinds of newsletters and blocks are called on pages."""

from flask_babel import gettext as _

from affiliate.newsletters.content import BlockKind, IssueKind


def kind(of: IssueKind) -> str:
    """What an issue is about."""
    names: dict[IssueKind, str] = {
        IssueKind.NEWS: _("Program news"),
        IssueKind.OFFERS: _("Special offers"),
        IssueKind.EDUCATION: _("Tips and training"),
    }
    return names[of]


def openings(program: str) -> str:
    """What a reader agrees to who lets a program know of openings. It is kept with the consent."""
    return str(_("Tell %(program)s when I open its newsletters", program=program))


def block(of: BlockKind) -> str:
    """What a block is."""
    names: dict[BlockKind, str] = {
        BlockKind.TEXT: _("Free text"),
        BlockKind.NEWS: _("Program news"),
        BlockKind.STORY: _("Success story"),
        BlockKind.OFFER: _("Special offer with the reader's own link"),
        BlockKind.EDUCATION: _("Tips and training"),
        BlockKind.CREATIVES: _("New creatives"),
    }
    return names[of]
