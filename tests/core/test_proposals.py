"""Which new sources a job opens when its own cannot reach the target."""

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import A_CREDIT, NOON, a_job, a_page, a_sighting

from headcount.core import lifecycle, ownership, tally
from headcount.core.calls import (
    Call,
    CallKind,
    CallState,
    Endpoint,
    Failure,
    FailureKind,
    Page,
)
from headcount.core.decisions import Ask, End, Open, Wait, decide
from headcount.core.expansion import Expand, Expansion
from headcount.core.filters import Filters
from headcount.core.hashtags import NO_HASHTAGS, Hashtags, noted
from headcount.core.model import (
    Change,
    Job,
    Lease,
    Limits,
    Outcome,
    Reason,
    Search,
    Source,
    SourceState,
    Status,
)
from headcount.core.proposals import candidates, proposals
from headcount.core.ways import AXES

DRY, OPEN, FAILING = SourceState.DRY, SourceState.OPEN, SourceState.FAILING


def a_dry_job(
    *keywords: str,
    expand: Expand = Expand.ALL,
    target: int = 500,
    hashtags: Hashtags | None = None,
    **search: object,
) -> Job:
    """A job at work whose keywords are dry: each has shown 90 creators in 5 pages."""
    job = a_job(*keywords, target=target)
    sources = tuple(
        replace(s, state=DRY, pages=5, found=90, items=140) for s in job.sources
    )
    found = 90 * len(sources)
    asked: Search = replace(
        job.search,
        expansion=Expansion(expand),
        **search,  # type: ignore[arg-type] # fields of a search, as each test has them
    )
    return replace(
        job,
        search=asked,
        status=Status.PROCESSING,
        sources=sources,
        pages=5 * len(sources),
        qualified=found,
        hashtags=hashtags,
        charged=5 * len(sources),
    )


def names(sources: tuple[Source, ...] | list[Source]) -> list[str]:
    return [f"{source.keyword} {source.name}" for source in sources]


def grown(job: Job, *sources: Source) -> Job:
    """The job with these sources too, numbered on."""
    first = len(job.sources) + 1
    new = (replace(source, id=n) for n, source in enumerate(sources, first))
    return replace(job, sources=(*job.sources, *new))


# ------------------------------------------------------------------------------- when
def test_nothing_is_opened_where_nothing_is_allowed() -> None:
    job = a_dry_job("tea", expand=Expand.OFF)

    assert proposals(job, NOON) == ()
    assert decide(job, NOON, room=9, prices=A_CREDIT) == End(
        Outcome(410, Reason.SOURCES_EXHAUSTED)
    )


def test_a_dry_job_opens_as_many_as_the_forecast_needs() -> None:
    few = proposals(a_dry_job("tea", target=100), NOON)
    many = proposals(a_dry_job("tea", target=5_000), NOON)

    assert (len(few), len(many)) == (1, 8)
    assert [source.id for source in many] == list(range(2, 10))


def test_a_job_whose_sources_may_suffice_opens_none() -> None:
    job = a_dry_job("tea", "mate", target=200)
    rich = replace(job.source(1), state=OPEN, once=80, recent=16.0)

    assert proposals(replace(job, sources=(rich, job.source(2))), NOON) == ()


def test_a_job_that_is_forecast_to_fall_short_opens_some_before_it_is_dry() -> None:
    job = a_dry_job("tea", "mate", target=900)
    fading = replace(job.source(1), state=OPEN, once=10, recent=2.0)

    assert proposals(replace(job, sources=(fading, job.source(2))), NOON)


@pytest.mark.parametrize("pages", [0, 1])
def test_none_is_opened_before_the_open_ones_have_shown_what_they_are_worth(
    pages: int,
) -> None:
    job = a_dry_job("tea", "mate", target=9_000)
    new = Source(3, "cocoa", pages=pages, found=3, once=3)

    assert proposals(grown(job, new), NOON) == ()


def test_none_is_opened_before_the_first_page() -> None:
    job = replace(a_dry_job("tea"), pages=0)

    assert proposals(job, NOON) == ()


