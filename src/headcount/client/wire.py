"""Requests to a Headcount server: tried again where that is safe, told in plain words.

Every request may be sent again: those that change something carry a key by which the
server knows them, and answers them as it did before.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import httpx2
import msgspec
import stamina

from headcount.adapters.http import NotReceived, Received, exchange
from headcount.client.problems import error_of, stranger
from headcount.core.destinations import is_loopback
from headcount.core.errors import (
    HeadcountError,
    InvalidSetting,
    NoSuchJob,
    ServerError,
    WrongServer,
)

T = TypeVar("T")
READ_TIMEOUT = 45.0  # seconds; a server breaks its silence every 15
_LOST = (httpx2.HTTPError, httpx2.StreamError, OSError)
_GATEWAYS = {502, 503, 504}  # what stands before a server that is away
EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request; `json` is its body, and `headers` are those of its own."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: object = None


class TryAgain(Exception):  # noqa: N818 - it says what to do
    """The same request may fare better, at the earliest after `wait` seconds."""

    def __init__(self, error: HeadcountError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.wait = error, wait


class Wire:
    """Sends requests to one server, for up to `patience` seconds each."""

    def __init__(self, server: str, http: httpx2.AsyncClient, patience: float) -> None:
        self.server = server
        self._http = http
        self._patience = patience
        self._caller = stamina.AsyncRetryingCaller(
            attempts=None, timeout=patience, wait_initial=0.2, wait_jitter=0.3
        )

    async def fetch(self, ask: Ask, kind: type[T]) -> T:
        """What a server answers.

        Raises:
            HeadcountError: it refuses, or cannot be reached for too long.
        """
        received = await self.send(ask)
        return self.read(received.body, kind)

    def read(self, text: bytes | str, kind: type[T]) -> T:
        """What a part of an answer says.

        Raises:
            WrongServer: nothing that this version understands.
        """
        try:
            return msgspec.json.decode(text, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise WrongServer(
                f"{self.server} answers what this version does not understand "
                f"({error}): upgrade Headcount here"
            ) from None

    async def knock(self, ask: Ask) -> None:
        """Send a request once, to see whether anybody is there."""
        try:
            await self._once(ask)
        except TryAgain as last:
            raise last.error from None

    async def send(self, ask: Ask) -> Received:
        """Send a request, again where no answer came; what is deleted twice is gone."""
        lost = False

        async def once() -> Received:
            nonlocal lost
            try:
                return await self._once(ask)
            except NoSuchJob:
                if lost and ask.method == "DELETE":
                    return Received(204, {}, b"")
                raise
            except TryAgain:
                lost = True
                raise

        return await self._tried(once)

    async def lines(self, ask: Callable[[], Ask]) -> AsyncGenerator[str, None]:
        """The lines of a long answer, however often it breaks off.

        Then a blank line comes, and the lines of the answer to what is asked next.
        """
        while True:
            answer = await self._tried(lambda: self._opened(ask()))
            async with aclosing(answer):
                try:
                    async for line in answer:
                        yield line
                except _LOST:
                    yield ""
                else:
                    return

    async def _tried(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do something until it does not ask to be tried again, or patience ends."""
        try:
            return await self._caller(self._backoff, act)
        except TryAgain as last:
            raise last.error from None

    def _backoff(self, error: Exception) -> bool | float:
        if not isinstance(error, TryAgain):
            return False
        if error.wait is None:
            return True
        return error.wait if error.wait <= self._patience else False

    async def _once(self, ask: Ask) -> Received:
        answer = await exchange(
            self._http, self._request(ask), total_timeout=READ_TIMEOUT
        )
        if isinstance(answer, NotReceived):
            raise TryAgain(self._unreached(answer.problem))
        self._check(answer)
        return answer

    async def _opened(self, ask: Ask) -> "Lines":
        """The lines of an answer that has begun."""
        async with AsyncExitStack() as stack:
            try:
                response = await self._http.send(self._request(ask), stream=True)
                stack.push_async_callback(response.aclose)
                body = await response.aread() if response.status_code >= 300 else b""
                self._check(Received(response.status_code, response.headers, body))
                lines = Lines(response)
                await lines.begin()
            except _LOST as error:
                raise TryAgain(self._unreached(type(error).__name__)) from None
            if lines.are_missing:
                raise TryAgain(self._unreached("it is about to end"))
            stack.pop_all()
            return lines

    def _request(self, ask: Ask) -> httpx2.Request:
        given = {} if ask.json is None else {"Content-Type": "application/json"}
        return self._http.build_request(
            ask.method,
            f"{self.server}{ask.path}",
            params=dict(ask.params),
            headers={**given, **ask.headers},
            content=None if ask.json is None else msgspec.json.encode(ask.json),
        )

    def _check(self, answer: Received) -> None:
        """Let an answer through that is what was asked for.

        Raises:
            TryAgain: it will not stay so.
            HeadcountError: it will.
        """
        status = answer.status
        strange = stranger(self.server, status, answer.headers)
        if strange and status not in _GATEWAYS:
            raise strange
        if status < 300:
            return
        error = error_of(self.server, status, answer.body)
        wait = _seconds(answer.headers.get("retry-after"))
        passing = status == 429 or status >= 500 or (status == 409 and wait is not None)
        raise TryAgain(error, wait) if passing else error

    def _unreached(self, problem: str) -> ServerError:
        return ServerError(
            f"no answer from {self.server}: {problem}; is `headcount serve` running "
            "there?"
        )


class Lines:
    """The lines of an answer, the first of which is waited for."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._lines = response.aiter_lines()
        self._first: str | None = None

    async def begin(self) -> None:
        """Wait for the first line, or for the end where there is none."""
        self._first = await anext(self._lines, None)

    @property
    def are_missing(self) -> bool:
        """Whether events were to come, and none did: a server that ends lets go."""
        media = self._response.headers.get("content-type", "")
        return self._first is None and media.startswith(EVENTS)

    async def __aiter__(self) -> AsyncIterator[str]:
        if self._first is not None:
            yield self._first
            async for line in self._lines:
                yield line

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._response.aclose()


def _seconds(text: str | None) -> float | None:
    """A `Retry-After` in seconds; a date in it is passed over."""
    return float(text) if text is not None and text.isdecimal() else None


def check_server(url: str, key: str | None, *, allow_http: bool) -> str:
    """The address of a server as requests begin with it.

    Raises:
        InvalidSetting: it is none, or others could read the key on the way.
    """
    parts, text = _split(url), url.strip().rstrip("/")
    readable = text.isascii() and text.isprintable() and " " not in text
    if not (parts and readable) or parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidSetting(
            "server: expected the address of a Headcount server, such as "
            "https://headcount.example, without a name, a password or a query"
        )
    plain = parts.scheme == "http" and not is_loopback(parts.hostname or "")
    if key and plain and not allow_http:
        raise InvalidSetting(
            f"server: whoever is on the way to {text} could read the API key: use "
            "https://, or allow it by allow_http (HEADCOUNT_SERVER_ALLOW_HTTP=1)"
        )
    return text


def check_key(key: str | None) -> str | None:
    """A key as it can be sent.

    Raises:
        InvalidSetting: it has what no key has; the message does not show it.
    """
    key = key.strip() if key else None
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise InvalidSetting(
            "HEADCOUNT_API_KEY: expected a key as `headcount keys create` printed it, "
            "without spaces or other signs: paste it anew"
        )
    return key or None


def _split(url: str) -> SplitResult | None:
    """The parts of an address by which a server can be asked."""
    try:
        parts = urlsplit(url.strip())
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, or half an IPv6 address
        return None
    return parts if known else None
