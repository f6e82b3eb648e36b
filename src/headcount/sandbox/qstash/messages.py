"""A message: what is to be delivered where, and how it is read from request headers."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from headcount.sandbox.qstash.answers import RefusedError
from headcount.sandbox.qstash.clock import Clock
from headcount.sandbox.qstash.timing import retry_delay, seconds_of

Headers = tuple[tuple[str, str], ...]
Given = Mapping[str, str]  # headers by their names in lower case
T = TypeVar("T", bound=str | None)

RETRIES = 3
WEEK = 604_800.0
_OWN = "upstash-"
_NEVER_FORWARDED = {"authorization", "host", "content-length", "connection"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a plan allows; by default what is free, with the retries that all take."""

    retries: int = 5
    delay: float = WEEK
    message_bytes: int = 1_000_000
    parallelism: int = 10
    queues: int = 10
    schedules: int = 10
    response_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class FlowLimits:
    """How many messages of a flow-control key run at a time, and start per period."""

    parallelism: int = 0  # 0 is without a limit
    rate: int = 0
    period: float = 1.0


@dataclass(frozen=True, slots=True)
class Callback:
    """Where the result of an attempt is told, and how."""

    url: str
    method: str = "POST"
    headers: Headers = ()
    retries: int | None = None
    retry_delay: str | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A message as it is handed in: headers that say how, and the body."""

    headers: Given
    body: bytes = b""
    caller_ip: str = "127.0.0.1"
    queue: str = ""
    schedule_id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What is delivered until it succeeds, or its retries are used up.

    `source` is the message that a callback tells about. Times are the sandbox's.
    """

    url: str
    body: bytes
    created_at: float
    due: float
    id: str = field(default_factory=lambda: f"msg_{secrets.token_hex(16)}")
    method: str = "POST"
    headers: Headers = ()
    retries: int = RETRIES
    retry_delay: str | None = None
    timeout: float | None = None
    callback: Callback | None = None
    failure_callback: Callback | None = None
    queue: str = ""
    flow_key: str = ""
    flow: FlowLimits = FlowLimits()
    labels: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()
    topic: str = ""
    endpoint: str = ""
    schedule_id: str = ""
    caller_ip: str = ""
    source: str = ""
    retried: int = 0


def read_message(url: str, order: Order, *, clock: Clock, limits: Limits) -> Message:
    """The message that an order asks for.

    Raises:
        RefusedError: a header cannot be read, or the plan does not allow it.
    """
    given, now = order.headers, clock.now()
    try:
        message = Message(
            url=url,
            body=order.body,
            created_at=now,
            due=now + _delay(given, clock.wall()),
            method=given.get("upstash-method", "POST").upper(),
            headers=_forwarded(given),
            retries=int(given.get("upstash-retries", RETRIES)),
            retry_delay=_expression(given.get("upstash-retry-delay")),
            timeout=_seconds(given.get("upstash-timeout")),
            callback=_callback(given, "upstash-callback"),
            failure_callback=_callback(given, "upstash-failure-callback"),
            queue=order.queue,
            flow_key=given.get("upstash-flow-control-key", ""),
            flow=_flow(given.get("upstash-flow-control-value", "")),
            labels=_list(given.get("upstash-label", "")),
            redact=_list(given.get("upstash-redact-fields", "")),
            schedule_id=order.schedule_id,
            caller_ip=order.caller_ip,
        )
    except ValueError as error:
        raise RefusedError(400, f"invalid header: {error}") from None
    _allow(message, limits)
    return message


def _allow(message: Message, limits: Limits) -> None:
    delay = message.due - message.created_at
    for name, wanted, limit in (
        ("maxRetries", message.retries, limits.retries),
        ("maxDelay", delay, limits.delay),
        ("maxMessageSize", len(message.body), limits.message_bytes),
    ):
        if wanted > limit:
            text = f"quota {name} exceeded, current limit: {limit:.0f}"
            raise RefusedError(412, text)


def _delay(given: Given, wall: float) -> float:
    """Seconds to wait; an absolute time is told by the caller's clock, and wins."""
    if not_before := given.get("upstash-not-before"):
        return max(0.0, float(not_before) - wall)
    return _seconds(given.get("upstash-delay")) or 0.0


def _seconds(text: str | None) -> float | None:
    return seconds_of(text) if text else None


def _expression(text: T) -> T:
    """A retry-delay expression, after a trial."""
    if text is not None:
        retry_delay(text, 0)
    return text


def _list(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _flow(text: str) -> FlowLimits:
    """Reads `parallelism=3, rate=4, period=2s`."""
    named = dict(part.split("=", 1) for part in _list(text))
    period = seconds_of(named.get("period", "1s"))
    if not 0 < period <= WEEK:
        raise ValueError(f"expected a period of at most a week, got {text!r}")
    return FlowLimits(
        int(named.get("parallelism", 0)), int(named.get("rate", 0)), period
    )


def _forwarded(given: Given) -> Headers:
    """What the destination gets: the content type, and what is marked for it."""
    found = {"content-type": given["content-type"]} if "content-type" in given else {}
    if given.get("upstash-header-forward", "").casefold() == "true":
        found |= {name: value for name, value in given.items() if _passes(name)}
    return _named(found | _marked(given, "upstash-forward-"))


def _passes(name: str) -> bool:
    return not name.startswith(_OWN) and name not in _NEVER_FORWARDED


def _marked(given: Given, prefix: str) -> dict[str, str]:
    """The headers with this prefix, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in given.items()
        if name.startswith(prefix)
    }


def _named(headers: Given) -> Headers:
    """Header names as QStash writes them: `Content-Type`."""
    return tuple((name.title(), value) for name, value in headers.items())


def _callback(given: Given, name: str) -> Callback | None:
    url = given.get(name)
    if url is None:
        return None
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{name} is no http(s) URL: {url!r}")
    options = _marked(given, f"{name}-")
    if "delay" in options:
        raise ValueError(f"{name}-delay: a callback cannot be delayed")
    return Callback(
        url=url,
        method=options.get("method", "POST").upper(),
        headers=_named(_marked(options, "forward-")),
        retries=int(options["retries"]) if "retries" in options else None,
        retry_delay=_expression(options.get("retry-delay")),
        timeout=_seconds(options.get("timeout")),
    )
