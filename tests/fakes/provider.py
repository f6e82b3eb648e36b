"""A provider that knows a few pages by heart and does as it is told."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from headcount.core.calls import Answer, Call, CallKind, Page
from headcount.core.model import Source
from headcount.core.sighting import Sighting, Video
from headcount.ports import Clock

PAGE_SIZE = 30
Item = str | Sighting
Scripted = Answer | Exception | None


def sighting_of(item: Item) -> Sighting:
    """The creator `ann` by their one video, or `ann/2` by another one."""
    if isinstance(item, Sighting):
        return item
    creator, _, video = item.partition("/")
    return Sighting(
        platform="tiktok",
        id=creator,
        username=f"handle_of_{creator}",
        video=Video(id=f"{creator}/{video or 1}"),
    )


class FakeProvider:
    """Answers from `{keyword: [[creator, ...], ...]}`, page i at the cursor i * 30.

    The last page says that there is no more; what lies beyond it is empty. Before
    that come the scripted answers: `first` for the first calls of all, `at` for the
    first calls of a (keyword, cursor); `None` among them stands for the page itself,
    and an exception is raised. `asked` lists what was asked, in order.
    """

    def __init__(
        self,
        pages: Mapping[str, Sequence[Sequence[Item]]],
        *,
        at: Mapping[tuple[str, str], Iterable[Scripted]] | None = None,
        first: Iterable[Scripted] = (),
        clock: Clock | None = None,
        latency: float = 0.0,
    ) -> None:
        self._pages = pages
        self._at = {question: iter(them) for question, them in (at or {}).items()}
        self._first = iter(first)
        self._clock, self._latency = clock, latency
        self._out = 0
        self.asked: list[tuple[str, str]] = []
        self.most_at_once = 0

    def price(self, kind: CallKind) -> int:
        """One credit for any call."""
        del kind
        return 1

    async def fetch(self, call: Call, source: Source) -> Answer:
        """Give the scripted answer if there is one left, or the page."""
        question = (source.keyword, call.cursor)
        self.asked.append(question)
        self._out += 1
        self.most_at_once = max(self.most_at_once, self._out)
        try:
            answer = self._scripted(question)
            if self._clock is not None:
                await self._clock.sleep(self._latency)
        finally:
            self._out -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer or self._page(*question)

    def _scripted(self, question: tuple[str, str]) -> Scripted:
        nothing: Iterator[Scripted] = iter(())
        return next(self._first, None) or next(self._at.get(question, nothing), None)

    def _page(self, keyword: str, cursor: str) -> Page:
        pages = self._pages[keyword]
        number = int(cursor) // PAGE_SIZE
        items = pages[number] if number < len(pages) else ()
        return Page(
            sightings=tuple(map(sighting_of, items)),
            items=len(items),
            next_cursor=str(int(cursor) + PAGE_SIZE),
            more=number < len(pages) - 1,
            credits=1,
        )
