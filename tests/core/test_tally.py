"""How pages, failures and lost calls are counted."""

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import NOON, a_job, a_page, a_sighting

from headcount.core import tally
from headcount.core.calls import Call, CallKind, CallState, Failure, FailureKind, Page
from headcount.core.filters import Filters
from headcount.core.model import (
    Change,
    Finding,
    Job,
    Known,
    Limits,
    Outcome,
    Reason,
    Seen,
    SourceState,
)
from headcount.core.sighting import Sighting, Verdict

LATER = NOON + timedelta(seconds=2)
DOWN = Failure(FailureKind.UNAVAILABLE, "the server answered 503")
THROTTLED = Failure(FailureKind.THROTTLED, "slow down")


def asking(job: Job, *sources: int, kind: CallKind = CallKind.PAGE) -> Job:
    """The job with a call out at each of these sources."""
    calls = tuple(
        Call(
            id=job.lines + place,
            source=number,
            cursor=job.source(number).cursor,
            held=2,
            opened_at=NOON,
            kind=kind,
        )
        for place, number in enumerate(sources or (1,), start=1)
    )
    return replace(job, open_calls=job.open_calls + calls, lines=job.lines + len(calls))


def settled(job: Job, page: Page, known: Known | None = None) -> Change:
    return tally.settle(Change(job), job.open_calls[0].id, page, known or {}, LATER)


def failed(job: Job, failure: Failure, *, jitter: float = 1.0) -> Change:
    call = job.open_calls[0]
    return tally.fail(Change(job), call.id, failure, jitter, LATER)


def after(*pages: Page) -> Job:
    """A job whose only source has answered with these pages."""
    job = a_job()
    for page in pages:
        job = settled(asking(job), page).job
    return job


# ------------------------------------------------------------------------- counting
def test_a_page_counts_each_creator_once_in_the_order_shown() -> None:
    page = a_page([1, 2, a_sighting(1, video=7), 3, 2], unreadable=2)

    change = settled(asking(a_job()), page)

    assert [(f.key, f.ordinal) for f in change.findings] == [
        (a_sighting(1).key, 1),
        (a_sighting(2).key, 2),
        (a_sighting(3).key, 3),
    ]
    [line] = change.calls
    assert (line.items, line.new, line.duplicates, line.unusable) == (7, 3, 2, 2)
    job = change.job
    assert (job.qualified, job.delivered, job.pages, job.items) == (3, 3, 1, 7)
    assert (job.duplicates, job.unusable, job.rejections) == (2, 2, 0)


def test_a_finding_says_where_and_when_the_creator_was_found() -> None:
    change = settled(asking(a_job("tea", "mate"), 2), a_page([4]))

    assert change.findings == (
        Finding(
            number=1,
            key=a_sighting(4).key,
            verdict=Verdict.QUALIFIED,
            sighting=a_sighting(4),
            source=2,
            call=1,
            found_at=LATER,
            ordinal=1,
        ),
    )


def test_ordinals_go_on_where_the_last_page_ended() -> None:
    job = asking(replace(a_job(), qualified=7))

    [finding] = settled(job, a_page([1])).findings

    assert finding.ordinal == 8


def test_creators_beyond_the_target_are_spares() -> None:
    job = settled(asking(a_job(target=2)), a_page([1, 2, 3])).job

    assert (job.delivered, job.spares, job.missing) == (2, 1, 0)


def test_a_known_creator_is_a_duplicate() -> None:
    known = {a_sighting(1).key: Seen(1, Verdict.QUALIFIED)}

    change = settled(asking(a_job()), a_page([1]), known)

    assert change.findings == ()
    assert (change.job.duplicates, change.job.qualified) == (1, 0)


def test_a_rejected_creator_keeps_the_reason() -> None:
    job = asking(a_job(filters=Filters(followers_min=1_000)))

    change = settled(job, a_page([a_sighting(1, followers=999)]))

    [finding] = change.findings
    assert finding.verdict is Verdict.REJECTED
    assert (finding.reason, finding.ordinal) == ("followers_min", None)
    assert (change.job.rejected, change.job.rejections) == (1, 1)


