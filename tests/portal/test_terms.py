"""What each term means stands beside it, by the dictionaries of metrics and of money."""

from html import escape

import pytest
from factories import make_commission
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate.commissions.models import CommissionStatus
from affiliate.payouts.models import PayoutStatus
from affiliate.portal import sale_choice
from affiliate.reports import asked, money_words, transactions, words
from affiliate.reports.metrics import METRICS

TILES = ("clicks_raw", "clicks_valid", "conversions", "conversion_rate", "epc", "aov")


@pytest.mark.parametrize("page", ["", "statistics", "statistics?first=2020-01-01&last=2020-01-02&by=link"])
def test_each_tile_explains_its_term_though_nothing_happened(marta: FlaskClient, page: str) -> None:
    shown = marta.get(f"/portal/casa/{page}").text
    for key in TILES:
        tile = shown.partition(f"<dt>{METRICS[key].label}</dt>")[2].partition("</dd>")[0]
        assert f"What “{METRICS[key].label}” means" in tile, key
        assert f"<p>{escape(METRICS[key].help_text)}</p>" in tile, key
    if page:
        listed = shown.partition("What these numbers mean")[2].partition("</dl>")[0]
        assert all(f"<dt>{METRICS[key].label}</dt>" in listed for key in asked.USUAL_COLUMNS)


def test_each_station_of_the_money_explains_itself(marta: FlaskClient, cast: Cast) -> None:
    flow = marta.get("/portal/casa/").text.partition('<ol class="flow">')[2].partition("</ol>")[0]
    assert flow.count('class="help"') == len(money_words.way())
    assert all(f"<p>{term['help']}</p>" in flow for term in money_words.way().values())
    assert money_words.payable()["help"] in flow


def test_the_lists_of_money_tell_their_states_and_columns_also_when_they_are_empty(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    def listed(page: str) -> str:
        return marta.get(f"/portal/casa/{page}").text.partition("What these words mean")[2].partition("</dl>")[0]

    earnings, payouts = listed("commissions"), listed("payouts")
    for status in money_words.USUAL:
        assert f"<dt>{words.commission(status).word}</dt><dd>{money_words.commission(status)}" in earnings
    assert all(f"<dt>{term['label']}</dt><dd>{escape(term['help'])}" in payouts for term in money_words.of_payouts())
    assert "<dt>Declined</dt>" not in earnings
    make_commission(app_session, program=cast.program, partner=cast.partner, status=CommissionStatus.DECLINED)
    app_session.commit()
    every = ",".join(transactions.FIELDS_OF)
    shown = listed(f"commissions?columns={every}")
    assert "<dt>Declined</dt>" in shown
    assert all(f"<dt>{head}</dt>" in shown for key, head in sale_choice.column_words().items() if key != "state")
    assert "<dt>You earn</dt>" in listed("")


def test_the_dictionary_of_money_knows_every_state_and_every_column(marta: FlaskClient) -> None:
    with marta.application.test_request_context():
        assert all(map(money_words.commission, CommissionStatus))
        assert all(map(money_words.payout, PayoutStatus))
        assert {*money_words.sale_columns(), "state"} == {*transactions.FIELDS_OF}
