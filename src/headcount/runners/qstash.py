"""Wake-ups by QStash: a message over HTTP for each step of a job, one after another.

What is due stands in the jobs' own rows. So a message that cannot be published is
dropped here after a few seconds, and the sweep publishes it again. QStash's own client
is loaded when there is something to publish: it takes half of a handler's start.
"""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from headcount.core.errors import HeadcountError, InvalidSetting, NoSuchJob
from headcount.core.model import Job, Status
from headcount.ports import Clock, Store

if TYPE_CHECKING:
    from qstash import AsyncQStash
    from qstash.message import FlowControl

_LOG = logging.getLogger(__name__)
PROCESS, SWEEP, FAILED = (
    f"/api/qstash/{name}" for name in ("process-scraping", "sweep", "failed")
)
LABEL = "headcount"
PATIENCE = 4.0  # seconds for a publish, its one further attempt included
RETRIES = 5  # the most that every plan allows
# The first retry comes when the lease of a handler that died has expired.
RETRY_DELAY = "15000 * pow(2, retried)"
_AT_ONCE = 20  # publishes of a sweep
_SWEPT = 600  # seconds in which QStash drops a message with the same deduplication id
_AT_WORK = {Status.PENDING, Status.PROCESSING}


def not_taken() -> tuple[type[Exception], ...]:
    """What QStash's client raises where a message was not taken."""
    import httpx  # noqa: PLC0415 - see above
    from qstash.errors import QStashError  # noqa: PLC0415 - see above

    no_answer_of_qstash = (LookupError, ValueError)
    return (QStashError, httpx.HTTPError, TimeoutError, *no_answer_of_qstash)


@dataclass(frozen=True, slots=True)
class Account:
    """Who publishes at QStash, and the address under which QStash finds us.

    Raises:
        InvalidSetting: something is missing, or cannot be used.
    """

    token: str = field(repr=False)
    url: str
    public_url: str

    def __post_init__(self) -> None:
        _check_url(self.url)
        if not self.token:
            raise InvalidSetting("QSTASH_TOKEN: set it to the token of your QStash")
        if not self.token.isascii() or any(map(str.isspace, self.token)):
            raise InvalidSetting(
                "QSTASH_TOKEN: expected no space or line break in it: paste it anew"
            )

    def client(self) -> "AsyncQStash":
        """The official client, which tries at most twice, and not for long."""
        from qstash import AsyncQStash  # noqa: PLC0415 - see above

        retry = {"retries": 1, "backoff": lambda _: 200.0}
        return AsyncQStash(self.token, retry=retry, base_url=self.url)  # type: ignore[arg-type] # its TypedDict

    @asynccontextmanager
    async def opened(self) -> "AsyncIterator[AsyncQStash]":
        """The client while the block runs."""
        client = self.client()
        try:
            yield client
        finally:
            await client.http._client.aclose()  # noqa: SLF001 - it has no other way


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise InvalidSetting(
            f"QSTASH_URL: expected such as https://qstash.upstash.io, not {url!r}"
        )
    if parts.path.strip("/") or parts.query:
        origin = f"{parts.scheme}://{parts.netloc}"
        raise InvalidSetting(
            f"QSTASH_URL: expected the origin only, not {url!r}: leave out what "
            f"follows {origin}"
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """How messages are delivered: seconds for each, and how many for one key.

    `flow` names the provider's key that a job uses; `rate` is messages a second.
    """

    timeout: int
    parallelism: int
    rate: int
    flow: Callable[[Job], str]


class QStashWaker:
    """Publishes wake-ups: each step of a job is a message of its own."""

    def __init__(
        self, account: Account, terms: Terms, *, store: Store, clock: Clock
    ) -> None:
        self._account, self._terms = account, terms
        self._store, self._clock = store, clock
        self._client: AsyncQStash | None = None

    async def wake(self, job_id: str, at: datetime) -> None:
        """Have the job looked at; what cannot be published is left to the sweep."""
        try:
            job = await self._store.load(job_id)
        except NoSuchJob:
            return
        except HeadcountError as error:
            _LOG.warning("job %s is not announced: %s", job_id, error)
            return
        await self.post(job, at)

    async def post(self, job: Job, at: datetime) -> bool:
        """Publish the next step of a job as it stands, unless there is none."""
        return await self._publish(job, at, f"{job.id}-{job.version}")

    async def post_again(self, jobs: Sequence[Job]) -> int:
        """Publish steps whose messages may be lost; the number that QStash took.

        The same step is published again every ten minutes at most: where many jobs
        wait for their turn, their messages are not lost.
        """
        now, taken = self._clock.now(), 0
        turn = int(now.timestamp()) // _SWEPT
        for start in range(0, len(jobs), _AT_ONCE):
            tried = [
                self._publish(job, now, f"{job.id}-{job.version}-again-{turn}")
                for job in jobs[start : start + _AT_ONCE]
            ]
            answers = await asyncio.gather(*tried)
            taken += sum(answers)
            if not all(answers):
                break  # the next sweep goes on
        return taken

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.http._client.aclose()  # noqa: SLF001 - it has no other way

    async def _publish(self, job: Job, at: datetime, step: str) -> bool:
        """Whether the message was taken, or there is nothing to say."""
        if job.status not in _AT_WORK:
            return True
        self._client = self._client or self._account.client()
        terms, home = self._terms, self._account.public_url
        later = at > self._clock.now()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._client.message.publish_json(
                    url=home + PROCESS,
                    body={"jobId": job.id, "pages": job.pages},
                    deduplication_id=step,
                    not_before=math.ceil(at.timestamp()) if later else None,
                    timeout=terms.timeout,
                    retries=RETRIES,
                    retry_delay=RETRY_DELAY,
                    failure_callback=home + FAILED,
                    flow_control=self._flow(job),
                    label=LABEL,
                )
        except not_taken() as error:
            _LOG.warning("job %s is not announced: %s", job.id, told(error))
            return False
        return True

    def _flow(self, job: Job) -> "FlowControl":
        terms = self._terms
        return {
            "key": terms.flow(job),
            "parallelism": terms.parallelism,
            "rate": terms.rate,
            "period": 1,
        }


def told(error: Exception) -> str:
    """What went wrong with QStash, and what to do where that is known."""
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    if "status: 401" in text:
        return (
            f"{text}: QSTASH_TOKEN and QSTASH_URL must be of the same account and "
            "region"
        )
    return text
