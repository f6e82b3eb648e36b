"""QStash's routes as an ASGI application: `uvicorn headcount.serverless.asgi:app`.

For hosts that start an ASGI application and promise it nothing more: it needs no web
framework, no lifespan events, and opens the store with the first message.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from headcount.serverless.answers import Answer, said
from headcount.serverless.host import handle_message
from headcount.serverless.receiver import LARGEST_BODY

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_MESSAGES = ThreadPoolExecutor(100, "headcount-message")  # at once; each mostly waits


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Answer one request, or the host's lifespan."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "http":
        await _send(send, await _answer(scope, receive))


async def _answer(scope: Message, receive: Receive) -> Answer:
    if scope["method"] != "POST":
        return said(405, {"Allow": "POST"}, error="only POST is answered here")
    body = await _body(receive)
    handle = partial(handle_message, body, _headers(scope), path=scope["path"])
    return await asyncio.get_running_loop().run_in_executor(_MESSAGES, handle)


async def _body(receive: Receive) -> bytes:
    """The body as it came, cut off where it is larger than any that is taken."""
    body, more = b"", True
    while more and len(body) <= LARGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _headers(scope: Message) -> dict[str, str]:
    """The headers; a value of several lines is joined by commas."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


async def _send(send: Send, answer: Answer) -> None:
    status, headers, body = answer
    lines = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in {**headers, "Content-Length": str(len(body))}.items()
    ]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Receive, send: Send) -> None:
    """Tell the host that there is nothing to start or to stop."""
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
