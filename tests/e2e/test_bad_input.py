"""What cannot be taken: one clear line that says what to do, and nothing is lost."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import typer
from e2e.program import Home, Provider, Ran

from headcount.cli.exits import told

SANDBOX = "--sandbox"
LONG = "x" * 10_000


def complaint(ran: Ran) -> str:
    """The one line of an error; the parser's own comes below its usage."""
    lines = [line for line in ran.err.splitlines() if line.strip()]
    if lines[0].startswith("Usage: "):
        lines = lines[2:]
    (line,) = lines
    assert line.startswith("Error: ")
    assert len(line) < 400
    assert ran.out == ""
    return line


SEARCHES = {
    "a target of zero": ("0 tech", "from 1 to 1,000,000, not '0'"),
    "a negative target": ("-5 tech", "from 1 to 1,000,000, not '-5'"),
    "a long negative target": ("-1000000 tech", "from 1 to 1,000,000"),
    "a target that is text": ("many tech", "expected the number of creators first"),
    "a target with two signs": ("-- -+5 tech", "expected the number of creators first"),
    "a target of 5,000 digits": (f"{'9' * 5000} tech", "from 1 to 1,000,000"),
    "a target with a part": ("1.5 tech", "expected the number of creators first"),
    "a target beyond all": ("1000000000 tech", "from 1 to 1,000,000"),
    "no target": ("", "headcount find 100 apple tech"),
    "no keyword": ("5", "at least one keyword"),
    "a cap of zero": ("5 tech --max-calls 0", "--max-calls"),
    "a cap that is text": ("5 tech --max-credits few", "--max-credits"),
    "a deadline gone by": ("5 tech --deadline 2020-01-01", "in the past"),
    "a deadline that is none": ("5 tech --deadline soon", "such as 90s"),
    "a deadline beyond the calendar": (
        "5 tech --deadline 9999-12-31T23:59:59-12:00",
        "from year 1 to 9999",
    ),
    "no concurrency": ("5 tech --concurrency 0", "--concurrency"),
    "too much concurrency": ("5 tech --concurrency 1001", "--concurrency"),
    "a negative pause": ("5 tech --rate-limit-ms -1", "--rate-limit-ms"),
    "no attempt": ("5 tech --retries 0", "--retries"),
    "a region of three letters": ("5 tech --region USA", "US or GB, not 'USA'"),
    "a region that there is not": ("5 tech --region UK", "US or GB, not 'UK'"),
    "a language by its name": ("5 tech --language english", "en or es, not 'english'"),
    "an unknown order": ("5 tech --sort most-like", "did you mean 'most-liked'?"),
    "an unknown period": ("5 tech --period this-yer", "this-week"),
    "an unknown option": ("5 tech --folowers-min 3", "--followers-min"),
    "an unknown format": ("5 tech --format pdf", "xlsx"),
    "an unknown shape": ("5 tech --shape round", "guide"),
    "a format that contradicts the name": (
        "5 tech --out found.xlsx --format csv",
        "contradicts the name found.xlsx",
    ),
    "an unknown suffix": ("5 tech --out found.pdf", ".xlsx, not 'found.pdf'"),
    "a follower count that is none": ("5 tech --followers-min lots", "lots"),
    "a follower count of 400 digits": (
        f"5 tech --followers-min {'9' * 400}",
        "such as 850, 10k or 1.5m",
    ),
    "followers that contradict": (
        "5 tech --followers-min 9k --followers-max 1k",
        "followers",
    ),
    "captions that contradict": (
        "5 tech --caption-has cat --caption-lacks cat",
        "cat",
    ),
    "a time that is none": ("5 tech --posted-within sometimes", "30d"),
}  # fmt: skip


@pytest.mark.parametrize("case", SEARCHES)
def test_a_search_that_cannot_be_taken(home: Home, case: str) -> None:
    words, expected = SEARCHES[case]

    ran = home.run("find", SANDBOX, *words.split())

    assert expected in complaint(ran)
    assert ran.code == 2
    assert not home.data.exists()


