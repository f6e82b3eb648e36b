"""The peak memory of the command line on a job of a million creators."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

from figures import Figure, Say
from invented import KEYWORD, NEW, create_job, fill, page_of_creators

from headcount.adapters.sql import SqlStore
from headcount.sandbox import Sandbox, World, serving

_CREATORS, _FURTHER = 1_000_000, 50  # creators in all, and the last pages of them
_STORED = -(-_CREATORS // NEW) - _FURTHER  # pages
_COMMANDS = (
    ("jobs resume {id} --out creators.csv", f"{_FURTHER} pages and 1,000,000 as CSV"),
    ("jobs export {id} --out creators.jsonl", "1,000,000 as JSONL"),
)


async def measure(say: Say) -> AsyncIterator[Figure]:
    """Fill a store, then look at what each command needs at most to go on from it."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/jobs.db"
        say("storing 1,000,000 creators")
        job_id = await _filled(url)
        pages = [page_of_creators(_STORED + number) for number in range(_FURTHER)]
        world = World(pages={KEYWORD: [[]] * _STORED + pages})
        async with serving(Sandbox(world)) as address:
            environment = {
                "HEADCOUNT_DATABASE_URL": url,
                "SCRAPECREATORS_API_KEY": "benchmark",
                "SCRAPECREATORS_API_URL": address,
            }
            for command, work in _COMMANDS:
                say(f"headcount {command.format(id=job_id)}")
                words = command.format(id=job_id).split()
                peak = await _peak(words, environment, folder)
                yield Figure("memory", f"peak of {work}", peak, 300.0, unit="MB")
        for name in ("creators.csv", "creators.jsonl"):
            _check(Path(folder, name))


async def _filled(url: str) -> str:
    store = await SqlStore.open(url)
    job = await create_job(store, target=_CREATORS)
    await fill(store, job, pages=_STORED)
    await store.close()
    return job.id


async def _peak(words: list[str], environment: dict[str, str], folder: str) -> float:
    """Megabytes that a command took at most; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("peak.py")),
        *words,
        env=environment,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    return int(out.split()[-1]) / 1000


def _check(path: Path) -> None:
    """See that a file has a line for each creator, and at most one for the names."""
    with path.open("rb") as file:
        lines = sum(1 for _ in file)
    assert lines - _CREATORS in {0, 1}, f"{path.name} has {lines:,} lines"
