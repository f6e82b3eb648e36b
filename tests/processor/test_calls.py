"""The function as an app calls it: with settings, a store and a provider on a port."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from processor.rows import keys
from web.service import EVERY_DATABASE

from headcount import (
    InvalidSearch,
    InvalidSetting,
    Processed,
    Settings,
    process_tiktok_job_with_exact_count,
    process_tiktok_job_with_exact_count_sync,
)
from headcount.bootstrap import open_app
from headcount.core.errors import NoSuchJob
from headcount.processor.place import our_id
from headcount.sandbox import Faults, Sandbox, World, serving

process = process_tiktok_job_with_exact_count
ROW: Mapping[str, Any] = {
    "keywords": "apple, tech",
    "targetResults": 100,
    "platform": "Tiktok",
}


@asynccontextmanager
async def a_provider(
    *faults: str, latency_ms: int = 0, **given: object
) -> AsyncIterator[tuple[Sandbox, Settings]]:
    """A provider on a port of its own, and the settings to find it by."""
    sandbox = Sandbox(
        World(42), faults=Faults.parse(faults), latency_ms=latency_ms, credits=10_000
    )
    async with serving(sandbox) as url:
        settings = Settings.model_validate(
            {
                "scrapecreators_api_key": "sandbox-key",
                "scrapecreators_api_url": url,
                **given,
            }
        )
        yield sandbox, settings


async def worked_off(
    settings: Settings, seconds: float = 20.0
) -> tuple[Processed, list[str]]:
    """The last word on a job, and whom its calls have brought."""
    metadata, brought = None, []
    while True:
        row = {**ROW, "metadata": metadata}
        told = await process(row, "row-1", seconds=seconds, settings=settings)
        brought += keys(told.creators)
        if told.call_again_in is None:
            return told, brought
        metadata = json.dumps(told.metadata)
        await asyncio.sleep(told.call_again_in)


@EVERY_DATABASE
async def test_a_job_is_exact_call_by_call(
    tmp_path: Path, database: Callable[[Path], Awaitable[str]]
) -> None:
    url = await database(tmp_path)
    async with a_provider(latency_ms=20, database_url=url) as (sandbox, settings):
        told, brought = await worked_off(settings, seconds=0.01)

        assert (told.status, told.progress) == ("completed", 100)
        assert len(set(brought)) == len(brought) == 100
        tracking = told.metadata["exactCountTracking"]
        assert isinstance(tracking, dict)
        assert len(sandbox.ledger) == tracking["totalApiCalls"]


async def test_without_a_store_a_job_is_as_exact() -> None:
    async with a_provider(latency_ms=20) as (sandbox, settings):
        told, brought = await worked_off(settings, seconds=0.01)

        assert (told.status, told.progress) == ("completed", 100)
        assert len(set(brought)) == len(brought) == 100
        assert len(sandbox.ledger) > 1


@EVERY_DATABASE
async def test_calls_at_once_for_one_row_are_one_search_and_pay_once(
    tmp_path: Path, database: Callable[[Path], Awaitable[str]]
) -> None:
    url = await database(tmp_path)
    async with a_provider(latency_ms=50, database_url=url) as (sandbox, settings):
        at_once = [process(ROW, "row-1", settings=settings) for _ in range(4)]
        answers = await asyncio.gather(*at_once)
        again = await process(ROW, "row-1", settings=settings)

        brought = {creator for told in answers for creator in keys(told.creators)}
        assert [told.status for told in answers].count("completed") == 1
        assert brought == set(keys(again.creators))
        assert len(again.creators) == 100
        async with open_app(settings) as app:
            [job] = [job async for job in app.store.jobs()]
        assert job.label.campaign == "row-1"
        assert len(sandbox.ledger) == job.charged


async def test_two_rows_are_two_searches(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    async with a_provider(database_url=url) as (_, settings):
        first = await process(ROW, "row-1", settings=settings)
        second = await process(ROW, "row-2", settings=settings)

        assert set(keys(first.creators)) == set(keys(second.creators))


async def test_a_program_without_an_event_loop_calls_it_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    async with a_provider(database_url=url) as (_, settings):
        told = await asyncio.to_thread(
            process_tiktok_job_with_exact_count_sync, ROW, "row-1", settings=settings
        )

        assert (told.status, len(told.creators)) == ("completed", 100)


async def test_invented_creators_need_no_key() -> None:
    told = await process(ROW, "row-1", sandbox=True, settings=Settings())

    assert told.status == "completed"
    assert all(creator["sandbox"] is True for creator in told.creators)


async def test_a_slice_ends_before_the_host_does_however_long_a_call_takes() -> None:
    slow = {"qstash_limit": 6.3, "timeout": 120.0}
    async with a_provider(latency_ms=60_000, **slow) as (_, settings):
        began = monotonic()

        told = await process(ROW, "row-1", seconds=0.2, settings=settings)

        assert monotonic() - began < 3
        assert (told.status, told.found) == ("processing", 0)
        tracking = told.metadata["exactCountTracking"]
        assert isinstance(tracking, dict)
        assert tracking["totalApiCalls"] > 0


async def test_a_slice_that_leaves_no_time_for_a_call_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="HEADCOUNT_QSTASH_LIMIT: expected at lea"):
        await process(ROW, "row-1", seconds=58, settings=Settings())


async def test_what_needs_the_store_is_not_taken_from_the_metadata(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    kept = await process(
        ROW, "row-1", sandbox=True, settings=Settings(database_url=url)
    )
    row = {**ROW, "metadata": kept.metadata}

    with pytest.raises(InvalidSetting, match="kept in a store: name the one"):
        await process(row, "row-1", sandbox=True, settings=Settings())


async def test_a_job_stays_where_it_began(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    first = await process(ROW, "row-1", sandbox=True, settings=Settings())
    row = {**ROW, "targetResults": 120, "metadata": first.metadata}
    settings = Settings(database_url=url)

    told = await process(row, "row-1", sandbox=True, settings=settings)

    assert (told.status, len(told.creators)) == ("completed", 20)
    with pytest.raises(InvalidSearch, match="cannot go on in the store"):
        await process(row, "row-1", sandbox=True, state="store", settings=settings)


async def test_a_job_that_the_store_has_lost_is_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    settings = Settings(database_url=url)
    first = await process(ROW, "row-1", sandbox=True, settings=settings)
    async with open_app(settings) as app:
        await app.store.delete(our_id("row-1"))

    with pytest.raises(NoSuchJob, match="which is 'row-1': it was deleted"):
        await process(
            {**ROW, "metadata": first.metadata},
            "row-1",
            sandbox=True,
            settings=settings,
        )


async def test_a_key_that_has_credits_again_goes_on() -> None:
    async with a_provider("out_of_credits@2") as (_, settings):
        first = await process(ROW, "row-1", settings=settings)
        row = {**ROW, "metadata": first.metadata}

        told = await process(row, "row-1", settings=settings)

        assert (first.status, first.call_again_in) == ("partial", None)
        assert "out_of_credits" in first.message
        assert (told.status, told.found) == ("completed", 100)


async def test_a_higher_cap_goes_on() -> None:
    async with a_provider(max_calls=1) as (_, settings):
        first = await process(ROW, "row-1", settings=settings)
        row = {**ROW, "metadata": first.metadata}
        raised = settings.model_copy(update={"max_calls": 50})

        told = await process(row, "row-1", settings=raised)

        assert (first.status, told.status) == ("partial", "completed")
        assert "call_limit" in first.message
        assert first.found + len(told.creators) == 100
