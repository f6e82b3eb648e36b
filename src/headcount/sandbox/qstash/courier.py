"""Carries a message to its destination once, and brings back what was replied."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2 as httpx

from headcount.sandbox.qstash.answers import RefusedError
from headcount.sandbox.qstash.clock import Clock
from headcount.sandbox.qstash.destinations import Destinations
from headcount.sandbox.qstash.faults import DeliveryFault, Faults
from headcount.sandbox.qstash.messages import Limits, Message
from headcount.sandbox.qstash.signing import Keys, Letter
from headcount.sandbox.qstash.timing import asked_wait, backoff, retry_delay

HONEST = DeliveryFault("", "all goes well")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a destination replied; status 0 if nothing came back, and then why."""

    status: int
    headers: Mapping[str, list[str]] = field(default_factory=dict)
    body: bytes = b""
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the message is delivered: nothing but a 2xx will do."""
        return 200 <= self.status < 300

    @property
    def final(self) -> bool:
        """Whether the destination says that trying again can never help."""
        said = self.headers.get("upstash-nonretryable-error", [])
        return self.status == 489 and "true" in said


@dataclass(frozen=True, slots=True)
class Delivery:
    """A witness of one request that a destination got."""

    number: int
    message_id: str
    url: str
    retried: int
    status: int
    fault: str | None
    at: str


class Courier:
    """Signs and sends; the only part of the sandbox that speaks to anybody else."""

    def __init__(
        self,
        destinations: Destinations,
        *,
        keys: Keys,
        clock: Clock,
        faults: Faults,
        limits: Limits,
    ) -> None:
        self.keys = keys
        self.destinations = destinations
        self.deliveries: list[Delivery] = []
        self._clock = clock
        self._faults = faults
        self._limits = limits
        self._started = 0

    async def deliver(self, message: Message) -> Reply:
        """One attempt, with whatever goes wrong with it."""
        self._started += 1
        number = self._started
        fault = self._faults.at(DeliveryFault, number) or HONEST
        beside = (2,) if fault.at_once else ()
        reply, *_ = await asyncio.gather(
            *(self._send(message, number, fault) for _ in (1, *beside))
        )
        if fault.afterwards and reply.ok:
            await self._send(message, number, fault)
        return Reply(0, error="the connection was lost") if fault.lost else reply

    async def _send(self, message: Message, number: int, fault: DeliveryFault) -> Reply:
        letter = fault.forge(
            Letter.addressed(
                message.url, message.body, keys=self.keys, at=self._clock.wall()
            )
        )
        request = {
            "method": message.method,
            "headers": list(_headers(message, letter)),
            "content": letter.body,
            "timeout": None,
        }
        reply = await self._replied(message, request)
        self.deliveries.append(
            Delivery(
                number=number,
                message_id=message.id,
                url=message.url,
                retried=message.retried,
                status=reply.status,
                fault=fault.name or None,
                at=datetime.fromtimestamp(self._clock.now(), UTC).isoformat(),
            )
        )
        return reply

    async def _replied(self, message: Message, request: Mapping[str, Any]) -> Reply:
        """Waits for a reply as long as allowed, by the machine's own time."""
        longest = self._limits.response_seconds
        patience = min(message.timeout or longest, longest)
        try:
            async with asyncio.timeout(patience):
                answer = await self.destinations.send(message.url, request)
        except TimeoutError:
            return Reply(0, error=f"no answer within {patience:g} s")
        except (httpx.HTTPError, RefusedError) as error:
            return Reply(0, error=f"{type(error).__name__}: {error}")
        names = {name.lower() for name in answer.headers}
        headers = {name: answer.headers.get_list(name) for name in names}
        return Reply(answer.status_code, headers, answer.content)


def next_try(message: Message, reply: Reply, *, wall: float) -> float | None:
    """The seconds before the next attempt, or none if this one was the last."""
    if reply.ok or reply.final or message.retried >= message.retries:
        return None
    asked = asked_wait(reply.headers, wall)
    if asked is not None:
        return asked
    if message.retry_delay is None:
        return backoff(message.retried + 1)
    try:
        return retry_delay(message.retry_delay, message.retried)
    except ValueError:  # it reckons well for some retries only, such as 1/(1-retried)
        return backoff(message.retried + 1)


def _headers(message: Message, letter: Letter) -> Iterator[tuple[str, str]]:
    yield "User-Agent", "Upstash-QStash"
    yield "Accept-Encoding", "gzip"
    yield from message.headers
    for _ in range(letter.seals):
        yield "Upstash-Signature", letter.signature
    yield "Upstash-Message-Id", message.id
    yield "Upstash-Retried", str(message.retried)
    yield "Upstash-Caller-Ip", message.caller_ip
    yield "Upstash-Region", "EU-CENTRAL-1"
    if message.schedule_id:
        yield "Upstash-Schedule-Id", message.schedule_id
    if message.topic:
        yield "Upstash-Topic-Name", message.topic
