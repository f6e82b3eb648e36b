"""The channels to the providers: each with its key, its pace, and its own sandbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from headcount.adapters.gates import FleetPace, Gates, key_id
from headcount.adapters.http import open_client
from headcount.adapters.pace import KeyPace
from headcount.adapters.permits import RENEWAL, Share
from headcount.adapters.providers.scrapecreators import ScrapeCreators
from headcount.core.errors import InvalidSetting
from headcount.engine import Channel
from headcount.ports import Clock, Pace
from headcount.sandbox import Faults, Sandbox, World, serving
from headcount.settings import Settings

_PACES: WeakValueDictionary[tuple[int, str, str], KeyPace] = WeakValueDictionary()


class Channels:
    """Opens a channel to a provider when a job first needs it."""

    def __init__(
        self, settings: Settings, clock: Clock, stack: AsyncExitStack, gates: Gates
    ) -> None:
        self._settings, self._clock, self._stack = settings, clock, stack
        self._gates = gates
        self._shared = False
        self._opened: dict[str, Channel] = {}
        self._providers: dict[str, ScrapeCreators] = {}  # by the name of their key
        self._shares: dict[str, Share] = {}  # of the permits, by the provider's name
        self._at_work = 0

    def share_keys(self) -> None:
        """From here on, the pace of a key is that of all machines together."""
        self._shared = True

    def opened(self, name: str) -> Channel:
        """The channel to a provider that `connect` was called for."""
        return self._opened[name]

    async def connect(self, name: str) -> Channel:
        """Open the channel to a provider, once.

        Raises:
            InvalidSetting: the key is missing, or the address cannot be used.
        """
        if name not in self._opened:
            self._opened[name] = await self._open(name)
        return self._opened[name]

    async def look_for_credits(self) -> None:
        """Open the keys again that lacked credits and have some by now."""
        await self._gates.refresh()
        spent = {key for key, closed in self._gates.closed.items() if closed.spent}
        for key in spent & set(self._providers):
            balance = await self._providers[key].credit_balance()
            if isinstance(balance, int) and balance > 0:
                await self._gates.open(key)

    def starved_until(self, name: str) -> datetime | None:
        """When to look again, where others have all permits for a provider's calls."""
        share = self._shares.get(name)
        return share.starved_until() if share else None

    async def renew_permits(self) -> None:
        """Keep, get or give back permits; what is held expires soon after the last."""
        for share in list(self._shares.values()):
            await share.renew()

    async def hand_back_permits(self) -> None:
        """Let other processes have the permits that are not in use."""
        for share in self._shares.values():
            await share.hand_back()

    @asynccontextmanager
    async def permits_renewed(self) -> AsyncIterator[None]:
        """Permits are renewed while such blocks run, and handed back after the last."""
        self._at_work += 1
        renewing = asyncio.create_task(self._keep_renewing())
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            self._at_work -= 1
            if not self._at_work:
                await self.hand_back_permits()

    async def _keep_renewing(self) -> None:
        while True:
            await self._clock.sleep(RENEWAL.total_seconds())
            await self.renew_permits()

    @property
    def key_name(self) -> str | None:
        """What the key of the settings is called, which does not tell the key."""
        key = self._settings.scrapecreators_api_key
        if key is None:
            return None
        return key_id("scrapecreators", key.get_secret_value().strip())

    async def _open(self, name: str) -> Channel:
        key, url = await self._address(name)
        settings = self._settings
        timeout = settings.call_timeout
        client = await self._stack.enter_async_context(
            open_client(read_timeout=timeout, connections=settings.concurrency)
        )
        provider = ScrapeCreators(client, key=key, url=url, total_timeout=timeout)
        named = key_id(name, key)
        self._providers[named] = provider
        if not self._shared:
            return Channel(provider, self._own_pace(url, key))
        pace = self._fleet_pace(named)
        self._shares[name] = pace.share
        return Channel(provider, pace)

    def _fleet_pace(self, key: str) -> FleetPace:
        """The part that this process has in the pace of a key."""
        return FleetPace(
            self._gates,
            key,
            self._clock,
            concurrency=self._settings.concurrency,
            spacing=self._spacing,
        )

    def _own_pace(self, url: str, key: str) -> Pace:
        """The pace of a key: one for the process, however many apps it has.

        Where their settings differ, those of the app that came first hold.
        """
        place = (id(asyncio.get_running_loop()), url, key)
        pace = _PACES.get(place)
        if pace is None:
            concurrency = self._settings.concurrency
            pace = KeyPace(self._clock, concurrency=concurrency, spacing=self._spacing)
            _PACES[place] = pace
        return pace

    @property
    def _spacing(self) -> timedelta:
        return timedelta(milliseconds=self._settings.rate_limit_ms)

    async def _address(self, name: str) -> tuple[str, str]:
        """The key and URL of a provider; a sandbox is started for its own."""
        kind, _, seed = name.partition("/")
        if kind == "sandbox":
            return "sandbox-key", await self._start_sandbox(int(seed))
        key = self._settings.scrapecreators_api_key
        if key is None or not key.get_secret_value().strip():
            raise InvalidSetting(
                "no key: set SCRAPECREATORS_API_KEY to your ScrapeCreators API key, "
                "or try with --sandbox, which needs none"
            )
        return key.get_secret_value().strip(), self._settings.scrapecreators_api_url

    async def _start_sandbox(self, seed: int) -> str:
        try:
            faults = Faults.parse(self._settings.sandbox_faults)
        except ValueError as error:
            raise InvalidSetting(f"HEADCOUNT_SANDBOX_FAULTS: {error}") from None
        sandbox = Sandbox(
            World(seed),
            faults=faults,
            latency_ms=self._settings.sandbox_latency_ms,
            credits=10_000_000,
        )
        return await self._stack.enter_async_context(serving(sandbox))
