"""Stands before everything else: each request is an act, to its last byte."""

import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headcount.acts import Observers, Request

_TRACE = ("traceparent", "tracestate")


class Witness:
    """Lets observers see the requests of an app."""

    def __init__(self, app: ASGIApp, observers: Observers) -> None:
        self._app, self._observers = app, observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and note by which route, how and how soon."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, began = Headers(scope=scope), time.perf_counter()
        trace = {name: headers[name] for name in _TRACE if name in headers}
        asked = Request(scope["method"], scope["path"], trace)
        with self._observers.during(asked) as act:

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    act.route = _template(scope)
                    act.status = message["status"]
                    act.waited = time.perf_counter() - began
                await send(message)

            await self._app(scope, receive, noted)


def _template(scope: Scope) -> str | None:
    """The path of the route that was found, with its parameters' names."""
    path: str | None = getattr(scope.get("route"), "path", None)
    return path
