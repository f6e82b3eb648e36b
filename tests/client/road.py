"""The way to a server, and what may happen on it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2

Send = Callable[[httpx2.Request], Awaitable[httpx2.Response]]
Mishap = Callable[[httpx2.Request, Send], Awaitable[httpx2.Response]]


class Road(httpx2.AsyncBaseTransport):
    """Carries requests; each mishap befalls one of them, in order, then all is well."""

    def __init__(self, *mishaps: Mishap, only: str = "") -> None:
        self._real = httpx2.AsyncHTTPTransport()
        self._mishaps = list(mishaps)
        self._only = only
        self.requests: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        send = self._real.handle_async_request
        if self._mishaps and request.url.path.endswith(self._only):
            return await self._mishaps.pop(0)(request, send)
        return await send(request)

    async def aclose(self) -> None:
        await self._real.aclose()


async def never_sent(request: httpx2.Request, _: Send) -> httpx2.Response:
    """The server is not reached."""
    raise httpx2.ConnectError("refused", request=request)


async def answer_lost(request: httpx2.Request, send: Send) -> httpx2.Response:
    """The server does what it is asked, and its answer does not arrive."""
    response = await send(request)
    await response.aread()
    await response.aclose()
    raise httpx2.ReadError("connection reset", request=request)


def answered(status: int, body: bytes = b"", **headers: str) -> Mishap:
    """Somebody else answers."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}

    async def instead(request: httpx2.Request, _: Send) -> httpx2.Response:
        return httpx2.Response(status, headers=given, content=body, request=request)

    return instead


def cut_after(chunks: int) -> Mishap:
    """The answer breaks off after so many pieces of it."""

    async def cut(request: httpx2.Request, send: Send) -> httpx2.Response:
        response = await send(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        stream = Cut(response.stream, chunks, request)
        return httpx2.Response(
            response.status_code, headers=response.headers, stream=stream
        )

    return cut


class Cut(httpx2.AsyncByteStream):
    """A stream that breaks off; each piece is cut in two, so that lines are too."""

    def __init__(
        self, whole: httpx2.AsyncByteStream, chunks: int, request: httpx2.Request
    ) -> None:
        self._whole, self._left, self._request = whole, chunks, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._whole:
            for part in (chunk[: len(chunk) // 2], chunk[len(chunk) // 2 :]):
                if not self._left:
                    raise httpx2.ReadError("connection reset", request=self._request)
                self._left -= 1
                yield part

    async def aclose(self) -> None:
        await self._whole.aclose()