def test_a_source_that_waits_to_be_tried_again_holds_nobody_up() -> None:
    job = a_dry_job("tea", target=9_000)
    late = Source(2, "mate", retry_at=NOON + timedelta(seconds=9))

    assert proposals(grown(job, late), NOON)


def test_where_two_fail_and_no_page_came_since_it_is_the_provider_that_fails() -> None:
    job = a_dry_job("tea", "mate", "cocoa")
    failing = [
        replace(source, state=FAILING, set_aside=job.pages) for source in job.sources
    ]

    one = replace(job, sources=(failing[0], *job.sources[1:]))
    two = replace(job, sources=(*failing[:2], job.source(3)))

    assert proposals(one, NOON)
    assert proposals(two, NOON) == ()


def test_suggestions_that_failed_stop_nothing_else() -> None:
    job = a_dry_job("tea", "mate")
    failed = [
        replace(QUESTION, keyword=word, state=DRY, set_aside=job.pages)
        for word in ("tea", "mate")
    ]

    assert proposals(grown(job, *failed), NOON)


def test_what_a_failing_source_might_hold_is_not_counted_on() -> None:
    job = a_dry_job("tea", "mate", target=200)
    failing = replace(job.source(1), state=FAILING, set_aside=3, once=90, recent=25.0)

    assert proposals(replace(job, sources=(failing, job.source(2))), NOON)


def test_nothing_is_opened_without_a_call_left() -> None:
    job = a_dry_job("tea")
    limits = Limits(max_calls=job.charged)

    decision = decide(
        replace(job, search=replace(job.search, limits=limits)),
        NOON,
        room=9,
        prices=A_CREDIT,
    )

    assert isinstance(decision, End)
    assert decision.outcome.reason is Reason.CALL_LIMIT


# ------------------------------------------------------------------------------- what
def test_variants_are_other_periods_orders_and_regions_keyword_by_keyword() -> None:
    found = candidates(a_dry_job("tea", "mate", expand=Expand.VARIANTS))

    assert len(found) == 2 * sum(map(len, AXES.values()))
    assert names(found)[:3] == [
        "tea keyword+period=this-month",
        "mate keyword+period=this-month",
        "tea keyword+period=last-3-months",
    ]
    assert {source.relevance for source in found} == {1.0}
    assert {source.origin for source in found} == {
        'variant of "tea"',
        'variant of "mate"',
    }


def test_what_the_user_named_is_not_varied() -> None:
    job = a_dry_job("tea", expand=Expand.VARIANTS, region="US", period="this-week")

    found = candidates(job)

    assert names(found) == [
        "tea keyword+region=US+sort=most-liked+period=this-week",
        "tea keyword+region=US+sort=date-posted+period=this-week",
    ]


def test_a_keyword_that_brought_nothing_leads_nowhere() -> None:
    summary = noted(NO_HASHTAGS, "mate", [("bombilla",)] * 50 + [()] * 50)
    job = a_dry_job("tea", "mate", hashtags=summary)
    job = replace(job, sources=(job.source(1), replace(job.source(2), found=0)))

    assert {source.keyword for source in candidates(job)} == {"tea"}


def test_related_are_the_feed_the_companions_and_what_the_provider_suggests() -> None:
    posts = [("matcha",)] * 40 + [("fyp",)] * 90 + [()] * 10
    job = a_dry_job("green tea", expand=Expand.RELATED, region="US")
    job = replace(job, hashtags=noted(NO_HASHTAGS, "green tea", posts))

    feed, question, companion = candidates(job)

    assert feed == Source(
        0,
        "greentea",
        "US",
        endpoint=Endpoint.HASHTAG,
        origin='hashtag of "green tea"',
    )
    assert (question.keyword, question.endpoint) == ("green tea", Endpoint.SUGGESTIONS)
    assert question.origin == 'question what goes with "green tea"'
    assert (companion.keyword, companion.name) == ("matcha", "keyword+region=US")
    assert companion.origin == ('hashtag seen with "green tea" (score 169.8, 40 posts)')
    assert 0.5 < companion.relevance < question.relevance == 1.0


