"""The stand-in ScrapeCreators server: a bare ASGI application with a ledger."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from headcount.sandbox.answer import Answer, encode, enveloped, refusal
from headcount.sandbox.fault_table import BAD_KEY, NOT_FOUND, OUT_OF_CREDITS, Fault
from headcount.sandbox.faults import Faults
from headcount.sandbox.topics import fold
from headcount.sandbox.wire import page_body
from headcount.sandbox.world import ORDERS, PERIODS, Question, World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class AnswerLostError(ConnectionError):
    """The connection is dropped on purpose; a server that sees it closes the socket."""


@dataclass(frozen=True, slots=True)
class SearchCall:
    """A witness of one search request: what was asked, served and charged."""

    call: int
    keyword: str
    cursor: int
    region: str
    sort_by: str
    date_posted: str
    trim: bool
    status: int
    credits: int
    items: int
    fault: str | None
    at: str


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]

    @property
    def has_key(self) -> bool:
        key = self.headers.get("x-api-key", "")
        return bool(key) and not key.startswith("invalid")


class Sandbox:
    """Serves a world as ScrapeCreators would, and writes down every search.

    Args:
        world: what can be found.
        faults: what goes wrong, by the number of the search request.
        credits: how many searches the account can pay.
        latency_ms: how long every answer takes.
        envelope: with `success` and the credits in each body, as since 2026; without,
            as in 2025.
        rerank: the same question is answered with about half the same videos.
        sleep: how to wait.
    """

    def __init__(  # noqa: PLR0913 - each is a switch of the simulation, with a default
        self,
        world: World,
        *,
        faults: Faults = Faults(),  # noqa: B008 - a frozen value
        credits: int = 25_000,  # noqa: A002 - the vendor's word
        latency_ms: float = 0,
        envelope: bool = True,
        rerank: bool = False,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._world = world
        self._faults = faults
        self._credits = credits
        self._latency_seconds = latency_ms / 1000
        self._envelope = envelope
        self._rerank = rerank
        self._sleep = sleep
        self._calls: list[SearchCall] = []
        self.credits_charged = 0

    @property
    def ledger(self) -> tuple[SearchCall, ...]:
        """Every search request so far, in the order they came."""
        return tuple(self._calls)

    @property
    def credits_remaining(self) -> int:
        """What is left to pay searches with."""
        return self._credits - self.credits_charged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or follows the server's life."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self._serve(_request(scope), send)

    async def _serve(self, request: _Request, send: Send) -> None:
        answer = self._answer(request)
        if request.path.startswith("/v1/"):
            await self._pause(answer)
        sent = encode(answer, accepts=request.headers.get("accept-encoding", ""))
        start = {"type": "http.response.start", "status": sent.status}
        await send({**start, "headers": sent.headers})
        if answer.lost:
            raise AnswerLostError(
                "the sandbox closes this connection without an answer"
            )
        await send({"type": "http.response.body", "body": sent.content})

    async def _pause(self, answer: Answer) -> None:
        seconds = self._faults.slow_seconds if answer.slow else self._latency_seconds
        if seconds:
            await self._sleep(seconds)

    def _answer(self, request: _Request) -> Answer:
        match request.method, request.path:
            case "GET", "/v1/tiktok/search/keyword":
                return self._search(request)
            case "GET", "/v1/account/credit-balance":
                return self._balance(request)
            case "GET", "/sandbox/ledger":
                return self._witness()
            case "POST", "/sandbox/reset":
                self._calls.clear()
                self.credits_charged = 0
                return self._witness()
        return NOT_FOUND

    def _witness(self) -> Answer:
        calls = [asdict(call) for call in self._calls]
        charged = self.credits_charged
        return Answer({"sandbox": True, "credits_charged": charged, "calls": calls})

    def _balance(self, request: _Request) -> Answer:
        if not request.has_key:
            return BAD_KEY
        return self._wrapped(Answer({"creditCount": self.credits_remaining}))

    def _search(self, request: _Request) -> Answer:
        """Numbers, answers and records a search without a pause in between."""
        number = len(self._calls) + 1
        question, complaint = _question_of(request.query)
        refused = self._refused(request) or complaint
        fault = None if refused else self._faults.at(number)
        answer = refused or self._found(question, number, fault)
        self._calls.append(_witnessed(number, question, answer, fault))
        self.credits_charged += answer.credits
        return self._wrapped(answer)

    def _refused(self, request: _Request) -> Answer | None:
        if not request.has_key:
            return BAD_KEY
        return OUT_OF_CREDITS if self.credits_remaining <= 0 else None

    def _found(self, question: Question, number: int, fault: Fault | None) -> Answer:
        asked = fault.ask(question) if fault else question
        page = self._world.page(asked, rerank=number if self._rerank else None)
        answer = Answer(page_body(asked, page, number), credits=1)
        return fault.change(answer, question) if fault else answer

    def _wrapped(self, answer: Answer) -> Answer:
        if not self._envelope:
            return answer
        return enveloped(answer, remaining=self.credits_remaining)


def _witnessed(
    number: int, question: Question, answer: Answer, fault: Fault | None
) -> SearchCall:
    return SearchCall(
        call=number,
        **asdict(question),
        status=answer.status,
        credits=answer.credits,
        items=answer.items,
        fault=fault.name if fault else None,
        at=datetime.now(UTC).isoformat(),
    )


def _request(scope: Scope) -> _Request:
    return _Request(
        method=scope["method"],
        path=scope["path"],
        query=dict(parse_qsl(scope["query_string"].decode())),
        headers={
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
        },
    )


def _question_of(query: dict[str, str]) -> tuple[Question, Answer | None]:
    """The search a query string asks for, and what is wrong with it if anything is."""
    question = Question(
        keyword=query.get("query", ""),
        region=query.get("region", ""),
        sort_by=query.get("sort_by", "relevance"),
        date_posted=query.get("date_posted", "all-time"),
        trim=query.get("trim", "").casefold() == "true",
    )
    cursor = query.get("cursor", "0")
    known = question.sort_by in ORDERS and question.date_posted in PERIODS
    if not fold(question.keyword) or not cursor.isdecimal() or not known:
        return question, refusal(400, "Invalid request parameters")
    return replace(question, cursor=int(cursor)), None


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
