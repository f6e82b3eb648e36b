"""With what a call begins: what was collected before it, and the job as it stands."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from headcount.core.errors import InternalError, InvalidSearch, NoSuchJob
from headcount.core.model import Change, Job, Known, Label, Search
from headcount.core.report import Document
from headcount.core.search import new_job
from headcount.core.sighting import Sighting
from headcount.processor.asked import Asked
from headcount.processor.carried import Before, Carried, unpack
from headcount.processor.earlier import Earlier, read_earlier
from headcount.processor.given import AT, is_handle, together
from headcount.processor.place import Place, our_id
from headcount.processor.takeover import begin_at, differs, go_on, take_over

_LONGEST_LABEL = 200  # characters


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a call knows before it looks at the job.

    `creators` are to be known by the job, and `theirs` the keys of those that they
    have, or that nobody can hand over. `target` is what is asked of our job, and
    `metadata` what stays of theirs.
    """

    target: int
    before: Before
    creators: tuple[Sighting, ...]
    theirs: Collection[str]
    metadata: Document
    handed_over: int = 0
    handles: tuple[str, ...] = ()
    cursor: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def details(self) -> list[object]:
        """The calls of which the metadata has the details, and nobody else."""
        tracking = self.metadata.get("exactCountTracking")
        found = (
            tracking.get("apiCallDetails") if isinstance(tracking, Mapping) else None
        )
        return found if isinstance(found, list) else []


def begin(asked: Asked, carried: Carried | None) -> Beginning:
    """Put together what the row and its metadata tell.

    Raises:
        InvalidSearch: an earlier processor's part of the metadata cannot be read.
    """
    return _gone_on(asked, carried) if carried else _taken_over(asked)


def _gone_on(asked: Asked, carried: Carried) -> Beginning:
    creators = asked.creators or ()
    return Beginning(
        target=asked.target - carried.before.found,
        before=carried.before,
        creators=creators,
        theirs={creator.key for creator in creators},
        metadata=asked.metadata,
        handed_over=carried.handed_over,
        handles=tuple(dict.fromkeys([*carried.handles, *_handles(creators)])),
    )


def _taken_over(asked: Asked) -> Beginning:
    """The beginning of a job that another processor may have begun.

    Who does not say which creators they have is taken to have all that were collected.
    """
    earlier = read_earlier(asked.metadata)
    creators = together(asked.creators or (), earlier.creators)
    keys = {creator.key for creator in creators}
    theirs = {creator.key for creator in asked.creators or ()}
    if asked.creators is None:
        gone, surplus = keys, max(0, earlier.found - len(keys))
    else:
        gone = keys - earlier.held | theirs
        surplus = -len(gone - theirs)
    return Beginning(
        target=asked.target - surplus,
        before=Before(surplus, earlier.calls, earlier.duplicates),
        creators=creators,
        theirs=gone,
        metadata=_left(asked.metadata, earlier),
        handles=_handles(creators),
        cursor=earlier.cursor,
        notes=tuple(_notes(asked, earlier, surplus)),
    )


def _left(metadata: Document, earlier: Earlier) -> Document:
    """The metadata without what is told anew."""
    replaced = {*earlier.replaced, "exactCountTracking"}
    left = {name: value for name, value in metadata.items() if name not in replaced}
    return {**left, **earlier.kept}


def _notes(asked: Asked, earlier: Earlier, surplus: int) -> Iterable[str]:
    """What could not be kept of an earlier processor's work, in words."""
    if surplus > 0:
        yield (
            f"{surplus} creators were collected before, and the metadata does not say "
            "who: some may come again unless `creators` hands them over"
        )
    if surplus < 0:
        yield (
            f"{-surplus} creators are named in the metadata and not in `creators`: "
            "they do not count, and will not come again"
        )
    if asked.creators is None and earlier.creators:
        yield (
            f"{len(earlier.creators)} creators that the metadata names count as "
            "collected"
        )
    if earlier.calls and (earlier.cursor is None or len(asked.search.keywords) > 1):
        yield "each keyword is asked from its beginning"


def _handles(creators: Iterable[Sighting]) -> tuple[str, ...]:
    return tuple(c.id.removeprefix(AT) for c in creators if is_handle(c))


# --------------------------------------------------------------------------- the job
async def begun(
    place: Place, asked: Asked, carried: Carried | None, start: Beginning
) -> Job:
    """The job where it is kept, ready to be taken forward.

    Raises:
        InvalidSearch: the row asks for another search than the job began with.
        NoSuchJob: the store has lost the job of which the metadata tells.
    """
    search = replace(asked.search, target=start.target)
    job = await _found(place, asked, carried, search)
    _check(job, asked, search, start.before)
    now = place.clock.now()

    def rule(job: Job, known: Known) -> Change:
        change = begin_at(Change(job), start.cursor)
        return go_on(take_over(change, start.creators, known, now), search, now)

    keys = [creator.key for creator in start.creators]
    return (await place.store.change(job.id, rule, keys)).job


async def _found(
    place: Place, asked: Asked, carried: Carried | None, search: Search
) -> Job:
    if carried and carried.state:
        return await unpack(carried.state, place.store)
    ours = our_id(asked.job_id)
    try:
        return await place.store.load(ours)
    except NoSuchJob:
        if carried and carried.handed_over:
            raise NoSuchJob(
                f"the store has no job {ours}, which is {asked.job_id!r}: it was "
                "deleted, or HEADCOUNT_DATABASE_URL names another store by now"
            ) from None
    label = Label(campaign=asked.job_id[:_LONGEST_LABEL])
    job = new_job(ours, search, place.clock.now(), label=label)
    try:
        return await place.store.create(job)
    except InternalError:  # another call has just made it
        return await place.store.load(ours)


def _check(job: Job, asked: Asked, search: Search, before: Before) -> None:
    field = differs(job, search)
    if field is not None:
        raise InvalidSearch(
            field,
            f"{field}: job {asked.job_id!r} has begun with another one, and keeps it: "
            "begin a new job for another search",
        )
    if search.target < job.target:
        least = job.target + before.found
        raise InvalidSearch(
            "targetResults",
            f"targetResults: expected {least} or more, as job {asked.job_id!r} has it "
            f"already, not {asked.target}: what was delivered never goes back",
        )
