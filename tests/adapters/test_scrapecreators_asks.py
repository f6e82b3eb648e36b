"""What ScrapeCreators is asked, with which address, key and variant."""

from dataclasses import replace
from datetime import UTC, datetime

import httpx2
import pytest
from fakes.tiktok import page, raw

from headcount.adapters.http import open_client
from headcount.adapters.providers.scrapecreators import (
    PERIODS,
    SORTS,
    URL,
    ScrapeCreators,
    check_variant,
)
from headcount.core.calls import Call
from headcount.core.errors import InvalidSearch, InvalidSetting
from headcount.core.model import Source

KEY = "sim-key-0123456789"
CALL = Call(
    id=1, source=1, cursor="30", held=1, opened_at=datetime(2026, 1, 1, tzinfo=UTC)
)
SOURCE = Source(id=1, keyword="green tea & more")
SEARCH = "/v1/tiktok/search/keyword"


async def asked(
    source: Source = SOURCE, *, url: str = URL, trim: bool = True
) -> httpx2.Request:
    """The request that a fetch of this source makes."""
    requests: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(200, content=raw(page()))

    client = open_client(transport=httpx2.MockTransport(handler))
    provider = ScrapeCreators(client, key=f" {KEY}\n", url=url, trim=trim)
    await provider.fetch(CALL, source)
    return requests[0]


def unused_client() -> httpx2.AsyncClient:
    return open_client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200)))


async def test_a_page_is_asked_by_keyword_and_cursor_with_the_key_in_a_header() -> None:
    request = await asked()

    url, headers = request.url, request.headers
    assert str(url.copy_with(query=None)) == (
        "https://api.scrapecreators.com/v1/tiktok/search/keyword"
    )
    assert dict(url.params) == {
        "query": "green tea & more",
        "cursor": "30",
        "trim": "true",
    }
    assert headers["x-api-key"] == KEY
    assert headers["accept-encoding"] == "gzip"
    assert headers["user-agent"].startswith("headcount/")


async def test_a_variant_and_an_untrimmed_page_are_asked_for_as_such() -> None:
    source = replace(SOURCE, region="US", sort="most-liked", period="this-week")

    request = await asked(source, trim=False)

    assert dict(request.url.params) == {
        "query": "green tea & more",
        "cursor": "30",
        "region": "US",
        "sort_by": "most-liked",
        "date_posted": "this-week",
    }


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("https://api.invalid", f"https://api.invalid{SEARCH}"),
        ("https://api.invalid/", f"https://api.invalid{SEARCH}"),
        (f"https://api.invalid{SEARCH}", f"https://api.invalid{SEARCH}"),
        (f"https://api.invalid{SEARCH}/?trim=true#x", f"https://api.invalid{SEARCH}"),
        (" http://127.0.0.1:8900/proxy/ ", f"http://127.0.0.1:8900/proxy{SEARCH}"),
        (f"http://[::1]:8900/p{SEARCH}", f"http://[::1]:8900/p{SEARCH}"),
    ],
)
async def test_an_address_is_an_origin_or_that_of_the_search(
    setting: str, address: str
) -> None:
    request = await asked(url=setting)

    assert str(request.url.copy_with(query=None)) == address


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "api.scrapecreators.com",
        "ftp://api.invalid",
        "https://",
        "https:///v1",
        "https://api.invalid:port",
        "https://[::1",
        "https://user:sim-secret@api.invalid",
        "https://sim-secret@api.invalid",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_being_shown(
    setting: str,
) -> None:
    with pytest.raises(InvalidSetting, match="SCRAPECREATORS_API_URL") as refused:
        ScrapeCreators(unused_client(), key=KEY, url=setting)

    assert "sim-secret" not in str(refused.value)


@pytest.mark.parametrize("key", ["", "  ", "sim secret", "sim-sécret", "sim\nsecret"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(
    key: str,
) -> None:
    with pytest.raises(InvalidSetting, match="SCRAPECREATORS_API_KEY") as refused:
        ScrapeCreators(unused_client(), key=key)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("sort", [None, *SORTS])
@pytest.mark.parametrize("period", [None, *PERIODS])
def test_a_known_variant_is_accepted(sort: str | None, period: str | None) -> None:
    check_variant(sort=sort, period=period)


@pytest.mark.parametrize(
    ("variant", "field", "message"),
    [
        ({"sort": "most_liked"}, "sort", "did you mean 'most-liked'"),
        ({"period": "last-month"}, "period", "did you mean 'last-"),
        ({"period": "\N{SNOWMAN}"}, "period", "expected one of yesterday, "),
    ],
)
def test_an_unknown_variant_is_refused_with_the_nearest_one(
    variant: dict[str, str], field: str, message: str
) -> None:
    with pytest.raises(InvalidSearch, match=message) as refused:
        check_variant(**{"sort": None, "period": None, **variant})

    assert refused.value.field == field
