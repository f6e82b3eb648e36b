"""A step's cost must not grow with what the job holds already."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from statistics import median
from tempfile import TemporaryDirectory

from figures import Figure, Say
from invented import NEW, ask_for_more, create_job, fill
from steps import Steps, run_steps

from headcount.adapters.sql import SqlStore

_STORED = {"100": 4, "100,000": 3_847}  # pages that hold about so many creators
_ROUNDS, _PAGES, _WARM_UP = 4, 25, 5


async def measure(say: Say) -> AsyncIterator[Figure]:
    """Compare steps of a job that holds 100,000 creators with those of one with 100.

    The two take turns, so that whatever else the machine does meets both.
    """
    steps = {name: Steps() for name in _STORED}
    async with AsyncExitStack() as stack:
        stores: dict[str, SqlStore] = {}
        for name, pages in _STORED.items():
            say(f"storing {name} creators")
            folder = stack.enter_context(TemporaryDirectory())
            stores[name] = await SqlStore.open(f"sqlite:///{folder}/jobs.db")
            stack.push_async_callback(stores[name].close)
            job = await create_job(stores[name], target=pages * NEW)
            await fill(stores[name], job, pages=pages)
        for turn in range(_ROUNDS):
            for name, store in stores.items():
                say(f"turn {turn + 1} of {_ROUNDS}, {name} creators")
                await _take_turn(store, job.id, steps[name])
    shallow, deep = steps.values()
    yield _figure("a step takes, in ms", deep.seconds, shallow.seconds, 1.3)
    yield _figure("statements of a step", deep.statements, shallow.statements, 1.0)


async def _take_turn(store: SqlStore, job_id: str, steps: Steps) -> None:
    """Take the job some pages further, and keep the figures of the later ones."""
    job = await ask_for_more(store, await store.load(job_id), pages=_PAGES)
    taken = await run_steps(store, job)
    steps.seconds += [1000 * seconds for seconds in taken.seconds[_WARM_UP:]]
    steps.statements += taken.statements[_WARM_UP:]


def _figure(
    what: str, deep: Sequence[float], shallow: Sequence[float], target: float
) -> Figure:
    of_deep, of_shallow = median(deep), median(shallow)
    return Figure(
        "depth",
        f"{what}: {of_deep:.3g} with 100,000 creators stored over {of_shallow:.3g} "
        "with 100",
        of_deep / of_shallow,
        target,
        n=len(deep),
    )
