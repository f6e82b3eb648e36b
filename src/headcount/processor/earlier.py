"""What other processors left in a job's metadata, in each of the shapes they use.

Some name the creators they collected, by id or by handle, and some only count them.
What this project has written itself is read by `carried.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from headcount.core.report import Document
from headcount.core.sighting import Sighting
from headcount.processor.given import Given, creators_of, fault, named, together

_VERSIONS = ("2.0", "1.0", None)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was collected before, as far as the metadata say it.

    `creators` are those it names, and `held` the keys of those whose data it has;
    `found` is how many there are in all. `cursor` is where their one query went on.
    `replaced` names the parts of the metadata that are said better from here on, and
    `kept` has what would be lost with them.
    """

    creators: tuple[Sighting, ...] = ()
    held: frozenset[str] = frozenset()
    found: int = 0
    calls: int = 0
    duplicates: int = 0
    cursor: str | None = None
    replaced: tuple[str, ...] = ()
    kept: Document = field(default_factory=dict)


def read_earlier(metadata: Document) -> Earlier:
    """Read what an earlier processor has written, if one has.

    Raises:
        InvalidSearch: what it has written cannot be read; the field is its path.
    """
    given = Given(metadata, "metadata")
    for has, read in _SHAPES:
        if has(metadata):
            return read(given)
    return Earlier()


def _of_guide(given: Given) -> Earlier:
    """`exactCountTracking`, with the creators' ids and data or their number only."""
    tracking = given.within("exactCountTracking")
    _check_version(tracking, "version", _VERSIONS)
    pairs = _pairs(tracking, "creatorMap")
    rows = [row for _, row in pairs if isinstance(row, Mapping)]
    data = creators_of(rows, tracking.place("creatorMap"))
    ids = [*tracking.items("uniqueCreatorIds"), *(name for name, _ in pairs)]
    names = _named(ids, tracking.place("uniqueCreatorIds"))
    creators = together(data, names)
    calls = len(tracking.items("apiCallDetails"))
    repeats = tracking.within("duplicateTracking").count("total")
    return Earlier(
        creators=creators,
        held=frozenset(creator.key for creator in data),
        found=len(creators) or tracking.count("uniqueCreatorsFound"),
        calls=tracking.count("totalApiCalls") or calls,
        duplicates=tracking.count("duplicatesFound") or repeats,
        kept={"creatorMap": tracking.values["creatorMap"]} if data else {},
    )


def _of_processor(given: Given) -> Earlier:
    """`version: "2.0_exact_count"`, with the ids and the cursor of its one query."""
    _check_version(given, "version", ("2.0_exact_count",))
    tracking = given.within("tracking")
    ids = tracking.items("uniqueCreatorIds")
    creators = together(_named(ids, tracking.place("uniqueCreatorIds")))
    return Earlier(
        creators=creators,
        found=len(creators) or tracking.count("uniqueCreatorsFound"),
        calls=len(tracking.items("apiCalls")),
        duplicates=tracking.count("duplicatesFound"),
        cursor=_cursor(tracking, "lastCursor"),
        replaced=("version", "targetCount", "tracking", "performance"),
    )


def _of_tracker(given: Given) -> Earlier:
    """`trackingVersion: "2.0"`, which only counts."""
    _check_version(given, "trackingVersion", ("2.0",))
    return Earlier(
        found=given.count("uniqueCreatorCount") or given.count("uniqueCreatorsFound"),
        calls=given.count("totalApiCalls"),
        duplicates=given.count("duplicatesFound"),
        cursor=_cursor(given, "finalCursor"),
        replaced=(
            *("trackingVersion", "exactCountTracking", "uniqueCreatorCount"),
            *("uniqueCreatorsFound", "totalApiCalls", "duplicatesFound"),
            *("averageCreatorsPerCall", "apiResponseSizes", "cursorsUsed"),
            *("targetReached", "finalCursor"),
        ),
    )


_SHAPES: tuple[tuple[Callable[[Document], bool], Callable[[Given], Earlier]], ...] = (
    (lambda metadata: "trackingVersion" in metadata, _of_tracker),
    (lambda metadata: "tracking" in metadata, _of_processor),
    (lambda metadata: metadata.get("exactCountTracking") is not None, _of_guide),
)


def _check_version(given: Given, name: str, known: tuple[str | None, ...]) -> None:
    version = given.values.get(name)
    if version not in known:
        expected = " or ".join(repr(each) for each in known if each)
        raise fault(given.place(name), expected, version)


def _cursor(given: Given, name: str) -> str | None:
    value = given.values.get(name)
    if value is None or value == "":
        return None
    return str(given.count(name))


def _pairs(given: Given, name: str) -> list[tuple[object, object]]:
    """A JavaScript map: a list of pairs, or an object."""
    value = given.values.get(name)
    if isinstance(value, Mapping):
        return list(value.items())
    pairs = given.items(name)
    if all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        return [(pair[0], pair[1]) for pair in pairs if isinstance(pair, list | tuple)]
    raise fault(given.place(name), "pairs of an id and a creator", pairs)


def _named(ids: Iterable[object], place: str) -> list[Sighting]:
    """The creators of a list of ids or handles."""
    wrong = [e for e in ids if not isinstance(e, str | int) or isinstance(e, bool)]
    if wrong:
        raise fault(place, "ids of creators", wrong[0])
    return [named(str(each), place) for each in ids]
