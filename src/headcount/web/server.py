"""Serves the HTTP API on a port until it is told to stop, and then ends gracefully."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from headcount.core.errors import InvalidSetting
from headcount.web.site import Site

GRACE = 10  # seconds for requests that are being answered when the service stops


class Server(uvicorn.Server):
    """A server whose long-lived answers and jobs know when it is about to end."""

    def __init__(self, web: FastAPI, announce: Callable[[], None]) -> None:
        config = uvicorn.Config(
            web,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=30,
            ws="none",
        )
        super().__init__(config)
        self._site: Site = web.state.site
        self._announce = announce

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End gracefully at a signal, as a success: that is how a service ends."""
        loop, signals = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say where it listens once it does."""
        await super().startup(sockets)
        if self.started:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let watchers go first: nothing else would end their answers."""
        self._site.stop()
        await super().shutdown(sockets)


def listen(host: str, port: int, *, named_by: str = "--host, --port") -> socket.socket:
    """A socket that listens at this address; port 0 takes any free one.

    `named_by` are the options that name another one.

    Raises:
        InvalidSetting: the address cannot be used.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise _unusable(host, port, error, named_by) from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2_048)
    except OSError as error:
        listener.close()
        raise _unusable(host, port, error, named_by) from None
    return listener


def address_of(listener: socket.socket) -> str:
    """The URL at which a socket listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _unusable(host: str, port: int, error: Exception, by: str) -> InvalidSetting:
    said = getattr(error, "strerror", None) or error
    return InvalidSetting(
        f"cannot listen on {host}, port {port} ({said}): name others by {by}"
    )
