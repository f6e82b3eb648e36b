"""What is known of messages: the log of their steps, and those that failed for good."""

from dataclasses import dataclass
from itertools import count

from headcount.sandbox.qstash.clock import Clock, milliseconds
from headcount.sandbox.qstash.courier import Reply
from headcount.sandbox.qstash.messages import Message

KEPT = 60.0  # seconds that a message can be read after its end


@dataclass(frozen=True, slots=True)
class Event:
    """One step in the life of a message."""

    state: str
    time: float
    message: Message
    reply: Reply | None = None
    next_time: float | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that failed for good, with the last reply to it."""

    id: str
    message: Message
    reply: Reply


class Records:
    """Remembers every step of every message, and keeps the dead letters."""

    def __init__(self, clock: Clock) -> None:
        self.events: list[Event] = []
        self.dead: dict[str, DeadLetter] = {}
        self._clock = clock
        self._ended: dict[str, tuple[Message, float]] = {}
        self._order = count()

    def log(
        self,
        state: str,
        message: Message,
        *,
        reply: Reply | None = None,
        next_time: float | None = None,
    ) -> None:
        """Writes one step down."""
        event = Event(state, self._clock.now(), message, reply, next_time)
        self.events.append(event)

    def end(self, state: str, message: Message, *, reply: Reply | None = None) -> None:
        """Writes the last step of a message down; it can be read for a while yet."""
        self.log(state, message, reply=reply)
        self._ended[message.id] = (message, self._clock.now())

    def bury(self, message: Message, reply: Reply) -> DeadLetter:
        """Ends a message that failed, and keeps it as a dead letter."""
        self.log("ERROR", message, reply=reply)
        self.end("FAILED", message, reply=reply)
        dlq_id = f"{milliseconds(self._clock.now())}-{next(self._order)}"
        letter = DeadLetter(dlq_id, message, reply)
        self.dead[dlq_id] = letter
        return letter

    def lately_ended(self, message_id: str) -> Message | None:
        """A message that ended not long ago, cancelled ones apart."""
        message, ended = self._ended.get(message_id, (None, 0.0))
        return message if self._clock.now() <= ended + KEPT else None
