"""However a job is cut into calls, it comes to exactly its creators."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from processor.rows import TEA, Row, ids, keys

from headcount.adapters.memory import MemoryStore
from headcount.core.calls import Answer, Call, CallKind
from headcount.core.errors import InvalidSearch
from headcount.core.model import Change, Source
from headcount.ports import Provider, Rule

SCHEMA: dict[str, Any] = json.loads(
    files("headcount").joinpath("schema.json").read_text(encoding="utf-8")
)
KEPT = pytest.mark.parametrize("has_store", [True, False], ids=["store", "metadata"])


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})


pages_of_creators = st.lists(
    st.lists(st.sampled_from(ids(1, 40)), min_size=1, max_size=12), max_size=6
)


def within_reach(pages: list[list[str]]) -> set[str]:
    """Whom a keyword shows before three pages in a row show nobody new and end it."""
    shown: set[str] = set()
    stale = 0
    for page in pages:
        stale = stale + 1 if shown.issuperset(page) else 0
        shown.update(page)
        if stale == 3:
            break
    return shown


@example(
    tea=[],
    mate=[["7000002"]] * 4 + [["7000001"]],
    target=2,
    slices=[0.1],
    has_store=False,
)
@given(
    tea=pages_of_creators,
    mate=pages_of_creators,
    target=st.integers(1, 45),
    slices=st.lists(st.sampled_from([0.1, 0.5, 1.5, 2.5, 4.0]), min_size=1, max_size=9),
    has_store=st.booleans(),
)
async def test_wherever_slices_end_no_creator_is_doubled_or_one_too_many(
    tea: list[list[str]],
    mate: list[list[str]],
    target: int,
    slices: list[float],
    has_store: bool,  # noqa: FBT001 - hypothesis passes it by name
) -> None:
    row = Row({"tea": tea, "mate": mate}, target, has_store=has_store)
    there = within_reach(tea) | within_reach(mate)

    for seconds in slices:
        told = await row.goes_on(seconds)
        assert len(row.creators) == told.found <= target
        assert (told.progress == 100) == (told.found == target)
    told = await row.ends()

    assert len(set(keys(row.creators))) == len(row.creators) == min(target, len(there))
    assert told.status == ("completed" if len(there) >= target else "partial")


@KEPT
async def test_no_page_is_asked_twice_whatever_the_number_of_calls(
    has_store: bool,  # noqa: FBT001 - a case of the table
) -> None:
    row = Row(target=100, has_store=has_store)

    await row.ends(0.5)

    assert max(Counter(row.provider.asked).values()) == 1
    assert len(row.creators) == 100


@KEPT
async def test_repeats_are_counted_over_all_calls(
    has_store: bool,  # noqa: FBT001 - a case of the table
) -> None:
    cut, whole = Row(target=100, has_store=has_store), Row(target=100)

    await cut.ends(0.5)
    await whole.ends()

    names = ("uniqueCreatorsFound", "totalApiCalls", "duplicatesFound", "attempts")
    told = [row.metadata["exactCountTracking"] for row in (cut, whole)]
    assert [told[0][name] for name in names] == [told[1][name] for name in names]
    assert len(told[0]["apiCallDetails"]) == told[0]["totalApiCalls"]


@KEPT
async def test_what_was_not_stored_is_handed_over_again(
    has_store: bool,  # noqa: FBT001 - a case of the table
) -> None:
    row = Row(target=60, has_store=has_store)
    lost = await row.calls(0.5)

    told = await row.ends(0.5)

    assert len(lost.creators) > 0
    assert told.status == "completed"
    assert len(set(keys(row.creators))) == len(row.creators) == 60


async def test_with_a_store_what_was_not_stored_is_not_paid_again() -> None:
    row = Row(target=60, has_store=True)
    await row.calls(0.5)

    await row.ends(0.5)

    assert max(Counter(row.provider.asked).values()) == 1


@KEPT
async def test_an_ended_job_is_told_again_and_costs_nothing(
    has_store: bool,  # noqa: FBT001 - a case of the table
) -> None:
    row = Row(has_store=has_store)
    first = await row.ends()
    asked = len(row.provider.asked)

    again = await row.goes_on()

    assert (again.status, again.progress, again.creators) == ("completed", 100, ())
    assert again.metadata["finalReport"] == first.metadata["finalReport"]
    assert len(row.provider.asked) == asked


@KEPT
async def test_a_higher_target_goes_on_from_where_the_job_ended(
    has_store: bool,  # noqa: FBT001 - a case of the table
) -> None:
    row = Row(target=30, has_store=has_store)
    await row.ends()
    row.target = 70

    told = await row.ends()

    assert (told.status, told.progress) == ("completed", 100)
    assert len(set(keys(row.creators))) == len(row.creators) == 70
    assert max(Counter(row.provider.asked).values()) == 1


@KEPT
async def test_a_lower_target_is_refused(
    has_store: bool,  # noqa: FBT001 - a case of the table
) -> None:
    row = Row(target=30, has_store=has_store)
    await row.ends()
    row.target = 20

    with pytest.raises(InvalidSearch, match="expected 30 or more") as caught:
        await row.calls()

    assert caught.value.field == "targetResults"


@KEPT
async def test_creators_handed_over_do_not_come_again(
    has_store: bool,  # noqa: FBT001 - a case of the table
) -> None:
    theirs = [{"id": creator} for creator in ids(1, 40)]
    row = Row(target=60, has_store=has_store, given={"creators": theirs})

    told = await row.ends()

    assert told.status == "completed"
    assert len(row.creators) == 20
    assert not set(keys(row.creators)) & set(ids(1, 40))


async def test_creators_that_were_stored_without_the_metadata_do_not_come_again() -> (
    None
):
    row = Row(target=60)
    lost = await row.calls(0.5)
    row.given = {"creators": list(lost.creators)}

    told = await row.ends()

    assert told.progress == 100
    assert len({*keys(row.creators), *keys(lost.creators)}) == 60
    assert len(row.creators) == 60 - len(lost.creators)


async def test_whoever_has_enough_already_pays_for_nothing() -> None:
    row = Row(target=40, given={"creators": ids(1, 40)})

    told = await row.ends()

    assert (told.status, told.progress, told.creators) == ("completed", 100, ())
    assert row.provider.asked == []


@KEPT
async def test_the_metadata_has_the_guides_shape_and_a_report_at_the_end(
    has_store: bool,  # noqa: FBT001 - a case of the table
) -> None:
    row = Row(target=60, has_store=has_store, metadata={"campaign": "spring"})

    under_way = await row.goes_on(0.5)
    told = await row.ends()

    assert "finalReport" not in under_way.metadata
    assert told.metadata["campaign"] == "spring"
    validator("exactCountTracking").validate(under_way.metadata["exactCountTracking"])
    validator("exactCountTracking").validate(told.metadata["exactCountTracking"])
    validator("finalReport").validate(told.metadata["finalReport"])
    for creator in told.creators:
        validator("guideRow").validate(creator)


async def test_a_job_that_ends_short_says_why_and_stays_below_100() -> None:
    row = Row(target=1_000)

    told = await row.ends()

    assert (told.status, told.progress, told.found) == ("partial", 10, 105)
    assert told.message.startswith("105 of 1000 creators; it ended short: sources_exh")
    report = told.metadata["finalReport"]
    assert isinstance(report, dict)
    assert (report["reason"], report["targetAchieved"]) == ("sources_exhausted", False)


async def test_what_is_told_is_json() -> None:
    told = await Row().ends()

    document = json.loads(json.dumps(told.as_dict()))

    assert list(document) == [
        *("status", "message", "progress", "target", "found", "callAgainIn"),
        *("creators", "metadata"),
    ]
    assert len(document["creators"]) == document["progress"] * 60 // 100


async def test_without_a_store_the_metadata_stays_small() -> None:
    drawn = Random(7)  # noqa: S311 - ids as long as TikTok's, and as hard to compress
    items = [f"{drawn.getrandbits(63)}/{drawn.getrandbits(63)}" for _ in range(6_000)]
    pages = [items[at : at + 30] for at in range(0, 6_000, 26)]
    row = Row({"tea": pages}, target=5_000)

    await row.ends()

    size = len(json.dumps(row.metadata))
    assert len(row.creators) == 5_000
    assert size < 30_000 + 70 * sum(map(len, pages))


class Silent:
    """A provider that never answers."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def price(self, kind: CallKind) -> int:
        return self._provider.price(kind)

    async def fetch(self, call: Call, source: Source) -> Answer:
        del call, source
        await asyncio.Event().wait()
        raise AssertionError


