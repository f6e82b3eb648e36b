"""Plays a search against a world: the project's own core, on a clock that is simulated.

Claims, decisions, holds and settles are those of a worker; only the provider, the store
and the time are played. Every call takes one second, unless told otherwise, and the
answers are honest.
"""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from market import Pages, World

from headcount.core import lifecycle, tally
from headcount.core.calls import Call, CallKind, Page, Prices
from headcount.core.model import (
    Change,
    Job,
    Known,
    Lease,
    Limits,
    Search,
    Seen,
    Speed,
)
from headcount.core.search import new_job
from headcount.core.sighting import Sighting, Verdict, Video

_START = datetime(2026, 1, 1, tzinfo=UTC)
A_CREDIT: Prices = dict.fromkeys(CallKind, 1)
A_SECOND = (1.0, 1.0)
AS_RECORDED = (0.7, 3.5)  # seconds that a call takes, from the quickest to the slowest
_EVER = _START + timedelta(days=10_000)
_NO_CAP = 10**9


@dataclass
class Play:
    """A search of a world, step by step; `job` is what it has come to.

    A call takes between the `latency`'s two numbers of seconds, each as likely.
    """

    world: World
    target: int
    concurrency: int = 1
    speed: Speed = Speed.BALANCED
    latency: tuple[float, float] = A_SECOND
    job: Job = field(init=False)
    asked: list[int] = field(init=False, default_factory=list)
    late: int = field(init=False, default=0)
    now: datetime = field(init=False, default=_START)

    def __post_init__(self) -> None:
        words = tuple(self.world.keywords)
        limits = Limits(max_calls=_NO_CAP, speed=self.speed)
        self.job = new_job("job", Search(self.target, words, limits=limits), _START)
        self._chance = random.Random(self.world.name)  # noqa: S311 - a game, not a secret
        self._pages = list(self.world.keywords.values())
        self._out: list[tuple[datetime, int]] = []
        self._store: dict[str, _Row] = {}
        self._rows: list[_Row] = []  # in the order of their numbers

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return len(self.asked)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.now - _START).total_seconds()

    def run(self) -> "Play":
        """Play to the end."""
        for _ in self.steps():
            pass
        return self

    def steps(self) -> Iterator[Job]:
        """Play to the end, and give the job after each page."""
        lease = Lease(0, "benchmark", _EVER)
        self._write(self._decided(lifecycle.claim(Change(self.job), lease, self.now)))
        while self._out:
            self.now, call_id = heapq.heappop(self._out)
            call = next(c for c in self.job.open_calls if c.id == call_id)
            self.late += not self.job.missing
            page = _answer(self._pages[call.source - 1], call)
            known = self._known(page)
            settled = tally.settle(Change(self.job), call_id, page, known, self.now)
            self._remember(settled)
            self._write(self._decided(settled))
            yield self.job

    def _decided(self, change: Change) -> Change:
        """What a worker adds to each of its transactions."""
        token, room = change.job.fence, self.concurrency - len(change.job.open_calls)
        return lifecycle.proceed(change, token, self.now, room=room, prices=A_CREDIT)

    def _write(self, change: Change) -> None:
        known = {call.id for call in self.job.open_calls}
        for call in change.job.open_calls:
            if call.id not in known:
                self.asked.append(call.source)
                takes = timedelta(seconds=self._chance.uniform(*self.latency))
                heapq.heappush(self._out, (self.now + takes, call.id))
        self.job = change.job

    # ------------------------------------------------------------ the store's part
    def _known(self, page: Page) -> Known:
        return {
            sighting.key: self._store[sighting.key].seen()
            for sighting in page.sightings
            if sighting.key in self._store
        }

    def _remember(self, settled: Change) -> None:
        for found in settled.findings:  # every creator qualifies at first sight
            row = _Row(found.number, found.verdict)
            self._store[found.key] = row
            self._rows.append(row)
        for number, source, video in settled.posts:
            self._rows[number - 1].posts.append((source, video))


@dataclass(slots=True)
class _Row:
    number: int
    verdict: Verdict
    posts: list[tuple[int, str]] = field(default_factory=list)

    def seen(self) -> Seen:
        return Seen(self.number, self.verdict, frozenset(self.posts))


def _answer(pages: Pages, call: Call) -> Page:
    """The page at the cursor, which counts pages; every item is a post of its own."""
    number = int(call.cursor)
    items = pages[number] if number < len(pages) else []
    sightings = tuple(
        Sighting("tiktok", creator, creator, Video(f"{number}/{place}"))
        for place, creator in enumerate(items)
    )
    return Page(
        sightings,
        items=len(items),
        next_cursor=str(number + 1),
        more=number + 1 < len(pages),
    )