KEYWORDS = {
    "a blank one": ("  \t ", "a keyword is blank"),
    "an empty one": ("", "a keyword is blank"),
    "one of 10,000 characters": (LONG, "at most 200 characters"),
    "one with a control character": ("te\x07ch", "no control characters"),
    "one with half a character": ("te\udc80ch", "no control characters"),
}


@pytest.mark.parametrize("case", KEYWORDS)
def test_a_keyword_that_cannot_be_taken(home: Home, case: str) -> None:
    keyword, expected = KEYWORDS[case]

    ran = home.run("find", 5, keyword, SANDBOX)

    assert expected in complaint(ran)
    assert ran.code == 2


@pytest.mark.parametrize(
    "keyword", ["🍎", "تفاح طازج", "日本 料理", "café", "o'neill; drop", "-- %s &a=b"]
)
def test_a_keyword_of_any_script_is_sent_as_it_is(
    home: Home, provider: Provider, keyword: str
) -> None:
    ran = home.run("find", 5, "--quiet", "--", keyword)

    assert ran.code == 0
    assert provider.calls[0]["keyword"] == keyword


def test_doubled_keywords_count_once(home: Home, provider: Provider) -> None:
    home.run("find", 60, "Street Food", "street  food ", "STREET FOOD")

    assert {call["keyword"] for call in provider.calls} == {"Street Food"}


SETTINGS = {
    "no key": ({}, "SCRAPECREATORS_API_KEY", 2),
    "a blank key": ({"SCRAPECREATORS_API_KEY": "  "}, "SCRAPECREATORS_API_KEY", 2),
    "a key with blanks": ({"SCRAPECREATORS_API_KEY": "a b"}, "blanks", 2),
    "a URL that is none": (
        {"SCRAPECREATORS_API_KEY": "k", "SCRAPECREATORS_API_URL": "api.example"},
        "does not begin with https://",
        2,
    ),
    "another database": (
        {"HEADCOUNT_DATABASE_URL": "mysql://u:geheim@host/db"},
        "not one of mysql",
        2,
    ),
    "a database with options": (
        {"HEADCOUNT_DATABASE_URL": "sqlite:///jobs.db?timeout=abc"},
        "without the options after the '?': timeout",
        2,
    ),
    "no database": ({"HEADCOUNT_DATABASE_URL": "jobs.db"}, "sqlite:///", 2),
    "a store in no directory": (
        {"HEADCOUNT_DATABASE_URL": "sqlite:////nowhere/jobs.db"},
        "there is no directory /nowhere",
        1,
    ),
    "a store that cannot be made": (
        {"HEADCOUNT_DATABASE_URL": "sqlite:////proc/jobs.db"},
        "/proc",
        1,
    ),
    "a data folder that cannot be made": (
        {"XDG_DATA_HOME": "/proc/data"},
        "HEADCOUNT_DATABASE_URL",
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SETTINGS)
def test_a_setting_that_cannot_be_used(home: Home, case: str) -> None:
    env, expected, code = SETTINGS[case]

    ran = home.run("find", 5, "tech", **env)

    assert expected in complaint(ran)
    assert "geheim" not in ran.err
    assert ran.code == code


PLACES = {
    "no directory": ("nowhere/found.csv", "there is no directory"),
    "a directory": (".", "it is a directory"),
    "a place that allows nothing": ("/proc/found.csv", "cannot write /proc/found.csv"),
}


@pytest.mark.parametrize("case", PLACES)
def test_a_place_where_nothing_can_be_written_costs_nothing(
    home: Home, provider: Provider, case: str
) -> None:
    place, expected = PLACES[case]

    ran = home.run("find", 5, "tech", "--out", place, "--format", "csv")

    assert expected in ran.err
    assert ran.code == 1
    assert "Traceback" not in ran.err
    if case != "a place that allows nothing":  # its permissions may say otherwise
        assert complaint(ran)
        assert provider.calls == []


def test_a_full_disk_is_told_and_the_creators_are_kept(home: Home) -> None:
    ran = home.run("find", 50, "tech", SANDBOX, "--out", "/dev/full", "-f", "csv")

    assert ran.code == 1
    assert "Error: cannot write /dev/full: No space left" in ran.err.splitlines()[-1]
    assert f"headcount jobs export {ran.job}" in ran.err
    assert len(home.creators(ran.job)) == 50


def test_an_older_file_is_whole_until_the_new_one_is(home: Home) -> None:
    file = home.folder / "found.json"
    home.run("find", 50, "tech", SANDBOX, "--out", file)
    before = file.read_text()

    home.run("find", 0, "tech", SANDBOX, "--out", file)

    assert file.read_text() == before
    assert [p.name for p in home.folder.glob(".headcount-*")] == []


def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @told
    def command() -> None:
        (tmp_path / "nowhere.json").read_text()

    with pytest.raises(typer.Exit) as ended:
        command()

    nowhere = f"{tmp_path}/nowhere.json"
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == (
        f"Error: cannot use {nowhere}: No such file or directory\n"
    )


def database(home: Home) -> Path:
    """A store with a job in it."""
    home.env["HEADCOUNT_DATABASE_URL"] = f"sqlite:///{home.folder}/jobs.db"
    home.run("find", 5, "tech", SANDBOX)
    return home.folder / "jobs.db"


def test_a_store_of_a_later_version_is_left_alone(home: Home) -> None:
    file = database(home)
    with closing(sqlite3.connect(file)) as connection:
        (table,) = connection.execute(
            "SELECT name FROM sqlite_master WHERE sql LIKE '%version_num%'"
        ).fetchone()
        connection.execute(f"UPDATE {table} SET version_num = '9999'")  # noqa: S608 - its own name
        connection.commit()

    ran = home.run("jobs", "list")

    assert "written by a later version of Headcount: upgrade" in complaint(ran)
    assert ran.code == 1


def test_a_file_that_is_no_store_is_left_alone(home: Home) -> None:
    file = home.folder / "jobs.db"
    file.write_text("my diary, and nobody else's\n" * 50)

    ran = home.run("jobs", "list", HEADCOUNT_DATABASE_URL=f"sqlite:///{file}")

    assert "it is not a database" in complaint(ran)
    assert ran.code == 1
    assert "diary" in file.read_text()


def test_another_programs_database_is_left_alone(home: Home) -> None:
    file = home.folder / "other.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")

    ran = home.run("jobs", "list", HEADCOUNT_DATABASE_URL=f"sqlite:///{file}")

    assert "belongs to another program" in complaint(ran)
    assert ran.code == 1


