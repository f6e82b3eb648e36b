"""Worlds that the benchmark of the planner cannot play."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def played(world: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(BENCHMARKS / "allocation.py"), str(world)]
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
