"""Who stands around a QStash sandbox: a destination, somebody who asks, the SDK."""

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx

from headcount.sandbox.qstash import QStashSandbox

APP = "https://app.example"  # led into the process; nobody is asked who that is
App = Callable[[Any, Any, Any], Awaitable[None]]
Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Got:
    """One request that the destination got."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def signatures(self) -> list[str]:
        return [value for key, value in self.headers if key == "upstash-signature"]


@dataclass
class Hook:
    """An application that writes down what it gets, and replies as it is told."""

    got: list[Got] = field(default_factory=list)
    replies: deque[Reply] = field(default_factory=deque)
    before_reply: Callable[[Got], Awaitable[object]] | None = None

    def will_reply(self, *statuses: int, headers: dict[str, str] | None = None) -> None:
        self.replies.extend((status, headers or {}, b"") for status in statuses)

    @property
    def bodies(self) -> list[str]:
        return [got.body.decode() for got in self.got]

    def at(self, path: str) -> list[Got]:
        return [got for got in self.got if got.path == path]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        got = Got(
            scope["method"],
            scope["path"],
            scope["query_string"].decode(),
            [(name.decode(), value.decode()) for name, value in scope["headers"]],
            body,
        )
        self.got.append(got)
        if self.before_reply:
            await self.before_reply(got)
        status, headers, text = self._reply(got)
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": text})

    def _reply(self, got: Got) -> Reply:
        if got.path == "/404":
            return 404, {}, b"404 Not Found"
        return self.replies.popleft() if self.replies else (200, {}, b"fine")


@dataclass
class Running:
    """A sandbox, its destination, and a way to ask it: in process, and much faster."""

    sandbox: QStashSandbox
    hook: Hook
    http: httpx.AsyncClient

    async def publish(self, body: str = "hello", to: str = "", **more: object) -> str:
        """Publishes with headers: `retries=1` is `Upstash-Retries: 1`."""
        answer = await self.ask_to_publish(body, to, **more)
        return str(answer.json()["messageId"])

    async def ask_to_publish(
        self, body: str = "hello", to: str = "", **more: object
    ) -> httpx.Response:
        headers = {
            f"Upstash-{name.replace('_', '-')}": str(value)
            for name, value in more.items()
        }
        path = f"/v2/publish/{to or f'{APP}/hook'}"
        return await self.http.post(path, content=body, headers=headers)

    async def states(self, message_id: str) -> list[str]:
        """The steps of a message, oldest first, in the server's own words."""
        params = {"messageId": message_id}
        logs = (await self.http.get("/v2/logs", params=params)).json()["logs"]
        return [log["state"] for log in reversed(logs)]

    async def dead(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.http.get("/v2/dlq")).json()[
            "messages"
        ]
        return found

    async def settled(self) -> None:
        await self.sandbox.settled()


Start = Callable[..., Awaitable[Running]]


@dataclass
class Port:
    """One port for one sandbox after another: opening one takes longer than a test."""

    url: str = ""
    leads_to: App | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        assert self.leads_to, "a test has said which sandbox it means"
        await self.leads_to(scope, receive, send)


@dataclass
class Asked:
    """The official SDK, called the same way whether it is sync or async."""

    api: Any  # the two share no type
    running: Running

    async def __call__(self, function: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - the SDK's
        if inspect.iscoroutinefunction(function):
            return await function(*args, **options)
        return await asyncio.to_thread(function, *args, **options)

    async def settled(self) -> None:
        await self.running.settled()
