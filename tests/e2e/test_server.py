"""The command line against a server: the same commands, answered from afar."""

import json
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from e2e.program import Home, Ran, unread, until
from e2e.test_live_view import terminal

_ADDRESS = re.compile(r"Headcount on (http://\S+) ")
WORDS = ("tech", "gaming", "fitness")
MANY = ("find", 300, *WORDS, "--sandbox")


def serving(home: Home, *words: str | int) -> str:
    """Where a service is at work; from here on, commands of this home turn to it."""
    run = home.start("serve", "--port", 0, *words)
    url = until(lambda: _ADDRESS.search(run.said))[1]
    home.env["HEADCOUNT_SERVER"] = url
    return url


@pytest.fixture
def url(home: Home) -> str:
    """A service that asks for no key and works on jobs."""
    return serving(home, "--dev")


@pytest.fixture
def slow_url(home: Home) -> str:
    """The same, which takes its time."""
    home.env["HEADCOUNT_SANDBOX_LATENCY_MS"] = "150"
    return serving(home, "--dev")


def told(ran: Ran) -> list[str]:
    """What a command said, without what differs from run to run."""
    return re.sub(r"Job \w+:", "Job:", ran.err).splitlines()


def test_a_search_is_answered_as_it_is_here(home: Home, tmp_path: Path) -> None:
    here = home.run(*MANY, "--out", "here.csv", "--max-calls", 40)
    serving(home, "--dev")

    afar = home.run(*MANY, "--out", "afar.csv", "--max-calls", 40)

    files = [(tmp_path / f"{name}.csv").read_text() for name in ("here", "afar")]
    heads = {text.splitlines()[0] for text in files}
    assert (here.code, afar.code) == (0, 0)
    assert [len(text.splitlines()) for text in files] == [301, 301]
    assert len(heads) == 1
    assert told(afar)[0] == told(here)[0]
    assert told(afar)[-1].startswith("Exactly 300 of 300 creators (sandbox): ")


def test_every_form_is_written_to_the_byte_as_it_is_here(home: Home, url: str) -> None:
    job = home.run("find", 30, "tech", "--sandbox").job
    kinds = [("rows", form) for form in ("jsonl", "json", "xlsx", "table", "csv")]

    for shape, form in [*kinds, ("guide", "json"), ("guide", "csv")]:
        words = ("jobs", "export", job, "--shape", shape, "--format", form)
        written = []
        for server in (url, ""):
            ran = home.run(*words, "--out", "out", "--server", server)
            assert ran.code == 0
            written.append((home.folder / "out").read_bytes())
        assert written[0] == written[1], (shape, form)


def test_what_a_command_prints_in_json_is_the_same(home: Home, url: str) -> None:
    job = home.run("find", 300, "tech", "--sandbox", "--max-calls", 2).job
    commands = [("show", job), ("watch", job), ("list",), ("cancel", job)]

    afar = [home.run("jobs", *words, "--format", "json") for words in commands]
    del home.env["HEADCOUNT_SERVER"]
    here = [home.run("jobs", *words, "--format", "json") for words in commands]

    assert [ran.code for ran in afar] == [ran.code for ran in here]
    shown, known = afar[0].json, here[0].json
    assert f"jobs resume {job} --server {url} --max-calls" in shown.pop("advice")
    assert known.pop("advice")
    assert shown == known
    assert afar[1].out == here[1].out
    assert [row["id"] for row in afar[2].json] == [job]
    assert afar[3].json == here[3].json


def test_a_short_job_says_why_and_how_to_go_on_there(home: Home, url: str) -> None:
    ran = home.run("find", 300, "tech", "--sandbox", "--max-calls", 2, "--quiet")

    assert ran.code == 3
    assert "Reason: call_limit." in ran.err
    command = re.search(r"headcount (jobs resume .+)", ran.err)
    assert command
    assert command[1].split()[3:5] == ["--server", url]
    assert home.run(*command[1].split(), "--format", "jsonl").code == 3


