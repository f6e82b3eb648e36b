"""`headcount find` from end to end: exactly N, in every format, and nothing else."""

import csv
import io
import json
import re
from pathlib import Path

import openpyxl
import pytest
from e2e.program import Home, Provider

SEARCH = ("find", 100, "apple", "tech", "gaming")


def test_exactly_as_many_different_creators_come_as_were_asked_for(
    home: Home, provider: Provider
) -> None:
    ran = home.start(*SEARCH, "--format", "jsonl").end()

    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0
    assert len({row["id"] for row in rows}) == len(rows) == 100
    assert [row["ordinal"] for row in rows] == list(range(1, 101))
    job = home.shows(ran.job)
    assert job["apiCalls"] == len(provider.calls) == provider.charged == job["credits"]
    assert job["current"] == job["target"] == 100
    assert job["progress"] == "100.0%"
    assert "Exactly 100 of 100 creators" in ran.err


def test_each_keyword_is_asked_by_itself_and_a_phrase_stays_a_phrase(
    home: Home, provider: Provider
) -> None:
    home.run("find", 70, "street food", "Tech", " tech ")

    assert {call["keyword"] for call in provider.calls} == {"street food", "Tech"}


def test_no_question_is_asked_twice(home: Home, provider: Provider) -> None:
    ran = home.run("find", 400, "fitness", "cooking", "travel", "gaming", "--quiet")

    questions = [(call["keyword"], call["cursor"]) for call in provider.calls]
    assert ran.code == 0
    assert len(set(questions)) == len(questions)


def test_it_begins_with_what_it_expects_and_the_cap_in_force(home: Home) -> None:
    ran = home.run(*SEARCH, "--sandbox")

    begin = ran.err.splitlines()[0]
    assert "100 creators for apple, tech, gaming in the sandbox" in begin
    assert "about 5 calls, 5 credits; at most 32 calls" in begin


def test_a_price_turns_credits_into_costs(home: Home) -> None:
    ran = home.run(*SEARCH, "--sandbox", HEADCOUNT_CREDIT_PRICE="0.5")

    assert "5 credits (cost 2.50)" in ran.err.splitlines()[0]
    assert "(cost " in ran.err.splitlines()[-1]


def test_a_log_tells_of_every_call_in_the_wonted_words(home: Home) -> None:
    ran = home.run("find", 40, "tech", "--sandbox")

    lines = ran.err.splitlines()
    assert "🎯 [EXACT-COUNT] Target: 40 creators (sandbox)" in lines
    first = lines.index("📡 [API CALL #1] Cursor: 0 Keyword: tech")
    assert lines[first + 1] == "   ✅ Received: 30 items"
    new = int(lines[first + 2].removeprefix("   ✨ New unique: ").split()[0])
    assert lines[first + 3] == f"   🔁 Duplicates: {30 - new}"
    assert lines[first + 4] == (
        f"📊 [PROGRESS] {new}/40 ({new / 40:.1%}) complete"  # no rounding up needed
    )
    assert lines[first + 5] == f"🔄 [CONTINUE] Need {40 - new} more creators..."
    assert re.fullmatch(
        r"🔮 \[FORECAST\] To go: ~1 call \(1-2\) · ~1 credit \(1-2\)"
        r" · ~\d+ s \(\d+-\d+ s\)",
        lines[first + 6],
    )
    assert "📊 [PROGRESS] 40/40 (100.0%) complete" in lines


def test_debug_shows_the_new_ids_of_each_call(home: Home) -> None:
    ran = home.run("find", 10, "tech", "--sandbox", "--debug", "--format", "jsonl")

    details = next(line for line in ran.err.splitlines() if "[DEBUG]" in line)
    for row in map(json.loads, ran.out.splitlines()):
        assert row["id"] in details
    for word in ("duplicates:", "responseSize:", "durationMs:", "credits:"):
        assert word in details


def test_quiet_says_nothing_but_the_data(home: Home) -> None:
    ran = home.run("find", 5, "tech", "--sandbox", "--quiet")

    assert ran.err == ""
    assert len(ran.out.splitlines()) == 6


