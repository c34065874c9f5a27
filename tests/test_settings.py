"""Settings: defaults, the environment over them, and one sentence for each mistake."""

import stat
from pathlib import Path

import pytest

from affiliate import settings
from affiliate.settings import BadSettings


def load(tmp_path: Path, **values: str) -> settings.Settings:
    return settings.load({"AFFILIATE_DATA_DIR": str(tmp_path / "var")} | values)


def test_nothing_set_means_everything_of_its_own_below_the_data_folder(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    assert loaded.database_url == f"sqlite:///{tmp_path}/var/affiliate.db"
    assert loaded.embedded_redis
    assert loaded.base_url == loaded.tracking_url == "http://127.0.0.1:8000"


def test_the_port_is_read_with_and_without_prefix(tmp_path: Path) -> None:
    assert load(tmp_path, PORT="9000").port == 9000
    assert load(tmp_path, PORT="9000", AFFILIATE_PORT="9100").port == 9100


def test_a_misspelled_name_is_an_error_not_silence(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="AFFILIATE_DATABSE_URL"):
        load(tmp_path, AFFILIATE_DATABSE_URL="sqlite://")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("AFFILIATE_PORT", "eighty", "AFFILIATE_PORT"),
        ("AFFILIATE_ENV", "prod", "AFFILIATE_ENV"),
        ("AFFILIATE_DATABASE_URL", "not an address", "AFFILIATE_DATABASE_URL is not a database address"),
        ("AFFILIATE_DATABASE_URL", "mysql://root@localhost/x", "PostgreSQL and SQLite"),
        ("AFFILIATE_SMTP_URL", "mail.example.com", "AFFILIATE_SMTP_URL: Write smtp://"),
        ("AFFILIATE_TRUSTED_PROXIES", "-1", "AFFILIATE_TRUSTED_PROXIES"),
    ],
)
def test_a_wrong_value_is_told_by_name(tmp_path: Path, name: str, value: str, told: str) -> None:
    with pytest.raises(BadSettings, match=told):
        load(tmp_path, **{name: value})


def test_a_postgresql_address_gets_the_driver_we_ship(tmp_path: Path) -> None:
    loaded = load(tmp_path, AFFILIATE_DATABASE_URL="postgresql://me:s%40cret@db/shop")
    assert loaded.database_url == "postgresql+psycopg://me:s%40cret@db/shop"


def test_production_wants_a_strong_secret(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="missing"):
        load(tmp_path, AFFILIATE_ENV="production")
    with pytest.raises(BadSettings, match="too short"):
        load(tmp_path, AFFILIATE_ENV="production", AFFILIATE_SECRET_KEY="short")
    assert load(tmp_path, AFFILIATE_ENV="production", AFFILIATE_SECRET_KEY="x" * 32).secret_key == "x" * 32


def test_the_development_secret_is_made_once_and_private(tmp_path: Path) -> None:
    first, second = load(tmp_path), load(tmp_path)
    assert first.secret_key == second.secret_key
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600
