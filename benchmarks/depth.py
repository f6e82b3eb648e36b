"""A step's cost must not grow with what the job holds already."""

from collections.abc import AsyncIterator
from statistics import median
from tempfile import TemporaryDirectory

from figures import Figure, Say
from invented import NEW, create_job, fill
from steps import Steps, run_steps

from headcount.adapters.sql import SqlStore

_SHALLOW, _DEEP = 4, 3_847  # pages: some 100 creators, and some 100,000
_PAGES, _WARM_UP = 60, 10


async def measure(say: Say) -> AsyncIterator[Figure]:
    """Compare steps of a job that holds 100,000 creators with those of one with 100."""
    say("100 creators stored")
    shallow = await _steps(_SHALLOW)
    say("100,000 creators stored")
    deep = await _steps(_DEEP)
    times = [median(steps.seconds[_WARM_UP:]) for steps in (deep, shallow)]
    yield Figure(
        "depth",
        f"a step with 100,000 creators stored ({times[0] * 1000:.1f} ms) over one "
        f"with 100 ({times[1] * 1000:.1f} ms)",
        times[0] / times[1],
        1.3,
        n=_PAGES - _WARM_UP,
    )
    counts = [max(steps.statements[:-1]) for steps in (deep, shallow)]
    yield Figure(
        "depth",
        f"statements of such a step ({counts[0]}) over the other's ({counts[1]})",
        counts[0] / counts[1],
        1.0,
        n=_PAGES - 1,
    )


async def _steps(stored: int) -> Steps:
    """The further steps of a job that holds this many pages."""
    with TemporaryDirectory() as folder:
        store = await SqlStore.open(f"sqlite:///{folder}/jobs.db")
        job = await create_job(store, target=(stored + _PAGES) * NEW)
        steps = await run_steps(store, await fill(store, job, pages=stored))
        await store.close()
    return steps