def test_quiet_still_says_why_there_are_fewer(home: Home) -> None:
    ran = home.run("find", 99, "tech", "--sandbox", "--quiet", "--max-calls", 1)

    told, reason = ran.err.splitlines()
    assert ran.code == 3
    assert told.startswith("Partial: 29 of 99 creators (sandbox)")
    assert reason.startswith("Reason: call_limit. ")


def written(file: Path) -> list[str]:
    """The ids in a file, read as another program would."""
    match file.suffix:
        case ".json":
            document = json.loads(file.read_text(encoding="utf-8"))
            assert document["job"]["sandbox"] is True
            assert document["exactCountTracking"]["targetAchieved"] is True
            return [row["id"] for row in document["creators"]]
        case ".jsonl":
            rows = file.read_text(encoding="utf-8").splitlines()
            return [json.loads(row)["id"] for row in rows]
        case ".csv":
            text = file.read_text(encoding="utf-8")
            return [row["id"] for row in csv.DictReader(io.StringIO(text))]
    heads, *cells = openpyxl.load_workbook(file).worksheets[0].values
    assert "sandbox" in heads
    return [str(row[heads.index("id")]) for row in cells]


@pytest.mark.parametrize("shape", ["rows", "guide"])
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "xlsx"])
def test_every_format_and_shape_holds_exactly_what_was_asked(
    home: Home, suffix: str, shape: str
) -> None:
    words = ("find", 12, "tech", "--sandbox", "--shape", shape)

    ran = home.run(*words, "--out", f"found.{suffix}")

    ids = written(home.folder / f"found.{suffix}")
    assert ran.code == 0
    assert ran.out == ""
    assert len(set(ids)) == len(ids) == 12
    assert f"-> found.{suffix}" in ran.err


@pytest.mark.parametrize("form", ["table", "csv", "jsonl", "json"])
@pytest.mark.parametrize("shape", ["rows", "guide"])
def test_the_sandbox_is_named_in_every_output(
    home: Home, form: str, shape: str
) -> None:
    ran = home.run("find", 3, "tech", "--sandbox", "--format", form, "--shape", shape)

    assert "sandbox" in ran.out
    assert "sandbox" in ran.err


def test_a_workbook_may_go_to_standard_output(home: Home) -> None:
    words = ("find", "3", "tech", "--sandbox", "--quiet", "--format", "xlsx")
    file = home.folder / "found.xlsx"

    with file.open("wb") as out:
        ran = home.start(*words, out=out).end()

    assert ran.code == 0
    assert len(written(file)) == 3


def test_filters_reject_and_the_count_is_exact_all_the_same(home: Home) -> None:
    ran = home.run(
        "find", 40, "tech", "gaming", "--sandbox", "--format", "jsonl",
        "--followers-min", "10k", "--followers-max", "1m", "--likes-min", "10",
    )  # fmt: skip

    followers = [json.loads(row)["followers"] for row in ran.out.splitlines()]
    assert ran.code == 0
    assert len(followers) == 40
    assert all(10_000 <= number <= 1_000_000 for number in followers)
    assert home.shows(ran.job)["rejected"] > 0


def test_the_variant_of_a_search_reaches_the_provider(
    home: Home, provider: Provider
) -> None:
    home.run(
        "find", 20, "tech", "--region", "gb", "--sort", "most-liked",
        "--period", "this-month",
    )  # fmt: skip

    (call,) = provider.calls
    assert call["region"] == "GB"
    assert call["sort_by"] == "most-liked"
    assert call["date_posted"] == "this-month"


def test_a_reader_that_has_seen_enough_is_no_error(home: Home) -> None:
    run = home.start("find", 500, "fitness", "cooking", "travel", "gaming", "--sandbox")
    assert run.process.stdout is not None

    run.process.stdout.close()

    run.process.wait(30)
    assert run.process.returncode == 0
    assert "Traceback" not in run.said


def test_a_reader_that_has_seen_enough_does_not_turn_fewer_into_enough(
    home: Home,
) -> None:
    run = home.start("find", 99, "tech", "--sandbox", "--max-calls", 1)
    assert run.process.stdout is not None

    run.process.stdout.close()

    run.process.wait(30)
    assert run.process.returncode == 3
    assert "Partial: " in run.said