@KEPT
async def test_calls_that_outlast_the_limit_are_given_up_and_count_as_spent(
    has_store: bool,  # noqa: FBT001 - a case of the table
) -> None:
    row = Row(target=60, has_store=has_store, wraps=Silent)

    told = await row.goes_on(0.5, limit=0.1)
    spent = told.metadata["exactCountTracking"]
    row.wraps = lambda provider: provider
    ended = await row.ends()

    assert (told.status, told.found) == ("processing", 0)
    assert isinstance(spent, dict)
    assert spent["totalApiCalls"] > 0
    assert (ended.status, ended.found) == ("completed", 60)


class Broken(MemoryStore):
    """A store with a defect in its fourth change."""

    changes = 0

    async def change(self, job_id: str, rule: Rule, keys: Sequence[str] = ()) -> Change:
        self.changes += 1
        if self.changes == 4:
            raise RuntimeError("a defect")
        return await super().change(job_id, rule, keys)


async def test_a_defect_ends_the_job_as_failed_and_the_next_call_tries_again() -> None:
    row = Row(target=60, has_store=True)
    row.store = Broken(now=row.clock.now)

    told = await row.goes_on()
    ended = await row.ends()

    assert (told.status, told.call_again_in) == ("failed", None)
    assert "a defect" in told.message
    assert (ended.status, ended.progress) == ("completed", 100)
    assert len(set(keys(row.creators))) == len(row.creators) == 60


async def test_a_job_keeps_the_search_it_began_with() -> None:
    row = Row(target=60)
    await row.goes_on(0.5)
    row.given = {"keywords": "mate"}

    with pytest.raises(InvalidSearch, match="keeps it: begin a new job") as caught:
        await row.calls()

    assert caught.value.field == "keywords"


async def test_metadata_of_another_job_is_refused() -> None:
    row = Row()
    await row.goes_on(0.5)
    row.id = "row-2"

    with pytest.raises(InvalidSearch, match="the metadata of job 'row-1', not of"):
        await row.calls()


async def test_creators_known_by_their_handle_are_recognised() -> None:
    theirs = [{"creator": {"uniqueId": f"Handle_of_{i}"}} for i in ids(1, 40)]
    row = Row(TEA, target=60, given={"results": [{"creators": theirs}]})

    told = await row.ends(0.5)

    assert told.status == "completed"
    assert not set(keys(row.creators)) & set(ids(1, 40))
