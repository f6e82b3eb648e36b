"""Pages settled by one worker, two and four, against their bare statements.

The bare statements are those that a worker's job executes, from its claim to its
release, written down once and replayed by a loop: through SQLAlchemy Core as text, on a
connection of its own, without engine, planner, HTTP or threads. What the product adds
is the difference; what it saves by sending statements together counts for it.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

from figures import Figure, Say
from postgres import Postgres, running_postgres
from settler import RECORDED

_PAGES, _ROUNDS = 50, 3
_NUMBERS = (1, 2, 4)
_KINDS = ("no-figures", "paced")


async def measure(say: Say) -> AsyncIterator[Figure]:
    """Compare the pages a second of each, of which the best round counts."""
    with TemporaryDirectory() as folder:
        async with running_postgres() as postgres:
            fleet = Fleet(postgres, Path(folder, "statements"))
            say("writing the statements down")
            await fleet.rate("record", 1)
            runs = [(kind, n) for n in _NUMBERS for kind in ("bare", "worker")]
            runs += [(kind, 1) for kind in _KINDS]
            rates = dict.fromkeys(runs, 0.0)
            for turn in range(_ROUNDS):
                for kind, number in runs:
                    say(f"round {turn + 1} of {_ROUNDS}: {number} x {kind}")
                    rate = await fleet.rate(kind, number)
                    rates[kind, number] = max(rate, rates[kind, number])
    for number in _NUMBERS:
        bare, worker = rates["bare", number], rates["worker", number]
        yield _figure(
            f"bare statements ({bare:.0f} pages/s) over the product ({worker:.0f}), "
            f"{number} at once",
            bare / worker,
            1 / 0.6 if number == 1 else None,
        )
    one, two = rates["worker", 1], rates["worker", 2]
    yield _figure("one worker's pages/s, doubled, over those of two", 2 * one / two)
    for kind, what in zip(_KINDS, ("statistics", "a turn for each call"), strict=True):
        without, with_it = rates["worker", 1], rates[kind, 1]
        if kind == "no-figures":
            without, with_it = with_it, without
        yield _figure(f"pages/s without {what} over with", without / with_it, 1.1)


def _figure(compared: str, measured: float, target: float | None = None) -> Figure:
    return Figure("workers", compared, measured, target, n=_ROUNDS)


class Fleet:
    """Processes that settle pages side by side, each on a job of its own."""

    def __init__(self, postgres: Postgres, file: Path) -> None:
        self._postgres, self._file = postgres, file

    async def rate(self, kind: str, number: int) -> float:
        """The pages a second of this many of a kind, on a database of their own."""
        url = self._postgres.fresh()
        names = [f"job{n}" for n in range(number)] if kind != "record" else [RECORDED]
        fleet = [await self._start(kind, url, name) for name in names]
        for process in fleet:
            assert process.stdin
            process.stdin.write(b"\n")
        seconds = [float((await process.communicate())[0]) for process in fleet]
        return sum(_PAGES / s for s in seconds)

    async def _start(self, kind: str, url: str, job_id: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("settler.py")),
            *(kind, url, job_id, str(_PAGES), str(self._file)),
            stdin=PIPE,
            stdout=PIPE,
        )
        assert process.stdout
        assert await process.stdout.readline() == b"ready\n"
        return process
