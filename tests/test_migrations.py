"""The migrations: one head, and the same tables as the models on both databases."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(Config(toml_file=str(PYPROJECT))).get_heads()) == 1


def test_models_and_migrations_agree(engine: Engine) -> None:
    with engine.connect() as connection:
        config = Config(toml_file=str(PYPROJECT))
        config.attributes["connection"] = connection
        command.check(config)


def test_all_goes_down_and_up_again(engine: Engine) -> None:
    with engine.connect() as connection:
        config = Config(toml_file=str(PYPROJECT))
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        command.upgrade(config, "head")
        command.check(config)
