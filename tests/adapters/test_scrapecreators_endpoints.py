"""Hashtags and suggestions: asked as their endpoints want it, and read as they answer.

What is read are the bytes of the sandbox, which answers as the provider does.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import httpx2
import pytest
from fakes.tiktok import Json, post, raw

from headcount.adapters.http import open_client
from headcount.adapters.providers.scrapecreators import ScrapeCreators
from headcount.adapters.tiktok import NoPage, read_page
from headcount.core.calls import (
    Answer,
    Call,
    CallKind,
    Endpoint,
    Failure,
    FailureKind,
    Page,
)
from headcount.core.model import Source
from headcount.sandbox import Faults, Sandbox, World

CALL = Call(
    id=1, source=1, cursor="0", held=1, opened_at=datetime(2026, 1, 1, tzinfo=UTC)
)
HASHTAG = Source(1, "yoga", "US", endpoint=Endpoint.HASHTAG)
SUGGESTIONS = Source(1, "yoga", "US", endpoint=Endpoint.SUGGESTIONS)
SEARCH = Source(1, "yoga")


async def fetched(source: Source, *faults: str, call: Call = CALL) -> Answer:
    """What the sandbox answers to a source."""
    sandbox = Sandbox(World(), faults=Faults.parse(faults))
    client = open_client(transport=httpx2.ASGITransport(app=sandbox))
    return await ScrapeCreators(client, key="sim-key").fetch(call, source)


async def asked(source: Source) -> httpx2.URL:
    """The address that a source is asked by."""
    urls: list[httpx2.URL] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        urls.append(request.url)
        return httpx2.Response(200, content=b"{}")

    client = open_client(transport=httpx2.MockTransport(handler))
    call = replace(CALL, cursor="30")
    await ScrapeCreators(client, key="sim-key").fetch(call, source)
    return urls[0]


async def test_a_hashtag_is_asked_by_its_name_and_cursor() -> None:
    url = await asked(HASHTAG)

    assert url.path == "/v1/tiktok/search/hashtag"
    assert dict(url.params) == {
        "hashtag": "yoga",
        "cursor": "30",
        "trim": "true",
        "region": "US",
    }


async def test_suggestions_are_asked_by_the_keyword_and_have_no_pages() -> None:
    url = await asked(SUGGESTIONS)

    assert url.path == "/v1/tiktok/search/suggestions"
    assert dict(url.params) == {"query": "yoga", "region": "US"}


def test_every_kind_of_call_costs_a_credit() -> None:
    provider = ScrapeCreators(open_client(), key="sim-key")

    assert {provider.price(kind) for kind in CallKind} == {1}


# ------------------------------------------------------------------------ a hashtag
async def test_a_hashtag_shows_creators_but_does_not_tell_their_followers() -> None:
    page = await fetched(HASHTAG)

    assert isinstance(page, Page)
    assert page.items == len(page.sightings) > 27
    assert (page.next_cursor, page.more, page.credits) == ("30", True, 1)
    assert {sighting.followers for sighting in page.sightings} == {None}
    assert all(sighting.hashtags for sighting in page.sightings)


async def test_a_hashtag_shows_others_than_the_search_for_the_same_word() -> None:
    feed, search = await fetched(HASHTAG), await fetched(SEARCH)

    assert isinstance(feed, Page)
    assert isinstance(search, Page)
    assert _keys(feed) - _keys(search)


def _keys(page: Page) -> set[str]:
    return {sighting.key for sighting in page.sightings}


async def test_a_hashtag_at_its_end_is_an_empty_page() -> None:
    page = await fetched(HASHTAG, call=replace(CALL, cursor="900"))

    assert isinstance(page, Page)
    assert (page.items, page.more) == (0, False)


@pytest.mark.parametrize("untrimmed", [True, False], ids=["wrapped", "flat"])
def test_a_hashtags_items_may_be_wrapped_or_flat(*, untrimmed: bool) -> None:
    item = {"aweme_info": post()} if untrimmed else post()

    page = read_page(raw({"aweme_list": [item], "cursor": 20}), "0", Endpoint.HASHTAG)

    assert isinstance(page, Page)
    assert (len(page.sightings), page.next_cursor) == (1, "20")
    assert page.sightings[0].followers == 11_965  # where it tells some after all


def test_an_answer_that_has_no_list_of_a_hashtag_is_no_page() -> None:
    found = read_page(raw({"search_item_list": [post()]}), "0", Endpoint.HASHTAG)

    assert found == NoPage("it has no aweme_list")


def test_a_value_of_an_odd_type_costs_a_hashtag_that_value_alone() -> None:
    odd = post(1) | {"desc": 7}

    page = read_page(
        raw({"aweme_list": [odd, post(2)], "cursor": 20}), "0", Endpoint.HASHTAG
    )

    assert isinstance(page, Page)
    assert page.sightings[0].video.description == ""
    assert page.items == 2


# ---------------------------------------------------------------------- suggestions
async def test_suggestions_are_texts_in_their_order_on_an_answer_of_its_own() -> None:
    page = await fetched(SUGGESTIONS)

    assert isinstance(page, Page)
    assert page.suggestions[0] == "yoga"
    assert page.suggestions[1].startswith("yoga ")
    assert page.items == len(page.suggestions) == 10
    assert (page.sightings, page.more, page.credits) == ((), False, 1)


@pytest.mark.parametrize(
    ("suggestions", "texts"),
    [
        ([], ()),
        ([{"text": "mate"}, None, {"position": 2}, {"text": ""}], ("mate",)),
        ([{"text": 7}, {"text": "te\0a"}, "mate"], ("tea",)),
    ],
    ids=["none", "holes", "odd"],
)
def test_of_suggestions_what_is_no_text_is_lost_alone(
    suggestions: list[Json], texts: Iterable[str]
) -> None:
    body = raw({"success": True, "suggestions": suggestions})

    page = read_page(body, "0", Endpoint.SUGGESTIONS)

    assert isinstance(page, Page)
    assert page.suggestions == texts


@pytest.mark.parametrize(
    "body",
    [{"success": True}, {"suggestions": None}],
    ids=str,
)
def test_an_answer_without_a_list_has_no_suggestions(body: Json) -> None:
    assert isinstance(read_page(raw(body), "0", Endpoint.SUGGESTIONS), NoPage)


# --------------------------------------------------------------------------- faults
@pytest.mark.parametrize("source", [HASHTAG, SUGGESTIONS], ids=lambda s: s.endpoint)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("server_error", FailureKind.UNAVAILABLE),
        ("throttled", FailureKind.THROTTLED),
        ("out_of_credits", FailureKind.OUT_OF_CREDITS),
        ("bad_key", FailureKind.KEY_REFUSED),
        ("html", FailureKind.UNAVAILABLE),
        ("truncated", FailureKind.UNAVAILABLE),
        ("success_false", FailureKind.UNAVAILABLE),
    ],
)
async def test_a_refusal_means_the_same_whichever_endpoint_it_comes_of(
    source: Source, fault: str, kind: FailureKind
) -> None:
    failure = await fetched(source, f"{fault}@1")

    assert isinstance(failure, Failure)
    assert failure.kind is kind


@pytest.mark.parametrize(
    "fault",
    ["early_end", "object_list", "no_author", "uid_missing", "string_cursor",
     "missing_has_more", "big_page", "changed_handle", "private_accounts"],
)  # fmt: skip
@pytest.mark.parametrize("source", [HASHTAG, SUGGESTIONS], ids=lambda s: s.endpoint)
async def test_what_is_odd_in_an_answer_does_not_harm_it(
    source: Source, fault: str
) -> None:
    page = await fetched(source, f"{fault}@1")

    assert isinstance(page, Page)
    assert page.items
