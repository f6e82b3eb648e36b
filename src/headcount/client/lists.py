"""Lists that a server gives in pages or as a stream, without either of them showing."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TypeVar

from headcount.client.documents import CallPage, JobPage
from headcount.client.wire import Ask, Wire

T = TypeVar("T")
P = TypeVar("P", JobPage, CallPage)
_PAGE = "200"  # jobs or calls asked for at a time
_NDJSON = "application/x-ndjson"


async def pages(
    wire: Wire, path: str, kind: type[P], params: Mapping[str, str]
) -> AsyncGenerator[P, None]:
    """A list page by page."""
    cursor: str | None = ""
    while cursor is not None:
        here = {"cursor": cursor} if cursor else {}
        page = await wire.fetch(
            Ask("GET", path, {**params, **here, "limit": _PAGE}), kind
        )
        yield page
        cursor = page.next_cursor


async def creators(
    wire: Wire, path: str, shape: str, kind: type[T]
) -> AsyncGenerator[T, None]:
    """The creators of a job as a stream, which goes on where it broke off."""
    told = 0

    def rest() -> Ask:
        params = {"shape": shape, "cursor": str(told)}
        return Ask("GET", path, params, {"Accept": _NDJSON})

    async with aclosing(wire.lines(rest)) as lines:
        async for line in lines:
            if line:
                told += 1  # ordinals count from 1 without gaps
                yield wire.read(line, kind)
