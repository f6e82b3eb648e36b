"""The sandbox's other endpoints, and what an hour changes."""

from typing import Any

import httpx2 as httpx
import pytest

from headcount.sandbox import Faults, Question, Sandbox, World
from headcount.sandbox.topics import TOPICS


async def ask(sandbox: Sandbox, endpoint: str, **params: str) -> httpx.Response:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=sandbox),
        base_url="http://sandbox.invalid",
        headers={"x-api-key": "any key"},
    ) as http:
        return await http.get(f"/v1/tiktok/search/{endpoint}", params=params)


def creators(world: World, question: Question, hour: int = 0) -> set[str]:
    return {sighting.creator for sighting in world.ranking(question, hour)}


# ------------------------------------------------------------------------ a hashtag
async def test_a_feed_has_flat_items_whose_authors_have_a_0_for_all_followers() -> None:
    body: Any = (await ask(Sandbox(World()), "hashtag", hashtag="yoga")).json()

    assert "search_item_list" not in body
    assert (body["cursor"], body["has_more"], body["credits_charged"]) == (30, 1, 1)
    assert {item["author"]["follower_count"] for item in body["aweme_list"]} == {0}
    assert not any("aweme_info" in item for item in body["aweme_list"])


async def test_a_feed_goes_on_from_its_cursor_and_ends() -> None:
    sandbox = Sandbox(World())

    first = (await ask(sandbox, "hashtag", hashtag="yoga", cursor="0")).json()
    second = (await ask(sandbox, "hashtag", hashtag="yoga", cursor="30")).json()
    beyond = (await ask(sandbox, "hashtag", hashtag="yoga", cursor="900")).json()

    ids = [
        {item["aweme_id"] for item in page["aweme_list"]} for page in (first, second)
    ]
    assert len(ids[0] & ids[1]) < 3
    assert (beyond["aweme_list"], beyond["has_more"]) == ([], 0)


def test_a_feed_shows_many_of_the_searchs_creators_and_some_of_its_own() -> None:
    world = World(1)
    feed = creators(world, Question("#yoga"))

    shared = len(feed & creators(world, Question("yoga"))) / len(feed)

    assert 0.3 < shared < 0.95


@pytest.mark.parametrize(
    ("endpoint", "params"),
    [("hashtag", {}), ("hashtag", {"hashtag": "#"}), ("suggestions", {})],
)
async def test_a_question_about_nothing_is_refused_for_free(
    endpoint: str, params: dict[str, str]
) -> None:
    sandbox = Sandbox(World())

    answer = await ask(sandbox, endpoint, **params)

    assert (answer.status_code, sandbox.credits_charged) == (400, 0)


# ---------------------------------------------------------------------- suggestions
async def test_ten_suggestions_are_words_and_phrases_of_the_topic_or_beside_it() -> (
    None
):
    sandbox = Sandbox(World())

    body: Any = (await ask(sandbox, "suggestions", query="Yoga")).json()

    texts = [one["text"] for one in body["suggestions"]]
    words = {word for words in TOPICS.values() for word in words}
    assert texts[0] == "yoga"
    assert len(texts) == len(set(texts)) == 10
    assert {word for text in texts for word in text.split()} <= words
    assert set(body["suggestions"][0]) == {"text", "position", "language", "score"}
    assert sandbox.credits_charged == 1


async def test_the_ledger_tells_endpoints_apart() -> None:
    sandbox = Sandbox(World())
    await ask(sandbox, "hashtag", hashtag="yoga")
    await ask(sandbox, "suggestions", query="yoga")

    assert [
        (call.endpoint, call.keyword, call.items > 9) for call in sandbox.ledger
    ] == [
        ("hashtag", "#yoga", True),
        ("suggestions", "yoga", True),
    ]


@pytest.mark.parametrize("fault", ["empty_page", "null_list", "soft_block"])
async def test_what_withholds_a_page_withholds_suggestions_too(fault: str) -> None:
    sandbox = Sandbox(World(), faults=Faults.parse([f"{fault}@1"]))

    body: Any = (await ask(sandbox, "suggestions", query="yoga")).json()

    assert body["suggestions"] == []


async def test_a_world_of_a_file_suggests_nothing() -> None:
    sandbox = Sandbox(World(pages={"yoga": [["1", "2"]]}))

    body: Any = (await ask(sandbox, "suggestions", query="yoga")).json()

    assert body["suggestions"] == []


# ------------------------------------------------------------------ variants and hours
@pytest.mark.parametrize(
    "variant",
    [
        Question("yoga", sort_by="most-liked"),
        Question("yoga", date_posted="last-6-months"),
        Question("yoga", region="DE"),
    ],
)
def test_a_variant_shares_creators_with_the_keyword_and_has_others(
    variant: Question,
) -> None:
    world = World(1)
    plain, found = creators(world, Question("yoga")), creators(world, variant)

    assert 0.2 < len(found & plain) / len(found) < 0.9


def test_within_an_hour_a_ranking_is_the_same_and_after_it_about_half_is_new() -> None:
    world = World(1)
    plain = world.ranking(Question("yoga"))

    later = world.ranking(Question("yoga"), 1)

    assert world.ranking(Question("yoga"), 0) == plain
    assert 0.35 < len(set(later) & set(plain)) / len(plain) < 0.7
    assert world.ranking(Question("yoga"), 2) != later


async def test_the_server_counts_the_hours_from_its_start_or_reset() -> None:
    time = 100.0
    sandbox = Sandbox(World(), clock=lambda: time)
    first = (await ask(sandbox, "keyword", query="yoga")).json()["search_item_list"]

    time += 3_599
    same = (await ask(sandbox, "keyword", query="yoga")).json()["search_item_list"]
    time += 1
    other = (await ask(sandbox, "keyword", query="yoga")).json()["search_item_list"]

    assert first == same
    assert first != other
