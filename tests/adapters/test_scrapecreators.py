"""What each answer of ScrapeCreators means."""

import gzip
import time
from collections.abc import Callable
from datetime import UTC, datetime

import httpx2
import pytest
from fakes.tiktok import Json, page, post, raw

from headcount.adapters.http import open_client
from headcount.adapters.providers.scrapecreators import ScrapeCreators
from headcount.core.calls import Answer, Call, CallKind, Failure, FailureKind, Page
from headcount.core.model import Source

KEY = "sim-key-0123456789"
CALL = Call(
    id=1, source=1, cursor="30", held=1, opened_at=datetime(2026, 1, 1, tzinfo=UTC)
)
SOURCE = Source(id=1, keyword="green tea & more")


def provider_with(
    handler: Callable[[httpx2.Request], httpx2.Response],
    *,
    timer: Callable[[], float] = time.perf_counter,
) -> ScrapeCreators:
    client = open_client(transport=httpx2.MockTransport(handler))
    return ScrapeCreators(client, key=KEY, timer=timer)


async def answer_to(
    status: int, body: object, headers: dict[str, str] | None = None
) -> Answer:
    content = body if isinstance(body, bytes) else raw(body)
    provider = provider_with(
        lambda _: httpx2.Response(status, content=content, headers=headers)
    )
    return await provider.fetch(CALL, SOURCE)


async def failure_of(
    status: int, body: object, headers: dict[str, str] | None = None
) -> Failure:
    answer = await answer_to(status, body, headers)
    assert isinstance(answer, Failure), answer
    return answer


# -------------------------------------------------------------------------- the answers
async def test_a_page_carries_its_price_size_and_time() -> None:
    body, ticks = raw(page(post())), iter([5.0, 5.7])
    provider = provider_with(
        lambda _: httpx2.Response(200, content=body), timer=lambda: next(ticks)
    )

    answer = await provider.fetch(CALL, SOURCE)

    assert isinstance(answer, Page)
    assert (answer.credits, answer.size, answer.duration_ms) == (1, len(body), 700)
    assert [s.username for s in answer.sightings] == ["sim_creator_001"]


async def test_a_page_may_come_compressed() -> None:
    body = raw(page(post()))

    answer = await answer_to(200, gzip.compress(body), {"content-encoding": "gzip"})

    assert isinstance(answer, Page)
    assert answer.size == len(body)


U, T, R = FailureKind.UNAVAILABLE, FailureKind.THROTTLED, FailureKind.UNAVAILABLE
K, O = FailureKind.KEY_REFUSED, FailureKind.OUT_OF_CREDITS  # noqa: E741 - beside U, T, R
SAID = {"success": False, "message": "Looks like you're out of credits :("}


@pytest.mark.parametrize(
    ("status", "body", "kind", "charged", "told"),
    [
        (200, SAID, O, False, "out of credits :(; buy credits"),
        (200, {"success": False, "message": "Busy"}, U, True, "Busy"),
        (200, b"", U, True, "answered 200"),
        (200, b"<html>Hello</html>", U, True, "a web page"),
        (200, b"<html><title>Sorry</title>", U, True, "a web page (Sorry)"),
        (200, raw(page(post()))[:-9], U, True, "not the JSON of a page"),
        (200, {"data": []}, U, True, "no search_item_list"),
        (204, b"", U, True, "answered 204"),
        (301, b"", R, False, "SCRAPECREATORS_API_URL"),
        (400, {"message": "Invalid request parameters"}, R, True, "Invalid request"),
        (401, {"success": False, "message": "No"}, K, False, "SCRAPECREATORS_API_KEY"),
        (402, b"", O, False, "no credits left"),
        (403, {"error": "forbidden", "message": "Sim rule"}, R, True, "Sim rule"),
        (403, {"error": "forbidden"}, R, True, "forbidden"),
        (404, {"success": True}, R, True, "SCRAPECREATORS_API_URL"),
        (418, b"teapot", R, True, "teapot"),
        (429, {"message": "Rate limited"}, T, False, "Rate limited"),
        (429, SAID, O, False, "out of credits"),
        (500, {"message": "Internal server error"}, U, True, "Internal server error"),
        (503, b"\x00\xff<html>", U, True, "answered 503"),
    ],
)
async def test_each_answer_says_what_to_do_and_whether_it_may_have_been_charged(
    *, status: int, body: Json | bytes, kind: FailureKind, charged: bool, told: str
) -> None:
    failure = await failure_of(status, body)

    assert (failure.kind, failure.charged) == (kind, charged)
    assert told in failure.message
    assert failure.size == len(body if isinstance(body, bytes) else raw(body))


