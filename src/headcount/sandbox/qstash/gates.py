"""What makes a message that is due wait for others: queues and flow-control keys.

Both keep count while messages come and go, so unlike values they change.
"""

import math
from dataclasses import dataclass, field
from itertools import islice

from headcount.sandbox.qstash.messages import FlowLimits


@dataclass(slots=True)
class Queue:
    """Messages one behind another, `parallelism` of them at a time.

    A message stays in line through all its retries, and until its callbacks are told.
    """

    name: str
    created_at: float
    updated_at: float
    parallelism: int = 1
    paused: bool = False
    line: dict[str, None] = field(default_factory=dict)

    def admits(self, message_id: str) -> bool:
        """Whether it is this message's turn."""
        return not self.paused and message_id in islice(self.line, self.parallelism)


@dataclass(slots=True)
class FlowControl:
    """The messages of one key: how many run, and how many started in this period."""

    key: str
    limits: FlowLimits = field(default_factory=FlowLimits)
    running: int = 0
    started: int = 0
    period_start: float = 0.0
    paused: bool = False
    pinned_parallelism: bool = False
    pinned_rate: bool = False

    def follow(self, asked: FlowLimits) -> None:
        """Takes over the limits of the latest message, where they are not pinned."""
        rate = self.limits if self.pinned_rate else asked
        parallelism = self.limits if self.pinned_parallelism else asked
        self.limits = FlowLimits(parallelism.parallelism, rate.rate, rate.period)

    def opens_at(self, now: float) -> float:
        """When the next message may start, as far as it is known; else infinity."""
        limits = self.limits
        if self.paused or (limits.parallelism and self.running >= limits.parallelism):
            return math.inf
        if not limits.rate or self.in_period(now) < limits.rate:
            return now
        return self.period_start + limits.period

    def in_period(self, now: float) -> int:
        """How many messages started in the period that runs now."""
        return self.started if now < self.period_start + self.limits.period else 0

    def start(self, now: float) -> None:
        """Counts a message that starts."""
        self.started = self.in_period(now) + 1
        self.period_start = now if self.started == 1 else self.period_start
        self.running += 1

    def reset_rate(self, now: float) -> None:
        """Begins a new period, with nothing started in it."""
        self.started, self.period_start = 0, now