def test_ctrl_c_leaves_the_job_to_the_server(home: Home, slow_url: str) -> None:
    run = home.start(*MANY, "--out", "all.csv")
    run.hears("PROGRESS")
    run.send(signal.SIGINT)

    left = run.end()

    assert left.code == 130
    assert f"Job {run.job} goes on at the server" in left.err
    assert f"jobs pause {run.job} --server {slow_url}" in left.err
    again = re.search(r"with: headcount (jobs resume .+)", left.err)
    assert again
    ran = home.run(*again[1].split())
    assert ran.code == 0
    assert len((home.folder / "all.csv").read_text().splitlines()) == 301


def test_a_paused_job_stops_and_goes_on(home: Home, slow_url: str) -> None:
    assert slow_url
    run = home.start(*MANY, "--format", "jsonl")
    run.hears("PROGRESS")

    paused = home.run("jobs", "pause", run.job)
    seen = run.end()
    watched = home.run("jobs", "watch", run.job)
    resumed = home.run("jobs", "resume", run.job, "--format", "jsonl")

    assert (paused.code, seen.code, watched.code) == (0, 130, 130)
    assert f"Job {run.job} is paused: " in paused.err
    assert seen.err.splitlines()[-1].startswith("Interrupted: ")
    assert len(resumed.out.splitlines()) == 300


