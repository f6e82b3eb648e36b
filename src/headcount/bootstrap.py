"""Opens the app that the settings ask for, and closes it again."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from headcount.acts import Observer, Observers
from headcount.adapters.clock import SystemClock
from headcount.adapters.sql import SqlStore
from headcount.app import App
from headcount.core.errors import StoreError
from headcount.engine import Watch
from headcount.observed import tracing
from headcount.settings import Settings, data_folder


@asynccontextmanager
async def open_app(
    settings: Settings,
    watch: Watch = lambda _: None,
    observers: Iterable[Observer] = (),
) -> AsyncIterator[App]:
    """Open the store, and close all that was opened at the end.

    `watch` is told of what the steps of jobs change, and `observers` of all that is
    done while it is being done.

    Raises:
        StoreError: the store cannot be opened.
    """
    seen_by = Observers(*observers)
    async with AsyncExitStack() as stack:
        clock = SystemClock()
        url = store_url(settings)
        store = await SqlStore.open(url, now=clock.now, observers=seen_by)
        stack.push_async_callback(store.close)
        app = App(settings, store, clock, stack, watch=watch, observers=seen_by)
        await app.check_clock()  # before any lease is judged by it
        yield app


@asynccontextmanager
async def open_service(
    settings: Settings,
    watch: Watch = lambda _: None,
    observers: Iterable[Observer] = (),
) -> AsyncIterator[App]:
    """The same for a program that lives on; its acts are traced where that is wanted.

    Raises:
        InvalidSetting: traces are wanted, and the extra is not installed.
        StoreError: the store cannot be opened.
    """
    async with (
        tracing(settings) as traces,
        open_app(settings, watch, [*observers, *traces]) as app,
    ):
        yield app


def store_url(settings: Settings) -> str:
    """Where the jobs are; the folder of the default place is made where missing."""
    if settings.database_url is None:
        folder = data_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{folder} cannot be made ({error.strerror}): name another place by "
                "HEADCOUNT_DATABASE_URL, such as sqlite:///jobs.db"
            ) from None
    return settings.store_url
