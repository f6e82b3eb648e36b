"""From the bytes of a page to a committed transaction, against two yardsticks."""

import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from figures import Figure, Say
from invented import NEW, big_page, create_job
from play import A_CREDIT

from headcount.adapters.sql import SqlStore
from headcount.adapters.tiktok import read_page
from headcount.adapters.tiktok_json import Body
from headcount.core import lifecycle, tally
from headcount.core.calls import Page
from headcount.core.model import Change, Job, Known, Lease

_PAGES, _WARM_UP = 110, 10
_NOW = datetime.now(UTC)
_STORED = 1_000  # creators that the original has in its column already


async def measure(say: Say) -> AsyncIterator[Figure]:
    """Compare settling a page with only decoding it, and with the original's way."""
    decode = msgspec.json.Decoder(Body).decode
    settling: list[float] = []
    decoding: list[float] = []
    rewriting: list[float] = []
    with TemporaryDirectory() as folder:
        original = Original(Path(folder, "original.db"))
        store = await SqlStore.open(f"sqlite:///{folder}/jobs.db")
        job = await create_job(store, target=_PAGES * NEW)
        job = (await store.change(job.id, _claimed)).job
        for number in range(_PAGES):
            say(f"page {number + 1} of {_PAGES}")
            body = big_page(number)
            decoding.append(_timed(decode, body))
            start = time.perf_counter()
            job = await _settle(store, job, body)
            settling.append(time.perf_counter() - start)
            rewriting.append(_timed(original.settle, body))
        assert job.qualified == _PAGES * NEW
        await store.close()
        original.close()
    settled = median(settling[_WARM_UP:])
    ways = (
        ("a bare typed decode", decoding, 4.0),
        (f"a JSON column of {_STORED:,} rewritten, as before", rewriting, 0.25),
    )
    for name, seconds, target in ways:
        yield Figure(
            "settle",
            f"2.1 MB from bytes to commit ({settled * 1000:.1f} ms) over {name}",
            settled / median(seconds[_WARM_UP:]),
            target,
            n=_PAGES - _WARM_UP,
        )


def _claimed(job: Job, _: Known) -> Change:
    lease = Lease(0, "benchmark", _NOW + timedelta(hours=1))
    return _decided(lifecycle.claim(Change(job), lease, _NOW))


def _decided(change: Change) -> Change:
    """What the engine adds to each of its transactions."""
    change = lifecycle.renew(change, change.job.fence, _NOW + timedelta(hours=1))
    return lifecycle.proceed(change, change.job.fence, _NOW, room=1, prices=A_CREDIT)


async def _settle(store: SqlStore, job: Job, body: bytes) -> Job:
    """From the bytes of a page to the commit that counts it and holds the next call."""
    call = job.open_calls[0]
    page = read_page(body, call.cursor)
    assert isinstance(page, Page)
    keys = [sighting.key for sighting in page.sightings]

    def rule(job: Job, known: Known) -> Change:
        return _decided(tally.settle(Change(job), call.id, page, known, _NOW))

    return (await store.change(job.id, rule, keys)).job


def _timed(work: Callable[[bytes], object], body: bytes) -> float:
    start = time.perf_counter()
    work(body)
    return time.perf_counter() - start


class Original:
    """The way of the JavaScript original: all creators in one row, written anew.

    It keeps a job's size, so that each page finds the same number of creators there.
    """

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file, isolation_level=None)
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "CREATE TABLE jobs (id INTEGER PRIMARY KEY, results TEXT, metadata TEXT)",
            "INSERT INTO jobs VALUES (1, '[]', '[]')",
        ):
            self._database.execute(statement)
        self._creators: list[object] = []
        self._ids: list[str] = []

    def settle(self, body: bytes) -> None:
        """Add the new creators of a page to those there, and write all of them."""
        known = set(self._ids)
        for item in json.loads(body)["search_item_list"]:
            post = item["aweme_info"]
            if post["author"]["unique_id"] not in known:
                known.add(post["author"]["unique_id"])
                self._ids.append(post["author"]["unique_id"])
                self._creators.append(_creator(post))
        while self._creators and len(self._creators) < _STORED:
            self._creators.append(self._creators[0])
            self._ids.append(f"{self._ids[0]}-{len(self._ids)}")
        self._database.execute("BEGIN IMMEDIATE")
        self._database.execute(
            "UPDATE jobs SET results = ?, metadata = ? WHERE id = 1",
            (json.dumps(self._creators), json.dumps({"uniqueCreatorIds": self._ids})),
        )
        self._database.execute("COMMIT")
        del self._creators[_STORED:], self._ids[_STORED:]

    def close(self) -> None:
        """Let go of the file."""
        with closing(self._database):
            self._creators.clear()


def _creator(post: dict[str, Any]) -> object:
    """A creator as the original keeps one."""
    author = post["author"]
    return {
        "id": author["uid"],
        "creator": {
            "uniqueId": author["unique_id"],
            "name": author["nickname"],
            "followers": author["follower_count"],
            "avatarUrl": author["avatar_medium"],
            "bio": "",
            "verified": author["custom_verify"] == "Verified account",
        },
        "video": {
            "description": post["desc"],
            "url": post["url"],
            "statistics": post["statistics"],
        },
        "hashtags": [tag["hashtag_name"] for tag in post["text_extra"]],
        "platform": "TikTok",
    }