def test_how_old_a_video_is_is_judged_when_its_page_arrives() -> None:
    filters = Filters(posted_within=LATER - NOON)

    in_time = settled(asking(a_job(filters=filters)), a_page([1]))
    filters = replace(filters, posted_within=timedelta(seconds=1))
    too_late = settled(asking(a_job(filters=filters)), a_page([1]))

    assert (in_time.job.qualified, too_late.job.qualified) == (1, 0)


def test_a_creator_rejected_twice_is_one_creator_and_two_items() -> None:
    job = asking(a_job(filters=Filters(followers_min=1_000)))
    weak = [a_sighting(1, followers=9), a_sighting(1, video=5, followers=9)]

    change = settled(job, a_page(weak))

    assert len(change.findings) == 1
    assert (change.job.rejected, change.job.rejections) == (1, 2)


def test_a_rejected_creator_qualifies_by_a_later_video_of_the_same_page() -> None:
    job = asking(a_job(filters=Filters(followers_min=1_000)))
    weak, strong = a_sighting(1, followers=9), a_sighting(1, video=5, followers=1_000)

    change = settled(job, a_page([weak, strong]))

    [finding] = change.findings
    assert (finding.verdict, finding.sighting) == (Verdict.QUALIFIED, strong)
    [line] = change.calls
    assert (line.new, line.rejected) == (1, 1)
    assert (change.job.qualified, change.job.rejected) == (1, 0)


def test_a_rejected_creator_qualifies_on_a_later_page() -> None:
    known = {a_sighting(1).key: Seen(1, Verdict.REJECTED)}
    job = asking(replace(a_job(), rejected=3))

    change = settled(job, a_page([1]), known)

    assert (change.job.qualified, change.job.rejected) == (1, 2)


@pytest.mark.parametrize(
    ("kind", "rejected", "pending"),
    [(CallKind.PAGE, 0, 1), (CallKind.PROFILE, 1, 0)],
)
def test_only_a_call_that_tells_more_rejects_a_pending_creator(
    kind: CallKind, rejected: int, pending: int
) -> None:
    job = replace(a_job(filters=Filters(followers_min=1_000)), pending=1)
    known = {a_sighting(1).key: Seen(1, Verdict.PENDING)}

    page = a_page([a_sighting(1, followers=9)])
    change = settled(asking(job, kind=kind), page, known)

    assert (change.job.rejected, change.job.pending) == (rejected, pending)
    assert len(change.findings) == rejected
    assert change.calls[0].rejected == 1


def test_a_pending_creator_qualifies_by_a_page() -> None:
    known = {a_sighting(1).key: Seen(1, Verdict.PENDING)}

    change = settled(asking(replace(a_job(), pending=1)), a_page([1]), known)

    assert (change.job.qualified, change.job.pending) == (1, 0)


def test_totals_add_to_what_earlier_pages_counted() -> None:
    filters = Filters(followers_min=1_000)
    before = replace(
        a_job(filters=filters),
        qualified=3,
        rejected=4,
        pending=5,
        pages=6,
        items=7,
        duplicates=8,
        rejections=9,
        unusable=10,
        charged=11,
        attempts=12,
        credits=13,
    )
    shown: list[int | Sighting] = [1, a_sighting(1, video=2)]
    shown.append(a_sighting(3, followers=9))

    job = settled(asking(before), a_page(shown, unreadable=1)).job

    assert (job.qualified, job.rejected, job.pending) == (4, 5, 5)
    assert (job.pages, job.items, job.duplicates) == (7, 11, 9)
    assert (job.rejections, job.unusable) == (10, 11)
    assert (job.charged, job.attempts, job.credits) == (12, 13, 15)


