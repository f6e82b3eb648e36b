"""Gives a sandbox a port of its own: inside a running loop, or in the foreground."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from headcount.sandbox.server import Receive, Scope, Send

if TYPE_CHECKING:
    import uvicorn

App = Callable[[Scope, Receive, Send], Awaitable[None]]
HOST = "127.0.0.1"


@contextlib.asynccontextmanager
async def serving(sandbox: App, port: int = 0) -> AsyncIterator[str]:
    """Serves on the loopback while the block runs, and yields the base URL.

    Port 0 takes any free one. Leaving the block ends open connections and answers that
    are still being waited for. Signals stay with whoever runs the loop.

    Raises:
        OSError: the port is taken.
    """
    listener = _listen(port)
    server = _guest(sandbox)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        for answering in server.server_state.tasks:
            answering.cancel()
        server.should_exit = server.force_exit = True
        await task
        listener.close()


def _listen(port: int) -> socket.socket:
    """A listening socket that says it is TCP, else asyncio leaves Nagle's delay on."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def run(sandbox: App, port: int, announce: Callable[[str], None]) -> None:
    """Serves in the foreground until Ctrl-C; announces the base URL once it does.

    Raises:
        OSError: the port is taken.
    """
    import uvicorn  # noqa: PLC0415 - takes longer to load than all the rest

    class Announcing(uvicorn.Server):
        """Announces only when Ctrl-C is already looked after."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            announce(f"http://{HOST}:{listener.getsockname()[1]}")

    with _listen(port) as listener:
        config = uvicorn.Config(
            sandbox,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
        with contextlib.suppress(KeyboardInterrupt):
            Announcing(config).run(sockets=[listener])


def _guest(sandbox: App) -> "uvicorn.Server":
    """A server that leaves signals and logs to the program it is a guest of."""
    import uvicorn  # noqa: PLC0415 - takes longer to load than all the rest

    class Guest(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    config = uvicorn.Config(
        sandbox,
        access_log=False,
        log_config=None,
        log_level="critical",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    return Guest(config)