def test_a_companion_of_a_companion_is_less_relevant_than_that() -> None:
    first = Source(2, "matcha", state=DRY, pages=5, found=50, relevance=0.5)
    first = replace(first, origin="some")
    summary = noted(NO_HASHTAGS, "matcha", [("latte",)] * 60 + [()] * 60)
    job = grown(a_dry_job("tea", expand=Expand.RELATED, hashtags=summary), first)

    [latte] = [source for source in candidates(job) if source.keyword == "latte"]

    assert 0 < latte.relevance < 0.5


def test_followers_are_not_asked_of_a_feed_that_does_not_tell_them() -> None:
    job = a_dry_job("tea", expand=Expand.RELATED, filters=Filters(followers_max=9))

    assert Endpoint.HASHTAG not in {source.endpoint for source in candidates(job)}


@pytest.mark.parametrize(
    ("sort", "period"), [("most-liked", None), (None, "this-week")]
)
def test_no_feed_is_asked_for_an_order_or_a_period_which_it_does_not_have(
    sort: str | None, period: str | None
) -> None:
    job = a_dry_job("tea", expand=Expand.RELATED, sort=sort, period=period)

    assert Endpoint.HASHTAG not in {source.endpoint for source in candidates(job)}


def test_nothing_with_an_excluded_word_is_opened_but_variants_of_what_was_asked() -> (
    None
):
    summary = noted(NO_HASHTAGS, "nike", [("nikeshoes", "running")] * 50 + [()] * 50)
    job = a_dry_job("nike", hashtags=summary)
    expansion = Expansion(Expand.ALL, ("Nike",))

    found = candidates(replace(job, search=replace(job.search, expansion=expansion)))

    assert {s.keyword for s in found if s.endpoint is Endpoint.KEYWORD} == {
        "nike",
        "running",
    }
    assert Endpoint.HASHTAG not in {source.endpoint for source in found}
    assert all(
        s.period or s.sort or s.region
        for s in found
        if s.keyword == "nike" and s.endpoint is Endpoint.KEYWORD
    )


def test_a_floor_keeps_out_what_is_less_relevant() -> None:
    summary = noted(NO_HASHTAGS, "tea", [("cup",)] * 6 + [("mug",)] * 60 + [()] * 60)
    job = a_dry_job("tea", expand=Expand.RELATED, hashtags=summary)
    low, high = sorted(
        source.relevance
        for source in candidates(job)
        if source.keyword in {"cup", "mug"}
    )
    expansion = Expansion(Expand.RELATED, relevance_min=(low + high) / 2)

    found = candidates(replace(job, search=replace(job.search, expansion=expansion)))

    assert {"mug"} == {source.keyword for source in found} & {"cup", "mug"}


def test_no_source_is_opened_twice_in_whichever_case() -> None:
    summary = noted(NO_HASHTAGS, "tea", [("mate", "greentea")] * 50 + [()] * 50)
    job = a_dry_job("tea", "Mate", "Green Tea", hashtags=summary)

    found = candidates(job)
    again = candidates(grown(job, *found))

    assert not [
        s
        for s in found
        if s.endpoint is Endpoint.KEYWORD and not (s.region or s.sort or s.period)
    ]
    assert {source.endpoint for source in again} == {Endpoint.SUGGESTIONS}
    assert candidates(grown(job, *found, *again))[0].keyword == "Green Tea"


def test_a_way_that_disappoints_is_left_for_another_one() -> None:
    job = a_dry_job("tea", expand=Expand.VARIANTS)
    poor = Source(2, "tea", period="this-month", state=DRY, pages=9, charged=9,
                  found=9, origin='variant of "tea"')  # fmt: skip

    assert candidates(job)[0].period == "this-month"
    assert candidates(grown(job, poor))[0].sort == "most-liked"


def test_a_way_that_has_only_failed_is_not_tried_again() -> None:
    job = a_dry_job("tea", "mate", expand=Expand.RELATED)
    failing = Source(3, "tea", state=FAILING, endpoint=Endpoint.HASHTAG, set_aside=2,
                     origin='hashtag of "tea"')  # fmt: skip
    found = candidates(grown(job, failing))

    assert found
    assert Endpoint.HASHTAG not in {source.endpoint for source in found}


