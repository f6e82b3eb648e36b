"""Tells many watchers of jobs what happens, whichever process makes it happen.

One task a process asks for the versions of all jobs that somebody watches, reads the
events of those that moved, and encodes each once; every watcher is handed the same
bytes. A watcher knows by the id of its last event where it goes on, and reads from the
store what the others have seen already, so nothing is lost between two connections.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field, replace

import msgspec

from headcount.core.errors import HeadcountError
from headcount.core.model import Change, Status
from headcount.core.report import moment
from headcount.ports import Event, Records

_LOG = logging.getLogger(__name__)
LOOK = 0.25  # seconds between two looks at what other processes did
SHORTEST_LOOK = 0.1  # seconds between two looks, however much happens here
# Seconds more for each who watches: telling one takes some 0.03 ms, so that telling
# all of them takes about a hundredth of the time, however many they are.
FOR_EACH_WATCHER = 0.004
HEARTBEAT = 15.0  # seconds of silence, after which proxies may hang up
_KEPT = 256  # frames of a job for watchers that are a little behind
_BEAT = b": still here\n\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """An event as it is sent to all watchers."""

    id: int
    bytes: bytes
    ends: bool


def frame(event: Event) -> Frame:
    """An event in the format of server-sent events."""
    data = msgspec.json.encode({"at": moment(event.at), **event.data})
    head = f"id: {event.id}\nevent: {event.type}\ndata: "
    ends = Status(str(event.data["status"])).ended
    return Frame(event.id, head.encode() + data + b"\n\n", ends)


@dataclass(slots=True)
class _Feed:
    """What watchers of one job share: every event after `floor`, up to `tip`."""

    floor: int
    tip: int
    frames: deque[Frame] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    watchers: int = 0
    gone: bool = False
    joined: dict[int, Frame] = field(default_factory=dict)

    def add(self, frame: Frame) -> None:
        self.joined.clear()
        self.frames.append(frame)
        if len(self.frames) > _KEPT:
            self.floor = self.frames.popleft().id

    def unseen(self, after: int) -> Frame | None:
        """All that came after an event in one: the same for all who have seen as much.

        It has the id of the last one.
        """
        if not self.frames or self.frames[-1].id <= after:
            return None
        if after not in self.joined:
            together = b"".join(one.bytes for one in self.frames if one.id > after)
            self.joined[after] = replace(self.frames[-1], bytes=together)
        return self.joined[after]

    def tell(self) -> None:
        """Wake those who wait; whoever waits from now on waits for the next news."""
        self.news.set()
        self.news = asyncio.Event()


class Broadcast:
    """The watchers of this process, and the one who looks out for all of them."""

    def __init__(self, *, heartbeat: float = HEARTBEAT) -> None:
        self._heartbeat = heartbeat
        self._feeds: dict[str, _Feed] = {}
        self._bell = asyncio.Event()
        self._closed = False

    def notice(self, change: Change) -> None:
        """Look soon: a job was changed in this process."""
        if change.job.id in self._feeds:
            self._bell.set()

    @property
    def watched(self) -> int:
        """How many jobs somebody watches here."""
        return len(self._feeds)

    @property
    def watchers(self) -> int:
        """How many streams of events are open here."""
        return sum(feed.watchers for feed in self._feeds.values())

    def close(self) -> None:
        """Let every watcher go, to come back to another process."""
        self._closed = True
        for feed in self._feeds.values():
            feed.tell()

    async def run(self, records: Records) -> None:
        """Look out for the watchers until cancelled."""
        while True:
            await asyncio.sleep(SHORTEST_LOOK + self.watchers * FOR_EACH_WATCHER)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK - SHORTEST_LOOK):
                    await self._bell.wait()
            self._bell.clear()
            try:
                await self._look(records)
            except HeadcountError as error:
                _LOG.warning("watchers have to wait: %s", error)

    async def follow(
        self, records: Records, job_id: str, after: int, *, first: Frame | None = None
    ) -> AsyncGenerator[bytes, None]:
        """What happens to a job after an event, until the last one is its end.

        `first` is what the watcher is told before that.
        """
        feed = await self._join(records, job_id)
        ended = bool(first and first.ends)
        try:
            if first:
                yield first.bytes
            while not (self._closed or feed.gone):
                news = feed.news
                if after < feed.floor:
                    async for event in records.events(job_id, after):
                        one = frame(event)
                        after, ended = one.id, one.ends
                        yield one.bytes
                if unseen := feed.unseen(after):
                    after, ended = unseen.id, unseen.ends
                    yield unseen.bytes
                if ended:
                    return
                if news is feed.news and not await _within(news, self._heartbeat):
                    yield _BEAT
        finally:
            self._leave(job_id, feed)

    async def _join(self, records: Records, job_id: str) -> _Feed:
        if job_id not in self._feeds:
            version = (await records.versions([job_id])).get(job_id, 0)
            self._feeds.setdefault(job_id, _Feed(version, version))
        feed = self._feeds[job_id]
        feed.watchers += 1
        return feed

    def _leave(self, job_id: str, feed: _Feed) -> None:
        feed.watchers -= 1
        if not feed.watchers and self._feeds.get(job_id) is feed:
            del self._feeds[job_id]

    async def _look(self, records: Records) -> None:
        """Bring the feeds of all jobs that moved up to date."""
        if not self._feeds:
            return
        versions = await records.versions(list(self._feeds))
        for job_id, feed in list(self._feeds.items()):
            version = versions.get(job_id)
            if version is None:
                feed.gone = True
                feed.tell()
            elif version > feed.tip:
                await self._catch_up(records, job_id, feed, version)

    async def _catch_up(
        self, records: Records, job_id: str, feed: _Feed, version: int
    ) -> None:
        async for event in records.events(job_id, feed.tip):
            feed.add(frame(event))
            feed.tip = event.id
        feed.tip = max(feed.tip, version)
        feed.tell()


async def _within(news: asyncio.Event, seconds: float) -> bool:
    """Whether there is news within this time."""
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return False
    return True
