"""The other commands: suite, batch, doctor, sandbox, and the program as a whole."""

import json
import signal
import socket
from collections.abc import Callable

import pytest
from e2e.program import Home, Provider

Serve = Callable[..., Provider]


# ------------------------------------------------------------------------------ suite
def test_the_suite_runs_the_standard_scenarios_and_tells_what_it_measured(
    home: Home,
) -> None:
    ran = home.run("suite", "--runs", 1, "--format", "json")

    rows = ran.json["scenarios"]
    assert ran.code == 0
    assert ran.json["sandbox"] is True
    assert [row["targetCount"] for row in rows] == [50, 100, 250, 500, 1000]
    assert {row["successRate"] for row in rows} == {"100%"}
    assert all(row["apiCallsMin"] <= row["apiCallsMax"] for row in rows)
    assert not home.data.exists()


def test_the_suite_takes_numbers_and_keywords_of_ones_own(home: Home) -> None:
    ran = home.run(
        "suite", "--runs", 2, "--count", 30, "--count", 70,
        "--keyword", "tech", "--keyword", "gaming",
    )  # fmt: skip

    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in ran.out.splitlines()
        if line.startswith("| ")
    ]
    assert ran.code == 0
    assert "Measured in the sandbox" in ran.out
    assert cells[0][0] == "Target Count"
    assert cells[0][-1] == "Success Rate"
    assert [row[0] for row in cells[1:]] == ["30", "70"]
    assert [row[-1] for row in cells[1:]] == ["100%", "100%"]


def test_a_suite_that_falls_short_says_so(home: Home) -> None:
    ran = home.run(
        "suite", "--runs", 1, "--count", 500, "--format", "json",
        MAX_API_CALLS_FOR_TESTING="2",
    )  # fmt: skip

    assert ran.code == 3
    assert ran.json["scenarios"][0]["successRate"] == "0%"


def test_a_suite_in_which_no_call_was_charged_is_told_all_the_same(home: Home) -> None:
    ran = home.run(
        "suite", "--runs", 1, "--count", 50, "--format", "json",
        HEADCOUNT_SANDBOX_FAULTS="bad_key:1",
    )  # fmt: skip

    assert ran.code == 3
    assert ran.json["scenarios"][0]["averageCreatorsPerCall"] == 0


def test_a_live_suite_keeps_to_the_caps_and_keeps_what_was_paid_for(
    home: Home, provider: Provider
) -> None:
    ran = home.run(
        "suite", "--live", "--yes", "--runs", 1, "--count", 100,
        HEADCOUNT_MAX_CREDITS="2",
    )  # fmt: skip

    (job,) = home.run("jobs", "list", "--format", "json").json
    assert ran.code == 3
    assert provider.charged == job["credits"] == 2
    assert len(home.creators(job["id"])) == job["current"] > 0


# ------------------------------------------------------------------------------ batch
BATCH = """
[defaults]
target = 40
keywords = ["tech"]
sandbox = true

[[search]]
name = "phones"
keywords = ["street food", "tech"]
out = "phones.jsonl"

[[search]]
target = 30
followers_min = "10k"
max_calls = 9
out = "players.csv"
"""


def test_a_batch_runs_each_search_with_defaults_and_overrides(home: Home) -> None:
    (home.folder / "batch.toml").write_text(BATCH)

    ran = home.run("batch", "batch.toml", "--format", "json")

    phones, players = ran.json
    assert ran.code == 0
    assert phones["name"] == "phones"
    assert phones["keywords"] == ["street food", "tech"]
    assert phones["target"] == 40
    assert players["name"] == "search 2"
    assert players["callCap"] == 9
    assert players["rejected"] > 0
    assert len((home.folder / "phones.jsonl").read_text().splitlines()) == 40
    assert len((home.folder / "players.csv").read_text().splitlines()) == 31
    assert "[1/2] phones" in ran.err
    assert "at most 9 calls" in ran.err


def test_a_batch_goes_on_after_a_search_that_falls_short(home: Home) -> None:
    text = "[[search]]\ntarget = 900\nkeywords = ['tech']\nmax_calls = 1\n" * 2
    (home.folder / "batch.toml").write_text(text)

    ran = home.run("batch", "batch.toml", "--sandbox", "--format", "json")

    assert ran.code == 3
    assert [row["status"] for row in ran.json] == ["partial", "partial"]
    assert "Not run" not in ran.err


TWO = "[[search]]\ntarget = 90\nkeywords = ['tech', 'gaming']\n" * 2


