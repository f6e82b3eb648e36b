"""What is old is forgotten by the sweep, where no process lives on to do it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from serverless.site import a_site
from sqlalchemy import update

from headcount.adapters.tables import jobs
from headcount.serverless import SWEEP, Receiver


async def test_a_sweep_forgets_the_jobs_that_ended_long_ago(tmp_path: Path) -> None:
    async with a_site(tmp_path, dev=True, retention_days=7) as site:
        old, new = [await site.begins() for _ in range(2)]
        for job in (old, new):
            await site.app.cancel(job)
        then = datetime.now(UTC) - timedelta(days=8)
        aged = update(jobs).where(jobs.c.id == old)
        aged = aged.values(created_at=then, ended_at=then)
        await site.app.store.database.write(lambda to: to.execute(aged))

        status, *_ = await Receiver(site.app, dev=True).handle(b"", {}, path=SWEEP)

        assert status == 200
        assert [job.id for job in await site.jobs()] == [new]
