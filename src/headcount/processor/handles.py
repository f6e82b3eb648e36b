"""Creators of whom only the handle is known: recognised by it when they come again."""

from collections.abc import Collection
from dataclasses import replace

from headcount.core.calls import Answer, Call, CallKind, Page
from headcount.core.model import Source
from headcount.core.sighting import Sighting
from headcount.ports import Provider
from headcount.processor.given import AT


class Recognising:
    """A provider whose pages show these creators under the ids we gave them."""

    def __init__(self, provider: Provider, handles: Collection[str]) -> None:
        self._provider, self._handles = provider, frozenset(handles)

    def price(self, kind: CallKind) -> int:
        """What it is with the provider."""
        return self._provider.price(kind)

    async def fetch(self, call: Call, source: Source) -> Answer:
        """The provider's answer, with the creators recognised."""
        answer = await self._provider.fetch(call, source)
        if not isinstance(answer, Page) or not self._handles:
            return answer
        sightings = tuple(map(self._recognised, answer.sightings))
        return replace(answer, sightings=sightings)

    def _recognised(self, sighting: Sighting) -> Sighting:
        handle = sighting.username.casefold()
        return (
            replace(sighting, id=AT + handle) if handle in self._handles else sighting
        )
