"""A job on QStash: one message after the other until it has its exact count."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from serverless.letters import about, sealed
from serverless.site import Site, a_search, a_site, completed
from sqlalchemy import Engine, event
from web.service import EVERY_DATABASE

from headcount.adapters.postgres import Postgres
from headcount.adapters.sqlite import Sqlite
from headcount.bootstrap import open_app
from headcount.core import lifecycle
from headcount.core.errors import InvalidSetting
from headcount.core.model import Change, Lease, Limits, Status
from headcount.runner_settings import MARGIN
from headcount.settings import Settings


@EVERY_DATABASE
async def test_a_job_is_exact_message_by_message(
    tmp_path: Path, database: Callable[[Path], Awaitable[str]]
) -> None:
    url = await database(tmp_path)
    async with a_site(tmp_path, qstash_slice=0.01, database_url=url) as site:
        await site.begins(200)

        await site.qstash.settled()

        assert completed(await site.jobs())
        assert len(site.qstash.deliveries) > 1
        assert {each.status for each in site.qstash.deliveries} == {200}


@EVERY_DATABASE
async def test_two_deliveries_at_once_advance_a_job_once(
    tmp_path: Path, database: Callable[[Path], Awaitable[str]]
) -> None:
    url = await database(tmp_path)
    async with a_site(tmp_path, "vanished:1", database_url=url) as site:
        job_id = await site.begins(100)
        letter = about(job_id)

        answers = await asyncio.gather(*(site.sends(*sealed(letter)) for _ in range(2)))

        assert [answer.status_code for answer in answers] == [200, 200]
        assert sorted(answer.json()["advanced"] for answer in answers) == [False, True]
        assert (await site.job(job_id)).fence == 1


async def test_a_message_for_an_ended_job_changes_nothing(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        job_id = await site.begins()
        await site.qstash.settled()
        ended = await site.job(job_id)

        answer = await site.sends(*sealed(about(job_id)))

        assert answer.json()["advanced"] is False
        assert await site.job(job_id) == ended


async def test_a_message_that_comes_long_before_its_time_changes_nothing(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path, "vanished:1") as site:
        job_id = await site.begins()
        lease = Lease(0, "somebody", site.app.clock.now() + timedelta(hours=1))
        await changed(
            site, job_id, lambda c: lifecycle.claim(c, lease, c.job.created_at)
        )
        before = await site.job(job_id)

        answer = await site.sends(*sealed(about(job_id)))

        assert answer.json()["advanced"] is False
        assert await site.job(job_id) == before


async def test_a_job_that_must_wait_is_published_for_later(tmp_path: Path) -> None:
    busy = ["throttled_retry_after@1,2"]
    async with a_site(tmp_path, provider_faults=busy, qstash_slice=0.1) as site:
        job_id = await site.begins()
        await site.qstash.skip(0.1)
        first = len(site.qstash.deliveries)
        await site.qstash.skip(5)

        assert (first, len(site.qstash.deliveries)) == (1, 2)
        assert (await site.job(job_id)).attempts == 2


async def test_a_job_whose_key_is_closed_costs_no_messages(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        await site.app.gates.close("*", "nobody paid", site.app.clock.now())
        job_id = await site.begins()
        before = await site.job(job_id)
        await site.qstash.settled()
        waiting = await site.job(job_id)
        await site.app.gates.open("*")
        await site.sends(*sealed(about(job_id)))

        assert waiting == before
        assert len(site.qstash.deliveries) == 1
        assert (await site.job(job_id)).delivered == 40


async def test_a_job_whose_key_is_closed_still_ends_at_its_deadline(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        await site.app.gates.close("*", "nobody paid", site.app.clock.now())
        over = Limits(deadline=site.app.clock.now())
        job = await site.app.create(a_search(40, over))
        await site.qstash.settled()

        assert (await site.job(job.id)).status is Status.PARTIAL


async def test_a_slice_ends_before_the_host_does_however_long_a_call_takes(
    tmp_path: Path,
) -> None:
    slow: dict[str, Any] = {"qstash_slice": 0.2, "qstash_limit": 6.3, "timeout": 120.0}
    async with a_site(tmp_path, "vanished:1", latency_ms=60_000, **slow) as site:
        job_id = await site.begins()
        began = monotonic()

        answer = await site.sends(*sealed(about(job_id)))

        job = await site.job(job_id)
        assert monotonic() - began < 3
        assert answer.json()["advanced"] is True
        assert (job.lease, job.open_calls, job.delivered) == (None, (), 0)
        assert job.charged > 0


@given(
    slices=st.floats(0.1, 2_000),
    limit=st.floats(1, 2_000),
    timeout=st.floats(0.1, 2_000),
)
def test_settings_that_are_taken_end_every_call_within_the_limit(
    slices: float, limit: float, timeout: float
) -> None:
    settings = Settings(
        runner="qstash", qstash_slice=slices, qstash_limit=limit, timeout=timeout
    )

    try:
        last = slices + settings.call_timeout  # of a call that begins at the very end
    except InvalidSetting:
        assert limit - slices < MARGIN + 1
    else:
        assert last <= limit - MARGIN + 0.001
        assert settings.call_timeout <= timeout


@EVERY_DATABASE
async def test_a_message_costs_two_round_trips_more_than_the_step(
    tmp_path: Path, database: Callable[[Path], Awaitable[str]]
) -> None:
    url = await database(tmp_path)
    async with a_site(tmp_path, "vanished:1", database_url=url) as site:
        bare, by_message = [await site.begins() for _ in range(2)]
        await site.sends(*sealed(about(await site.begins())))  # all is open now
        later = site.app.clock.now() + timedelta(seconds=6)
        site.app.clock.set_by(later)  # so that the keys are looked at again

        step = await trips(site, site.app.advance(bare, 20))
        message = await trips(site, site.sends(*sealed(about(by_message))))

        assert message - step <= 2


@EVERY_DATABASE
async def test_a_message_reads_its_job_once(
    tmp_path: Path, database: Callable[[Path], Awaitable[str]]
) -> None:
    url = await database(tmp_path)
    async with (
        a_site(tmp_path, "vanished:1", database_url=url) as site,
        open_app(site.outside.settings) as elsewhere,
    ):
        letter = about((await elsewhere.create(a_search(40))).id)

        with reading(site, "sources") as read:
            await site.sends(*sealed(letter))

        assert len(read) == 1


@contextmanager
def reading(site: Site, table: str) -> Iterator[list[str]]:
    """The statements meanwhile that read whole rows of a table."""
    found: list[str] = []

    def note(*told: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        _, _, statement, *_ = told
        if re.search(rf"^SELECT .*\sFROM (\w+\.)?{table}\s", statement, re.DOTALL):
            found.append(statement)

    engine = engine_of(site)
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


async def trips(site: Site, work: Awaitable[object]) -> int:
    """How many transactions some work takes."""
    begun: list[object] = []

    def note(connection: object) -> None:
        begun.append(connection)

    engine = engine_of(site)
    event.listen(engine, "begin", note)
    await work
    event.remove(engine, "begin", note)
    assert begun
    return len(begun)


def engine_of(site: Site) -> Engine:
    database = site.app.store.database
    assert isinstance(database, Sqlite | Postgres)
    return database.engine


async def changed(site: Site, job_id: str, rule: Callable[[Change], Change]) -> None:
    await site.app.store.change(job_id, lambda job, _: rule(Change(job)))