@pytest.mark.parametrize("keyword", ["Nike Air", "nike_air", "NIKE-AIR", "nikeair"])
def test_two_ways_to_write_a_keyword_are_one(keyword: str) -> None:
    job = a_dry_job("nike air", expand=Expand.RELATED)
    summary = noted(NO_HASHTAGS, "nike air", [(keyword,)] * 50 + [()] * 50)

    found = candidates(replace(job, hashtags=summary))

    assert {source.endpoint for source in found} == {
        Endpoint.HASHTAG,
        Endpoint.SUGGESTIONS,
    }


def test_a_feed_is_asked_by_the_hashtag_as_people_write_it() -> None:
    feeds = candidates(a_dry_job("café l'oréal", "&", expand=Expand.RELATED))

    assert [s.keyword for s in feeds if s.endpoint is Endpoint.HASHTAG] == [
        "caféloréal"
    ]


# ------------------------------------------------------------------------- when to stop
def opened(job: Job, kind: Source, found: int, times: int = 1) -> Job:
    """The job after so many sources of a kind, each with two calls and what came."""
    spent = replace(kind, state=DRY, pages=2, charged=2, found=found,
                    origin='variant of "tea"')  # fmt: skip
    return grown(job, *[spent] * times)


def test_when_what_was_opened_brings_nothing_no_more_is_opened() -> None:
    job = a_dry_job("tea", expand=Expand.VARIANTS)
    job = opened(job, Source(0, "tea", period="this-month"), 0)
    job = opened(job, Source(0, "tea", sort="most-liked"), 0)
    job = opened(job, Source(0, "tea", region="US"), 0)

    assert candidates(job) == []
    assert proposals(job, NOON) == ()
    assert isinstance(decide(job, NOON, room=9, prices=A_CREDIT), End)


def test_each_way_is_tried_once_however_the_others_disappoint() -> None:
    job = opened(a_dry_job("tea"), Source(0, "tea", "US"), 0, times=9)

    ways = {source.endpoint for source in candidates(job)}

    assert ways == {Endpoint.KEYWORD, Endpoint.HASHTAG, Endpoint.SUGGESTIONS}
    assert not [source for source in candidates(job) if source.region]


def test_hashtags_that_disappoint_lead_to_no_more_of_them() -> None:
    summary = noted(NO_HASHTAGS, "tea", [("matcha",)] * 50 + [()] * 50)
    job = a_dry_job("tea", expand=Expand.RELATED, hashtags=summary)
    poor = [Source(0, word) for word in ("mug", "cup", "pot", "jug")]

    assert "matcha" in {source.keyword for source in candidates(job)}
    for one in poor:
        job = opened(job, one, 0, times=3)
    assert "matcha" not in {source.keyword for source in candidates(job)}


def test_who_filters_for_rare_creators_may_open_what_brings_few() -> None:
    weekly = Source(0, "tea", period="this-week")
    job = opened(a_dry_job("tea", expand=Expand.VARIANTS), weekly, 1, times=9)
    strict = replace(job, rejected=19 * job.qualified)

    assert not [source for source in candidates(job) if source.period]
    assert [source for source in candidates(strict) if source.period]


# -------------------------------------------------------------------- the second sweep
def exhausted(job: Job) -> Job:
    """The job after all that it could open has shown nothing."""
    while new := candidates(job):
        spent = (replace(s, state=DRY, pages=2, charged=2) for s in new)
        job = grown(job, *spent)
    return job


def test_the_last_resort_is_to_ask_again_an_hour_later() -> None:
    deadline = NOON + timedelta(hours=2)
    job = exhausted(a_dry_job("tea", limits=Limits(deadline=deadline)))

    [again] = proposals(job, NOON)

    later = NOON + timedelta(hours=1)
    assert (again.keyword, again.name) == ("tea", "keyword+sweep=2")
    assert (again.cursor, again.retry_at) == ("0", later)
    assert again.origin == 'second sweep of "tea"'
    waiting = grown(job, again)
    assert proposals(waiting, NOON) == ()
    assert decide(waiting, NOON, room=9, prices=A_CREDIT) == Wait(later)
    assert isinstance(decide(waiting, later, room=9, prices=A_CREDIT), Ask)