def test_a_store_that_others_hold_is_waited_for(home: Home) -> None:
    file = database(home)
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        run = home.start("find", 30, "tech", SANDBOX)
        reading = home.run("jobs", "list", "--format", "json")
        holder.execute("COMMIT")

    assert run.end().code == 0
    assert len(reading.json) == 1


def test_a_disk_that_fills_up_on_the_way_loses_nothing(home: Home) -> None:
    home.run("jobs", "list")
    (store,) = home.data.rglob("jobs.db")
    most = (store.stat().st_size + 150_000) // 512  # blocks of a file
    little = ("sh", "-c", f'ulimit -f {most}; exec "$@"', "sh")
    words = ("fitness", "cooking", "travel", "gaming")

    ran = home.start("find", 400, *words, SANDBOX, by=little).end()

    kept = home.creators(ran.job)
    assert ran.code == 1
    told, error = ran.err.splitlines()[-2:]
    assert told == f"What was found is kept: headcount jobs resume {ran.job}"
    assert error.startswith("Error: the database ")
    assert error.endswith("the disk failed to read or write: check the disk")
    resumed = home.run("jobs", "resume", ran.job)
    assert resumed.code == 0
    assert home.creators(ran.job)[: len(kept)] == kept
    assert len(set(home.creators(ran.job))) == 400


def test_no_traceback_reaches_the_terminal_of_the_real_program(home: Home) -> None:
    ran = home.start("find", "-5", "tech").end()

    assert complaint(ran).endswith("from 1 to 1,000,000, not '-5'")
    assert ran.code == 2
