"""Where orders come in: URL groups, deduplication, and schedules that repeat them."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from headcount.sandbox.qstash.answers import RefusedError
from headcount.sandbox.qstash.cron import Cron
from headcount.sandbox.qstash.messages import Message, Order, read_message
from headcount.sandbox.qstash.office import Office

DEDUPLICATION_WINDOW = 600.0
_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of an order: the id of its message, or of the one before it."""

    message_id: str
    url: str
    deduplicated: bool = False


@dataclass(frozen=True, slots=True)
class Topic:
    """A URL group: the endpoints that each get a message of their own, with names."""

    name: str
    created_at: float
    updated_at: float
    endpoints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Schedule:
    """An order that is given again and again; `next_at` is when.

    `sample` is a message as it would have been sent when the schedule was made.
    """

    id: str
    destination: str
    cron: str
    order: Order
    sample: Message
    created_at: float
    next_at: float
    last_at: float = 0.0
    paused: bool = False


class Intake:
    """Reads orders, and hands the messages they ask for to the office."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.topics: dict[str, Topic] = {}
        self.schedules: dict[str, Schedule] = {}
        self._clock = office.clock
        self._seen: dict[str, tuple[str, float]] = {}

    # ------------------------------------------------------------------------ orders
    def read(self, destination: str, order: Order) -> list[Message]:
        """The messages that an order asks for, one for each endpoint of a URL group.

        Raises:
            RefusedError: it cannot be delivered, read or allowed.
        """
        if order.queue:
            self.check_queue(order.queue)
        if destination.startswith(("http://", "https://")):
            return [self._message(destination, order)]
        if not _NAME.fullmatch(destination):
            raise RefusedError(
                400,
                "invalid destination url: endpoint has invalid scheme, "
                "add http:// or https://",
            )
        return [
            replace(self._message(url, order), topic=destination, endpoint=name)
            for url, name in self.topic(destination).endpoints.items()
        ]

    def _message(self, url: str, order: Order) -> Message:
        office = self.office
        office.courier.destinations.check(url)
        return read_message(url, order, clock=office.clock, limits=office.limits)

    def check_queue(self, name: str) -> None:
        """Sees that a queue of this name is there or can be made.

        Raises:
            RefusedError: the name is no good, or the plan has no room.
        """
        if not _NAME.fullmatch(name):
            raise RefusedError(400, f"invalid queue name: {name!r}")
        queues, limit = self.office.queues, self.office.limits.queues
        if name not in queues and len(queues) >= limit:
            raise RefusedError(412, f"quota maxQueues exceeded, current limit: {limit}")

    def hand_in(self, message: Message, order: Order) -> Receipt:
        """Accepts a message, unless its like was accepted in the last ten minutes.

        What became of the earlier one does not matter.
        """
        now, mark = self._clock.now(), _mark(message, order)
        known, until = self._seen.get(mark, ("", 0.0))
        if mark and now < until:
            return Receipt(known, message.url, deduplicated=True)
        if mark:
            self._seen[mark] = (message.id, now + DEDUPLICATION_WINDOW)
        self.office.accept(message)
        return Receipt(message.id, message.url)

    def topic(self, name: str) -> Topic:
        """The URL group of this name.

        Raises:
            RefusedError: there is none.
        """
        if name not in self.topics:
            raise RefusedError(404, f"topic {name} not found")
        return self.topics[name]

    # --------------------------------------------------------------------- schedules
    def schedule(self, destination: str, order: Order) -> Schedule:
        """Gives an order at the times of its cron; one of the same id is replaced.

        Raises:
            RefusedError: the order could not be taken now, or the cron cannot be read.
        """
        given, now = order.headers, self._clock.now()
        schedule_id = given.get("upstash-schedule-id") or f"scd_{secrets.token_hex(8)}"
        if not _NAME.fullmatch(schedule_id):
            raise RefusedError(400, f"invalid schedule id: {schedule_id!r}")
        limit = self.office.limits.schedules
        if schedule_id not in self.schedules and len(self.schedules) >= limit:
            text = f"quota maxSchedules exceeded, current limit: {limit}"
            raise RefusedError(412, text)
        queue = given.get("upstash-queue-name", "")
        order = replace(order, queue=queue, schedule_id=schedule_id)
        sample, *_ = self.read(destination, order)
        cron = given.get("upstash-cron", "")
        found = Schedule(
            id=schedule_id,
            destination=destination,
            cron=cron,
            order=order,
            sample=sample,
            created_at=now,
            next_at=_next(cron, now),
        )
        self.schedules[schedule_id] = found
        self._await(found)
        return found

    def _await(self, schedule: Schedule) -> None:
        self.office.alarm(schedule.next_at, lambda: self._fire(schedule))

    def _fire(self, expected: Schedule) -> None:
        """Gives the order of a schedule, if it is still the one that was awaited.

        One that can't be taken any more, since its URL group is gone, is passed over.
        """
        schedule = self.schedules.get(expected.id)
        if schedule is None or schedule.next_at != expected.next_at:
            return
        now = self._clock.now()
        following = replace(schedule, next_at=_next(schedule.cron, now), last_at=now)
        self.schedules[schedule.id] = following
        self._await(following)
        if schedule.paused:
            return
        with suppress(RefusedError):
            for message in self.read(schedule.destination, schedule.order):
                self.office.accept(message)


def _next(cron: str, now: float) -> float:
    try:
        return Cron.parse(cron).after(now)
    except ValueError as error:
        raise RefusedError(400, f"invalid cron: {error}") from None


def _mark(message: Message, order: Order) -> str:
    """What two orders must share for the second to be a duplicate; empty for none."""
    given = order.headers
    if wanted := given.get("upstash-deduplication-id"):
        return f"id {wanted} {message.url if message.topic else ''}"
    if given.get("upstash-content-based-deduplication", "").casefold() != "true":
        return ""
    content = repr((message.url, message.body, message.headers))
    return f"content {hashlib.sha256(content.encode()).hexdigest()}"