@pytest.mark.parametrize("status", [200, 400, 401, 402, 429, 500])
@pytest.mark.parametrize("spent", [0, 1])
async def test_the_provider_knows_best_what_it_charged(status: int, spent: int) -> None:
    body = {"success": False, "message": "no", "credits_charged": spent}

    failure = await failure_of(status, body)

    assert (failure.credits, failure.charged) == (spent, spent > 0)


async def test_a_soft_block_is_named_and_is_no_end_of_the_keyword() -> None:
    body = page(search_nil_info={"search_nil_item": "verify_check"})

    failure = await failure_of(200, body)

    assert failure.kind is FailureKind.UNAVAILABLE
    assert "verify_check" in failure.message
    assert failure.credits == 1


@pytest.mark.parametrize(
    ("given_rest", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("99999999", 86_400.0),
        ("Thu, 01 Jan 2026 00:01:30 GMT", 90.0),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0.0),
        ("Thu, 01 Jan 9999 00:00:00 GMT", 86_400.0),
        ("-1", None),
        ("soon", None),
        ("nan", None),
        ("", None),
        ("Thu, 99 Jan 2026", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_rest_is_told_in_seconds_or_as_a_date(
    status: int, given_rest: str, seconds: float | None
) -> None:
    headers = {"retry-after": given_rest, "date": "Thu, 01 Jan 2026 00:00:00 GMT"}

    failure = await failure_of(status, b"", headers)

    assert failure.retry_after == seconds


async def test_a_rest_until_a_date_is_counted_from_now_without_a_server_time() -> None:
    headers = {"retry-after": "Thu, 01 Jan 1998 00:00:00 GMT"}

    assert (await failure_of(429, b"", headers)).retry_after == 0.0


async def test_a_message_quotes_a_little_and_never_the_key() -> None:
    said = f"bad key {KEY}\x1b[31m\r\n" + "x" * 199 + KEY

    failure = await failure_of(401, {"message": said})

    assert "bad key [key] [31m xxx" in failure.message
    assert "sim-key" not in failure.message
    assert len(failure.message) < 450
    assert failure.message.isprintable()


def test_the_key_is_not_shown_by_the_provider_itself() -> None:
    provider = provider_with(lambda _: httpx2.Response(200))

    assert KEY not in repr(provider)


@pytest.mark.parametrize("kind", CallKind)
def test_every_call_costs_at_most_a_credit(kind: CallKind) -> None:
    assert provider_with(lambda _: httpx2.Response(200)).price(kind) == 1


# -------------------------------------------------------------------------- the balance
@pytest.mark.parametrize(
    ("body", "balance"),
    [
        ({"success": True, "credits_remaining": 7, "creditCount": 7}, 7),
        ({"creditCount": 0}, 0),
        ({"credits_remaining": 3}, 3),
        ({"credits_remaining": 3, "creditCount": "odd"}, 3),
    ],
)
async def test_the_balance_is_the_number_of_credits_left(
    body: Json, balance: int
) -> None:
    provider = provider_with(
        lambda request: httpx2.Response(
            200 if request.url.path == "/v1/account/credit-balance" else 404,
            content=raw(body),
        )
    )

    assert await provider.credit_balance() == balance


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(401, b"", K), (200, b"<html>", U), (200, b"{}", U), (500, b"", U)],
)
async def test_a_balance_that_cannot_be_had_is_a_failure(
    status: int, body: bytes, kind: FailureKind
) -> None:
    provider = provider_with(lambda _: httpx2.Response(status, content=body))

    balance = await provider.credit_balance()

    assert isinstance(balance, Failure)
    assert balance.kind is kind


async def test_a_balance_nobody_could_be_asked_for_is_a_failure() -> None:
    def refusing(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    balance = await provider_with(refusing).credit_balance()

    assert isinstance(balance, Failure)
    assert not balance.charged
