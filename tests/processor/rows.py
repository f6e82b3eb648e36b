"""A job table of somebody else's, and a provider that knows its pages by heart."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fakes.clock import FakeClock
from fakes.provider import FakeProvider

from headcount.adapters.memory import MemoryStore
from headcount.adapters.pace import KeyPace
from headcount.engine import Channel
from headcount.ports import FullStore, Provider
from headcount.processor.asked import read_job
from headcount.processor.carried import read_carried
from headcount.processor.place import Place
from headcount.processor.process import Slice, process_in
from headcount.processor.told import Processed
from headcount.settings import Settings

A_SECOND = 1.0  # that each call of the provider takes
Pages = Mapping[str, Sequence[Sequence[str]]]


def ids(first: int, last: int) -> list[str]:
    """Creators by their ids, which are all digits."""
    return [str(7_000_000 + number) for number in range(first, last + 1)]


def keys(creators: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(creator["id"]) for creator in creators]


TEA = {"tea": [ids(1, 30), ids(25, 54), ids(50, 79), ids(76, 105)]}


@dataclass
class Row:
    """A row of their table; what it is told, it stores in one transaction."""

    pages: Pages = field(default_factory=lambda: TEA)
    target: int = 60
    id: str = "row-1"
    has_store: bool = False
    metadata: Any = None
    creators: list[dict[str, Any]] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)
    wraps: Callable[[Provider], Provider] = lambda provider: provider

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.provider = FakeProvider(self.pages, clock=self.clock, latency=A_SECOND)
        self.store = MemoryStore(now=self.clock.now)
        self.pace = KeyPace(self.clock, concurrency=4)

    def asks(self) -> dict[str, Any]:
        """The row as it is read; the metadata as JSON text, as many keep it."""
        return {
            "keywords": list(self.pages),
            "targetResults": self.target,
            "platform": "Tiktok",
            "metadata": json.dumps(self.metadata),
            **self.given,
        }

    async def calls(self, seconds: float = 30.0, limit: float = 55.0) -> Processed:
        """One call, and nothing of it stored."""
        asked = read_job(self.asks(), self.id, settings=Settings(), sandbox=False)
        carried = read_carried(asked.metadata, self.id)
        return await process_in(self._place(), asked, carried, Slice(seconds, limit))

    async def goes_on(self, seconds: float = 30.0, limit: float = 55.0) -> Processed:
        """One call, and all of it stored."""
        told = await self.calls(seconds, limit)
        self.metadata = json.loads(json.dumps(told.metadata))
        self.creators += told.creators
        return told

    async def ends(self, seconds: float = 30.0) -> Processed:
        """Call until there is nothing more to call for."""
        while (told := await self.goes_on(seconds)).call_again_in is not None:
            self.clock.advance(told.call_again_in)
        return told

    def _place(self) -> Place:
        fresh = MemoryStore(now=self.clock.now)
        store: FullStore = self.store if self.has_store else fresh
        return Place(store, self._connect, self.clock, lasts=self.has_store)

    async def _connect(self, _: str) -> Channel:
        return Channel(self.wraps(self.provider), self.pace)