# ------------------------------------------------------------------------------ posts
def test_a_post_is_told_once_for_each_source_that_shows_it() -> None:
    seen = Seen(1, Verdict.QUALIFIED, frozenset({(1, a_sighting(1).video.id)}))
    page = a_page([1, a_sighting(1, video=7), a_sighting(1, video=7)])
    known = {a_sighting(1).key: seen}
    new = a_sighting(1, video=7).video.id

    here = settled(asking(a_job("tea", "mate"), 1), page, known)
    there = settled(asking(a_job("tea", "mate"), 2), page, known)

    assert here.posts == ((1, 1, new),)
    assert there.posts == ((1, 2, a_sighting(1).video.id), (1, 2, new))


def test_a_change_adds_to_the_change_before_it() -> None:
    job = asking(a_job("tea", "mate"), 1, 2)

    change = tally.settle(Change(job), 1, a_page([1]), {}, LATER)
    change = tally.settle(change, 2, a_page([2]), {}, LATER)

    assert change.before is job
    assert [call.id for call in change.calls] == [1, 2]
    assert [finding.ordinal for finding in change.findings] == [1, 2]
    assert [source for _, source, _ in change.posts] == [1, 2]


# ------------------------------------------------------------------------- the ledger
def test_a_settled_line_says_what_the_page_brought_and_cost() -> None:
    job = asking(replace(a_job(), charged=4))
    page = replace(a_page([1], unreadable=1), credits=1, size=70, duration_ms=8)

    [line] = settled(job, page).calls

    [call] = job.open_calls
    assert line == replace(
        call,
        state=CallState.SETTLED,
        number=5,
        credits=1,
        items=2,
        new=1,
        unusable=1,
        size=70,
        duration_ms=8,
        closed_at=LATER,
    )
    assert line.charged


def test_a_page_without_a_price_costs_what_was_held() -> None:
    change = settled(asking(a_job()), a_page([1]))

    assert (change.calls[0].credits, change.job.credits, change.job.held) == (2, 2, 0)


def test_closing_one_call_leaves_the_others_open() -> None:
    job = asking(a_job("tea", "mate", "coffee"), 1, 2, 3)

    change = tally.settle(Change(job), 2, a_page(), {}, LATER)

    assert [call.id for call in change.job.open_calls] == [1, 3]


@pytest.mark.parametrize("call_id", [0, 1, 3])
def test_a_fact_about_a_call_that_is_not_open_changes_nothing(call_id: int) -> None:
    job = settled(asking(a_job("tea", "mate"), 1, 2), a_page([1])).job
    nothing = Change(job)

    assert tally.settle(nothing, call_id, a_page([2]), {}, LATER) is nothing
    assert tally.fail(nothing, call_id, DOWN, 0.5, LATER) is nothing
    assert tally.give_up(nothing, call_id, LATER) is nothing


def test_a_call_given_up_counts_as_spent() -> None:
    job = asking(replace(a_job(), charged=1, credits=3))

    change = tally.give_up(Change(job), 1, LATER)

    [line] = change.calls
    assert (line.state, line.credits, line.number) == (CallState.LOST, 2, 2)
    assert line.closed_at == LATER
    assert (change.job.charged, change.job.credits) == (2, 5)
    assert change.job.open_calls == ()


# -------------------------------------------------------------------------- the source
def test_a_page_moves_its_source_on_and_no_other() -> None:
    job = settled(asking(a_job("tea", "mate"), 2), a_page([1, 2])).job

    tea, mate = job.sources
    assert tea == a_job("tea", "mate").sources[0]
    assert (mate.cursor, mate.pages, mate.items, mate.found) == ("30", 1, 2, 2)
    assert mate.state is SourceState.OPEN


def test_a_source_adds_up_its_pages_and_averages_its_yield() -> None:
    source = after(
        a_page([1, 2, 3, 4]), a_page([5, 6], unreadable=1, next_cursor="60")
    ).sources[0]

    assert (source.pages, source.items, source.found) == (2, 7, 6)
    assert source.recent == 3.0


def test_an_empty_answer_asks_the_same_cursor_again() -> None:
    source = after(a_page([1]), a_page(next_cursor="60")).sources[0]

    assert (source.cursor, source.pages, source.items) == ("30", 2, 1)


