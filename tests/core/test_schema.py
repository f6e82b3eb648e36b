"""The published schema holds what is told of a job, name by name and byte for byte."""

import json
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from builders import NOON, a_job, a_sighting
from jsonschema import Draft202012Validator

from headcount.core.calls import Call, CallState
from headcount.core.figures import (
    exact_count_stats,
    exact_count_status,
    figures,
    final_report,
    statistics_document,
)
from headcount.core.filters import FILTERS, Filters
from headcount.core.model import (
    Finding,
    Job,
    Limits,
    Outcome,
    Reason,
    Source,
    SourceState,
    Status,
)
from headcount.core.report import (
    Document,
    call_detail,
    exact_count_tracking,
    job_document,
    progress,
)
from headcount.core.rows import guide_row, row
from headcount.core.sighting import Sighting, Verdict, Video
from headcount.core.statistics import (
    Coverage,
    Kind,
    Statistics,
    counts_of,
    statistics_of,
    total,
)
from headcount.core.webhooks import TOLD, message, told_of

GOLDEN = Path(__file__).parent.parent / "golden"
SCHEMA: dict[str, Any] = json.loads(
    files("headcount").joinpath("schema.json").read_text(encoding="utf-8")
)

FILTERED = Filters(
    followers_min=1_000,
    posted_within=timedelta(days=30),
    caption_has=("tea",),
    no_ads=True,
)
SOURCES = (
    Source(
        1,
        "green tea",
        "US",
        state=SourceState.DRY,
        cursor="60",
        pages=2,
        items=45,
        found=38,
    ),
    Source(2, "çay", "US", state=SourceState.FAILING, failures=3),
)
CREATOR = Sighting(
    platform="tiktok",
    id="7000000000000000001",
    username="invented_1",
    name="مثال Invented 🍵",
    followers=12_300,
    verified=True,
    avatar_url="https://images.invalid/1.jpeg",
    profile_url="https://tiktok.invalid/@invented_1",
    bio="Brews tea.",
    hashtags=("tea", "çay"),
    video=Video(
        id="7300000000000000001",
        url="https://tiktok.invalid/@invented_1/video/7300000000000000001",
        description="a cup of #tea",
        posted_at=NOON - timedelta(days=2),
        plays=268_500,
        likes=7_932,
        comments=139,
    ),
)


def ended_short() -> Job:
    """A job that found 38 creators of 40, and has tried all it could."""
    job = a_job(
        "green tea",
        "çay",
        target=40,
        filters=FILTERED,
        limits=Limits(max_calls=9, deadline=NOON + timedelta(hours=1)),
    )
    return replace(
        job,
        search=replace(job.search, region="US"),
        sources=SOURCES,
        status=Status.PARTIAL,
        qualified=38,
        rejected=4,
        pending=1,
        duplicates=2,
        charged=3,
        attempts=4,
        credits=2,
        started_at=NOON + timedelta(seconds=1),
        ended_at=NOON + timedelta(seconds=12, milliseconds=340),
        outcome=Outcome(2, Reason.PROVIDER_BLOCKED, "HTTP 503"),
    )


def the_calls() -> list[Call]:
    """A page, a second one, an attempt that was not charged, and one that may be."""
    page = Call(
        id=1,
        source=1,
        cursor="0",
        held=1,
        opened_at=NOON,
        state=CallState.SETTLED,
        number=1,
        credits=1,
        items=30,
        new=26,
        duplicates=1,
        rejected=2,
        unusable=1,
        size=2_100_000,
        duration_ms=1_250,
        closed_at=NOON + timedelta(seconds=3),
    )
    second = replace(
        page, id=3, cursor="30", number=2, items=15, new=12, pending=1, unusable=0
    )
    refused = Call(
        id=2,
        source=2,
        cursor="0",
        held=1,
        opened_at=NOON,
        state=CallState.REFUSED,
        closed_at=NOON + timedelta(seconds=4),
        error="HTTP 429",
    )
    failed = replace(
        refused, id=4, state=CallState.FAILED, number=3, attempts=2, error="HTTP 503"
    )
    return [page, refused, second, failed]


def the_finding() -> Finding:
    return Finding(
        number=1,
        key=CREATOR.key,
        verdict=Verdict.QUALIFIED,
        sighting=CREATOR,
        source=1,
        call=1,
        found_at=NOON + timedelta(seconds=3),
        ordinal=1,
    )


