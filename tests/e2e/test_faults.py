"""Whatever the provider does: the count is exact, and no page is paid for twice."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from e2e.program import Home, Provider

from headcount import Result, Settings, find
from headcount.sandbox import FAULTS, Faults, Sandbox, SearchCall, World, serving

Serve = Callable[..., Provider]
WORDS = ("tech", "gaming", "fitness")
TARGET = 120
FATAL = {"out_of_credits", "bad_key"}  # the job must stop, and does
GARBLED = {"html", "truncated", "lost_answer", "slow"}  # nothing could be learnt
SURVIVED = sorted(FAULTS.keys() - FATAL)


async def collected(
    folder: Path, fault: str, world: World
) -> tuple[Result, tuple[SearchCall, ...]]:
    """A search where about every fourth call goes wrong in the same way.

    Slow answers are few, so that their timeout can be one that no other call meets.
    """
    when = [f"{fault}@2,3"] if fault == "slow" else [f"{fault}@2", f"{fault}:0.2"]
    sandbox = Sandbox(world, faults=Faults.parse(when, slow_seconds=60))
    async with serving(sandbox) as url:
        settings = Settings(
            database_url=f"sqlite:///{folder / fault}.db",
            scrapecreators_api_key="key",
            scrapecreators_api_url=url,
            timeout=5 if fault == "slow" else 30,
            retries=6,
        )
        result = await find(TARGET, WORDS, settings=settings)
    return result, sandbox.ledger


Collected = Mapping[str, tuple[Result, tuple[SearchCall, ...]]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Collected:
    folder, world = tmp_path_factory.mktemp("faults"), World()

    async def some_at_once() -> Collected:
        room = asyncio.Semaphore(4)  # so that nobody waits long for their turn

        async def one(fault: str) -> tuple[Result, tuple[SearchCall, ...]]:
            async with room:
                return await collected(folder, fault, world)

        searches = [one(fault) for fault in SURVIVED]
        return dict(zip(SURVIVED, await asyncio.gather(*searches), strict=True))

    return asyncio.run(some_at_once())


@pytest.mark.parametrize("fault", SURVIVED)
def test_the_count_is_exact_under(fault: str, found: Collected) -> None:
    result, ledger = found[fault]

    assert fault in {call.fault for call in ledger}
    assert result.exact
    assert len({creator.key for creator in result.creators}) == TARGET
    assert len(result.creators) == TARGET


@pytest.mark.parametrize("fault", SURVIVED)
def test_no_page_is_paid_for_twice_under(fault: str, found: Collected) -> None:
    _, ledger = found[fault]

    learnt = Counter(
        (call.keyword, call.cursor)
        for call in ledger
        if call.items and call.status == 200 and call.fault not in GARBLED
    )
    assert max(learnt.values()) == 1


@pytest.mark.parametrize("fault", SURVIVED)
def test_what_is_reported_covers_what_was_charged_under(
    fault: str, found: Collected
) -> None:
    result, ledger = found[fault]

    assert result.job.credits >= sum(call.credits for call in ledger)
    assert result.job.attempts == len(ledger)


def test_all_at_once_and_the_command_is_exact_all_the_same(
    home: Home, serve: Serve
) -> None:
    kinds = ("server_error", "html", "lost_answer", "throttled", "empty_page",
             "early_end", "stuck_cursor", "null_list", "uid_int")  # fmt: skip
    provider = serve(*(word for kind in kinds for word in ("--fault", f"{kind}:0.05")))

    ran = home.run("find", 300, *WORDS, "cooking", "--retries", 9, "--format", "jsonl")

    assert ran.code == 0
    assert len(set(ran.out.splitlines())) == 300
    assert len({call["fault"] for call in provider.calls}) > 4
    assert home.shows(ran.job)["credits"] >= provider.charged
