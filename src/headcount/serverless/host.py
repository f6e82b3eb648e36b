"""The receiver for programs without an event loop: one, kept from call to call."""

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from inspect import isawaitable
from threading import Lock, Thread
from typing import TypeVar

from headcount.runners.qstash import PROCESS
from headcount.serverless.answers import Answer
from headcount.serverless.receiver import Fallback, Receiver, open_receiver
from headcount.settings import load_settings

T = TypeVar("T")
_THEIRS: Answer = (0, {}, b"")  # a message that the fallback is to answer


class _Host:
    """A receiver that is opened when first needed, on a loop in a thread of its own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._receiver: Receiver | None = None
        self._stack = AsyncExitStack()

    def handle(
        self,
        body: bytes,
        headers: Mapping[str, str],
        path: str,
        fallback: Fallback | None,
    ) -> Answer:
        loop, receiver = self._opened()
        passed = None if fallback is None else _leave
        answer = _wait(loop, receiver.handle(body, headers, path=path, fallback=passed))
        if fallback is None or answer is not _THEIRS:
            return answer
        # In the caller's thread: it may block, and need the request that is there.
        told = fallback(body, headers)
        return _wait(loop, told) if isawaitable(told) else told

    def _opened(self) -> tuple[asyncio.AbstractEventLoop, Receiver]:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                Thread(target=self._loop.run_forever, daemon=True).start()
            if self._receiver is None:
                self._receiver = _wait(self._loop, self._open())
            return self._loop, self._receiver

    async def _open(self) -> Receiver:
        opened = open_receiver(load_settings(runner="qstash"))
        return await self._stack.enter_async_context(opened)


_HOST = _Host()


def handle_message(
    body: bytes,
    headers: Mapping[str, str],
    *,
    path: str = PROCESS,
    fallback: Fallback | None = None,
) -> Answer:
    """Answer one message of QStash: status, headers and body.

    For any framework or host: `body` is the raw body, `path` the route it came by. The
    first call opens the store by the settings in the environment; it stays open until
    the process ends. `fallback` is called in the caller's thread. Inside a running
    event loop, use `open_receiver`.

    Raises:
        InvalidSetting: a setting is missing, or cannot be used.
        StoreError: the store cannot be opened.
    """
    return _HOST.handle(body, headers, path, fallback)


def _leave(_body: bytes, _headers: Mapping[str, str]) -> Answer:
    return _THEIRS


def _wait(loop: asyncio.AbstractEventLoop, work: Awaitable[T]) -> T:
    """What comes of work that is done on the loop."""

    async def done() -> T:
        return await work

    return asyncio.run_coroutine_threadsafe(done(), loop).result()