def test_a_server_that_is_started_anew_is_waited_for(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve = ("serve", "--dev", "--port", port)
    home.env["HEADCOUNT_SANDBOX_LATENCY_MS"] = "150"
    first = home.start(*serve)
    first.hears("Headcount on")
    home.env["HEADCOUNT_SERVER"] = f"http://127.0.0.1:{port}"
    run = home.start(*MANY, "--format", "jsonl")
    run.hears("PROGRESS")

    first.kill()
    run.hears("Trying again.")
    home.start(*serve)
    ran = run.end()

    numbers = re.findall(r"\[API CALL #(\d+)\]", ran.err)
    assert ran.code == 0
    assert len({json.loads(line)["id"] for line in ran.out.splitlines()}) == 300
    assert len(set(numbers)) == len(numbers)
    lost = ran.err.count("[NO PAGE]")  # calls that were out when it was killed
    assert max(map(int, numbers)) == len(numbers) + lost


def test_a_job_at_work_is_not_deleted(home: Home, slow_url: str) -> None:
    run = home.start(*MANY)
    run.hears("PROGRESS")

    refused = home.run("jobs", "delete", run.job, "--yes")
    cancel = re.search(r"headcount (jobs cancel .+) first", refused.err)
    assert cancel
    cancelled = home.run(*cancel[1].split())
    deleted = home.run("jobs", "delete", run.job, "--yes")

    assert slow_url in cancel[1]
    assert (refused.code, cancelled.code, deleted.code) == (2, 0, 0)
    assert home.run("jobs", "list", "--format", "json").json == []


def test_the_figures_of_a_server_are_watched(home: Home, url: str) -> None:
    assert url
    with (home.folder / "watched.jsonl").open("w+") as file:
        run = home.start("stats", "--watch", "--format", "json", out=file)

        def counted() -> list[int]:
            file.seek(0)
            lines = [json.loads(line) for line in file.read().splitlines()]
            return [one["sandbox"]["totalJobs"] for one in lines]

        until(lambda: counted() == [0])
        home.run("find", 20, "tech", "--sandbox", "--quiet")
        until(lambda: counted() == [0, 1])
        run.send(signal.SIGINT)

        assert run.end().code == 130


def test_a_terminal_shows_a_live_bar(home: Home, slow_url: str) -> None:
    assert slow_url
    with terminal(home, *map(str, MANY), "--out", "a.csv") as shown:
        text = shown.end()

    assert shown.process.returncode == 0
    assert "sandbox ━" in text
    assert "~" in text
    assert "Exactly 300 of 300 creators" in text


# --------------------------------------------------------------------------------- keys
def test_a_key_opens_its_owners_jobs_and_is_never_shown(home: Home) -> None:
    keys = {
        name: home.run("keys", "create", "--owner", name, "--scope", scope).out.strip()
        for name, scope in (("acme", "write"), ("other", "write"), ("reader", "read"))
    }
    serving(home)
    find = ("find", 20, "tech", "--sandbox")

    mine = home.run(*find, HEADCOUNT_API_KEY=keys["acme"])
    theirs = home.run("jobs", "show", mine.job, HEADCOUNT_API_KEY=keys["other"])
    barred = home.run(*find, HEADCOUNT_API_KEY=keys["reader"])
    unknown = home.run(*find, HEADCOUNT_API_KEY="hc_invented")
    without = home.run(*find)

    assert [ran.code for ran in (mine, theirs, barred, unknown, without)] == [
        0,
        2,
        2,
        2,
        2,
    ]
    assert "no job has the id" in theirs.err
    assert "takes a key of scope write, and yours is read" in barred.err
    assert "the key is unknown or revoked" in unknown.err
    assert "HEADCOUNT_API_KEY" in without.err
    everything = "".join(ran.out + ran.err for ran in (mine, theirs, barred, unknown))
    assert not any(key in everything for key in (*keys.values(), "hc_invented"))


# -------------------------------------------------------------------------- at the door
@pytest.mark.parametrize(
    ("server", "code", "words"),
    [
        ("http://127.0.0.1:1", 1, "no answer from http://127.0.0.1:1"),
        ("nonsense", 2, "expected the address of a Headcount server"),
        ("http://me:secret@127.0.0.1", 2, "without a name, a password"),
        ("http://headcount.example", 2, "could read the API key"),
    ],
)
@pytest.mark.parametrize("command", ["find 9 tech", "jobs list", "stats"])
def test_a_server_that_cannot_be_asked_is_one_clear_line(
    home: Home, server: str, code: int, words: str, command: str
) -> None:
    ran = home.run(*command.split(), "--server", server, HEADCOUNT_API_KEY="hc_secret")

    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert ran.err.count("\n") == 1
    assert "secret" not in ran.err


def test_who_is_no_headcount_server_is_said_to_be_none(
    home: Home, serve: Callable[..., object], url: str
) -> None:
    serve()
    stranger = home.env["SCRAPECREATORS_API_URL"]

    within = home.run("jobs", "list", "--server", f"{url}/api")
    other = home.run("jobs", "list", "--server", stranger)

    assert (within.code, other.code) == (2, 2)
    assert "leave the path out" in within.err
    assert f"expected a Headcount server at {stranger}" in other.err


@pytest.mark.parametrize(
    "words",
    [
        "find 9 tech --concurrency 2",
        "find 9 tech --rate-limit-ms 5",
        "find 9 tech --debug",
        "jobs resume job1 --debug",
        "stats --recount",
    ],
)
def test_what_means_nothing_to_a_server_is_refused(home: Home, words: str) -> None:
    url = "https://headcount.example"
    ran = home.run(*words.split(), "--server", url)

    assert ran.code == 2
    assert f"is for this machine only, and {url} is asked" in ran.err


def test_an_empty_server_is_this_machine(home: Home, url: str) -> None:
    ran = home.run("find", 9, "tech", "--sandbox", "--server", "", "--concurrency", 2)

    assert ran.code == 0
    assert url not in ran.err


def test_the_caps_of_the_environment_hold_there_too(home: Home, url: str) -> None:
    assert url
    caps = {"HEADCOUNT_MAX_CALLS": "5", "MAX_API_CALLS_FOR_TESTING": "2"}

    ran = home.run("find", 300, "tech", "--sandbox", **caps)

    assert ran.code == 3
    assert home.shows(ran.job)["limits"]["maxCalls"] == 2


# --------------------------------------------------------------------------- who reads
@pytest.mark.parametrize(
    "words", ["db current", "provider status --format json", "keys list", "stats"]
)
def test_a_reader_that_left_is_no_success(home: Home, words: str) -> None:
    home.run("keys", "create", "--owner", "acme")

    with unread() as pipe:
        ran = home.start(*words.split(), out=pipe).end()
    closed = home.start(*words.split(), by=("sh", "-c", 'exec "$@" >&-', "sh")).end()

    assert (ran.code, ran.err) == (141, "")
    assert closed.code == 1
    assert closed.err.startswith("Error: cannot write the output")
