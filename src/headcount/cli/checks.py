"""The checks of `headcount doctor`: each looks at one thing and says what to do."""

import platform
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from headcount.adapters.http import open_client
from headcount.adapters.providers.scrapecreators import ScrapeCreators
from headcount.bootstrap import open_app
from headcount.core.calls import Failure
from headcount.core.errors import HeadcountError
from headcount.core.model import Limits, Status
from headcount.core.search import build_search
from headcount.settings import Settings, config_file

_ROOM = 200_000_000  # bytes: a job of 100,000 creators takes about half of it


class Standing(Enum):
    """How a check came out."""

    GOOD = "good"
    NOTE = "note"  # works, and should be looked at
    BROKEN = "broken"

    @property
    def sign(self) -> str:
        """One character for the eye."""
        return {"good": "✓", "note": "!", "broken": "✗"}[self.value]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    standing: Standing
    finding: str

    def document(self) -> dict[str, str]:
        """The check as JSON."""
        return {
            "name": self.name,
            "standing": self.standing.value,
            "finding": self.finding,
        }


async def all_checks(settings: Settings, *, offline: bool) -> list[Check]:
    """Look at everything, in the order in which a first run needs it."""
    checks = [_program(), _settings_file(), *await _store(settings)]
    checks.append(await _key(settings, offline=offline))
    checks += [_caps(settings), _excel()]
    return checks + [check async for check in _production(settings)]


def _program() -> Check:
    text = f"headcount {version('headcount')} on Python {platform.python_version()}"
    return Check("program", Standing.GOOD, text)


def _settings_file() -> Check:
    file = config_file()
    there = "read" if file.is_file() else "not there, which is fine"
    return Check("settings file", Standing.GOOD, f"{file} ({there})")


async def _store(settings: Settings) -> list[Check]:
    try:
        async with open_app(settings) as app:
            database = app.store.database
            number = len([job async for job in app.store.jobs()])
    except HeadcountError as error:
        return [Check("store", Standing.BROKEN, str(error))]
    found = Check("store", Standing.GOOD, f"{database.name}, {number} jobs")
    if database.dialect.name != "sqlite":
        return [found]  # the disk of a server is not ours to look at
    folder = Path(database.name).parent
    free = shutil.disk_usage(folder).free
    roomy = Standing.GOOD if free > _ROOM else Standing.NOTE
    return [found, Check("disk", roomy, f"{free / 1e9:.1f} GB free in {folder}")]


async def _key(settings: Settings, *, offline: bool) -> Check:
    name = "provider key"
    if settings.scrapecreators_api_key is None:
        return Check(
            name,
            Standing.NOTE,
            "SCRAPECREATORS_API_KEY is not set; --sandbox works without it",
        )
    if offline:
        return Check(name, Standing.GOOD, "set (not tried: --offline)")
    try:
        async with open_client(read_timeout=settings.timeout) as client:
            provider = ScrapeCreators(
                client,
                key=settings.scrapecreators_api_key.get_secret_value(),
                url=settings.scrapecreators_api_url,
                total_timeout=settings.timeout,
            )
            balance = await provider.credit_balance()
    except HeadcountError as error:
        return Check(name, Standing.BROKEN, str(error))
    if isinstance(balance, Failure):
        return Check(name, Standing.BROKEN, balance.message)
    standing = Standing.GOOD if balance > 0 else Standing.BROKEN
    return Check(name, standing, f"accepted; {balance} credits left")


def _caps(settings: Settings) -> Check:
    testing = settings.max_calls_for_testing
    if testing is not None:
        text = f"MAX_API_CALLS_FOR_TESTING caps every job at {testing} calls"
        return Check("cap on calls", Standing.NOTE, f"{text}: unset it in production")
    cap = settings.max_calls or "3 x the expected + 20"
    return Check(
        "cap on calls", Standing.GOOD, f"{cap} a job, unless it says otherwise"
    )


def _excel() -> Check:
    if find_spec("xlsxwriter"):
        return Check("exports", Standing.GOOD, "csv, jsonl, json, xlsx")
    text = "csv, jsonl, json; for xlsx install headcount[exports]"
    return Check("exports", Standing.NOTE, text)


async def _production(settings: Settings) -> AsyncIterator[Check]:
    """The production checklist, each point tried in the sandbox."""
    trials = {
        "100 creators": (100, ("apple", "tech", "gaming"), ()),
        "500 creators": (500, ("fitness", "cooking", "travel", "gaming"), ()),
        "1000 creators": (
            1000,
            ("fitness", "cooking", "travel", "gaming", "tech", "beauty", "music"),
            (),
        ),
        "API failures": (100, ("apple", "tech"), ("server_error:0.2", "html@3")),
    }
    with TemporaryDirectory() as folder:
        for number, (name, (target, keywords, faults)) in enumerate(trials.items()):
            alone = settings.model_copy(
                update={
                    "database_url": f"sqlite:///{folder}/{number}.db",
                    "sandbox_faults": faults,
                    "sandbox_latency_ms": 0,
                    "rate_limit_ms": 0,
                    "max_calls_for_testing": None,
                }
            )
            yield await _trial(f"sandbox, {name}", alone, target, keywords)


async def _trial(
    name: str, settings: Settings, target: int, keywords: tuple[str, ...]
) -> Check:
    """Collect in the sandbox, and look at the count and at what was written."""
    provider = f"sandbox/{settings.sandbox_seed}"
    search = build_search(
        target, keywords, provider=provider, limits=Limits(attempts=9)
    )
    async with open_app(settings) as app:
        job = await app.create(search)
        job = await app.run(job.id)
        keys = [finding.key async for finding, _ in app.store.delivered(job.id)]
    exact = len(keys) == len(set(keys)) == target and job.status is Status.COMPLETED
    text = f"{len(set(keys))} of {target} different creators in {job.charged} calls"
    return Check(name, Standing.GOOD if exact else Standing.BROKEN, text)