def test_an_empty_middle_page_does_not_end_a_keyword() -> None:
    job = after(a_page([1]), a_page(more=None), a_page([2], next_cursor="60"))

    assert job.sources[0].state is SourceState.OPEN
    assert job.sources[0].evidence == 0


@pytest.mark.parametrize(
    ("evidence", "page"),
    [
        (2, a_page(more=False)),
        (2, a_page(more=None)),
        (1, a_page(more=True)),
        (0, a_page([1], more=True)),
        (0, a_page([1], more=None)),
        (1, a_page([1], more=False)),
        (1, replace(a_page([1]), stuck=True)),
        (2, replace(a_page([1], more=False), stuck=True)),
        (1, a_page(unreadable=1)),
        (2, a_page(unreadable=1, more=False)),
        (2, replace(a_page(unreadable=1), stuck=True)),
        (2, replace(a_page(unreadable=1, more=False), stuck=True)),
    ],
)
def test_one_answer_is_never_proof_of_an_end(evidence: int, page: Page) -> None:
    source = after(page).sources[0]

    assert source.evidence == evidence
    assert source.state is SourceState.OPEN


@pytest.mark.parametrize(
    ("state", "pages"),
    [
        (SourceState.DRY, [a_page(), a_page(), a_page()]),
        (SourceState.OPEN, [a_page(), a_page()]),
        (SourceState.DRY, [a_page([1], more=False), a_page(more=False)]),
        (SourceState.DRY, [a_page(unreadable=1)] * 3),
        (SourceState.OPEN, [a_page(more=False), a_page([1], more=False)]),
        (SourceState.OPEN, [a_page(), a_page(), a_page([1]), a_page()]),
    ],
)
def test_three_signs_in_a_row_end_a_source(
    state: SourceState, pages: list[Page]
) -> None:
    assert after(*pages).sources[0].state is state


def test_what_the_source_has_shown_before_is_not_fresh() -> None:
    shown = Seen(1, Verdict.QUALIFIED, frozenset({(1, a_sighting(1).video.id)}))

    change = settled(asking(a_job()), a_page([1]), {a_sighting(1).key: shown})

    assert change.job.sources[0].evidence == 1


def test_a_page_ends_a_row_of_failures() -> None:
    job = asking(failed(asking(failed(asking(a_job()), DOWN).job), THROTTLED).job)

    source = settled(job, a_page([1])).job.sources[0]

    assert (source.failures, source.throttles, source.retry_at) == (0, 0, None)


# --------------------------------------------------------------------------- failures
def test_a_charged_failure_costs_what_was_held() -> None:
    failure = replace(DOWN, size=6, duration_ms=7)
    job = asking(replace(a_job(), charged=1, attempts=3, credits=4))

    change = failed(job, failure)

    [line] = change.calls
    assert line == replace(
        job.open_calls[0],
        state=CallState.FAILED,
        number=2,
        credits=2,
        error="the server answered 503",
        size=6,
        duration_ms=7,
        closed_at=LATER,
    )
    assert (change.job.charged, change.job.attempts, change.job.credits) == (2, 4, 6)
    assert change.job.pages == 0


def test_a_refused_call_costs_nothing_and_has_no_number() -> None:
    change = failed(asking(a_job()), replace(DOWN, charged=False))

    [line] = change.calls
    assert (line.state, line.credits, line.number) == (CallState.REFUSED, 0, None)
    assert not line.charged
    assert (change.job.charged, change.job.attempts) == (0, 1)
    assert change.job.sources[0].refusals == 1


def test_what_the_provider_says_it_cost_is_taken() -> None:
    change = failed(asking(a_job()), replace(DOWN, credits=1))

    assert change.job.credits == 1


def test_refusals_count_until_a_charged_call_and_start_again() -> None:
    refused = replace(DOWN, charged=False)
    once = failed(asking(a_job()), refused).job
    twice = failed(asking(once), refused).job

    assert twice.sources[0].refusals == 2
    assert failed(asking(twice), DOWN).job.sources[0].refusals == 0


