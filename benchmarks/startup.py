"""How long the command line takes to begin."""

import asyncio
import os
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from figures import Figure, Say

from headcount.adapters.sql import SqlStore

_TIMES = 9
_HELP = ("--help",)
_FIND = ("find", "30", "apple", "--sandbox", "--quiet", "--format", "csv")
_SHOWN = 5  # packages of the breakdown


async def measure(say: Say) -> AsyncIterator[Figure]:
    """Time the help, and the way to the first call; tell what imports cost of it."""
    await _run(_HELP)  # so that all is compiled to bytecode
    say("help")
    times = [await _help() for _ in range(_TIMES)]
    yield Figure("startup", "headcount --help", median(times), 0.25, n=_TIMES, unit="s")
    await _first_call()
    say("the first call")
    times = [await _first_call() for _ in range(_TIMES)]
    shown = " ".join(_FIND[:4])
    yield Figure(
        "startup",
        f"headcount {shown}, to the first call",
        median(times),
        0.8,
        n=_TIMES,
        unit="s",
    )
    for words in (_HELP, _FIND[:5]):
        for package, seconds in await _imports(words):
            name = f"of which import {package} ({words[0]})"
            yield Figure("startup", name, seconds, unit="s")


async def _help() -> float:
    start = time.perf_counter()
    await _run(_HELP)
    return time.perf_counter() - start


async def _first_call() -> float:
    """Seconds from the start of the program until it holds its first call."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/jobs.db"
        start = time.time()
        await _run(_FIND, HEADCOUNT_DATABASE_URL=url)
        store = await SqlStore.open(url)
        job = await anext(aiter(store.jobs()))
        call = await anext(aiter(store.calls(job.id)))
        await store.close()
    return call.opened_at.timestamp() - start


async def _imports(words: tuple[str, ...]) -> list[tuple[str, float]]:
    """The packages that took the most time of their own to import, in seconds."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/jobs.db"
        said = await _run(
            words, HEADCOUNT_DATABASE_URL=url, PYTHONPROFILEIMPORTTIME="1"
        )
    packages = _by_package(said.splitlines()).items()
    return sorted(packages, key=lambda package: -package[1])[:_SHOWN]


def _by_package(lines: Iterable[str]) -> dict[str, float]:
    """Seconds by package, of lines such as `import time: 12 | 34 | package.module`."""
    packages: defaultdict[str, float] = defaultdict(float)
    for line in lines:
        if not line.startswith("import time:"):
            continue
        own, _, name = map(str.strip, line.removeprefix("import time:").split("|"))
        if own.isdecimal():
            packages[name.partition(".")[0]] += int(own) / 1e6
    return packages


async def _run(words: tuple[str, ...], **environment: str) -> str:
    """Run the command line, which must succeed, and give back its stderr."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("headcount"),
        *words,
        env=os.environ | environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()
