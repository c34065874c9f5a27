"""What the pages of papers and of taxes have in common."""

import pytest
from console_cast import Cast
from tax_cast import make_buyer, make_profile, make_rule


@pytest.fixture
def taxed(cast: Cast) -> Cast:
    """The program with a buyer and a rule, its partner with a profile and an approved commission of 10.00."""
    make_buyer(cast.session, cast.program)
    make_rule(cast.session, cast.program)
    make_profile(cast.session, cast.program, cast.partner.id)
    cast.approved_sale("A-1")
    return cast
