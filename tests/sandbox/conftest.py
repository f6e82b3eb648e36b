"""How the sandbox's tests ask it: in process, as any HTTP client would."""

from collections.abc import Awaitable, Callable

import httpx2 as httpx
import pytest

from headcount.sandbox import Sandbox


@pytest.fixture
def ask() -> Callable[..., Awaitable[httpx.Response]]:
    """Asks a sandbox one search, such as `ask(sandbox, query="yoga", cursor=30)`."""

    async def one_search(sandbox: Sandbox, **params: str | int) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=sandbox),
            base_url="http://sandbox.invalid",
            headers={"x-api-key": "any key"},
        ) as http:
            return await http.get(
                "/v1/tiktok/search/keyword", params={"query": "yoga", **params}
            )

    return one_search
