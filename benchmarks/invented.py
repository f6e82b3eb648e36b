"""Invented creators, pages of them, and jobs that hold many already."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from play import A_CREDIT

from headcount.adapters.sql import SqlStore
from headcount.adapters.tiktok import read_page
from headcount.core import lifecycle, ownership, tally
from headcount.core.calls import Page
from headcount.core.model import Change, Job, Known, Lease, Limits, Search
from headcount.core.search import new_job
from headcount.core.sighting import Sighting
from headcount.sandbox import Question, World
from headcount.sandbox.answer import Answer, encode
from headcount.sandbox.wire import Json, inner, page_body

KEYWORD = "tea"
NEW = 26  # creators a page that were not seen before, as measured on real pages
REPEATS = 4  # items a page of creators that the page before had shown
_STEP, _PRIME = 618_033_988_749, 1_000_000_000_039
_BATCH = 100  # pages that are filled in by one transaction
_NO_CAP = Limits(max_calls=1_000_000)
_MEDIA = ("video", "music", "added_sound_music_info", "share_info", "mask_infos")


def uid(number: int) -> str:
    """A creator's id: all differ, and their order is no order, like that of real ones.

    Ids that rise would always be added at the same edge of an index, which is cheaper.
    """
    return f"5{number * _STEP % _PRIME:018}"


def page_of_creators(number: int) -> list[str]:
    """The creators on a page, numbered from 0: 26 new, 4 of the page before."""
    first = number * NEW
    again = range(max(0, first - REPEATS), max(REPEATS, first))
    return [uid(creator) for creator in (*range(first, first + NEW), *again)]


def big_page(number: int) -> bytes:
    """An untrimmed page as it comes: 2.1 MB of JSON that leads on to the next one.

    Its media objects are as rich in small values as real ones, which makes it about as
    dear to decode: 0.5 ms a megabyte typed, nine times as much with `json`.
    """
    body = _page_body(number)
    for item in body["search_item_list"]:
        inner(item).update(dict.fromkeys(_MEDIA, _media()))
    return encode(Answer(body), accepts="").content


def trimmed_page(number: int) -> bytes:
    """The same page as it comes where it is asked for without all that."""
    return encode(Answer(_page_body(number)), accepts="").content


def _page_body(number: int) -> Json:
    question = Question(KEYWORD, cursor=number * 30)
    world = World(pages={KEYWORD: [page_of_creators(number)]})
    found = world.page(replace(question, cursor=0))
    page = replace(found, cursor=question.cursor + 30, has_more=True)
    return page_body(question, page, call=number + 1)


def _media() -> Json:
    return {
        "bit_rate": [_rendition(rate) for rate in range(11)],
        "uri": "media/0123456789abcdef",
        "ratio": "720p",
        "has_watermark": False,
        "need_set_token": None,
    }


def _rendition(rate: int) -> Json:
    """One of the qualities that a video comes in."""
    address = "https://cdn.sandbox.invalid/media/0123456789abcdef/?policy=2&signature="
    return {
        "HDR_bit": "",
        "HDR_type": "",
        "bit_rate": 1_489_337 + rate,
        "dub_infos": None,
        "fps": 30,
        "gear_name": f"normal_720_{rate}",
        "is_bytevc1": 0,
        "is_h265": 0,
        "quality_type": rate,
        "video_extra": '{"offsets": [[1, 214561], [2, 419072], [3, 623104]]}',
        "play_addr": {
            "data_size": 2_978_674 + rate,
            "file_cs": "c:0-15223-7b1c",
            "file_hash": "0123456789abcdef" * 2,
            "height": 1024,
            "width": 576,
            "uri": "media/0123456789abcdef",
            "url_key": "media/0123456789abcdef_h264_720p",
            "url_list": [address + "x" * 180] * 3,
        },
    }


async def create_job(store: SqlStore, *, target: int, job_id: str = "benchmark") -> Job:
    """A new job with one keyword, and no cap that would end it."""
    search = Search(target, (KEYWORD,), limits=_NO_CAP)
    return await store.create(new_job(job_id, search, datetime.now(UTC)))


async def ask_for_more(store: SqlStore, job: Job, *, pages: int) -> Job:
    """Raise a job's target by what this many further pages bring."""
    now, target = datetime.now(UTC), job.target + pages * NEW

    def rule(job: Job, _: Known) -> Change:
        return ownership.top_up(Change(job), target, _NO_CAP, now)

    return (await store.change(job.id, rule)).job


async def fill(store: SqlStore, job: Job, *, pages: int) -> Job:
    """Have a job count this many pages of new creators, many in one transaction."""
    sample = read_page(big_page(0), "0")
    assert isinstance(sample, Page), "an invented page can be read"
    for start in range(0, pages, _BATCH):
        batch = range(start, min(pages, start + _BATCH))
        filling = _Filling(sample, batch)
        job = (await store.change(job.id, filling.rule)).job
    return job


class _Filling:
    """The rule that counts a batch of pages as if they had been asked for."""

    def __init__(self, sample: Page, numbers: range) -> None:
        self._sample = sample
        self._numbers = numbers

    def rule(self, job: Job, _: Known) -> Change:
        """Claim the job, hold and settle each call, and hand the job back."""
        now = datetime.now(UTC)
        lease = Lease(0, "benchmark", now + timedelta(minutes=1))
        change = lifecycle.claim(Change(job), lease, now)
        token = change.job.fence
        for number in self._numbers:
            change = lifecycle.proceed(change, token, now, room=1, prices=A_CREDIT)
            (call,) = change.job.open_calls
            change = tally.settle(change, call.id, self._page(number), {}, now)
        return lifecycle.release(change, token, now, due_at=now)

    def _page(self, number: int) -> Page:
        return replace(
            self._sample,
            sightings=tuple(self._sightings(number)),
            items=NEW,
            next_cursor=str((number + 1) * 30),
        )

    def _sightings(self, number: int) -> Iterator[Sighting]:
        for place in range(NEW):
            like = self._sample.sightings[place]
            creator = uid(number * NEW + place)
            video = replace(like.video, id=creator)
            yield replace(like, id=creator, username=f"u{creator}", video=video)
