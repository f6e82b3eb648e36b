"""The sandbox's routes: what they accept, what they charge, and what the ledger saw."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from statistics import fmean

import httpx2 as httpx
import pytest

from headcount.sandbox import Question, Sandbox, World
from headcount.sandbox.wire import imprecise

Ask = Callable[..., Awaitable[httpx.Response]]
SEARCH = "/v1/tiktok/search/keyword"


def client(sandbox: Sandbox, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=sandbox),
        base_url="http://sandbox.invalid",
        headers=headers,
    )


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "invalid-1"}])
@pytest.mark.parametrize("path", [SEARCH, "/v1/account/credit-balance"])
async def test_without_a_valid_key_nothing_is_answered_or_charged(
    headers: dict[str, str], path: str
) -> None:
    sandbox = Sandbox(World())

    async with client(sandbox, **headers) as http:
        answer = await http.get(path, params={"query": "yoga"})

    assert answer.status_code == 401
    assert answer.json()["success"] is False
    assert sandbox.credits_charged == 0


@pytest.mark.parametrize(
    "params",
    [
        {"query": ""},
        {"query": "  "},
        {"cursor": "x"},
        {"cursor": "-1"},
        {"sort_by": "newest"},
        {"date_posted": "today"},
    ],
)
async def test_a_bad_parameter_is_refused_for_free(
    params: dict[str, str], ask: Ask
) -> None:
    sandbox = Sandbox(World())

    answer = await ask(sandbox, **params)

    assert answer.status_code == 400
    assert answer.json() == {"message": "Invalid request parameters"}
    assert sandbox.credits_charged == 0


async def test_an_unknown_parameter_is_ignored(ask: Ask) -> None:
    sandbox = Sandbox(World())

    usual, more = await ask(sandbox), await ask(sandbox, count=5)

    assert more.json()["search_item_list"] == usual.json()["search_item_list"]


async def test_a_search_costs_a_credit_and_the_envelope_and_balance_say_so(
    ask: Ask,
) -> None:
    sandbox = Sandbox(World(), credits=10)

    body = (await ask(sandbox)).json()
    async with client(sandbox, **{"x-api-key": "k"}) as http:
        balance = (await http.get("/v1/account/credit-balance")).json()

    envelope = ["success", "credits_remaining", "credits_charged"]
    assert list(body)[:3] == envelope
    assert [body[key] for key in envelope] == [True, 9, 1]
    assert balance == {
        "success": True,
        "credits_remaining": 9,
        "credits_charged": 0,
        "creditCount": 9,
    }


async def test_without_credits_a_search_is_refused(ask: Ask) -> None:
    sandbox = Sandbox(World(), credits=1)
    await ask(sandbox)

    answer = await ask(sandbox, cursor=30)

    assert answer.status_code == 402
    assert "out of credits" in answer.json()["message"]
    assert sandbox.credits_charged == 1


async def test_without_the_envelope_a_body_has_the_keys_of_2025(ask: Ask) -> None:
    body = (await ask(Sandbox(World(), envelope=False))).json()

    assert list(body)[:3] == ["cursor", "has_more", "search_item_list"]
    assert not body.keys() & {"success", "credits_remaining", "credits_charged"}


async def test_an_untrimmed_item_is_wrapped_and_a_trimmed_one_flat(ask: Ask) -> None:
    sandbox = Sandbox(World())

    full = (await ask(sandbox)).json()["search_item_list"][0]
    flat = (await ask(sandbox, trim="true")).json()["search_item_list"][0]

    assert list(full) == ["aweme_info"]
    video = full["aweme_info"]
    assert {"text_extra", "share_url"} <= video.keys()
    assert not {"text_extra", "share_url", "aweme_info"} & flat.keys()
    assert flat["author"].items() <= video["author"].items()
    assert flat["aweme_id"] == video["aweme_id"]
    for extra in video["text_extra"]:
        written = video["desc"][extra["start"] : extra["end"]]
        assert written == f"#{extra['hashtag_name']}"


async def test_all_addresses_are_plainly_invented(ask: Ask) -> None:
    text = (await ask(Sandbox(World()))).text

    addresses = {part.split("/")[0] for part in text.split("https://")[1:]}

    assert addresses == {"sandbox.invalid", "cdn.sandbox.invalid"}


def test_a_creator_id_as_a_number_has_lost_its_last_digits() -> None:
    assert imprecise("5123456789012345678") == 5123456789012345000
    assert imprecise("1234567") == 1234567
    assert imprecise("an id out of a world file") == 0


async def test_a_page_is_the_worlds_page(ask: Ask) -> None:
    world = World(9)
    question = Question("guitar", cursor=60, region="US", sort_by="most-liked")

    body = (
        await ask(
            Sandbox(world), query="guitar", cursor=60, region="US", sort_by="most-liked"
        )
    ).json()

    page = world.page(question)
    shown = [item["aweme_info"]["aweme_id"] for item in body["search_item_list"]]
    assert shown == [video.id for video in page.videos]
    assert (body["cursor"], body["has_more"]) == (90, int(page.has_more))


async def test_a_finished_keyword_says_why_its_page_is_empty(ask: Ask) -> None:
    body = (await ask(Sandbox(World()), cursor=600)).json()

    assert (body["search_item_list"], body["has_more"]) == ([], 0)
    assert body["search_nil_info"]["search_nil_item"] == "federation_empty"


async def test_reranking_keeps_about_half_of_a_page_and_little_of_the_first(
    ask: Ask,
) -> None:
    sandbox = Sandbox(World(), rerank=True)

    async def share_kept(cursor: int) -> float:
        kept = []
        for query in ("yoga", "guitar", "pasta", "novel", "camping"):
            one, other = [
                {item["aweme_id"] for item in page.json()["search_item_list"]}
                for page in [
                    await ask(sandbox, query=query, cursor=cursor, trim="true")
                    for _ in range(2)
                ]
            ]
            kept.append(len(one & other) / 30)
        return fmean(kept)

    assert 0.35 < await share_kept(60) < 0.65
    assert 0.05 < await share_kept(0) < 0.25


async def test_an_answer_is_compressed_only_if_the_client_accepts_it() -> None:
    async with client(Sandbox(World()), **{"x-api-key": "k"}) as http:
        usual, plain = [
            await http.get(
                SEARCH, params={"query": "yoga"}, headers={"accept-encoding": encoding}
            )
            for encoding in ("gzip", "identity")
        ]

    assert usual.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(plain.content, 1)) < len(plain.content) / 3
    assert "content-encoding" not in plain.headers
    assert plain.json()["search_item_list"] == usual.json()["search_item_list"]


async def test_every_answer_says_that_it_is_the_sandboxs() -> None:
    async with client(Sandbox(World())) as http:
        for path in (SEARCH, "/nowhere", "/sandbox/ledger"):
            answer = await http.get(path)
            assert answer.headers["x-sandbox"] == "headcount"


async def test_the_ledger_bears_witness_over_http_without_a_key(ask: Ask) -> None:
    sandbox = Sandbox(World())
    await ask(sandbox, cursor=30, region="US", trim="true")
    await ask(sandbox, sort_by="newest")

    async with client(sandbox) as http:
        witness = (await http.get("/sandbox/ledger")).json()

    assert (witness["sandbox"], witness["credits_charged"]) == (True, 1)
    served, refused = witness["calls"]
    assert served.pop("at").startswith("20")
    assert served.pop("items") in {28, 29, 30}
    assert served == {
        "call": 1,
        "keyword": "yoga",
        "cursor": 30,
        "region": "US",
        "sort_by": "relevance",
        "date_posted": "all-time",
        "trim": True,
        "status": 200,
        "credits": 1,
        "fault": None,
        "endpoint": "keyword",
    }
    assert (refused["call"], refused["status"], refused["credits"]) == (2, 400, 0)


async def test_the_ledger_tells_how_many_calls_there_were_at_once() -> None:
    at_once = asyncio.Barrier(3)

    async def together(_: float) -> None:
        await at_once.wait()

    sandbox = Sandbox(World(), latency_ms=1, sleep=together)
    async with client(sandbox, **{"x-api-key": "k"}) as http:
        for _ in range(2):
            asked = [http.get(SEARCH, params={"query": "yoga"}) for _ in range(3)]
            await asyncio.gather(*asked)
        witness = (await http.get("/sandbox/ledger")).json()
        forgotten = (await http.post("/sandbox/reset")).json()

    assert (witness["most_at_once"], forgotten["most_at_once"]) == (3, 0)


async def test_a_reset_forgets_the_calls_and_gives_the_credits_back(ask: Ask) -> None:
    sandbox = Sandbox(World(), credits=1)
    await ask(sandbox)

    async with client(sandbox) as http:
        assert (await http.post("/sandbox/reset")).json()["calls"] == []

    assert sandbox.ledger == ()
    assert (await ask(sandbox)).status_code == 200


async def test_an_unknown_path_is_404() -> None:
    async with client(Sandbox(World()), **{"x-api-key": "k"}) as http:
        assert (await http.get("/v1/tiktok/profile")).status_code == 404
        assert (await http.get("/sandbox/reset")).status_code == 404


async def test_latency_holds_back_api_answers_only() -> None:
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    sandbox = Sandbox(World(), latency_ms=250, sleep=note)
    async with client(sandbox, **{"x-api-key": "k"}) as http:
        await http.get(SEARCH, params={"query": "yoga"})
        await http.get("/sandbox/ledger")

    assert pauses == [0.25]
