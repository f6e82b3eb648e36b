"""Requests to the API, and which function answers which."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from headcount.sandbox.qstash.answers import Answer, RefusedError
from headcount.sandbox.qstash.intake import Intake
from headcount.sandbox.qstash.messages import Order

Given = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `path` is raw, since it may hold a destination."""

    method: str
    path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes
    caller_ip: str

    @property
    def token(self) -> str:
        """The token it comes with, in its header or its query."""
        bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
        return bearer or "".join(self.query.get("qstash_token", []))

    @property
    def query(self) -> Given:
        """The values of each name, repeated or with commas between."""
        found: Given = {}
        for name, value in parse_qsl(self.raw_query):
            found.setdefault(name, []).extend(value.split(","))
        return found

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The body as JSON.

        Raises:
            RefusedError: it is none.
        """
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            raise RefusedError(400, "invalid JSON in the body") from None

    @property
    def order(self) -> Order:
        """The message that the headers, or lower-case names in the query, ask for."""
        asked = {
            name: value
            for name, value in parse_qsl(self.raw_query)
            if name.startswith("upstash-")
        }
        return Order(self.headers | asked, self.body, self.caller_ip)

    def destination(self, start: str) -> str:
        """The destination: the rest of the raw path, with the query that is its own."""
        pairs = [part for part in self.raw_query.split("&") if part]
        own = [part for part in pairs if not part.startswith(_OURS)]
        return "?".join(filter(None, (start, "&".join(own))))


_OURS = ("upstash-", "qstash_token=")
Handler = Callable[..., Answer]


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    raw: bool  # a destination is not unquoted


_ROUTES: list[_Route] = []


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    """Has a function answer a pattern; `*` is one part, `**` all that follows."""
    parts = re.escape(pattern).replace(r"\*\*", "(.+)").replace(r"\*", "([^/]+)")

    def register(handler: Handler) -> Handler:
        expression = re.compile(f"{parts}/?")
        _ROUTES.append(_Route(method, expression, handler, raw="**" in pattern))
        _ROUTES.sort(key=lambda known: known.raw)  # what takes all comes last
        return handler

    return register


def answered(intake: Intake, request: Request) -> Answer:
    """The answer of the function that has this route.

    Raises:
        RefusedError: it refuses the request, or there is no such route.
    """
    for known in _ROUTES:
        found = known.pattern.fullmatch(request.path)
        if found and known.method == request.method:
            parts = found.groups()
            names = parts if known.raw else map(unquote, parts)
            return known.handler(intake, request, *names)
    raise RefusedError(404, f"no route {request.method} {request.path}")
