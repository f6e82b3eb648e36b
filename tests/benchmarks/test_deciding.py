"""The jobs on which decisions are timed are what they are called."""

import pytest
from deciding import (
    EPOCH,
    WAYS,
    decision,
    decision_ms,
    exhausted,
    fixed,
    sufficing,
)

from headcount.core.decisions import Ask
from headcount.core.expansion import Expand
from headcount.core.forecast import reach
from headcount.core.proposals import candidates, proposals


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sources", [20, 200])
def test_a_decision_is_timed_on_as_many_sources_as_is_said_and_asks_them(
    way: str, sources: int
) -> None:
    job = WAYS[way](sources)

    assert len(job.sources) == sources
    assert isinstance(decision(job), Ask)


def test_what_may_be_opened_is_not_needed_or_not_there() -> None:
    enough, spent = sufficing(20), exhausted(20)

    for job in (enough, spent):
        assert job.search.expansion.expand is Expand.ALL
        assert proposals(job, EPOCH) == ()
        assert candidates(job) == []
    assert reach(enough).high >= enough.wanted
    assert reach(spent).high < spent.wanted
    assert fixed(20).search.expansion.expand is Expand.OFF


def test_a_decision_takes_some_time() -> None:
    assert 0 < decision_ms(fixed(20)) < 1_000