@pytest.mark.parametrize(
    ("expand", "hours"), [(Expand.ALL, None), (Expand.ALL, 1), (Expand.VARIANTS, 9)]
)
def test_nobody_waits_an_hour_who_did_not_say_so(
    expand: Expand, hours: int | None
) -> None:
    deadline = None if hours is None else NOON + timedelta(hours=hours)
    job = exhausted(a_dry_job("tea", expand=expand, limits=Limits(deadline=deadline)))

    assert proposals(job, NOON) == ()


# ------------------------------------------------------------------ what becomes of it
def at_work(job: Job) -> Change:
    lease = Lease(4, "me", NOON + timedelta(seconds=9))
    return Change(replace(job, fence=4, lease=lease))


def test_what_is_opened_is_asked_in_the_same_step() -> None:
    job = a_dry_job("tea", target=100, expand=Expand.VARIANTS)

    assert decide(job, NOON, room=9, prices=A_CREDIT) == Open(proposals(job, NOON))
    change = lifecycle.proceed(at_work(job), 4, NOON, room=9, prices=A_CREDIT)

    [call] = change.job.open_calls
    assert (call.source, call.kind) == (2, CallKind.PAGE)
    assert change.job.source(2).period == "this-month"


def test_a_new_source_that_must_wait_is_written_down_all_the_same() -> None:
    deadline = NOON + timedelta(hours=2)
    job = exhausted(a_dry_job("tea", limits=Limits(deadline=deadline)))

    change = lifecycle.proceed(at_work(job), 4, NOON, room=9, prices=A_CREDIT)

    assert change.job.open_calls == ()
    assert change.job.sources[-1].sweep == 2


def asked(job: Job, source: Source) -> Change:
    """The job with one more source, and a call of it that is out."""
    job = grown(job, source)
    number = len(job.sources)
    call = Call(job.lines + 1, number, "0", 1, NOON, kind=source.endpoint.kind)
    return Change(replace(job, open_calls=(call,), lines=job.lines + 1))


QUESTION = Source(0, "tea", endpoint=Endpoint.SUGGESTIONS, origin="question")


def suggestions(*texts: str) -> Page:
    return Page((), len(texts), "0", more=False, suggestions=texts, credits=1)


def test_suggestions_become_sources_and_their_question_is_answered() -> None:
    before = asked(a_dry_job("tea", expand=Expand.RELATED), QUESTION)

    after = tally.settle(before, 1, suggestions("green tea", "mate"), {}, NOON)

    job = after.job
    question, green, mate = job.sources[1:]
    assert (question.state, question.items) == (DRY, 2)
    assert (question.charged, question.credits, question.pages) == (1, 1, 0)
    assert (green.id, green.keyword, green.relevance) == (3, "green tea", 1.0)
    assert (mate.id, mate.keyword, mate.relevance) == (4, "mate", 0.5)
    assert green.origin == 'suggested for "tea"'
    [call] = after.calls
    assert (call.state, call.items, call.credits) == (CallState.SETTLED, 2, 1)
    assert (job.charged, job.credits) == (before.job.charged + 1, 1)
    assert job.pages == before.job.pages


@pytest.mark.parametrize(
    "texts",
    [(), ("tea", " TEA ", "#tea"), ("",), ("\x07", "\u202e", "x" * 999), ("nike air",)],
    ids=["empty", "same", "blank", "nonsense", "excluded"],
)
def test_suggestions_that_are_of_no_use_open_nothing(texts: tuple[str, ...]) -> None:
    job = a_dry_job("tea")
    expansion = Expansion(Expand.RELATED, ("nike",))
    job = replace(job, search=replace(job.search, expansion=expansion))

    after = tally.settle(asked(job, QUESTION), 1, suggestions(*texts), {}, NOON)

    assert len(after.job.sources) == 2
    assert after.job.source(2).state is DRY


def test_a_suggestion_below_the_floor_or_said_twice_is_opened_once_at_most() -> None:
    job = a_dry_job("tea")
    expansion = Expansion(Expand.RELATED, relevance_min=0.6)
    job = replace(job, search=replace(job.search, expansion=expansion))
    told = suggestions("mate", "iced tea", "Iced  Tea")

    after = tally.settle(asked(job, QUESTION), 1, told, {}, NOON)

    assert [source.keyword for source in after.job.sources[2:]] == ["iced tea"]


