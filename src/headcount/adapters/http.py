"""HTTP as the providers need it: one pooled client, bounded answers, honest failures.

The one question that matters of a failed request is whether it can have reached the
server: what may have arrived may have been charged.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import httpx2

BODY_LIMIT = 32 * 1024 * 1024  # bytes, decompressed; a large page has 2 MB
_CONNECT_TIMEOUT = 10.0

_NEVER_SENT = (
    httpx2.ConnectError,  # no such host, refused, TLS
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
    httpx2.InvalidURL,
    UnicodeError,  # a host name that cannot be looked up
)
_MAYBE_SENT = (httpx2.HTTPError, httpx2.StreamError, OSError)


@dataclass(frozen=True, slots=True)
class Received:
    """A whole answer, decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class NotReceived:
    """No whole answer; `sent` unless the request surely never reached the server."""

    problem: str
    sent: bool


def open_client(
    *,
    read_timeout: float = 60.0,
    connections: int = 64,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> httpx2.AsyncClient:
    """A pooled client that follows no redirects: a key goes where it was meant to."""
    return httpx2.AsyncClient(
        transport=transport,
        timeout=httpx2.Timeout(_CONNECT_TIMEOUT, read=read_timeout, pool=read_timeout),
        limits=httpx2.Limits(
            max_connections=connections, max_keepalive_connections=connections
        ),
        headers={
            "User-Agent": f"headcount/{version('headcount')}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        },
        follow_redirects=False,
    )


async def exchange(
    client: httpx2.AsyncClient,
    request: httpx2.Request,
    *,
    total_timeout: float,
    limit: int = BODY_LIMIT,
) -> Received | NotReceived:
    """Send a request and read its answer whole; only cancellation is raised."""
    try:
        async with asyncio.timeout(total_timeout):
            return await _read(client, request, limit)
    except _NEVER_SENT as error:
        return NotReceived(f"the server was not reached ({_name(error)})", sent=False)
    except TimeoutError:
        return NotReceived(f"no whole answer within {total_timeout:g} s", sent=True)
    except _MAYBE_SENT as error:
        return NotReceived(f"the answer did not arrive ({_name(error)})", sent=True)


async def _read(
    client: httpx2.AsyncClient, request: httpx2.Request, limit: int
) -> Received | NotReceived:
    response = await client.send(request, stream=True)
    try:
        chunks, size = [], 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > limit:
                return NotReceived(f"the answer exceeds {limit} bytes", sent=True)
            chunks.append(chunk)
    finally:
        await response.aclose()
    return Received(response.status_code, response.headers, b"".join(chunks))


def _name(error: Exception) -> str:
    """The kind of an error and what it says of itself."""
    said = str(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
