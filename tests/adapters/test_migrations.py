"""The schema: made at once or by its revisions, it is the same."""

import re
import sqlite3
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from headcount.adapters import schema
from headcount.adapters.sql import SqlStore
from headcount.adapters.tables import HEAD
from headcount.core.errors import StoreError, StoreTooNew


def _schema(path: Path) -> dict[str, list[str]]:
    """Every table and index with the parts of its definition, in any order."""
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master").fetchall()
    connection.close()
    return {name: sorted(_parts(sql)) for name, sql in found if sql}


def _parts(sql: str) -> list[str]:
    """What stands between commas and brackets; an added column comes last."""
    return [part for part in re.split(r"\s*[,()\n]\s*", sql) if part]


def _with_revision(path: Path, *revisions: str) -> None:
    """A file that has nothing but the mark of a revision."""
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"
    )
    connection.executemany(
        "INSERT INTO alembic_version VALUES (?)", [(name,) for name in revisions]
    )
    connection.commit()
    connection.close()


async def test_the_revisions_lead_to_the_tables_that_a_fresh_store_gets(
    tmp_path: Path,
) -> None:
    fresh, upgraded = tmp_path / "fresh.db", tmp_path / "upgraded.db"
    _with_revision(upgraded)

    for path in (fresh, upgraded):
        store = await SqlStore.open(f"sqlite:///{path}")
        await store.close()

    made, migrated = _schema(fresh), _schema(upgraded)
    made.pop("alembic_version")
    migrated.pop("alembic_version")
    assert len(made) == 24
    assert migrated == made


async def test_a_store_that_was_upgraded_is_marked_so(tmp_path: Path) -> None:
    path = tmp_path / "upgraded.db"
    _with_revision(path)

    for _ in range(2):
        store = await SqlStore.open(f"sqlite:///{path}")
        await store.close()

    connection = sqlite3.connect(path)
    marks = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    connection.close()
    assert marks == [(HEAD,)]


def test_the_revision_named_in_the_tables_is_the_last_one() -> None:
    script = ScriptDirectory.from_config(schema.alembic_config())

    assert script.get_heads() == [HEAD]


async def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "later.db"
    _with_revision(path, "9999")
    before = path.read_bytes()[100:]

    with pytest.raises(StoreTooNew, match=r"uv tool upgrade headcount"):
        await SqlStore.open(f"sqlite:///{path}")

    assert path.read_bytes()[100:] == before


async def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "recipes.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (id INTEGER)")
    connection.close()

    with pytest.raises(StoreError, match="belongs to another program"):
        await SqlStore.open(f"sqlite:///{path}")

    assert list(_schema(path)) == ["recipes"]
