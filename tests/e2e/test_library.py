"""The library: the same promise, the same types, from Python."""

import asyncio
import time
from contextlib import aclosing
from pathlib import Path

import pytest
from e2e.program import Home, Provider
from pydantic import SecretStr

import headcount
from headcount import InvalidSearch, InvalidSetting, Limits, Reason, Settings, Status
from headcount.core.expansion import Expand


@pytest.fixture
def settings(home: Home) -> Settings:
    return Settings(database_url=f"sqlite:///{home.folder}/jobs.db")


async def test_find_returns_exactly_as_many(settings: Settings) -> None:
    result = await headcount.find(
        100, ["apple", "tech", "gaming"], sandbox=True, settings=settings
    )

    assert result.exact
    assert result.advice == ""
    assert len({creator.key for creator in result.creators}) == 100
    assert len(result.rows()) == len(result.guide_rows()) == 100
    assert result.tracking["targetAchieved"] is True
    assert sum(call.new for call in result.calls) == 100 + result.job.spares


async def test_keywords_may_be_one_string_with_commas(settings: Settings) -> None:
    result = await headcount.find(
        40, "street food, tech", sandbox=True, settings=settings
    )

    assert result.job.search.keywords == ("street food", "tech")


async def test_a_short_result_says_why(settings: Settings) -> None:
    result = await headcount.find(
        500, "tech", limits=Limits(max_calls=2), sandbox=True, settings=settings
    )

    assert not result.exact
    assert result.job.status is Status.PARTIAL
    assert result.job.outcome is not None
    assert result.job.outcome.reason is Reason.CALL_LIMIT
    assert "--max-calls" in result.advice


async def test_what_limits_leave_open_comes_from_the_settings(
    settings: Settings,
) -> None:
    capped = settings.model_copy(update={"max_credits": 1, "retries": 7})

    result = await headcount.find(
        500, "tech", limits=Limits(max_calls=50), sandbox=True, settings=capped
    )

    assert result.job.search.limits == Limits(50, 1, attempts=7)
    assert result.job.credits == 1


async def test_a_stream_tells_of_each_change_and_ends_with_the_end(
    settings: Settings,
) -> None:
    changes = [
        change
        async for change in headcount.stream(
            100, "apple, tech", sandbox=True, settings=settings
        )
    ]

    counts = [change.job.delivered for change in changes]
    found = [f for change in changes for f in change.findings if f.ordinal]
    assert counts == sorted(counts)
    assert changes[-1].job.status is Status.COMPLETED
    assert {f.ordinal for f in found} >= set(range(1, 101))


async def test_breaking_off_a_stream_pauses_the_job_and_it_can_be_resumed(
    settings: Settings,
) -> None:
    slow = settings.model_copy(update={"sandbox_latency_ms": 50})
    stream = headcount.stream(200, "tech, gaming", sandbox=True, settings=slow)
    async with aclosing(stream) as changes:
        async for change in changes:
            if change.job.delivered:
                break
    job = change.job

    resumed = await headcount.resume(job.id, settings=settings)

    assert job.delivered < 200
    assert resumed.exact
    assert len({creator.key for creator in resumed.creators}) == 200
    assert all(call.closed_at for call in resumed.calls)
    questions = [(call.source, call.cursor) for call in resumed.calls]
    assert len(set(questions)) == len(questions)


async def test_the_cap_for_testing_holds_here_too(settings: Settings) -> None:
    capped = settings.model_copy(update={"max_calls_for_testing": 2})

    result = await headcount.find(
        500, "tech", limits=Limits(max_calls=99), sandbox=True, settings=capped
    )
    resumed = await headcount.resume(result.job.id, settings=capped)

    assert resumed.job.charged == 2


async def test_the_cap_for_testing_holds_for_a_job_from_before(
    settings: Settings,
) -> None:
    paused = await headcount.find(
        500, "tech", limits=Limits(max_credits=1), sandbox=True, settings=settings
    )
    capped = settings.model_copy(update={"max_calls_for_testing": 1})

    resumed = await headcount.resume(paused.job.id, settings=capped)

    assert resumed.job.search.limits.max_calls_for_testing == 1


async def test_what_cannot_be_taken_names_its_field(settings: Settings) -> None:
    with pytest.raises(InvalidSearch, match="from 1 to") as refused:
        await headcount.find(0, "tech", sandbox=True, settings=settings)

    assert refused.value.field == "targetResults"


async def test_two_searches_at_once_share_the_pace_of_their_key(
    settings: Settings, provider: Provider
) -> None:
    paced = settings.model_copy(
        update={
            "scrapecreators_api_key": SecretStr("the-secret-key"),
            "scrapecreators_api_url": provider.url,
            "rate_limit_ms": 200,
        }
    )
    started = time.monotonic()

    await asyncio.gather(
        headcount.find(70, "tech", settings=paced),
        headcount.find(70, "cooking", settings=paced),
    )

    took = time.monotonic() - started
    assert len({call["keyword"] for call in provider.calls}) == 2
    assert took >= 0.2 * (len(provider.calls) - 1) >= 1


async def test_a_missing_key_is_told(settings: Settings) -> None:
    keyless = settings.model_copy(update={"scrapecreators_api_key": None})

    with pytest.raises(InvalidSetting, match="SCRAPECREATORS_API_KEY"):
        await headcount.find(5, "tech", settings=keyless)


async def test_an_unknown_job_is_told(settings: Settings) -> None:
    with pytest.raises(headcount.UsageError, match="no job has the id"):
        await headcount.resume("nope", settings=settings)


async def test_a_store_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    nowhere = Settings(database_url=f"sqlite:///{tmp_path}/no/where/jobs.db")

    with pytest.raises(headcount.StoreError, match="there is no directory"):
        await headcount.find(5, "tech", sandbox=True, settings=nowhere)


def test_every_public_name_is_there() -> None:
    for name in headcount.__all__:
        assert getattr(headcount, name)
    assert "find" in dir(headcount)
    with pytest.raises(AttributeError, match="no attribute 'fnd'"):
        _ = headcount.fnd


async def test_a_search_may_open_sources_and_leave_some_out(settings: Settings) -> None:
    allowed = headcount.Expansion(Expand.RELATED, ("gym",), 0.1)

    result = await headcount.find(
        400, "yoga", expand=allowed, sandbox=True, settings=settings
    )

    assert result.exact
    opened = [source for source in result.job.sources if source.origin]
    assert opened
    assert not [source for source in opened if "gym" in source.keyword]


async def test_a_plan_is_made_of_a_few_calls_and_gone_on_from(
    settings: Settings,
) -> None:
    plan = await headcount.plan(120, ["yoga", "tech"], sandbox=True, settings=settings)

    assert (plan.job.status, plan.job.charged) == (Status.PAUSED, 2)
    assert plan.needed is not None
    result = await headcount.resume(plan.job.id, settings=settings)
    assert result.exact
    made = result.job.charged - plan.job.charged
    assert plan.needed.low <= made <= plan.needed.high


async def test_an_unknown_way_to_expand_is_refused_with_a_guess(
    settings: Settings,
) -> None:
    with pytest.raises(InvalidSearch, match="did you mean 'related'"):
        await headcount.find(9, "yoga", expand="relate", settings=settings)