def the_statistics() -> Statistics:
    """What that job comes to, with one that was exact and its like in a sandbox."""
    short = ended_short()
    exact = replace(short, status=Status.COMPLETED, qualified=40, outcome=Outcome())
    invented = replace(exact, search=replace(exact.search, provider="sandbox/1"))
    counted = total(counts_of(job) for job in (short, exact, invented))
    return statistics_of(counted, Coverage(since=NOON.date()), NOON)


def documents() -> dict[str, Document]:
    """What is told of that job, by the names that the schema has for it."""
    job, calls, finding = ended_short(), the_calls(), the_finding()
    return {
        "progress": progress(job),
        "exactCountTracking": exact_count_tracking(job, calls),
        "finalReport": final_report(job, exact_count_tracking(job, calls)),
        "apiCallDetail": call_detail(job, calls[1]),
        "jobDocument": job_document(job),
        "row": row(job, finding, 3),
        "guideRow": guide_row(job, finding),
        "webhookMessage": message(job, "job.partial", NOON),
        "webhookJob": told_of(job),
        "figures": figures(the_statistics(), Kind.REAL),
        "exactCountStats": exact_count_stats(the_statistics()),
        "exactCountStatus": exact_count_status(the_statistics()),
        "statistics": statistics_document(the_statistics()),
    }


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})


def properties(name: str) -> set[str]:
    return set(SCHEMA["$defs"][name]["properties"])


def test_the_schema_is_one_itself() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", documents())
def test_a_document_is_the_same_to_the_byte_as_when_it_was_published(name: str) -> None:
    text = json.dumps(documents()[name], indent=2, ensure_ascii=False) + "\n"

    assert text.encode() == (GOLDEN / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", documents())
def test_a_published_document_obeys_the_schema(name: str) -> None:
    published = json.loads((GOLDEN / f"{name}.json").read_bytes())

    validator(name).validate(published)


@pytest.mark.parametrize("name", documents())
def test_the_schema_has_the_names_that_a_document_has_and_no_others(name: str) -> None:
    unmarked = properties(name) - {"sandbox"}

    assert unmarked == set(documents()[name]) - {"sandbox"}
    assert set(SCHEMA["$defs"][name]["required"]) == set(documents()[name])


@pytest.mark.parametrize("name", documents())
def test_the_schema_refuses_a_name_that_it_does_not_have(name: str) -> None:
    assert not validator(name).is_valid({**documents()[name], "surprise": 1})


def test_a_job_that_has_not_begun_obeys_the_schema() -> None:
    job = a_job("tea")

    validator("jobDocument").validate(job_document(job))
    validator("exactCountTracking").validate(exact_count_tracking(job, []))


def test_a_creator_of_whom_little_is_known_obeys_the_schema() -> None:
    finding = replace(
        the_finding(), sighting=Sighting("tiktok", "1", "invented", Video("2"))
    )

    validator("row").validate(row(a_job("tea"), finding, 1))
    validator("guideRow").validate(guide_row(a_job("tea"), finding))


def test_an_invented_creator_obeys_the_schema() -> None:
    job = a_job("tea")
    job = replace(job, search=replace(job.search, provider="sandbox/42"))
    finding = replace(the_finding(), sighting=a_sighting())

    validator("row").validate(row(job, finding, 1))
    validator("guideRow").validate(guide_row(job, finding))


def test_every_filter_is_in_the_schema() -> None:
    assert properties("filters") == {spec.json_name for spec in FILTERS}


def test_every_state_is_in_the_schema() -> None:
    defs = SCHEMA["$defs"]
    statuses = defs["jobDocument"]["properties"]["status"]["enum"]
    states = defs["source"]["properties"]["state"]["enum"]
    reasons = defs["outcome"]["properties"]["reason"]["enum"]
    closed = defs["apiCallDetail"]["properties"]["state"]["enum"]

    told = defs["webhookMessage"]["properties"]["type"]["enum"]

    assert statuses == list(Status)
    assert told == list(TOLD)
    assert states == list(SourceState)
    assert reasons == [*Reason, None]
    assert set(closed) == set(CallState) - {CallState.OPEN}
