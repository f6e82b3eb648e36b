"""What our own part of the metadata carries from one call to the next.

Where a store keeps the job, that is how many creators have been handed over. Without a
store it is the whole job: its counters, its sources with their cursors, the ids of all
creators found and the posts that showed them, compressed. Spares are not carried: they
would take their data with them.
"""

import base64
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import msgspec

from headcount.core.errors import InvalidSearch
from headcount.core.model import Change, Finding, Job, Known
from headcount.core.report import Document
from headcount.core.sighting import Sighting, Verdict, Video
from headcount.ports import FullStore, Rule
from headcount.processor.given import fault

OURS = "headcount"  # the part of the metadata
_PATH = f"metadata.{OURS}"
_VERSION = 1
_LARGEST = 256_000_000  # bytes, decompressed: a million creators take less
Keeper = Literal["store", "metadata"]


class Before(msgspec.Struct, frozen=True, rename="camel"):
    """What was collected before our job began: creators, calls and duplicates.

    `found` is negative where the job knows creators that they do not have.
    """

    found: int = 0
    calls: int = 0
    duplicates: int = 0


class Carried(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Our part of the metadata.

    `handed_over` counts the creators that are stored together with it; `handles` are
    of creators whose id nobody knows. `state` is the job, where no store has it.
    """

    job_id: str
    kept_in: Keeper
    handed_over: int = 0
    before: Before = Before()
    handles: tuple[str, ...] = ()
    state: str | None = None


class _State(msgspec.Struct, array_like=True):
    """A job without a store: creators in the order found, as (id, ordinal, verdict)."""

    job: Job
    creators: list[tuple[str, int | None, Verdict]]
    posts: list[tuple[int, int, str]]


def read_carried(metadata: Document, job_id: str) -> Carried | None:
    """Read our part of the metadata, if they have one.

    Raises:
        InvalidSearch: it cannot be read, or is of another job.
    """
    ours = metadata.get(OURS)
    if ours is None:
        return None
    version = ours.get("version") if isinstance(ours, dict) else None
    if version != _VERSION:
        raise fault(f"{_PATH}.version", f"{_VERSION}, or a later Headcount", version)
    try:
        carried = msgspec.convert(ours, Carried)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$")
        field = _PATH + place.rstrip("`")
        raise InvalidSearch(field, f"{field}: {text.lower()}") from None
    if carried.kept_in == "metadata" and carried.handed_over and not carried.state:
        raise fault(f"{_PATH}.state", "all of what was returned", carried.state)
    if carried.job_id != job_id:
        raise InvalidSearch(
            f"{_PATH}.jobId",
            f"{_PATH}.jobId: this is the metadata of job {carried.job_id!r}, not of "
            f"{job_id!r}: begin a new job with metadata null",
        )
    return carried


def written(carried: Carried) -> Document:
    """Our part of the metadata, as plain JSON values."""
    document: Document = msgspec.to_builtins(carried)
    return {"version": _VERSION, **document}


# ------------------------------------------------------------- a job without a store
async def pack(store: FullStore, job: Job) -> str:
    """All that is needed to go on with a job, but for its spares."""
    kept = [
        finding
        async for finding, _ in store.findings(job.id)
        if finding.ordinal is None or finding.ordinal <= job.delivered
    ]
    known = await _known(store, job.id, [finding.key for finding in kept])
    state = _State(
        replace(job, qualified=job.delivered),
        [(_name(each.key), each.ordinal, each.verdict) for each in kept],
        [
            (number, source, video)
            for number, finding in enumerate(kept, start=1)
            for source, video in sorted(known[finding.key].posts)
        ],
    )
    content = msgspec.json.encode(state)
    return base64.b64encode(zlib.compress(content, 9)).decode()


async def _known(store: FullStore, job_id: str, keys: Sequence[str]) -> Known:
    """What the store knows of these creators, as a rule is told it."""
    told: list[Known] = []

    def look(job: Job, known: Known) -> Change:
        told.append(known)
        return Change(job)

    await store.change(job_id, look, keys)
    return told[-1]


async def unpack(state: str, store: FullStore) -> Job:
    """Put a job back into a store that does not have it.

    Raises:
        InvalidSearch: the state is damaged, or of another version.
    """
    found = _decoded(state)
    job = await store.create(found.job)
    return (await store.change(job.id, _restoring(found))).job


def _decoded(state: str) -> _State:
    field = f"{_PATH}.state"
    try:
        unzip = zlib.decompressobj()
        content = unzip.decompress(base64.b64decode(state, validate=True), _LARGEST)
        if unzip.unconsumed_tail or not unzip.eof:
            raise fault(field, "all of what was returned", f"{len(state)} characters")
        return msgspec.json.decode(content, type=_State)
    except (ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise InvalidSearch(
            field,
            f"{field}: expected what was returned, unchanged: {error}",
        ) from None


def _restoring(state: _State) -> Rule:
    findings = tuple(
        Finding(
            number=number,
            key=f"{state.job.search.platform}:{name}",
            verdict=verdict,
            sighting=Sighting(state.job.search.platform, name, "", Video("")),
            source=1,
            call=0,
            found_at=state.job.created_at,
            ordinal=ordinal,
        )
        for number, (name, ordinal, verdict) in enumerate(state.creators, start=1)
    )
    posts = tuple(state.posts)

    def rule(job: Job, _: Known) -> Change:
        return Change(replace(job), findings=findings, posts=posts, before=job)

    return rule


def _name(key: str) -> str:
    return key.partition(":")[2]
