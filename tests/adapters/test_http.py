"""What a real connection can do to an answer, on a real port of this machine."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import httpx2
import pytest
from fakes.tiktok import page, post, raw

from headcount.adapters.http import (
    BODY_LIMIT,
    NotReceived,
    Received,
    exchange,
    open_client,
)
from headcount.adapters.providers.scrapecreators import ScrapeCreators
from headcount.core.calls import Answer, Call, Failure, FailureKind, Page
from headcount.core.model import Source

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]
CALL = Call(
    id=1, source=1, cursor="0", held=1, opened_at=datetime(2026, 1, 1, tzinfo=UTC)
)
SOURCE = Source(id=1, keyword="simtag")
BODY = raw(page(post()))


@asynccontextmanager
async def server_that(behave: Behaviour) -> AsyncIterator[str]:
    """The address of a server that behaves like this after each request's head."""
    connections: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.current_task())
        try:
            while not writer.is_closing():
                await reader.readuntil(b"\r\n\r\n")
                await behave(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()
        for connection in filter(None, connections):
            connection.cancel()
            await asyncio.wait([connection])


def direct_client(read_timeout: float = 5.0) -> httpx2.AsyncClient:
    """A client with no proxy of this machine's in between."""
    return open_client(read_timeout=read_timeout, transport=httpx2.AsyncHTTPTransport())


async def fetch_from(
    url: str, *, read_timeout: float = 5.0, total_timeout: float = 5.0
) -> Answer:
    async with direct_client(read_timeout) as client:
        provider = ScrapeCreators(
            client, key="sim-key", url=url, total_timeout=total_timeout
        )
        return await provider.fetch(CALL, SOURCE)


def head(*lines: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode()


async def whole(writer: asyncio.StreamWriter) -> None:
    packed = gzip.compress(BODY)
    writer.write(head(f"Content-Length: {len(packed)}", "Content-Encoding: gzip"))
    writer.write(packed)
    await writer.drain()


async def test_a_compressed_page_comes_through_whole() -> None:
    async with server_that(whole) as url:
        answer = await fetch_from(url)

    assert isinstance(answer, Page)
    assert answer.size == len(BODY)


async def test_a_connection_is_used_for_one_call_after_another() -> None:
    connections = []

    async def noting(writer: asyncio.StreamWriter) -> None:
        connections.append(writer.get_extra_info("peername"))
        await whole(writer)

    async with server_that(noting) as url, direct_client() as client:
        provider = ScrapeCreators(client, key="sim-key", url=url)
        for _ in range(3):
            await provider.fetch(CALL, SOURCE)

    assert len(connections) == 3
    assert len(set(connections)) == 1


# ----------------------------------------------------------- what may have been charged
async def staying_silent(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def closing(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def resetting(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def cutting(writer: asyncio.StreamWriter) -> None:
    writer.write(head(f"Content-Length: {len(BODY)}") + BODY[:100])
    writer.close()


async def babbling(writer: asyncio.StreamWriter) -> None:
    writer.write(b"this is no HTTP at all\r\n\r\n")
    writer.close()


async def packing_badly(writer: asyncio.StreamWriter) -> None:
    writer.write(head("Content-Length: 5", "Content-Encoding: gzip") + b"plain")
    writer.close()


@pytest.mark.parametrize(
    ("behave", "told"),
    [
        (staying_silent, "ReadTimeout"),
        (closing, "disconnected"),
        (resetting, "did not arrive"),
        (cutting, "complete message body"),
        (babbling, "RemoteProtocolError"),
        (packing_badly, "DecodingError"),
    ],
)
async def test_an_answer_lost_after_the_question_may_have_been_charged(
    behave: Behaviour, told: str
) -> None:
    async with server_that(behave) as url:
        failure = await fetch_from(url, read_timeout=0.2)

    assert isinstance(failure, Failure)
    assert (failure.kind, failure.charged) == (FailureKind.UNAVAILABLE, True)
    assert told in failure.message


async def test_an_answer_that_trickles_is_given_up_after_the_total_time() -> None:
    async def trickling(writer: asyncio.StreamWriter) -> None:
        writer.write(head("Content-Length: 100000"))
        for _ in range(500):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with server_that(trickling) as url:
        failure = await fetch_from(url, read_timeout=5.0, total_timeout=0.2)

    assert isinstance(failure, Failure)
    assert failure.charged
    assert "within 0.2 s" in failure.message


async def test_a_body_is_read_no_further_than_the_limit_however_well_packed() -> None:
    packed = gzip.compress(bytes(4 * BODY_LIMIT))

    async def bombing(writer: asyncio.StreamWriter) -> None:
        writer.write(head(f"Content-Length: {len(packed)}", "Content-Encoding: gzip"))
        writer.write(packed)
        await writer.drain()

    async with server_that(bombing) as url:
        failure = await fetch_from(url)

    assert isinstance(failure, Failure)
    assert failure.charged
    assert "33554432 bytes" in failure.message


# --------------------------------------------------------- what surely was not charged
async def test_a_refused_connection_was_not_charged() -> None:
    async with server_that(closing) as url:
        pass

    failure = await fetch_from(url)

    assert isinstance(failure, Failure)
    assert (failure.kind, failure.charged) == (FailureKind.UNAVAILABLE, False)
    assert "SCRAPECREATORS_API_URL" in failure.message


async def test_a_server_that_speaks_no_tls_was_not_asked() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await babbling(writer)
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        failure = await fetch_from(f"https://{host}:{port}")

    assert isinstance(failure, Failure)
    assert not failure.charged


@pytest.mark.parametrize("host", ["no-such-host.invalid", f"{'a' * 70}.invalid"])
async def test_a_host_that_cannot_be_looked_up_was_not_asked(host: str) -> None:
    failure = await fetch_from(f"http://{host}")

    assert isinstance(failure, Failure)
    assert not failure.charged


# ------------------------------------------------------------------------- the exchange
async def test_a_redirect_is_not_followed() -> None:
    def moved(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path == "/here"
        return httpx2.Response(302, headers={"location": "https://elsewhere.invalid"})

    async with open_client(transport=httpx2.MockTransport(moved)) as client:
        request = client.build_request("GET", "https://api.invalid/here")
        got = await exchange(client, request, total_timeout=1)

    assert isinstance(got, Received)
    assert got.status == 302


NEVER_SENT = {
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
    httpx2.InvalidURL,
}
FOREIGN = [
    *(e for e in vars(httpx2).values() if isinstance(e, type)),
    ConnectionResetError,
    TimeoutError,
]


@pytest.mark.parametrize(
    "error",
    [e for e in FOREIGN if issubclass(e, httpx2.RequestError | OSError)]
    + [httpx2.InvalidURL, httpx2.StreamError],
)
async def test_no_error_of_the_client_gets_out(error: type[Exception]) -> None:
    def failing(_: httpx2.Request) -> httpx2.Response:
        raise error("it went wrong")

    async with open_client(transport=httpx2.MockTransport(failing)) as client:
        request = client.build_request("GET", "https://api.invalid")
        got = await exchange(client, request, total_timeout=1)

    assert isinstance(got, NotReceived)
    assert got.sent is (error not in NEVER_SENT)
    assert got.problem


async def test_a_cancelled_exchange_is_cancelled() -> None:
    async with server_that(staying_silent) as url:
        task = asyncio.create_task(fetch_from(url))
        await asyncio.sleep(0)
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
