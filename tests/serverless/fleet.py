"""Processes of the service that come and go, as instances of a serverless host do."""

import asyncio
import itertools
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2

_ADDRESS = re.compile(r"Headcount on (\S+) ")
_PASSED_ON = {b"upstash-signature", b"content-type"}


class Fleet:
    """An ASGI app that hands each request to one of its processes."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._processes: dict[str, Process] = {}
        self._busy: Counter[str] = Counter()
        self._turn = itertools.count()
        self._http = httpx2.AsyncClient(timeout=60)
        self._arrivals = asyncio.Semaphore(0)
        self.killed_at_work = 0

    async def requests(self, number: int) -> None:
        """Return when so many further requests have come."""
        for _ in range(number):
            await self._arrivals.acquire()

    async def start(self) -> None:
        """One more process, as soon as it listens."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "headcount", "serve", "--port", "0"),
            env=self._env,
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
        )
        assert process.stderr
        said = b""
        while not (found := _ADDRESS.search(said.decode())):
            line = await process.stderr.readline()
            assert line, said.decode()
            said += line
        self._processes[found[1]] = process

    async def kill(self) -> None:
        """End the busiest process as a power cut would, and start another."""
        url = max(self._processes, key=lambda url: self._busy[url])
        self.killed_at_work += bool(self._busy[url])
        process = self._processes.pop(url)
        process.kill()
        await process.communicate()
        await self.start()

    async def close(self) -> None:
        for process in self._processes.values():
            process.kill()
            await process.communicate()
        await self._http.aclose()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        body = (await receive())["body"]
        headers = [pair for pair in scope["headers"] if pair[0] in _PASSED_ON]
        urls = list(self._processes)
        url = urls[next(self._turn) % len(urls)]
        self._busy[url] += 1
        self._arrivals.release()
        try:
            answer = await self._http.post(
                url + scope["path"], content=body, headers=headers
            )
            status, content = answer.status_code, answer.content
        except httpx2.HTTPError:
            status, content = 502, b""
        finally:
            self._busy[url] -= 1
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": content})


@asynccontextmanager
async def a_fleet(env: Mapping[str, str], size: int) -> AsyncIterator[Fleet]:
    fleet = Fleet(env)
    try:
        await asyncio.gather(*(fleet.start() for _ in range(size)))
        yield fleet
    finally:
        await fleet.close()
