"""One keyword, page after page: no call too many, and no time but the provider's."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import chain
from statistics import median

from figures import Figure, Say
from invented import KEYWORD, page_of_creators, uid

from headcount.bootstrap import open_app
from headcount.core.model import Search
from headcount.sandbox import Sandbox, World, serving
from headcount.settings import Settings

_PAGES, _TIMES = 14, 5
_TARGETS = (1, 29, 30, 31, 60, 100, 250, 360, 364)
_TIMED = 200  # creators, 7 pages
_FRESH = [[uid(30 * page + place) for place in range(30)] for page in range(_PAGES)]
_REPEATING = [page_of_creators(number) for number in range(_PAGES)]


@dataclass(frozen=True, slots=True)
class _Run:
    """What one search took."""

    calls: int
    seconds: float


async def measure(say: Say) -> AsyncIterator[Figure]:
    """Compare calls with the fewest that could do, and time with the provider's own."""
    for name, pages in (("all new", _FRESH), ("with repeats", _REPEATING)):
        say(f"calls, {name}")
        yield await _calls(name, pages)
    for latency_ms, spacing_ms in ((200, 0), (50, 200)):
        say(f"time, {latency_ms} ms an answer, {spacing_ms} ms between calls")
        yield await _time(latency_ms, spacing_ms)


async def _calls(name: str, pages: list[list[str]]) -> Figure:
    """The worst ratio of calls made to the pages that hold the creators wanted."""
    held = [len(set(chain(*pages[:n]))) for n in range(1, _PAGES + 1)]
    ratios = []
    for target in _TARGETS:
        fewest = next(n for n, creators in enumerate(held, 1) if creators >= target)
        ratios.append((await _search(pages, target)).calls / fewest)
    return Figure(
        "one-keyword",
        f"calls over the fewest possible, creators {name}, the worst of {len(ratios)} "
        f"targets up to {_TARGETS[-1]}",
        max(ratios),
        1.0,
        n=len(ratios),
    )


async def _time(latency_ms: int, spacing_ms: int) -> Figure:
    ratios = []
    for _ in range(_TIMES):
        run = await _search(
            _FRESH, _TIMED, latency_ms=latency_ms, spacing_ms=spacing_ms
        )
        ratios.append(run.seconds / (run.calls * max(latency_ms, spacing_ms) / 1000))
    return Figure(
        "one-keyword",
        f"time over calls x {max(latency_ms, spacing_ms)} ms: answers take "
        f"{latency_ms} ms, calls start {spacing_ms} ms apart or more",
        median(ratios),
        1.1,
        n=_TIMES,
    )


async def _search(
    pages: list[list[str]], target: int, *, latency_ms: int = 0, spacing_ms: int = 0
) -> _Run:
    """Search a world of exactly these pages, over a real port."""
    sandbox = Sandbox(World(pages={KEYWORD: pages}), latency_ms=latency_ms)
    async with serving(sandbox) as url:
        settings = Settings.model_validate(
            {
                "database_url": "sqlite://",
                "scrapecreators_api_key": "benchmark",
                "scrapecreators_api_url": url,
                "rate_limit_ms": spacing_ms,
            }
        )
        async with open_app(settings) as app:
            job = await app.create(Search(target, (KEYWORD,)))
            await app.connect(job.search.provider)
            start = time.perf_counter()
            job = await app.run(job.id)
            seconds = time.perf_counter() - start
    assert job.delivered == target, f"expected {target} creators, not {job.delivered}"
    return _Run(len(sandbox.ledger), seconds)
