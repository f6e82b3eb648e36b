"""`headcount db`: somebody says when a server's tables are made or changed."""

import sqlite3
from pathlib import Path

import pytest
from e2e.program import Home
from fakes.postgres import server

from headcount.adapters.tables import HEAD

SECRET = "s3cret"  # noqa: S105 - invented, and looked for in messages


@pytest.fixture
def postgres(home: Home) -> Home:
    """A machine that is told of an empty Postgres."""
    url = server(18).empty_database()
    home.env["HEADCOUNT_DATABASE_URL"] = url.replace("postgres@", f"postgres:{SECRET}@")
    return home


def test_a_server_is_used_only_after_somebody_has_upgraded_it(postgres: Home) -> None:
    before = postgres.run("db", "check")
    refused = postgres.run("find", 5, "tech", "--sandbox")
    made = postgres.run("db", "upgrade")
    after = postgres.run("db", "check")
    found = postgres.run("find", 5, "tech", "--sandbox")

    line = f"no tables of ours yet, and this version needs revision {HEAD}: run"
    assert (before.code, refused.code) == (2, 1)
    assert line in before.err
    assert refused.err.endswith(before.err)
    assert made.code == 0
    assert made.err.startswith(f"Made the tables of revision {HEAD} in test_")
    assert (after.code, after.err, found.code) == (0, "", 0)
    assert SECRET not in before.err + refused.err + made.err + found.err


def test_every_command_refuses_a_server_that_nobody_has_upgraded(
    postgres: Home,
) -> None:
    commands = (["jobs", "list"], ["jobs", "show", "x"], ["jobs", "export", "x"])

    for words in commands:
        ran = postgres.run(*words)

        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("Error: the database ")
        assert ran.err.endswith("run `headcount db upgrade`\n")


def test_upgrading_twice_is_harmless(postgres: Home) -> None:
    postgres.run("db", "upgrade")

    again = postgres.run("db", "upgrade")

    assert (again.code, again.err.startswith("Nothing to do: ")) == (0, True)


def test_the_revisions_found_and_needed_are_told(postgres: Home) -> None:
    before = postgres.run("db", "current", "--format", "json")
    postgres.run("db", "upgrade")
    after = postgres.run("db", "current")

    assert before.json == {"found": None, "needed": HEAD}
    assert after.out == f"found {HEAD}, needed {HEAD}\n"


def test_a_file_has_revisions_too(home: Home) -> None:
    missing = home.run("db", "check")
    home.run("db", "upgrade")
    good = home.run("db", "check")
    connection = sqlite3.connect(home.data / "headcount" / "jobs.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    later = home.run("db", "check")

    assert (missing.code, good.code, later.code) == (2, 0, 2)
    assert "written by a later version" in later.err


def test_the_doctor_tells_the_server_and_not_the_password(postgres: Home) -> None:
    postgres.run("db", "upgrade")

    ran = postgres.run("doctor", "--offline")

    assert "✓ store: test_" in ran.out
    assert SECRET not in ran.out + ran.err


# ------------------------------------------------------------------------ the settings
def found_by(home: Home, **env: str) -> str:
    """The file in which the tables are made, in this environment."""
    ran = home.run("db", "upgrade", **env)
    return ran.err.strip().rpartition(" in ")[2].removesuffix(".")


def test_the_database_that_a_host_names_for_all_is_used_if_there_is_no_other(
    home: Home, tmp_path: Path
) -> None:
    shared, own = f"{tmp_path}/shared.db", f"{tmp_path}/own.db"
    theirs = f"sqlite+aiosqlite:///{shared}"  # the driver is another program's choice
    ours = f"sqlite:///{own}"

    assert found_by(home, DATABASE_URL=theirs) == shared
    assert found_by(home, DATABASE_URL=theirs, HEADCOUNT_DATABASE_URL=ours) == own


def test_a_database_of_another_kind_that_is_there_for_others_is_passed_over(
    home: Home,
) -> None:
    found = found_by(home, DATABASE_URL=f"mysql://me:{SECRET}@db.invalid/shop")

    assert found == str(home.data / "headcount" / "jobs.db")


def test_upgrading_goes_past_the_pooler(home: Home, tmp_path: Path) -> None:
    direct = f"{tmp_path}/direct.db"

    found = found_by(
        home,
        HEADCOUNT_DATABASE_URL=f"sqlite:///{tmp_path}/pooled.db",
        HEADCOUNT_DATABASE_DIRECT_URL=f"sqlite:///{direct}",
    )

    assert found == direct
    assert not (tmp_path / "pooled.db").exists()


@pytest.mark.parametrize("name", ["TARGET", "TIMEOUT", "DEBUG", "RETRIES"])
def test_a_variable_that_belongs_to_others_is_not_read(home: Home, name: str) -> None:
    ran = home.run("db", "current", **{name: "nonsense"})

    assert ran.code == 0
