"""The promise, played: any world, any order of events, any crash.

The machine plays the worker, the provider, the owner and the time. Its books count
everything for themselves (see `books`), so no rule is its own witness.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.books import LEAST_FOLLOWERS, Books
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from headcount.core import lifecycle, ownership, tally
from headcount.core.calls import Call, CallKind, Failure, FailureKind, Page
from headcount.core.decisions import waiting_until
from headcount.core.filters import Filters
from headcount.core.model import (
    Change,
    Finding,
    Job,
    Lease,
    Limits,
    Outcome,
    Reason,
    Search,
    SourceState,
    Status,
)
from headcount.core.search import new_job
from headcount.core.sighting import Sighting, Verdict, Video

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEASE = 30 * SECOND
PRICE = 2
PRICES = dict.fromkeys(CallKind, PRICE)

Item = tuple[int, bool]  # a creator, and whether this video of theirs qualifies
World = list[list[list[Item]]]  # the pages of each source

ITEMS = st.tuples(st.integers(1, 25), st.sampled_from([True, True, False]))
WORLDS = st.lists(
    st.lists(st.lists(ITEMS, min_size=1, max_size=5), max_size=5),
    min_size=1,
    max_size=4,
)
LIMITS = st.builds(
    Limits,
    max_calls=st.none() | st.integers(1, 25),
    max_credits=st.none() | st.integers(1, 40),
    deadline=st.none() | st.integers(60, 2_000).map(lambda s: START + s * SECOND),
    attempts=st.integers(1, 3),
)
FAILURES = st.builds(
    Failure,
    kind=st.sampled_from([FailureKind.UNAVAILABLE, *FailureKind]),
    message=st.just("no page"),
    charged=st.booleans(),
    credits=st.sampled_from([None, 0, 1, PRICE]),
    retry_after=st.sampled_from([None, 0.0, 5.0, 500.0]),
)


def sighting(creator: int, video: str, *, good: bool) -> Sighting:
    followers = LEAST_FOLLOWERS if good else LEAST_FOLLOWERS - 1
    return Sighting(
        "tiktok", str(creator), f"invented_{creator}", Video(video), followers=followers
    )


class Promise(RuleBasedStateMachine):
    """One job, from its first claim to an end that can be explained."""

    @initialize(
        world=WORLDS, wanted=st.integers(1, 12), limits=LIMITS, lies=st.booleans()
    )
    def take_the_job(
        self, world: World, wanted: int, limits: Limits, *, lies: bool
    ) -> None:
        self.world, self.now, self.token, self.lies = world, START, 0, lies
        keywords = tuple(f"keyword {number}" for number in range(len(world)))
        filters = Filters(followers_min=LEAST_FOLLOWERS)
        search = Search(wanted, keywords, filters=filters, limits=limits)
        self.books = Books(new_job("job", search, START))
        self.claim(room=4)

    # --------------------------------------------------------------- the worker's hands
    @property
    def job(self) -> Job:
        return self.books.job

    @property
    def leased(self) -> bool:
        return lifecycle.holds(self.job, self.token)

    def decide(self, change: Change, room: int) -> Change:
        """Add to a change what a worker adds to each of its transactions."""
        change = lifecycle.renew(change, self.token, self.now + LEASE)
        return lifecycle.proceed(change, self.token, self.now, room=room, prices=PRICES)

    def go_on(self, room: int) -> None:
        change = self.decide(Change(self.job), room)
        self.books.write(change)
        assert len(change.calls) <= room
        self.check_that_work_goes_on(room)

    def check_that_work_goes_on(self, room: int) -> None:
        """A worker at rest has a reason: none to ask, or none left to be asked for."""
        job = self.job
        may_ask = (
            self.leased
            and job.status is Status.PROCESSING
            and room
            and job.missing
            and not job.halt
            and not self.too_late
            and job.charged < self.books.cap
            and job.credits + PRICE <= self.books.budget
        )
        if may_ask and any(self.ready(job)) and not job.open_calls:
            raise AssertionError("an open source is not asked")
        if not job.missing and not job.open_calls and self.leased:
            assert job.status is not Status.PROCESSING, "the job stays at 100 %"

    @property
    def too_late(self) -> bool:
        deadline = self.job.search.limits.deadline
        return deadline is not None and self.now >= deadline

    def ready(self, job: Job) -> list[bool]:
        return [
            s.state is SourceState.OPEN and (not s.retry_at or s.retry_at <= self.now)
            for s in job.sources
        ]

    def play(self, act: Callable[[Change], Change]) -> None:
        self.books.write(act(Change(self.job)))

    # -------------------------------------------------------------- the provider's side
    def page_for(self, call: Call) -> Page:
        """What an honest provider answers."""
        pages, number = self.world[call.source - 1], int(call.cursor)
        items = pages[number] if number < len(pages) else []
        sightings = tuple(
            sighting(creator, f"{call.source}/{number}/{place}", good=good)
            for place, (creator, good) in enumerate(items)
        )
        return Page(
            sightings,
            items=len(sightings),
            next_cursor=str(number + 1),
            more=number + 1 < len(pages),
        )

    def settle(self, call: Call, page: Page, room: int) -> None:
        change = Change(self.job)
        change = tally.settle(change, call.id, page, self.books.known(page), self.now)
        self.books.settle(call, page, self.decide(change, room))
        self.check_that_work_goes_on(room)

    @precondition(lambda self: self.job.open_calls)
    @rule(data=st.data(), room=st.integers(0, 4))
    def a_page_arrives(self, data: st.DataObject, room: int) -> None:
        call = data.draw(st.sampled_from(self.job.open_calls))
        page = replace(
            self.page_for(call),
            credits=data.draw(st.sampled_from([None, 0, 1, PRICE])),
            size=7,
        )
        if self.lies:
            page = self.twisted(page, call, data)
        self.settle(call, page, room)

    def twisted(self, page: Page, call: Call, data: st.DataObject) -> Page:
        """The page as a provider may spoil it: emptied, repeated, unreadable."""
        kept = data.draw(st.sampled_from([None, None, None, 0, 1]))
        sightings = page.sightings[:kept]
        if data.draw(st.integers(0, 4)) == 4:
            earlier = max(0, int(call.cursor) - 1)
            sightings += self.page_for(replace(call, cursor=str(earlier))).sightings
        return replace(
            page,
            sightings=sightings,
            items=len(sightings) + data.draw(st.sampled_from([0, 0, 0, 2])),
            more=data.draw(st.sampled_from([page.more, True, False, None])),
            stuck=data.draw(st.booleans()),
        )

    @precondition(lambda self: self.job.open_calls)
    @rule(
        data=st.data(), failure=FAILURES, room=st.integers(0, 4), jitter=st.floats(0, 1)
    )
    def a_call_fails(
        self, data: st.DataObject, failure: Failure, room: int, jitter: float
    ) -> None:
        call = data.draw(st.sampled_from(self.job.open_calls))
        witness = self.books.witnesses[call.source]
        if failure.kind is FailureKind.THROTTLED:
            witness.throttles += 1
        else:
            witness.failures += 1

        change = tally.fail(Change(self.job), call.id, failure, jitter, self.now)
        self.books.write(self.decide(change, room))
        self.check_that_work_goes_on(room)

    @precondition(lambda self: self.books.calls)
    @rule(data=st.data(), failure=FAILURES)
    def a_stale_answer_changes_nothing(
        self, data: st.DataObject, failure: Failure
    ) -> None:
        answered = [
            number for number in self.books.calls if number not in self.open_ids
        ]
        call_id = data.draw(st.sampled_from([*answered, 0, len(self.books.calls) + 1]))
        page = Page((sighting(1, "late", good=True),), 1, "9")
        nothing, known = Change(self.job), self.books.known(page)

        assert tally.settle(nothing, call_id, page, known, self.now) is nothing
        assert tally.fail(nothing, call_id, failure, 0.5, self.now) is nothing
        assert tally.give_up(nothing, call_id, self.now) is nothing

    @property
    def open_ids(self) -> set[int]:
        return {call.id for call in self.job.open_calls}

    @precondition(lambda self: self.job.open_calls)
    @rule(data=st.data(), room=st.integers(0, 4))
    def a_call_is_lost(self, data: st.DataObject, room: int) -> None:
        call = data.draw(st.sampled_from(self.job.open_calls))
        change = tally.give_up(Change(self.job), call.id, self.now)
        self.books.write(self.decide(change, room))
        self.check_that_work_goes_on(room)

    # ---------------------------------------------------------------- the worker's fate
    @rule(seconds=st.sampled_from([1, 10, 100]), room=st.integers(0, 4))
    def time_passes(self, seconds: int, room: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.go_on(room)

    @rule(known_dead=st.booleans(), room=st.integers(0, 4))
    def the_worker_dies(self, room: int, *, known_dead: bool) -> None:
        self.books.reload()
        at_stake, fenced = len(self.job.open_calls), self.token
        charged, status = self.job.charged, self.job.status
        if not known_dead:
            self.check_that_a_lease_is_respected()
            self.now += LEASE

        self.claim(room, is_dead=lambda _: known_dead)

        if status is Status.PROCESSING:
            assert self.job.charged == charged + at_stake
            self.check_that_a_fenced_worker_decides_nothing(fenced)

    def claim(
        self, room: int, *, is_dead: Callable[[str], bool] = lambda _: False
    ) -> None:
        lease = Lease(0, "worker", self.now + LEASE)
        self.play(lambda c: lifecycle.claim(c, lease, self.now, is_dead=is_dead))
        self.token = self.job.fence
        self.go_on(room)

    def check_that_a_lease_is_respected(self) -> None:
        job, lease = self.job, Lease(0, "another", self.now + LEASE)
        if job.lease and job.lease.expires_at > self.now:
            assert not lifecycle.claim(Change(job), lease, self.now).changed

    def check_that_a_fenced_worker_decides_nothing(self, fenced: int) -> None:
        nothing, later = Change(self.job), self.now + LEASE
        assert self.token == fenced + 1
        assert lifecycle.renew(nothing, fenced, later) is nothing
        assert lifecycle.release(nothing, fenced, self.now, due_at=later) is nothing
        held = lifecycle.proceed(nothing, fenced, self.now, room=9, prices=PRICES)
        assert held is nothing

    @precondition(lambda self: self.leased and not self.job.open_calls)
    @rule(room=st.integers(0, 4))
    def a_time_slice_ends(self, room: int) -> None:
        due = waiting_until(self.job) or self.now
        self.play(lambda c: lifecycle.release(c, self.token, self.now, due_at=due))
        assert self.job.lease is None
        self.claim(room)

    # ----------------------------------------------------------------- the owner's will
    @precondition(lambda self: not self.job.status.ended)
    @rule()
    def the_owner_pauses(self) -> None:
        self.play(ownership.pause)
        assert self.job.status is Status.PAUSED
        self.go_on(room=4)

    @rule(room=st.integers(0, 4))
    def the_owner_resumes(self, room: int) -> None:
        before = self.job.status
        self.play(lambda change: ownership.resume(change, self.now))
        if before in {Status.PAUSED, Status.PARTIAL, Status.FAILED}:
            self.forget_failures()
        self.go_on(room) if self.leased else self.claim(room)

    @precondition(lambda self: self.job.status is not Status.CANCELLED)
    @rule(more=st.integers(0, 4), room=st.integers(0, 4))
    def the_owner_wants_more(self, more: int, room: int) -> None:
        ended, delivered = self.job.status.ended, self.job.delivered
        spares, target = self.job.spares, self.job.target + more
        limits = self.job.search.limits
        self.play(lambda c: ownership.top_up(c, target, limits, self.now))
        assert self.job.delivered == delivered + min(spares, more)
        if more and ended and self.job.missing:
            self.forget_failures()
        self.go_on(room) if self.leased else self.claim(room)

    def forget_failures(self) -> None:
        for witness in self.books.witnesses.values():
            witness.failures = witness.throttles = 0

    @rule(creator=st.integers(1, 25))
    def a_creator_waits_for_a_call_that_tells_more(self, creator: int) -> None:
        seen = sighting(creator, "pending", good=False)
        if seen.key not in self.books.findings:
            self.books.findings[seen.key] = Finding(
                number=self.job.found + 1,
                key=seen.key,
                verdict=Verdict.PENDING,
                sighting=seen,
                source=1,
                call=0,
                found_at=self.now,
            )
            self.books.job = replace(self.job, pending=self.job.pending + 1)

    @rule(ending=st.sampled_from(["cancel"] + ["finish", "collapse"] * 2 + [""] * 12))
    def the_job_is_ended_from_outside(self, ending: str) -> None:
        if not ending or self.job.status.ended:
            return
        missing = self.job.missing
        if ending == "cancel":
            self.play(lambda c: ownership.cancel(c, self.now))
        elif ending == "finish":
            self.books.finished = True
            self.play(lambda c: ownership.finish(c, self.now))
        else:
            self.play(lambda c: lifecycle.collapse(c, "a defect", self.now))
        if self.job.open_calls and ending == "finish":
            return  # it ends once they are counted
        assert self.job.outcome is not None
        assert self.job.outcome.short_by == missing
        self.go_on(room=4)

    # ------------------------------------------------------------------- what must hold
    @invariant()
    def the_books_agree(self) -> None:
        self.books.audit()

    @invariant()
    def an_end_tells_the_truth(self) -> None:
        job = self.job
        if job.status is Status.COMPLETED:
            assert (job.delivered, job.open_calls) == (job.target, ())
        if job.status is Status.CANCELLED:
            assert job.outcome == Outcome(job.missing)
        if job.status is Status.PARTIAL:
            assert job.outcome is not None
            assert job.outcome.reason is not None
            assert job.outcome.short_by == job.target - job.delivered > 0
            assert not job.open_calls
            assert self.books.holds_true(job.outcome.reason, PRICE), job.outcome
        if not self.lies:
            self.check_that_no_source_was_left_early()

    def check_that_no_source_was_left_early(self) -> None:
        for source in self.job.sources:
            left = len(self.world[source.id - 1]) - int(source.cursor)
            assert source.state is not SourceState.DRY or left <= 0

    def teardown(self) -> None:
        """From here on all is well: the job must come to the end it should have."""
        if not hasattr(self, "books") or self.job.status is Status.CANCELLED:
            return
        within_reach = self.within_reach()
        for _ in range(300):
            if self.job.status is Status.COMPLETED or self.is_final():
                break
            self.take_an_honest_step()
            self.books.audit()
            self.an_end_tells_the_truth()
        assert self.job.status in {Status.COMPLETED, Status.PARTIAL}
        capped = self.job.outcome and self.job.outcome.reason in {
            Reason.CALL_LIMIT,
            Reason.BUDGET,
            Reason.DEADLINE,
        }
        enough = len(within_reach) >= self.job.target
        assert capped or (self.job.status is Status.COMPLETED) is enough

    def within_reach(self) -> set[str]:
        """All that qualified, and will in the pages that are still to be asked."""
        reach = set(self.books.order)
        for source in self.job.sources:
            if source.state is not SourceState.DRY:
                pages = self.world[source.id - 1][int(source.cursor) :]
                reach |= {f"tiktok:{c}" for page in pages for c, good in page if good}
        return reach

    def is_final(self) -> bool:
        """Whether it is no use to ask the owner to resume."""
        outcome = self.job.outcome
        blocked = {
            Reason.PROVIDER_BLOCKED,
            Reason.OUT_OF_CREDITS,
            Reason.FINISHED_BY_USER,
        }
        return (
            self.job.status is Status.PARTIAL
            and outcome is not None
            and outcome.reason not in blocked
        )

    def take_an_honest_step(self) -> None:
        if self.job.status not in {Status.PENDING, Status.PROCESSING}:
            self.the_owner_resumes(room=2)
        elif not self.leased:
            self.now += LEASE
            self.claim(room=2)
        elif self.job.open_calls:
            call = self.job.open_calls[0]
            self.settle(call, self.page_for(call), room=2)
        else:
            self.now = max(self.now, waiting_until(self.job) or self.now)
            self.go_on(room=2)


TestPromise = Promise.TestCase
TestPromise.settings = settings(stateful_step_count=40)
