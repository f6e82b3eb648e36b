"""Metadata that other processors have left: what they collected counts, and once."""

from typing import Any

import pytest
from processor.rows import TEA, Row, ids, keys

from headcount.core.errors import InvalidSearch
from headcount.core.report import Document

COLLECTED = ids(1, 40)


def a_creator(creator: str) -> Document:
    """A creator as the scripts store them."""
    return {
        "id": creator,
        "creator": {"uniqueId": f"handle_of_{creator}", "name": "", "followers": 5},
        "video": {"description": "tea", "url": "", "statistics": {"play_count": 7}},
        "hashtags": ["tea"],
        "platform": "TikTok",
    }


def counted() -> Document:
    return {
        "exactCountTracking": {
            "version": "2.0",
            "targetCount": 60,
            "uniqueCreatorsFound": 40,
            "totalApiCalls": 2,
            "duplicatesFound": 6,
            "averageCreatorsPerCall": 20.0,
            "targetAchieved": False,
            "apiCallDetails": [{"callNumber": 1}, {"callNumber": 2}],
        }
    }


def by_id() -> Document:
    return {
        "version": "2.0_exact_count",
        "targetCount": 60,
        "tracking": {
            "uniqueCreatorIds": COLLECTED,
            "creatorIdSet": {},
            "apiCalls": [{"callNumber": 1, "cursor": 30}, {"callNumber": 2}],
            "totalCreatorsScanned": 46,
            "uniqueCreatorsFound": 40,
            "duplicatesFound": 6,
            "lastCursor": 60,
            "hasMoreResults": True,
        },
        "performance": {"averageCreatorsPerCall": 20, "predictedCallsRemaining": 1},
    }


def by_handle() -> Document:
    return {
        "exactCountTracking": {
            "version": "2.0",
            "targetCount": 60,
            "uniqueCreatorIds": [f"handle_of_{creator}" for creator in COLLECTED],
            "creatorMap": [[f"handle_of_{c}", a_creator(c)] for c in COLLECTED],
            "apiCallDetails": [{"callNumber": 1, "newUnique": 40, "duplicates": 6}],
            "duplicateTracking": {"total": 6, "byApiCall": {"1": 6}},
        }
    }


def by_handle_alone() -> Document:
    document = by_handle()
    tracking = document["exactCountTracking"]
    assert isinstance(tracking, dict)
    return {"exactCountTracking": {**tracking, "creatorMap": {}}}


def tracked() -> Document:
    return {
        "trackingVersion": "2.0",
        "exactCountTracking": True,
        "uniqueCreatorCount": 40,
        "totalApiCalls": 2,
        "duplicatesFound": 6,
        "averageCreatorsPerCall": 20,
        "apiResponseSizes": [30, 30],
        "cursorsUsed": [0, 30],
        "targetReached": False,
        "finalCursor": 60,
    }


NAMING = [by_id, by_handle, by_handle_alone]
EVERY_SHAPE = pytest.mark.parametrize(
    "shape", [counted, tracked, *NAMING], ids=lambda shape: shape.__name__
)
SHAPES_THAT_NAME = pytest.mark.parametrize(
    "shape", NAMING, ids=lambda shape: shape.__name__
)
KEPT = pytest.mark.parametrize("has_store", [True, False], ids=["store", "metadata"])


@KEPT
@EVERY_SHAPE
async def test_what_was_collected_counts_and_no_more_is_delivered(
    shape: Any,  # noqa: ANN401 - one of those above
    has_store: bool,  # noqa: FBT001 - a case of the table
) -> None:
    row = Row(target=60, metadata={**shape(), "campaign": 7}, has_store=has_store)

    told = await row.ends(0.5)

    assert (told.status, told.progress, told.found) == ("completed", 100, 60)
    assert len(set(keys(row.creators))) == len(row.creators) == 20
    tracking = told.metadata["exactCountTracking"]
    assert isinstance(tracking, dict)
    assert tracking["uniqueCreatorsFound"] == 60
    assert tracking["totalApiCalls"] > 2 - ("creatorMap" in told.metadata)
    assert tracking["duplicatesFound"] >= 6
    assert told.metadata["campaign"] == 7


@KEPT
@SHAPES_THAT_NAME
async def test_creators_that_it_names_do_not_come_again(
    shape: Any,  # noqa: ANN401 - one of those above
    has_store: bool,  # noqa: FBT001 - a case of the table
) -> None:
    row = Row(target=60, metadata=shape(), has_store=has_store)

    await row.ends(0.5)

    assert not set(keys(row.creators)) & set(COLLECTED)


@KEPT
@EVERY_SHAPE
async def test_creators_handed_over_with_it_are_who_counts(
    shape: Any,  # noqa: ANN401 - one of those above
    has_store: bool,  # noqa: FBT001 - a case of the table
) -> None:
    row = Row(target=60, metadata=shape(), has_store=has_store)
    row.given = {"creators": [a_creator(creator) for creator in COLLECTED]}

    told = await row.ends(0.5)

    assert (told.status, told.found) == ("completed", 60)
    assert len(row.creators) == 20
    assert not set(keys(row.creators)) & set(COLLECTED)


async def test_those_whose_data_nobody_has_do_not_count_and_do_not_come_again() -> None:
    row = Row(target=60, metadata=by_id())
    row.given = {"creators": [a_creator(creator) for creator in COLLECTED[:30]]}

    first = await row.goes_on(0.5)
    told = await row.ends()

    assert "10 creators are named in the metadata and not in `creators`" in (
        first.message
    )
    assert (told.status, told.progress) == ("completed", 100)
    assert len(row.creators) == 30
    assert not set(keys(row.creators)) & set(COLLECTED)


