"""Somebody whose webhook it is: an HTTP server on loopback that checks what comes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

CLOSED = b""  # the connection is closed without an answer
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


def status(code: int, *headers: str) -> bytes:
    """An answer without a body."""
    head = [f"HTTP/1.1 {code} Said", "Content-Length: 0", *headers, "", ""]
    return "\r\n".join(head).encode()


@dataclass(frozen=True)
class Received:
    """A request, as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str | None) -> Any:  # noqa: ANN401 - any JSON
        """The message, if it is signed with this secret."""
        assert secret is not None
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """What came, and what is answered: the script in its order, then always OK."""

    port: int
    script: list[bytes]
    received: list[Received] = field(default_factory=list)

    def url(self, host: str = "127.0.0.1", *, scheme: str = "http") -> str:
        """Where messages are to be sent."""
        return f"{scheme}://{host}:{self.port}/hook?tenant=7"


@asynccontextmanager
async def receiving(
    script: Iterable[bytes] = (), *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A receiver on a port of its own, until the end of the block."""
    receiver = Receiver(0, list(script))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            receiver.received.append(await _read(reader))
            writer.write(receiver.script.pop(0) if receiver.script else OK)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
    pairs = [line.split(": ", 1) for line in head[1:] if line]
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers["content-length"]))
    return Received(head[0], headers, body)
