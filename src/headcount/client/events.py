"""The events of a job from afar: none is lost and none told twice, whatever breaks."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from headcount.client.documents import JobEvent, News
from headcount.client.wire import EVENTS, Ask, Wire


async def follow(
    wire: Wire, path: str, after: int | None
) -> AsyncGenerator[JobEvent, None]:
    """The events of a job until its end; each connection goes on where one ended."""
    last, ended = after, False

    def rest() -> Ask:
        since = {} if last is None else {"Last-Event-ID": str(last)}
        return Ask("GET", path, headers={"Accept": EVENTS, **since})

    while not ended:
        heard, frame = False, Frame()
        async with aclosing(wire.lines(rest)) as lines:
            async for line in lines:
                heard = True
                if line:
                    frame.add(line)
                    continue
                event, frame = frame.event(wire), Frame()
                if event and (last is None or event.id > last):
                    last, ended = event.id, event.news.status.ended
                    yield event
        if not heard:  # it has ended, and nothing came after what was seen
            return


@dataclass(slots=True)
class Frame:
    """The lines of one event, as far as they have come."""

    id: str = ""
    type: str = ""
    data: str = ""

    def add(self, line: str) -> None:
        """Take a line; comments, which break a silence, are none."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "id":
                self.id = value
            case "event":
                self.type = value
            case "data":
                self.data += value

    def event(self, wire: Wire) -> JobEvent | None:
        """The event, where one is told."""
        if not (self.id.isdecimal() and self.data):
            return None
        return JobEvent(int(self.id), self.type, wire.read(self.data, News))