async def test_those_whose_data_only_the_metadata_has_are_handed_over() -> None:
    row = Row(target=60, metadata=by_handle())
    row.given = {"creators": [a_creator(creator) for creator in COLLECTED[:30]]}

    first = await row.goes_on(0.5)
    told = await row.ends()

    assert keys(first.creators)[:10] == COLLECTED[30:]
    assert first.creators[0]["hashtags"] == ["tea"]
    assert told.progress == 100
    assert len(row.creators) == 30


async def test_the_data_that_the_metadata_has_stay_in_it() -> None:
    row = Row(target=60, metadata=by_handle())

    told = await row.ends()

    kept = told.metadata["creatorMap"]
    assert isinstance(kept, list)
    assert len(kept) == 40


async def test_a_single_keyword_goes_on_from_its_cursor() -> None:
    row = Row(target=60, metadata=by_id())

    await row.ends()

    assert row.provider.asked[0] == ("tea", "60")


async def test_a_cursor_of_joined_keywords_is_of_none_of_them() -> None:
    row = Row({**TEA, "mate": [ids(200, 229)]}, target=60, metadata=by_id())

    told = await row.goes_on()

    assert ("tea", "0") in row.provider.asked
    assert "each keyword is asked from its beginning" in told.message


async def test_a_shape_that_only_counts_says_what_it_cannot_keep() -> None:
    row = Row(target=60, metadata=counted())

    told = await row.goes_on()

    assert "40 creators were collected before, and the metadata does not say who" in (
        told.message
    )


async def test_what_is_read_once_is_written_in_one_shape() -> None:
    row = Row(target=60, metadata=by_id())

    told = await row.goes_on(0.5)

    assert set(told.metadata) == {"exactCountTracking", "finalReport", "headcount"}


async def test_a_metadata_that_has_it_all_ends_without_a_call() -> None:
    row = Row(target=40, metadata=tracked())

    told = await row.ends()
    again = await row.goes_on()

    assert (told.status, told.progress, told.creators) == ("completed", 100, ())
    assert (again.status, again.progress) == ("completed", 100)
    assert "finalReport" in told.metadata
    assert row.provider.asked == []


def within(document: Document, path: str, value: object) -> Document:
    """The document with another value at a path."""
    name, _, rest = path.partition(".")
    if not rest:
        return {**document, name: value}
    inner = document[name]
    assert isinstance(inner, dict)
    return {**document, name: within(inner, rest, value)}


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        (within(counted(), "exactCountTracking.version", "3.0"), ".version"),
        (within(counted(), "exactCountTracking.version", 2), ".version"),
        (within(counted(), "exactCountTracking", [1]), ""),
        (
            within(counted(), "exactCountTracking.uniqueCreatorsFound", "lots"),
            ".uniqueCreatorsFound",
        ),
        (
            within(counted(), "exactCountTracking.totalApiCalls", -1),
            ".totalApiCalls",
        ),
        (
            within(by_handle(), "exactCountTracking.uniqueCreatorIds", "ann"),
            ".uniqueCreatorIds",
        ),
        (
            within(by_handle(), "exactCountTracking.uniqueCreatorIds", [None]),
            ".uniqueCreatorIds",
        ),
        (
            within(by_handle(), "exactCountTracking.creatorMap", [["ann"]]),
            ".creatorMap",
        ),
    ],
)
async def test_a_part_of_the_guides_shape_that_cannot_be_read_is_named(
    metadata: Document, field: str
) -> None:
    row = Row(metadata=metadata)

    with pytest.raises(InvalidSearch, match="expected") as caught:
        await row.calls()

    assert caught.value.field == f"metadata.exactCountTracking{field}"
    assert row.provider.asked == []


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        (within(by_id(), "version", "3.0_exact_count"), "version"),
        (within(by_id(), "tracking", "all"), "tracking"),
        (within(by_id(), "tracking.lastCursor", "next"), "tracking.lastCursor"),
        (within(by_id(), "tracking.apiCalls", 3), "tracking.apiCalls"),
        (within(tracked(), "trackingVersion", "1.0"), "trackingVersion"),
        (within(tracked(), "uniqueCreatorCount", {}), "uniqueCreatorCount"),
    ],
)
async def test_a_part_of_another_shape_that_cannot_be_read_is_named(
    metadata: Document, field: str
) -> None:
    row = Row(metadata=metadata)

    with pytest.raises(InvalidSearch, match="expected") as caught:
        await row.calls()

    assert caught.value.field == f"metadata.{field}"
    assert row.provider.asked == []


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("headcount", "ours", "version"),
        ("headcount.version", 2, "version"),
        ("headcount.handedOver", "many", "handedOver"),
        ("headcount.keptIn", "the attic", "keptIn"),
        ("headcount.jobId", None, "jobId"),
        ("headcount.before", {"found": "x"}, "before.found"),
        ("headcount.state", "%%%", "state"),
        ("headcount.state", "aGVsbG8=", "state"),
        ("headcount.state", None, "state"),
    ],
)
async def test_a_part_of_ours_that_cannot_be_read_is_named(
    path: str, value: object, field: str
) -> None:
    row = Row()
    await row.goes_on(0.5)
    asked = len(row.provider.asked)
    row.metadata = within(row.metadata, path, value)

    with pytest.raises(InvalidSearch, match=f"metadata.headcount.{field}: ") as caught:
        await row.calls()

    assert caught.value.field == f"metadata.headcount.{field}"
    assert len(row.provider.asked) == asked


async def test_a_state_that_was_cut_off_is_refused() -> None:
    row = Row()
    await row.goes_on(0.5)
    state = row.metadata["headcount"]["state"]
    row.metadata["headcount"]["state"] = state[: len(state) // 8 * 4]

    with pytest.raises(InvalidSearch, match="state: expected"):
        await row.calls()
