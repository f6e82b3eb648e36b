"""A job that opens new sources, step by step, until it has what was asked for."""

from dataclasses import replace
from datetime import timedelta

from builders import a_job
from engine.stage import a_stage, after, names
from fakes.provider import FakeProvider, sighting_of

from headcount.core.calls import (
    Answer,
    Call,
    CallKind,
    Endpoint,
    Failure,
    FailureKind,
    Page,
)
from headcount.core.expansion import Expand, Expansion
from headcount.core.model import Job, Limits, Reason, Source, SourceState, Status


class Market:
    """A provider that shows each source, by keyword and name, creators of its own.

    What it does not know is empty. It suggests what it is told, and fails where told.
    """

    def __init__(
        self,
        shown: dict[str, int],
        *,
        suggests: tuple[str, ...] = (),
        fails: frozenset[str] = frozenset(),
    ) -> None:
        self._shown, self._suggests, self._fails = shown, suggests, fails
        self.asked: list[str] = []
        self.price_of_suggestions = 1

    def price(self, kind: CallKind) -> int:
        return self.price_of_suggestions if kind is CallKind.SUGGESTIONS else 1

    async def fetch(self, call: Call, source: Source) -> Answer:
        name = f"{source.keyword} {source.name}"
        self.asked.append(f"{name} {call.cursor}")
        if source.endpoint.value in self._fails or name in self._fails:
            return Failure(FailureKind.UNAVAILABLE, "HTTP 500", charged=False)
        if source.endpoint is Endpoint.SUGGESTIONS:
            return Page((), 0, "0", suggestions=self._suggests, credits=1)
        total, start = self._shown.get(name, 0), int(call.cursor)
        page = names(f"{name} ", start + 1, min(start + 30, total))
        return Page(
            tuple(map(sighting_of, page)),
            len(page),
            str(start + 30),
            more=start + 30 < total,
            credits=1,
        )


def widening(
    *keywords: str, target: int, expand: Expand, limits: Limits | None = None
) -> Job:
    job = a_job(*keywords, target=target, limits=limits)
    return replace(job, search=replace(job.search, expansion=Expansion(expand)))


async def test_variants_bring_what_the_keyword_does_not_hold() -> None:
    market = Market({"tea keyword": 60, "tea keyword+period=this-month": 60})
    stage = await a_stage(market, widening("tea", target=90, expand=Expand.VARIANTS))

    job = await stage.advance()

    assert (job.status, job.delivered) == (Status.COMPLETED, 90)
    assert job.source(2).origin == 'variant of "tea"'
    assert len(set(market.asked)) == len(market.asked)


async def test_off_is_a_partial_end_as_ever() -> None:
    market = Market({"tea keyword": 60, "tea keyword+period=this-month": 60})
    stage = await a_stage(market, widening("tea", target=90, expand=Expand.OFF))

    job = await stage.advance()

    assert job.outcome
    assert job.outcome.reason is Reason.SOURCES_EXHAUSTED
    assert len(job.sources) == 1


async def test_suggestions_are_asked_for_and_followed_for_their_price() -> None:
    market = Market({"tea keyword": 60, "mate keyword": 60}, suggests=("mate", "tea"))
    market.price_of_suggestions = 3
    stage = await a_stage(market, widening("tea", target=90, expand=Expand.RELATED))

    job = await stage.advance()

    assert (job.status, job.delivered) == (Status.COMPLETED, 90)
    [call] = [c for c in await stage.calls() if c.kind is CallKind.SUGGESTIONS]
    assert (call.held, call.credits) == (3, 1)


async def test_a_job_ends_exhausted_only_when_each_way_to_more_was_tried() -> None:
    market = Market({"tea keyword": 60, "mate keyword": 30}, suggests=("mate",))
    job = widening("tea", target=500, expand=Expand.ALL, limits=Limits(max_calls=200))
    stage = await a_stage(market, job)

    job = await stage.advance()

    assert job.outcome
    assert (job.outcome.reason, job.delivered) == (Reason.SOURCES_EXHAUSTED, 90)
    assert all(source.state is SourceState.DRY for source in job.sources)
    asked = {question.rsplit(" ", 1)[0] for question in market.asked}
    assert {"tea hashtag", "mate keyword", "tea keyword+region=US"} <= asked
    assert job.charged < 60, "and nothing again and again that brings nothing"


async def test_endpoints_that_fail_harm_nothing() -> None:
    shown = {"tea keyword": 60, "tea keyword+sort=most-liked": 60}
    market = Market(shown, fails=frozenset({"hashtag", "suggestions"}))
    stage = await a_stage(market, widening("tea", target=90, expand=Expand.ALL))

    job = await stage.advance()

    assert (job.status, job.delivered) == (Status.COMPLETED, 90)


async def test_where_all_fails_at_once_few_further_sources_are_tried() -> None:
    market = Market({}, fails=frozenset({"keyword", "hashtag", "suggestions"}))
    job = widening("tea", "mate", target=90, expand=Expand.ALL)
    stage = await a_stage(market, job)

    job = await stage.advance()

    assert job.outcome
    assert job.outcome.reason is Reason.PROVIDER_BLOCKED
    assert len(job.sources) == 2


async def test_the_caps_hold_for_what_is_opened_too() -> None:
    market = Market({"tea keyword": 60, "tea keyword+period=this-month": 60})
    limits = Limits(max_calls=5)
    job = widening("tea", target=200, expand=Expand.ALL, limits=limits)
    stage = await a_stage(market, job)

    job = await stage.advance()

    assert job.outcome
    assert (job.outcome.reason, job.charged) == (Reason.CALL_LIMIT, 5)


async def test_a_source_whose_yield_collapses_is_left_for_new_ones() -> None:
    collapsing = [names("a", 1, 30), *[names("a", 1, 30)] * 9]
    provider = FakeProvider({"tea": collapsing})
    job = widening("tea", target=31, expand=Expand.OFF)
    stage = await a_stage(provider, job)

    job = await stage.advance()

    assert job.outcome
    assert job.charged < 10, "nothing new thrice in a row is an end"


async def test_the_second_sweep_waits_its_hour_and_asks_from_the_start() -> None:
    market = Market({"tea keyword": 30, "tea keyword+sweep=2": 60})
    limits = Limits(deadline=after(7_200), max_calls=200)
    job = widening("tea", target=60, expand=Expand.ALL, limits=limits)
    stage = await a_stage(market, job)

    job = await stage.advance()

    assert (job.status, job.delivered) == (Status.COMPLETED, 60)
    assert market.asked[-1].startswith("tea keyword+sweep=2")
    assert stage.clock.now() >= after(3_600)
    assert stage.clock.now() < after(3_600) + timedelta(minutes=1)
