"""Links on disk: what comes back, and that a file which is not whole, not ours or not of now is none."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import tracking_cast
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracking_cast import LINK_ID, NOW, PARTNER_ID, PROGRAM_ID

from affiliate.tracking.facts import KeyFacts, View
from affiliate.tracking.network import Networks
from affiliate.tracking.snapshot import NAME, Snapshot

SECRET_KEY = "a-secret-that-only-tests-know-0123456789"
NETWORKS = Networks()


def everything() -> View:
    """A view with something of every kind."""
    program = tracking_cast.program(
        fallback_url="https://www.shop.example/żółw", postback_hash="f" * 64, channel_signs=("a: b",),
        landing_labels=("utm_source={program}",),        own_host="go.shop.example",
    )  # fmt: skip
    link = tracking_cast.link(subs={"sub1": "letter"}, expires_at=NOW + timedelta(days=1))
    key = KeyFacts(LINK_ID, PROGRAM_ID, False, frozenset({"a:read", "a:write"}), NOW)
    return View(
        programs={program.id: program},
        links={"anna": link, "bert": tracking_cast.link(is_paused=True)},
        approved={(PROGRAM_ID, PARTNER_ID): LINK_ID},
        keys={"a" * 64: key},
        program_ids={program.slug: program.id},
        hosts={"go.shop.example": program.id},
        sites={(PROGRAM_ID, "blog.example"): "anna"},
        networks=NETWORKS,
    )


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """A snapshot of an installation, with everything in it."""
    kept = Snapshot(tmp_path, secret_key=SECRET_KEY)
    kept.save(everything(), as_of=NOW)
    return kept


def test_what_was_saved_comes_back(snapshot: Snapshot) -> None:
    assert snapshot.load(networks=NETWORKS) == everything()
    assert snapshot.as_of() == NOW


def test_the_file_is_for_its_owner_alone_and_nothing_lies_beside_it(snapshot: Snapshot, tmp_path: Path) -> None:
    assert [(path.name, path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [(NAME, 0o600)]


def test_a_new_one_takes_the_place_of_the_old_one(snapshot: Snapshot) -> None:
    later = datetime(2026, 12, 1, tzinfo=UTC)
    snapshot.save(View(), as_of=later)
    assert snapshot.load(networks=NETWORKS) == View()
    assert snapshot.as_of() == later


def test_a_disk_that_is_full_leaves_the_old_one(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="no space"):
        snapshot.save(View(), as_of=NOW)
    assert snapshot.load(networks=NETWORKS) == everything()
    assert len(list(tmp_path.iterdir())) == 1


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    empty = Snapshot(tmp_path / "nowhere", secret_key=SECRET_KEY)
    assert empty.load(networks=NETWORKS) is None
    assert empty.as_of() is None


def test_the_file_of_another_installation_is_none(snapshot: Snapshot, tmp_path: Path) -> None:
    assert Snapshot(tmp_path, secret_key="another-secret-0123456789-0123456789").load(networks=NETWORKS) is None


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_cut_or_changed_file_is_none(snapshot: Snapshot, tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / NAME
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    path.write_bytes(data.draw(st.sampled_from([whole[:place], changed])))
    assert snapshot.load(networks=NETWORKS) is None
    path.write_bytes(whole)