def test_of_many_suggestions_the_most_relevant_are_followed() -> None:
    told = suggestions(*(f"word{n}" for n in range(3_000)), "iced tea", "TEA party")

    after = tally.settle(asked(a_dry_job("tea"), QUESTION), 1, told, {}, NOON)

    new = [source.keyword for source in after.job.sources[2:]]
    assert new == ["iced tea", "TEA party", *(f"word{n}" for n in range(8))]


def test_a_floor_of_one_still_asks_what_repeats_the_whole_keyword() -> None:
    job = a_dry_job("tea", expand=Expand.RELATED)
    expansion = Expansion(Expand.RELATED, relevance_min=1.0)
    job = replace(job, search=replace(job.search, expansion=expansion))

    [feed, question] = candidates(job)
    after = tally.settle(
        asked(job, question), 1, suggestions("mate", "iced tea"), {}, NOON
    )

    assert feed.endpoint is Endpoint.HASHTAG
    assert [source.keyword for source in after.job.sources[2:]] == ["iced tea"]


def test_suggestions_that_cost_what_was_held_are_paid() -> None:
    told = replace(suggestions("mate"), credits=None)

    after = tally.settle(asked(a_dry_job("tea"), QUESTION), 1, told, {}, NOON)

    assert after.job.credits == 1


def test_suggestions_that_fail_are_done_without() -> None:
    change = asked(a_dry_job("tea"), replace(QUESTION, failures=2))
    refused = Failure(FailureKind.UNAVAILABLE, "HTTP 500")

    after = tally.fail(change, 1, refused, 0.5, NOON)

    assert after.job.source(2).state is DRY


def test_an_opened_source_that_fails_alone_is_no_block_and_gets_no_second_chance() -> (
    None
):
    job = exhausted(a_dry_job("tea"))
    failing = Source(0, "mate", state=FAILING, set_aside=job.pages - 1, error="404",
                     origin="suggested")  # fmt: skip

    change = lifecycle.proceed(
        at_work(grown(job, failing)), 4, NOON, room=9, prices=A_CREDIT
    )

    assert change.job.outcome is not None
    assert change.job.outcome.reason is Reason.SOURCES_EXHAUSTED


def test_where_an_opened_source_fails_last_the_provider_is_the_reason() -> None:
    job = exhausted(a_dry_job("tea"))
    failing = Source(0, "mate", state=FAILING, set_aside=job.pages, error="HTTP 500",
                     origin="suggested")  # fmt: skip

    decision = decide(grown(job, failing), NOON, room=9, prices=A_CREDIT)

    assert isinstance(decision, End)
    assert decision.outcome.reason is Reason.PROVIDER_BLOCKED
    assert decision.outcome.detail == "no answer could be had for mate: HTTP 500"


def test_one_question_is_asked_at_a_time_and_of_the_keyword_that_brought_most() -> None:
    job = a_dry_job("tea", "mate", expand=Expand.RELATED)
    rich = replace(job.source(2), found=120)

    found = candidates(replace(job, sources=(job.source(1), rich)))

    [question] = [s for s in found if s.endpoint is Endpoint.SUGGESTIONS]
    assert question.keyword == "mate"


def test_questions_that_only_failed_are_not_asked_of_further_keywords() -> None:
    job = a_dry_job("tea", "mate", expand=Expand.RELATED)
    failed = replace(QUESTION, state=DRY, set_aside=job.pages)

    found = candidates(grown(job, failed))

    assert {source.endpoint for source in found} == {Endpoint.HASHTAG}


def test_a_poor_suggestion_is_not_looked_into_before_others_are_opened() -> None:
    poor = Source(
        0, "xyz", pages=1, charged=1, evidence=2, origin='suggested for "tea"'
    )
    job = grown(a_dry_job("tea", target=9_000), poor)
    known = replace(job.sources[-1], origin='variant of "tea"')

    assert proposals(job, NOON)
    assert proposals(replace(job, sources=(*job.sources[:-1], known)), NOON) == ()


HOLDS = {"tea keyword": 90, "tea hashtag": 60, "mate keyword": 90, "mate hashtag": 60}


