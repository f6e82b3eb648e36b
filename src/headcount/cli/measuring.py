"""Runs the scenarios of the suite."""

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import Progress

from headcount.bootstrap import open_app
from headcount.core.model import Limits
from headcount.core.search import build_search
from headcount.settings import Settings


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run of a scenario took."""

    target: int
    found: int
    calls: int
    duplicates: int
    seconds: float


async def measure(
    settings: Settings,
    plan: list[tuple[int, tuple[str, ...]]],
    *,
    runs: int,
    live: bool,
) -> list[Measured]:
    """Run each scenario as often as asked; every sandbox run has its own world.

    What is paid for is kept where all jobs are.
    """
    measured = []
    with TemporaryDirectory() as folder, Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("suite", total=len(plan) * runs)
        for target, keywords in plan:
            for run in range(runs):
                where, provider = settings, "scrapecreators"
                if not live:
                    url = f"sqlite:///{Path(folder) / f'{target}-{run}.db'}"
                    where = settings.model_copy(update={"database_url": url})
                    provider = f"sandbox/{settings.sandbox_seed + run}"
                measured.append(await _run(where, target, keywords, provider))
                bar.advance(task)
    return measured


async def _run(
    settings: Settings, target: int, keywords: tuple[str, ...], provider: str
) -> Measured:
    limits = settings.filled(Limits())
    search = build_search(target, keywords, provider=provider, limits=limits)
    async with open_app(settings) as app:
        job = await app.create(search)
        await app.connect(provider)
        started = time.monotonic()
        job = await app.run(job.id)
        seconds = time.monotonic() - started
    return Measured(target, job.delivered, job.charged, job.duplicates, seconds)
