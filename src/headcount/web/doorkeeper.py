"""Stands before the app: no body too large comes in, no answer goes out unmarked."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headcount.core.report import API_HEADER, API_VERSION
from headcount.web.problems import Problem

LARGEST_BODY = 1_000_000  # bytes
_TOO_LARGE = f"a body has at most {LARGEST_BODY:,} bytes"
_MARKS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    API_HEADER: API_VERSION,
}


class Doorkeeper:
    """Refuses bodies that are too large, and marks every answer for browsers.

    A mark that a route has set itself is left alone. What a route leaves in
    `request.state.headers` is sent with whatever is answered in the end.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, unless its body is too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        taken = 0

        async def measured() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > LARGEST_BODY:
                raise HTTPException(413, _TOO_LARGE)
            return message

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**_MARKS, **state.get("headers", {})}.items():
                    headers.setdefault(name, value)
            await send(message)

        length = Headers(scope=scope).get("content-length", "0")
        if length.isdigit() and int(length) > LARGEST_BODY:
            await Problem(413, _TOO_LARGE).response()(scope, receive, marked)
        else:
            await self._app(scope, measured, marked)
