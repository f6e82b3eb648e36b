"""The life of an accepted message: waiting, attempts, retries, callbacks, the end.

Nothing here runs by itself. `pump` starts what may start at this moment, and arms one
timer for the next moment at which something may; whatever happens ends with a pump.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace

from headcount.sandbox.qstash.callbacks import callback_message, result
from headcount.sandbox.qstash.clock import Agenda, Clock
from headcount.sandbox.qstash.courier import Courier, Reply, next_try
from headcount.sandbox.qstash.faults import Faults
from headcount.sandbox.qstash.gates import FlowControl, Queue
from headcount.sandbox.qstash.messages import Callback, Limits, Message
from headcount.sandbox.qstash.records import Records


class Office:
    """Sees to it that each message is delivered, or fails for good."""

    def __init__(
        self, courier: Courier, *, clock: Clock, limits: Limits, faults: Faults
    ) -> None:
        self.clock = clock
        self.limits = limits
        self.courier = courier
        self.records = Records(clock)
        self.live: dict[str, Message] = {}
        self.queues: dict[str, Queue] = {}
        self.flows: dict[str, FlowControl] = {}
        self.running: dict[str, asyncio.Task[None]] = {}
        self._faults = faults
        self._accepted = 0
        self._agenda: Agenda[str] = Agenda()
        self._alarms: Agenda[Callable[[], None]] = Agenda()
        self._ready: dict[str, None] = {}  # due, and in order of their turn
        self._reopens = math.inf  # when the first rate allows more of them
        self._cancelled: dict[str, Message] = {}
        self._timer: asyncio.TimerHandle | None = None

    # -------------------------------------------------------------------- coming in
    def accept(self, message: Message) -> None:
        """Takes a message; it is delivered when it is due and its turn has come."""
        self._accepted += 1
        wait = self._faults.further_wait(self._accepted)
        self.live[message.id] = message
        if message.queue:
            self.queue(message.queue).line[message.id] = None
        if message.flow_key:
            self.flow(message.flow_key).follow(message.flow)
        self.records.log("CREATED", message)
        self._agenda.add(message.due + wait, message.id)
        self.pump()

    def queue(self, name: str) -> Queue:
        """The queue of this name, a new one if there was none."""
        now = self.clock.now()
        return self.queues.setdefault(name, Queue(name, now, now))

    def flow(self, key: str) -> FlowControl:
        """The flow control of this key, a new one if there was none."""
        return self.flows.setdefault(key, FlowControl(key))

    def cancel(self, message: Message) -> None:
        """Takes a message out; it counts as cancelled when it would have been sent."""
        del self.live[message.id]
        self.records.log("CANCEL_REQUESTED", message)
        if message.id not in self.running:
            self._cancelled[message.id] = message
            self._leave_queue(message)
        self.pump()

    def alarm(self, moment: float, action: Callable[[], None]) -> None:
        """Has something done at a moment, such as firing a schedule."""
        self._alarms.add(moment, action)
        self._arm()

    # ---------------------------------------------------------------------- starting
    def pump(self) -> None:
        """Starts whatever may start now."""
        now = self.clock.now()
        for action in self._alarms.due(now):
            action()
        for message_id in self._agenda.due(now):
            self._ready[message_id] = None
        self._reopens = math.inf
        for message_id in list(self._ready):
            if len(self.running) >= self.limits.parallelism:
                break
            self._consider(message_id, now)
        self._arm()

    def _consider(self, message_id: str, now: float) -> None:
        """Starts a message that is due, or finds out what it still waits for."""
        message = self.live.get(message_id)
        opens = self._opens_at(message, now) if message else now
        if opens > now:
            self._reopens = min(self._reopens, opens)
            return
        del self._ready[message_id]
        if message:
            self._start(message, now)
        else:
            self.records.log("CANCELLED", self._cancelled.pop(message_id))

    def _opens_at(self, message: Message, now: float) -> float:
        queue = self.queues.get(message.queue)
        if queue and not queue.admits(message.id):
            return math.inf
        flow = self.flows.get(message.flow_key)
        return flow.opens_at(now) if flow else now

    def _start(self, message: Message, now: float) -> None:
        if message.flow_key:
            self.flow(message.flow_key).start(now)
        self.records.log("ACTIVE", message)
        self.running[message.id] = asyncio.create_task(self._attempt(message))

    def _arm(self) -> None:
        """Sets the timer to the next moment at which something may happen."""
        if self._timer:
            self._timer.cancel()
        seconds = self.clock.real_seconds_until(self._next_moment)
        loop = asyncio.get_running_loop()
        asleep = seconds == math.inf
        self._timer = None if asleep else loop.call_later(seconds, self.pump)

    @property
    def _next_moment(self) -> float:
        return min(self._next_delivery, self._alarms.next_moment)

    @property
    def _next_delivery(self) -> float:
        return min(self._agenda.next_moment, self._reopens)

    # ---------------------------------------------------------------------- attempts
    async def _attempt(self, message: Message) -> None:
        try:
            reply = await self.courier.deliver(message)
        finally:
            del self.running[message.id]
            if message.flow_key:
                self.flow(message.flow_key).running -= 1
        self._conclude(message, reply)
        self._leave_queue(message)
        self.pump()

    def _conclude(self, message: Message, reply: Reply) -> None:
        """Decides what follows from a reply, and tells it whoever wants to know."""
        wait = next_try(message, reply, wall=self.clock.wall())
        if reply.ok:
            self._end("DELIVERED", message, reply)
        elif message.id not in self.live:
            self._end("CANCELLED", message, reply)
        elif wait is None:
            self._fail(message, reply)
        else:
            self._retry(message, reply, self.clock.now() + wait)
        self._tell(message, message.callback, reply)

    def _end(self, state: str, message: Message, reply: Reply) -> None:
        self.live.pop(message.id, None)
        self.records.end(state, message, reply=reply)

    def _fail(self, message: Message, reply: Reply) -> None:
        del self.live[message.id]
        letter = self.records.bury(message, reply)
        self._tell(message, message.failure_callback, reply, dlq_id=letter.id)

    def _retry(self, message: Message, reply: Reply, moment: float) -> None:
        again = replace(message, retried=message.retried + 1, due=moment)
        self.live[message.id] = again
        self.records.log("ERROR", message, reply=reply, next_time=moment)
        self.records.log("RETRY", again, reply=reply, next_time=moment)
        self._agenda.add(moment, message.id)

    def _tell(
        self,
        message: Message,
        callback: Callback | None,
        reply: Reply,
        *,
        dlq_id: str = "",
    ) -> None:
        if callback:
            told = result(message, reply, dlq_id=dlq_id)
            now = self.clock.now()
            self.accept(callback_message(message, callback, told=told, now=now))

    def _leave_queue(self, message: Message) -> None:
        """Lets the next in line pass, once a message and its callbacks are done."""
        source = message.source or message.id
        lines = [q.line for q in self.queues.values() if source in q.line]
        telling = lines and any(other.source == source for other in self.live.values())
        if source in self.live or telling:
            return
        for line in lines:
            del line[source]

    # -------------------------------------------------------------------------- time
    async def settled(self) -> None:
        """Skips from delivery to delivery, until nothing can be delivered any more.

        What is paused stays; schedules fire only if their time comes on the way.
        """
        while True:
            self.pump()
            await self._idle()
            if self._next_delivery == math.inf:
                return
            self.clock.skip_to(self._next_moment)

    async def skip(self, seconds: float) -> None:
        """Lets this much time pass, with everything that falls due on the way."""
        end = self.clock.now() + seconds
        while self._next_moment <= end:
            self.clock.skip_to(self._next_moment)
            self.pump()
            await self._idle()
        self.clock.skip_to(end)
        self.pump()
        await self._idle()

    async def _idle(self) -> None:
        while self.running:
            await asyncio.gather(*self.running.values())

    async def close(self) -> None:
        """Stops the deliveries that are under way, and starts none any more."""
        if self._timer:
            self._timer.cancel()
        tasks = list(self.running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.courier.destinations.aclose()