def played(*texts: str, target: int = 270) -> Job:
    """A job for tea worked to its end, one call at a time, with these suggestions.

    Every page is of creators not seen before; one in three posts is about mate, too.
    """
    job = replace(a_dry_job("tea", expand=Expand.RELATED, target=target), charged=0)
    fresh = Source(1, "tea")
    change = at_work(replace(job, sources=(fresh,), pages=0, qualified=0))
    while True:
        change = lifecycle.proceed(
            Change(change.job), change.job.fence, NOON, room=1, prices=A_CREDIT
        )
        if not change.job.open_calls:
            return change.job
        [call] = change.job.open_calls
        page = shown(change.job.source(call.source), call.cursor, texts)
        change = tally.settle(Change(change.job), call.id, page, {}, NOON)


def shown(source: Source, cursor: str, texts: tuple[str, ...]) -> Page:
    """What that market answers: pages of 30, or its suggestions."""
    if source.endpoint is Endpoint.SUGGESTIONS:
        return suggestions(*texts)
    names, first = list(HOLDS), int(cursor)
    name = f"{source.keyword} {source.name}"
    last = min(first + 30, HOLDS.get(name, 0))
    place = 1_000 * names.index(name) if name in HOLDS else 0
    sightings = [
        replace(a_sighting(place + n), hashtags=("mate",) * (n % 3 == 0))
        for n in range(first, last)
    ]
    return a_page(sightings, next_cursor=str(last), more=last < HOLDS.get(name, 0))


@pytest.mark.parametrize("number", [10, 3_000])
@pytest.mark.parametrize("like", ["xyz{}", "tea xyz{}"])
def test_however_much_nonsense_is_suggested_it_costs_a_few_calls(
    number: int, like: str
) -> None:
    without = played()
    job = played(*(like.format(n) for n in range(number)))

    assert (without.status, job.status) == (Status.COMPLETED, Status.COMPLETED)
    wasted = [source for source in job.sources if "xyz" in source.keyword]
    assert 0 < sum(source.charged for source in wasted) <= 10
    assert job.charged <= without.charged + 10


@pytest.mark.parametrize("text", ["tea", "TEA ", "xyz", "x-y-z"])
def test_the_same_word_suggested_again_and_again_is_one(text: str) -> None:
    without = played()
    job = played(*[text, text.upper(), f"#{text}"] * 99)

    assert job.status is Status.COMPLETED
    assert job.charged <= without.charged + 2


# ------------------------------------------------------------------------ its hashtags
def a_page_of(*hashtags: str) -> Page:
    sighting = replace(a_sighting(1), hashtags=hashtags)
    return a_page([sighting, sighting, replace(a_sighting(2), hashtags=("cup",))])


@pytest.mark.parametrize("expand", [Expand.OFF, Expand.VARIANTS])
def test_hashtags_are_noted_only_where_keywords_of_them_may_be_asked(
    expand: Expand,
) -> None:
    change = asked(a_dry_job("tea", expand=expand), Source(0, "tea", region="US"))

    after = tally.settle(change, 1, a_page_of("mug"), {}, NOON)

    assert after.job.hashtags is None


def test_hashtags_are_noted_for_the_keyword_and_those_of_a_post_once() -> None:
    change = asked(a_dry_job("tea"), Source(0, "mate", origin="some"))

    after = tally.settle(change, 1, a_page_of("mug"), {}, NOON)

    assert after.job.hashtags is not None
    assert after.job.hashtags.counts == {"mate": {"mug": 1, "cup": 1}}


# --------------------------------------------------------------------- the owner's side
def test_a_job_may_be_allowed_to_open_sources_later() -> None:
    found = noted(NO_HASHTAGS, "tea", [("mug",)])
    job = a_dry_job("tea", expand=Expand.OFF)

    change = ownership.widen(Change(job), Expansion(Expand.ALL), found)
    narrow = ownership.widen(Change(job), Expansion(Expand.VARIANTS), found)
    again = ownership.widen(change, Expansion(Expand.RELATED), NO_HASHTAGS)

    assert change.job.search.expansion.expand is Expand.ALL
    assert (change.job.hashtags, narrow.job.hashtags) == (found, None)
    assert again.job.hashtags == found
