"""The receiver of QStash's messages: the work of a service, one request at a time.

It needs no web framework. Every message is checked before anything is done for it, and
may come late, doubled or twice at once: only the store says what there is to do.
"""

import asyncio
import inspect
import json
import logging
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from headcount.adapters.signatures import BadSignature, check
from headcount.app import App
from headcount.bootstrap import open_service
from headcount.core import lifecycle
from headcount.core.errors import (
    HeadcountError,
    InternalError,
    InvalidSetting,
    NoSuchJob,
)
from headcount.core.model import Change, Job, Known, Status
from headcount.runner_settings import MARGIN
from headcount.runners.qstash import FAILED, PROCESS, SWEEP
from headcount.serverless.answers import Answer, never, progress, said
from headcount.settings import Settings

_LOG = logging.getLogger(__name__)
LARGEST_BODY = 1_000_000  # bytes
_AT_WORK = {Status.PENDING, Status.PROCESSING}
_GATES = timedelta(seconds=5)  # between two looks at which keys are closed
_OVERDUE = timedelta(seconds=30)  # after which a message is taken to be lost
_SWEPT = 1_000  # jobs that one sweep looks at
_AGAIN = {"Retry-After": "15"}  # when the lease of a handler that died has expired

Fallback = Callable[[bytes, Mapping[str, str]], "Answer | Awaitable[Answer]"]


class Receiver:
    """Answers QStash's messages for an app that is open.

    With `dev`, messages without a signature are taken too, so that whoever calls it
    must let in only what this machine sends.

    Raises:
        InvalidSetting: QStash is not the runner, or a key or address is missing or
            cannot be used.
    """

    def __init__(self, app: App, *, dev: bool = False) -> None:
        if app.post is None:
            raise InvalidSetting("HEADCOUNT_RUNNER: set it to qstash to use QStash")
        self._app, self._post, self._dev = app, app.post, dev
        self._settings = app.settings
        _ = self._settings.call_timeout  # refused now, if a call has no time
        self._keys = app.settings.signing_keys(dev=dev)
        self._urls = app.settings.public_urls
        self._gates_read: datetime | None = None
        app.channels.share_keys()

    async def handle(
        self,
        body: bytes,
        headers: Mapping[str, str],
        *,
        path: str = PROCESS,
        fallback: Fallback | None = None,
    ) -> Answer:
        """Answer one message: status, headers and body, whatever it may contain.

        `path` is the route it came by, and `fallback` answers for jobs that are not
        ours. `headers` has a value of several lines joined by a comma, as is usual.
        """
        if path not in {PROCESS, SWEEP, FAILED}:
            return said(404, error="nothing is at this path")
        if len(body) > LARGEST_BODY:
            return said(413, error=f"a body has at most {LARGEST_BODY:,} bytes")
        try:
            self._check(body, headers, path)
        except BadSignature as error:
            _LOG.warning("a message to %s was refused: %s", path, error)
            return said(401, error="unauthorized")
        marks = {name.lower(): value for name, value in headers.items()}
        told = [marks.get(f"upstash-{name}", "-") for name in ("message-id", "retried")]
        _LOG.info("message %s came to %s, retried %s", told[0], path, told[1])
        act = {
            PROCESS: lambda: self._process(body, headers, fallback),
            SWEEP: self._sweep,
            FAILED: lambda: self._fail(body),
        }
        return await _sheltered(act[path])

    def _check(self, body: bytes, headers: Mapping[str, str], path: str) -> None:
        tokens = [v for k, v in headers.items() if k.lower() == "upstash-signature"]
        if self._dev and not tokens:
            return
        if len(tokens) != 1:
            raise BadSignature(f"expected one signature, not {len(tokens)}")
        check(
            tokens[0],
            body,
            urls=[url + path for url in self._urls],
            keys=self._keys,
            now=self._app.clock.now().timestamp(),
        )

    # ---------------------------------------------------------------- a step of a job
    async def _process(
        self, body: bytes, headers: Mapping[str, str], fallback: Fallback | None
    ) -> Answer:
        job_id = _object(body).get("jobId")
        job = await self._ours(job_id)
        if job is not None:
            return await self._step(job)
        if fallback is not None:
            answer = fallback(body, headers)
            return await answer if inspect.isawaitable(answer) else answer
        if not isinstance(job_id, str | int):
            return never('expected JSON such as {"jobId": "..."}')
        return said(200, handled=False)

    async def _ours(self, job_id: object) -> Job | None:
        if not isinstance(job_id, str) or not job_id.isprintable():
            return None
        with suppress(NoSuchJob):
            return await self._app.store.load(job_id)
        return None

    async def _step(self, job: Job) -> Answer:
        """Take a job forward by a time slice, then publish what comes next."""
        now, longest = self._app.clock.now(), self._settings.qstash_slice
        early = job.due_at is not None and job.due_at > now + timedelta(seconds=longest)
        if early or job.status not in _AT_WORK:
            return progress(job, advanced=False)
        await self._look_at_gates(now)
        channel = await self._app.connect(job.search.provider)
        if channel.pace.closed_until() and not _can_end(job, now):
            return progress(job, advanced=False)  # the sweep asks again, less often
        try:
            left = await self._advance(job)
        except NoSuchJob:  # it was deleted meanwhile
            return said(200, handled=False)
        if left.lease is not None or left.fence == job.fence:
            return progress(left, advanced=False)  # another handler is at it
        if not await self._post.post(left, left.due_at or now):
            return said(503, _AGAIN, error="the next step could not be published")
        return progress(left, advanced=True)

    async def _advance(self, job: Job) -> Job:
        """One step; what takes too long is let go of before the host ends it."""
        try:
            async with asyncio.timeout(self._settings.qstash_limit - MARGIN):
                return await self._app.advance(job.id, self._settings.qstash_slice)
        except TimeoutError:
            _LOG.warning("job %s: a step took too long", job.id)
            return await self._app.store.load(job.id)

    async def _look_at_gates(self, now: datetime) -> None:
        """Read which keys are closed, unless that was just done."""
        if self._gates_read is None or now - self._gates_read >= _GATES:
            await self._app.gates.refresh()
            self._gates_read = now

    # -------------------------------------------------------- what no process is for
    async def _sweep(self) -> Answer:
        """Publish what seems lost, and do the chores of a service once."""
        published = undone = 0
        try:
            async with asyncio.timeout(self._settings.qstash_limit - MARGIN):
                published = await self._heal()
                await self._connect()
                for chore in self._app.chores:
                    undone += not await _done(chore.name, chore.do)
        except TimeoutError:
            _LOG.warning("a sweep took too long; the next one goes on")
            return said(200, published=published, finished=False)
        return said(200, published=published, finished=not undone)

    async def _heal(self) -> int:
        store, now = self._app.store, self._app.clock.now()
        jobs = []
        for job_id in await store.due(now - _OVERDUE, _SWEPT):
            with suppress(NoSuchJob):
                jobs.append(await store.load(job_id))
        return await self._post.post_again(jobs)

    async def _connect(self) -> None:
        """Open the channel whose key may have new credits, if it has one."""
        if self._settings.scrapecreators_api_key is not None:
            with suppress(InvalidSetting):
                await self._app.connect("scrapecreators")

    async def _fail(self, body: bytes) -> Answer:
        """Write down that QStash has given up on a job, unless it went on since."""
        told = _object(body)
        source = _object(_base64(told.get("sourceBody")))
        job = await self._ours(source.get("jobId"))
        if job is None:
            return said(200, handled=False)
        now, detail = self._app.clock.now(), _given_up(told)

        def rule(job: Job, _: Known) -> Change:
            awaited = job.due_at is not None and job.due_at > now
            if awaited or job.pages > _number(source.get("pages"), job.pages):
                return Change(job)
            return lifecycle.collapse(Change(job), detail, now)

        change = await self._app.store.change(job.id, rule)
        return said(200, handled=True, recorded=change.changed)