@pytest.mark.parametrize(
    ("failures", "throttles", "jitter", "seconds"),
    [
        (0, 0, 1.0, 1.0),
        (0, 0, 0.0, 0.5),
        (1, 0, 1.0, 2.0),
        (1, 1, 1.0, 4.0),
        (0, 5, 1.0, 32.0),
        (6, 0, 1.0, 60.0),
        (6, 0, 0.5, 45.0),
        (5_000, 0, 1.0, 60.0),
    ],
)
def test_a_source_waits_longer_after_each_failure(
    failures: int, throttles: int, jitter: float, seconds: float
) -> None:
    job = a_job(limits=Limits(attempts=10_000))
    source = replace(job.sources[0], failures=failures, throttles=throttles)

    job = failed(asking(replace(job, sources=(source,))), DOWN, jitter=jitter).job

    assert job.sources[0].retry_at == LATER + timedelta(seconds=seconds)
    assert job.sources[0].failures == failures + 1
    assert job.sources[0].throttles == throttles


@pytest.mark.parametrize(("asked", "seconds"), [(0.2, 1.0), (90.0, 90.0)])
def test_a_retry_after_is_obeyed_where_it_is_longer(
    asked: float, seconds: float
) -> None:
    job = failed(asking(a_job()), replace(THROTTLED, retry_after=asked)).job

    assert job.sources[0].retry_at == LATER + timedelta(seconds=seconds)
    assert (job.sources[0].failures, job.sources[0].throttles) == (0, 1)


@pytest.mark.parametrize(
    ("failures", "throttles", "failure", "state"),
    [
        (1, 0, DOWN, SourceState.OPEN),
        (2, 0, DOWN, SourceState.FAILING),
        (2, 0, THROTTLED, SourceState.OPEN),
        (0, 10, THROTTLED, SourceState.OPEN),
        (0, 11, THROTTLED, SourceState.FAILING),
        (0, 11, DOWN, SourceState.OPEN),
    ],
)
def test_a_source_is_set_aside_after_so_many_failures(
    failures: int, throttles: int, failure: Failure, state: SourceState
) -> None:
    job = replace(a_job(limits=Limits(attempts=3)), pages=9)
    source = replace(job.sources[0], failures=failures, throttles=throttles)

    [source] = failed(asking(replace(job, sources=(source,))), failure).job.sources

    assert source.state is state
    assert source.set_aside == (9 if state is SourceState.FAILING else None)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (FailureKind.OUT_OF_CREDITS, Reason.OUT_OF_CREDITS),
        (FailureKind.KEY_REFUSED, Reason.PROVIDER_BLOCKED),
    ],
)
def test_a_key_that_can_do_nothing_halts_the_job(
    kind: FailureKind, reason: Reason
) -> None:
    job = failed(asking(a_job(target=10)), Failure(kind, "as the provider says")).job

    assert job.halt == Outcome(10, reason, "as the provider says")


def test_other_failures_halt_nothing() -> None:
    assert failed(asking(a_job()), DOWN).job.halt is None


def test_a_source_keeps_what_its_last_answer_said_until_a_page_comes() -> None:
    down = failed(asking(a_job()), DOWN).job
    up = settled(asking(down), a_page([1])).job

    assert down.source(1).error == DOWN.message
    assert up.source(1).error is None


def test_a_closed_key_is_told_of_a_source_and_changes_nothing_else_of_it() -> None:
    job = asking(a_job())
    closed = Failure(FailureKind.KEY_PAUSED, "the key is closed", charged=False)

    [source] = failed(job, closed).job.sources

    assert source == replace(job.sources[0], error="the key is closed", refusals=1)


def test_a_source_that_a_page_says_nothing_of_is_left_as_it_is() -> None:
    job = asking(a_job("tea", "mate"), 1)

    after_page = settled(job, a_page([1, 2])).job

    assert after_page.sources[1] is job.sources[1]