DEAF = {
    "a reader that has seen enough": '"$@" 2>&1 | head -4',
    "a full disk": 'exec "$@" 2>/dev/full',
    "nobody": 'exec "$@" 2>&-',
    "nobody at all": 'exec "$@" >&- 2>&-',
}


@pytest.mark.parametrize("color", ["", "1"], ids=["log", "bar"])
@pytest.mark.parametrize("listener", DEAF)
def test_a_job_is_finished_whoever_listens_on_standard_error(
    home: Home, listener: str, color: str
) -> None:
    shell = ("bash", "-o", "pipefail", "-c", DEAF[listener], "bash")
    words = ("find", 300, "fitness", "cooking", "travel", "gaming", "--sandbox")

    ran = home.start(*words, "-o", "found.csv", by=shell, FORCE_COLOR=color).end()

    assert ran.code == 0
    assert len(set(written(home.folder / "found.csv"))) == 300


def closed(*streams: str) -> tuple[str, ...]:
    """A shell that closes these before it becomes the program: `>&-` and the like."""
    return ("bash", "-c", f'exec "$@" {" ".join(streams)}', "bash")


@pytest.mark.parametrize("words", ["find 5 tech", "find 5 tech -f json", "jobs export"])
def test_without_a_standard_output_nothing_is_asked(
    home: Home, provider: Provider, words: str
) -> None:
    command = [*words.split(), "nope"] if words == "jobs export" else words.split()

    ran = home.start(*command, by=closed(">&-")).end()

    assert ran.code == 1
    assert provider.calls == []
    assert ran.err == (
        "Error: cannot write to standard output, which is closed: "
        "name a file by --out FILE\n"
    )


@pytest.mark.parametrize("command", ["list", "show", "watch", "cancel -f json"])
def test_data_without_a_standard_output_is_an_error(home: Home, command: str) -> None:
    job = home.run("find", 3, "tech", "--sandbox").job
    verb, *options = command.split()
    words = ("jobs", verb, *options, *([] if verb == "list" else [job]))

    ran = home.start(*words, by=closed(">&-")).end()

    assert ran.code == 1
    assert ran.err == "Error: cannot write the output: Bad file descriptor\n"


def test_without_a_standard_error_only_data_is_written(home: Home) -> None:
    search = ("find", 40, "tech", "--sandbox", "-f", "jsonl")

    found = home.start(*search, by=closed("2>&-")).end()
    refused = home.start("find", "--nonsense", by=closed("2>&-")).end()

    assert (found.code, refused.code) == (0, 2)
    assert len(found.out.splitlines()) == 40
    assert refused.out == found.err == refused.err == ""


def test_without_a_standard_input_nobody_is_there_to_answer(home: Home) -> None:
    job = home.run("find", 3, "tech", "--sandbox").job

    ran = home.start("jobs", "delete", job, by=closed("<&-")).end()

    assert ran.code == 130
    assert "Traceback" not in ran.err
    assert len(home.creators(job)) == 3


def test_a_full_standard_output_is_told_and_the_creators_are_kept(home: Home) -> None:
    with Path("/dev/full").open("w") as full:
        ran = home.start("find", 50, "tech", "gaming", "--sandbox", out=full).end()

    last = ran.err.splitlines()[-1]
    assert ran.code == 1
    assert last == "Error: cannot write the output: No space left on device"
    assert f"The creators are kept: headcount jobs export {ran.job}" in ran.err
    assert len(home.creators(ran.job)) == 50


def test_two_searches_at_once_on_one_store_do_not_meet(
    home: Home, provider: Provider
) -> None:
    runs = [
        home.start("find", 120, word, "gaming", "--format", "jsonl")
        for word in ("tech", "fitness")
    ]

    ends = [run.end() for run in runs]

    assert [end.code for end in ends] == [0, 0]
    assert [len(set(end.out.splitlines())) for end in ends] == [120, 120]
    made = [home.shows(end.job)["apiCalls"] for end in ends]
    assert sum(made) == len(provider.calls)