def test_a_batch_goes_on_after_a_keyword_without_an_answer(
    home: Home, serve: Serve
) -> None:
    (home.folder / "batch.toml").write_text(TWO)
    serve("--fault", "server_error:1")

    ran = home.run("batch", "batch.toml", "--format", "json", HEADCOUNT_RETRIES="1")

    assert ran.code == 4
    assert len(ran.json) == 2
    assert "Not run" not in ran.err


def test_a_batch_ends_where_the_key_is_refused(home: Home, provider: Provider) -> None:
    (home.folder / "batch.toml").write_text(TWO)

    ran = home.run("batch", "batch.toml", "-q", SCRAPECREATORS_API_KEY="invalid")

    assert ran.code == 4
    assert {call["keyword"] for call in provider.calls} <= {"tech", "gaming"}
    assert len(home.run("jobs", "list", "--format", "json").json) == 1
    assert ran.err.splitlines()[-1] == "Not run: search 2."


def test_a_batch_ends_where_the_credits_run_out(home: Home, serve: Serve) -> None:
    (home.folder / "batch.toml").write_text(TWO)
    provider = serve("--credits", 2)

    ran = home.run("batch", "batch.toml", "--format", "json")

    assert ran.code == 3
    assert len(ran.json) == 1
    assert provider.charged == 2
    assert ran.err.splitlines()[-1] == "Not run: search 2."


def test_a_reader_that_has_seen_enough_does_not_change_the_code_of_a_batch(
    home: Home,
) -> None:
    (home.folder / "batch.toml").write_text(TWO)
    run = home.start("batch", "batch.toml", "--sandbox", MAX_API_CALLS="1")
    assert run.process.stdout is not None

    run.process.stdout.close()

    run.process.wait(30)
    assert run.process.returncode == 3


GOOD = "[[search]]\ntarget = 5\nkeywords = ['tech']\n"
BAD_BATCHES = {
    "no TOML": ("target = = 5", "is no TOML file"),
    "no search": ("[defaults]\ntarget = 5\n", "one or more [[search]] tables"),
    "an unknown table": (f"{GOOD}[[serch]]\ntarget = 5\n", "not 'serch'"),
    "an unknown setting": (f"{GOOD}[[search]]\ntarget_count = 5\n", "'target_count'"),
    "a bad target": (f"{GOOD}{GOOD}[[search]]\ntarget = 0\n", "search 3"),
    "a target that is true": ("[[search]]\ntarget = true\nkeywords = ['a']\n", "True"),
    "no keyword": ("[[search]]\ntarget = 5\n", "at least one keyword"),
    "keywords that are a number": (
        "[[search]]\ntarget = 5\nkeywords = 5\n",
        "a list of keywords, not 5",
    ),
    "a cap that is text": (f"{GOOD}max_calls = 'few'\n", "max_calls"),
    "a deadline of another kind": (f"{GOOD}deadline = 5\n", "deadline"),
    "a filter that is none": (f"{GOOD}followers_min = 'lots'\n", "lots"),
    "a sandbox that is text": (f"{GOOD}sandbox = 'yes'\n", "sandbox"),
    "an unknown format": (f"{GOOD}out = 'a.csv'\nformat = 'pdf'\n", "pdf"),
    "an unknown suffix": (f"{GOOD}out = 'a.pdf'\n", "a.pdf"),
}


@pytest.mark.parametrize("case", BAD_BATCHES)
def test_a_bad_batch_costs_nothing_and_gets_one_line(home: Home, case: str) -> None:
    text, expected = BAD_BATCHES[case]
    (home.folder / "batch.toml").write_text(text)

    ran = home.run("batch", "batch.toml", SCRAPECREATORS_API_KEY="key")

    (line,) = ran.err.splitlines()
    assert ran.code == 2
    assert line.startswith("Error: ")
    assert "batch.toml" in line
    assert expected in line
    assert not home.data.exists()


def test_a_batch_file_that_is_not_there_is_told(home: Home) -> None:
    ran = home.run("batch", "nowhere.toml")

    assert ran.code == 2
    assert ran.err == "Error: nowhere.toml: No such file or directory\n"


# ----------------------------------------------------------------------------- doctor
def checks(home: Home, **env: str) -> tuple[int, dict[str, tuple[str, str]]]:
    ran = home.run("doctor", "--format", "json", **env)
    found = {check["name"]: (check["standing"], check["finding"]) for check in ran.json}
    return ran.code, found


