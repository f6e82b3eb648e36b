"""Worlds that the benchmark of the planner cannot play."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from contest import FORESIGHT, JOINED, PLANNER, SHARES
from market import read_world
from strategies import BASELINES

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def played(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    script = BENCHMARKS / "allocation.py"
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.run(  # noqa: S603 - our own script
        command, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"keywords": {"tea": [["a"', 'expected {"keywords": {WORD: [[CREATOR'),
        ('{"keywords": {"tea": "a"}}', "Expected `array`, got `str`"),
        ('{"keywords": {"tea": []}}', "expected a world with at least one creator"),
    ],
)
def test_a_world_that_cannot_be_played_is_told_in_one_line(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "world.json").write_text(text)

    run = played(tmp_path / "world.json")

    assert run.returncode == 2
    assert message in run.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"": [["a"]]}, "a keyword is blank: give a word or a phrase"),
        ({"tea": [["a"]], "   ": [["b"]]}, "a keyword is blank"),
        ({"tea\x00": [["a"]]}, "a keyword has no control characters"),
        ({"tea": [["a"]], "TEA": [["b"]]}, "'tea' and 'TEA' differ in case or spaces"),
        ({"green  tea": [["a"]], " green tea": []}, "are one keyword to a search"),
    ],
)
def test_a_keyword_that_no_search_can_tell_is_refused_in_one_line(
    tmp_path: Path, keywords: dict[str, object], message: str
) -> None:
    path = tmp_path / "world.json"
    path.write_text(json.dumps({"keywords": keywords}))

    with pytest.raises(ValueError, match=message) as refused:
        read_world(path)

    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_a_blank_keyword_is_refused_by_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text('{"keywords": {" ": [["a"]]}}')

    run = played(tmp_path / "world.json")

    assert run.returncode == 2
    assert "a keyword is blank" in run.stderr.splitlines()[-1]


def test_a_million_creators_are_refused_before_anything_is_played(
    tmp_path: Path,
) -> None:
    pages = [list(range(first, first + 30)) for first in range(0, 1_000_000, 30)]
    path = tmp_path / "world.json"
    path.write_text(json.dumps({"keywords": {"tea": pages}}))

    with pytest.raises(ValueError, match="at most 20,000 creators, not 1,000,020"):
        read_world(path)


def test_json_holds_the_calls_of_all_ways(tmp_path: Path) -> None:
    keywords = {"tea": [["a", "b"], ["c"]], "mate": [["a"], ["d", "e"]]}
    world = {"keywords": keywords, "joined": [["a"], ["b"]]}
    (tmp_path / "world.json").write_text(json.dumps(world))

    run = played(tmp_path / "world.json", "--json")

    told = json.loads(run.stdout)
    assert set(told) == {"races", "hurries", "foretold"}
    assert [race["share"] for race in told["races"]] == list(SHARES)
    for race in told["races"]:
        assert set(race["calls"]) == {PLANNER, *BASELINES, JOINED, FORESIGHT}
        assert race["calls"][PLANNER] >= race["fewest"]
        assert (race["calls"][JOINED] is None) == (race["wanted"] > 2)
    assert set(told["foretold"][0]) >= {"calls", "reach", "seconds", "progress"}


def test_two_files_of_one_name_are_two_worlds(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "world.json" for folder in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        path.write_text('{"keywords": {"tea": [["a", "b"], ["c"]]}}')

    run = played(*paths)

    assert run.returncode == 0
    assert "world (2)" in run.stdout


def test_a_world_of_more_creators_than_can_be_played_is_refused(
    tmp_path: Path,
) -> None:
    creators = ", ".join(f'"{number}"' for number in range(20_001))
    (tmp_path / "world.json").write_text(f'{{"keywords": {{"tea": [[{creators}]]}}}}')

    run = played(tmp_path / "world.json")

    assert run.returncode == 2
    assert "expected at most 20,000 creators, not 20,001" in run.stderr


def test_pages_may_have_any_size_and_an_empty_keyword_costs_the_call_that_shows_it(
    tmp_path: Path,
) -> None:
    world = '{"keywords": {"tea": [["a", "b"], [], ["c"]], "mate": []}}'
    (tmp_path / "world.json").write_text(world)

    run = played(tmp_path / "world.json")

    assert run.returncode == 0
    assert "3/2" in run.stdout