@asynccontextmanager
async def open_receiver(settings: Settings) -> AsyncIterator[Receiver]:
    """Open the store, and give a receiver for it.

    Raises:
        InvalidSetting: a setting is missing, or cannot be used.
        StoreError: the store cannot be opened.
    """
    async with open_service(settings) as app:
        yield Receiver(app)


async def _sheltered(act: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer to a message, also where it cannot be what it should."""
    try:
        return await act()
    except InternalError as error:
        _LOG.error("a message met a defect: %s", error)
        return never("a defect, which the log names")
    except HeadcountError as error:
        _LOG.error("a message cannot be answered now: %s", error)
        return said(503, _AGAIN, error="not possible now; the log says why")


async def _done(name: str, do: Callable[[], Awaitable[object]]) -> bool:
    """Do a chore; one that fails leaves the others to be done."""
    try:
        await do()
    except Exception:  # noqa: BLE001 - whatever it is, the next sweep tries it again
        _LOG.exception("%s failed, and will be tried again", name)
        return False
    return True


def _can_end(job: Job, now: datetime) -> bool:
    """Whether a job may end without another call."""
    deadline = job.search.limits.deadline
    return job.halt is not None or (deadline is not None and deadline <= now)


def _object(body: bytes) -> Mapping[str, Any]:
    """The JSON object that a body is; an empty one if it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _base64(text: object) -> bytes:
    try:
        return b64decode(text) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) else default


def _given_up(told: Mapping[str, Any]) -> str:
    """What is written on the job; a failure callback may leave out anything."""
    status, tries = told.get("status"), _number(told.get("retried"), 0) + 1
    answer = f"status {status}" if isinstance(status, int) and status else "no answer"
    return (
        f"QStash gave up after {tries} deliveries, the last with {answer}: "
        "`headcount qstash retry` lets it go on"
    )