def test_a_healthy_machine_passes_with_its_production_checklist(
    home: Home, provider: Provider
) -> None:
    code, found = checks(home)

    assert code == 0
    assert {standing for standing, _ in found.values()} == {"good"}
    assert "credits left" in found["provider key"][1]
    for trial in ("100 creators", "500 creators", "1000 creators", "API failures"):
        assert f"sandbox, {trial}" in found
    assert provider.calls == []


def test_the_doctor_knows_a_store_by_its_full_name_too(home: Home) -> None:
    url = f"sqlite+pysqlite:///{home.folder}/jobs.db"

    code, found = checks(home, HEADCOUNT_DATABASE_URL=url)

    assert code == 0
    assert found["disk"][1].endswith(f" free in {home.folder}")


def test_the_doctor_finds_what_is_wrong_and_goes_on(
    home: Home, provider: Provider
) -> None:
    key = "invalid-314159"
    code, found = checks(
        home,
        SCRAPECREATORS_API_KEY=key,
        HEADCOUNT_DATABASE_URL="sqlite:////proc/jobs.db",
        MAX_API_CALLS_FOR_TESTING="5",
    )

    assert code == 1
    assert found["store"][0] == "broken"
    assert "/proc/jobs.db cannot be opened" in found["store"][1]
    assert found["provider key"][0] == "broken"
    assert key not in str(found)
    assert found["cap on calls"][0] == "note"
    assert "MAX_API_CALLS_FOR_TESTING" in found["cap on calls"][1]
    assert provider.calls == []


# ---------------------------------------------------------------------------- sandbox
def test_a_world_of_ones_own_can_be_served(home: Home, serve: Serve) -> None:
    world = home.folder / "world.json"
    world.write_text('{"keywords": {"owls": [["anna", "ben"], ["ben", "carl"]]}}')
    provider = serve("--world", world)

    ran = home.run("find", 3, "owls", "--format", "jsonl")

    handles = {json.loads(row)["username"] for row in ran.out.splitlines()}
    assert ran.code == 0
    assert len(handles) == 3
    assert len(provider.calls) == 2


BAD_SERVINGS = {
    "an unknown fault": ("--fault sever_error:0.1", "did you mean 'server_error'?"),
    "a fault without a rate": ("--fault html", "html:0.1"),
    "no world": ("--world nowhere.json", "nowhere.json"),
    "a port beyond all": ("--port 70000", "--port"),
}


@pytest.mark.parametrize("case", BAD_SERVINGS)
def test_a_sandbox_that_cannot_be_served(home: Home, case: str) -> None:
    words, expected = BAD_SERVINGS[case]

    ran = home.run("sandbox", "serve", *words.split())

    assert ran.code == 2
    assert expected in ran.err.splitlines()[-1]


def test_a_taken_port_is_told_in_one_line(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        ran = home.run("sandbox", "serve", "--port", port)

    assert ran.code == 2
    assert ran.err.startswith(f"Error: port {port} cannot be used (")
    assert len(ran.err.splitlines()) == 1


def test_ctrl_c_ends_the_sandbox_without_a_word(home: Home) -> None:
    run = home.start("sandbox", "serve", "--port", 0)
    run.hears("/sandbox/ledger")
    run.send(signal.SIGINT)

    ran = run.end()

    assert ran.code == 0
    assert len(ran.err.splitlines()) == 4


def test_the_faults_are_listed_by_name(home: Home) -> None:
    assert "out_of_credits" in home.run("sandbox", "faults").out


# ------------------------------------------------------------------- the program itself
def test_the_version_is_told(home: Home) -> None:
    assert home.run("--version").out.startswith("headcount 0.")


def test_completion_can_be_had_for_bash(home: Home) -> None:
    ran = home.start(
        "--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1"
    ).end()

    assert ran.code == 0
    assert "complete -o default" in ran.out


@pytest.mark.parametrize(
    "words", ["", "find", "jobs", "jobs resume", "suite", "batch", "doctor", "sandbox"]
)
def test_help_is_there_for_every_command(home: Home, words: str) -> None:
    ran = home.run(*words.split(), "--help")

    assert ran.code == 0
    assert ran.out.startswith("Usage: ")


def test_help_loads_nothing_heavy(home: Home) -> None:
    ran = home.start("--help", PYTHONPROFILEIMPORTTIME="1").end()

    loaded = {line.rpartition("|")[2].strip() for line in ran.err.splitlines()}
    assert "headcount.cli.find" in loaded
    heavy = {
        "pydantic",
        "sqlalchemy",
        "httpx2",
        "rich",
        "msgspec",
        "uvicorn",
        "asyncio",
    }
    assert loaded & heavy == set()
