"""The migrations: one head, and the same tables as the models on both databases."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import schema

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(Config(toml_file=str(PYPROJECT))).get_heads()) == 1


def test_models_and_migrations_agree(engine: Engine) -> None:
    with engine.connect() as connection:
        config = Config(toml_file=str(PYPROJECT))
        config.attributes["connection"] = connection
        command.check(config)  # raises what differs
    with Session(engine) as session:
        assert schema.current(session) == schema.head()


def test_all_goes_down_and_up_again(engine: Engine) -> None:
    with engine.connect() as connection:
        config = Config(toml_file=str(PYPROJECT))
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        command.upgrade(config, "head")
        command.check(config)
    with Session(engine) as session:
        assert schema.current(session) == schema.head()


def test_the_program_knows_its_own_revision_and_the_databases_without_alembic(engine: Engine) -> None:
    assert schema.head() == ScriptDirectory.from_config(Config(toml_file=str(PYPROJECT))).get_current_head()
    with Session(engine) as session:
        assert schema.current(session) == schema.head()
        session.execute(sa.text("DROP TABLE alembic_version"))
        assert schema.current(session) is None
