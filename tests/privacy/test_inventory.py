"""Every table that holds something of partners or people is on the list; a new one has to be put there."""

from affiliate import tables
from affiliate.privacy import inventory, queries

_OWNERS = {"partners", "users"}
_TELLING = {"partner_id", "user_id", "email", "recipient", "address"}
_WHO_DID_IT = ("_by_id", "lead_id", "deputy_id", "reviewer_id", "author_id", "owner_id")
"""Columns that name a person who acted: the row stays, and the person behind the id is without a name."""


def test_each_table_of_somebody_is_on_the_list_or_named_beside_it() -> None:
    listed = {entry.table for entry in inventory.ENTRIES} | set(inventory.ELSEWHERE)
    found = set()
    for table in tables.metadata.sorted_tables:
        pointing = {
            key.parent.name
            for key in table.foreign_keys
            if key.column.table.name in _OWNERS and not key.parent.name.endswith(_WHO_DID_IT)
        }
        if pointing | _TELLING.intersection(column.name for column in table.columns):
            found.add(table.name)
    assert len(found) > 40
    assert found - listed == set()


def test_what_is_named_exists_and_what_is_blanked_may_be_blank() -> None:
    assert inventory.ELSEWHERE.keys() <= tables.metadata.tables.keys()
    for entry in inventory.ENTRIES:
        columns = queries.table_of(entry).c
        assert set(entry.hidden or ()) | set(entry.blank) <= set(columns.keys()), entry.table
        assert (entry.fate is inventory.Fate.BLANK) == bool(entry.blank), entry.table
        for name, value in entry.blank.items():
            assert value is not None or columns[name].nullable, (entry.table, name)


def test_secrets_are_in_no_copy() -> None:
    shown = {
        (entry.table, column)
        for entry in inventory.ENTRIES
        if entry.hidden is not None
        for column in set(queries.table_of(entry).c.keys()) - entry.hidden
    }
    words = ("password", "token", "uniquifier", "recovery", "totp", "secret_hash")
    assert [pair for pair in shown if any(word in pair[1] for word in words)] == []
    assert ("payout_methods", "details") not in shown
