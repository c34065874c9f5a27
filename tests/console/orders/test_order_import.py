"""Orders from a table, as a manager uploads it."""

from io import BytesIO

from console_cast import Cast, text_of
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

TABLE = "order_id,amount\n7001,49.90\n7002,1.999\n"


def upload(browser: FlaskClient, table: str) -> TestResponse:
    """Choose the file and send it."""
    form = {"table": (BytesIO(table.encode()), "orders.csv")}
    return browser.post("/console/casa/conversions/import", data=form)


def test_a_table_is_taken_once_with_a_word_on_each_row(cast: Cast, mara: FlaskClient) -> None:
    assert "/console/casa/conversions/import" in mara.get("/console/casa/conversions").text
    assert "occurred_at" in mara.get("/console/casa/conversions/import").text
    page = text_of(upload(mara, TABLE))
    assert "1 taken, 0 known already, 1 refused" in page
    assert "7002" in page
    assert "amount: Write an amount of zero or more such as 49.90, with no more decimals than EUR has." in page
    assert "0 taken, 1 known already, 1 refused" in text_of(upload(mara, TABLE))


def test_a_file_that_is_none_is_refused(cast: Cast, mara: FlaskClient, finn: FlaskClient) -> None:
    assert upload(mara, "").status_code == 422
    response = upload(mara, "order_id\n7001\n")
    assert response.status_code == 422
    assert "no column “amount”" in text_of(response)
    assert upload(finn, TABLE).status_code == 404
