"""Where deliveries really go: on the loopback, or into an application in process."""

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx

from headcount.sandbox.qstash.answers import RefusedError

App = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Place:
    """A public address, and where it is found."""

    public: httpx.URL
    found: httpx.URL
    client: httpx.AsyncClient

    def has(self, url: httpx.URL) -> bool:
        base = self.public.path.rstrip("/")
        return _origin(url) == _origin(self.public) and f"{url.path}/".startswith(
            f"{base}/"
        )

    def within(self, url: httpx.URL) -> httpx.URL:
        """The URL as it is found here, its path and query byte by byte."""
        public = self.public.raw_path.rstrip(b"/")
        rest = url.raw_path.removeprefix(public)
        return self.found.copy_with(raw_path=self.found.raw_path.rstrip(b"/") + rest)


class Destinations:
    """Leads public URLs to the loopback, and everything else nowhere.

    Args:
        places: from a public URL to a URL of the loopback, or to an ASGI application.
        strict: whether a URL that is itself on the loopback is refused, as by the
            real QStash; by default it is taken as it is.

    Raises:
        ValueError: a place is not on the loopback.
    """

    def __init__(
        self, places: Mapping[str, str | App], *, strict: bool = False
    ) -> None:
        self._strict = strict
        # Neither proxies of the environment nor redirects: both lead elsewhere.
        self._network = httpx.AsyncClient(
            trust_env=False, limits=httpx.Limits(max_connections=None)
        )
        self._clients = [self._network]
        found = [self._place(public, place) for public, place in places.items()]
        self._places = sorted(found, key=lambda place: -len(place.public.path))

    def _place(self, public: str, place: str | App) -> _Place:
        try:
            address = _parsed(public)
        except ValueError as error:
            raise ValueError(f"the public URL {public!r}: {error}") from None
        if isinstance(place, str):
            return _Place(address, _on_loopback(place), self._network)
        transport = httpx.ASGITransport(app=place, raise_app_exceptions=False)
        self._clients.append(httpx.AsyncClient(transport=transport))
        return _Place(address, address, self._clients[-1])

    def check(self, url: str) -> None:
        """Sees that a message to this URL stays on the loopback.

        Raises:
            RefusedError: it would not, or the real QStash could not reach it.
        """
        self._resolve(url)

    async def send(self, url: str, request: Mapping[str, Any]) -> httpx.Response:
        """Sends a request for a public URL to where it is found.

        Raises:
            httpx.HTTPError: no answer came.
            RefusedError: the place is not on the loopback.
        """
        client, found = self._resolve(url)
        return await client.request(url=found, follow_redirects=False, **request)

    def _resolve(self, url: str) -> tuple[httpx.AsyncClient, httpx.URL]:
        try:
            asked = _parsed(url)
        except ValueError as error:
            raise RefusedError(400, f"invalid destination url: {error}") from None
        for place in self._places:
            if place.has(asked):
                return place.client, place.within(asked)
        if not is_loopback(asked):
            raise RefusedError(
                400,
                f"invalid destination url: the sandbox delivers on the loopback only, "
                f"and {asked.host} is elsewhere: map its public URL to a local one",
            )
        if self._strict:
            raise RefusedError(
                400,
                "invalid destination url: endpoint resolves to a loopback address: "
                f"{asked.host}",
            )
        return self._network, asked

    async def aclose(self) -> None:
        """Closes what connections are open."""
        for client in self._clients:
            await client.aclose()


def is_loopback(url: httpx.URL) -> bool:
    """Whether a URL names this machine, without asking anybody who that is."""
    if url.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return False


def _on_loopback(text: str) -> httpx.URL:
    url = _parsed(text)
    if not is_loopback(url):
        raise ValueError(
            f"expected a URL on the loopback, such as http://127.0.0.1:8000, got {text}"
        )
    return url


def _parsed(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise ValueError(f"{text!r} is no URL") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("endpoint has invalid scheme, add http:// or https://")
    return url


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}[url.scheme]
