"""The stand-in ScrapeCreators server: a bare ASGI application with a ledger."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from headcount.sandbox.answer import Answer, encode, enveloped, refusal
from headcount.sandbox.fault_table import BAD_KEY, NOT_FOUND, OUT_OF_CREDITS, Fault
from headcount.sandbox.faults import Faults
from headcount.sandbox.topics import fold
from headcount.sandbox.wire import of_hashtag, page_body, suggestions_body
from headcount.sandbox.world import ORDERS, PERIODS, Question, World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ENDPOINTS = {
    f"/v1/tiktok/search/{name}": name for name in ("keyword", "hashtag", "suggestions")
}


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
    endpoint: str = "keyword"


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
        clock: seconds of any beginning; with every hour rankings become other ones.
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._faults = faults
        self._credits = credits
        self._latency_seconds = latency_ms / 1000
        self._envelope = envelope
        self._rerank = rerank
        self._sleep = sleep
        self._clock, self._started = clock, clock()
        self._calls: list[SearchCall] = []
        self._at_once = 0
        self.credits_charged = self.most_at_once = 0

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
            await self._take_time(answer)
        sent = encode(answer, accepts=request.headers.get("accept-encoding", ""))
        start = {"type": "http.response.start", "status": sent.status}
        await send({**start, "headers": sent.headers})
        if answer.lost:
            raise AnswerLostError(
                "the sandbox closes this connection without an answer"
            )
        await send({"type": "http.response.body", "body": sent.content})

    async def _take_time(self, answer: Answer) -> None:
        seconds = self._faults.slow_seconds if answer.slow else self._latency_seconds
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if seconds:
                await self._sleep(seconds)
        finally:
            self._at_once -= 1

    def _answer(self, request: _Request) -> Answer:
        match request.method, request.path:
            case "GET", path if path in _ENDPOINTS:
                return self._search(request, _ENDPOINTS[path])
            case "GET", "/v1/account/credit-balance":
                return self._balance(request)
            case "GET", "/sandbox/ledger":
                return self._witness()
            case "POST", "/sandbox/reset":
                self._calls.clear()
                self._started = self._clock()
                self.credits_charged = self.most_at_once = 0
                return self._witness()
        return NOT_FOUND

    def _witness(self) -> Answer:
        calls = [asdict(call) for call in self._calls]
        figures = {
            "credits_charged": self.credits_charged,
            "most_at_once": self.most_at_once,
        }
        return Answer({"sandbox": True, **figures, "calls": calls})

    def _balance(self, request: _Request) -> Answer:
        if not request.has_key:
            return BAD_KEY
        return self._wrapped(Answer({"creditCount": self.credits_remaining}))

    def _search(self, request: _Request, endpoint: str) -> Answer:
        """Numbers, answers and records a search without a pause in between."""
        number = len(self._calls) + 1
        question, complaint = _question_of(request.query, endpoint)
        refused = self._refused(request) or complaint
        fault = None if refused else self._faults.at(number)
        answer = refused or self._found(question, number, fault)
        if not refused:
            answer = self._as_answered(endpoint, question, answer)
        called = _witnessed(number, question, answer, fault)
        self._calls.append(replace(called, endpoint=endpoint))
        self.credits_charged += answer.credits
        return self._wrapped(answer)

    def _refused(self, request: _Request) -> Answer | None:
        if not request.has_key:
            return BAD_KEY
        return OUT_OF_CREDITS if self.credits_remaining <= 0 else None

    def _found(self, question: Question, number: int, fault: Fault | None) -> Answer:
        asked = fault.ask(question) if fault else question
        hour = int(self._clock() - self._started) // 3600
        rerank = number if self._rerank else None
        page = self._world.page(asked, rerank=rerank, hour=hour)
        answer = Answer(page_body(asked, page, number), credits=1)
        return fault.change(answer, question) if fault else answer

    def _as_answered(self, endpoint: str, question: Question, page: Answer) -> Answer:
        """A page of a search, or of what else is asked, as its endpoint writes it."""
        body = page.body
        if not isinstance(body, dict) or "search_item_list" not in body:
            return page
        if endpoint == "hashtag":
            return replace(page, body=of_hashtag(body))
        if endpoint == "suggestions":
            texts = self._world.suggestions(question.keyword)
            shown = texts if body["search_item_list"] else ()
            return replace(page, body=suggestions_body(shown))
        return page

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


def _question_of(
    query: dict[str, str], endpoint: str
) -> tuple[Question, Answer | None]:
    """The search a query string asks for, and what is wrong with it if anything is."""
    hashtag = query.get("hashtag", "").strip("# ")
    named = f"#{hashtag}" if hashtag else ""
    question = Question(
        keyword=named if endpoint == "hashtag" else query.get("query", ""),
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
