"""What wakes workers elsewhere: chosen by the settings, if wanted at all."""

from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from headcount.adapters.gates import key_id
from headcount.core.errors import InvalidSetting
from headcount.core.model import Job
from headcount.ports import Clock, Store
from headcount.runners.qstash import Account, QStashWaker, Terms
from headcount.settings import Settings

if TYPE_CHECKING:
    from headcount.runners.pgqueuer import PgQueuerWaker


def announcer(settings: Settings, clock: Clock) -> "PgQueuerWaker | None":
    """What carries wake-ups between machines, where that is wanted.

    Raises:
        InvalidSetting: it is wanted, and cannot be had.
    """
    if settings.runner != "pgqueuer":
        return None
    url = settings.database_direct_url or settings.store_url
    if not url.startswith("postgres"):
        raise InvalidSetting(
            "HEADCOUNT_RUNNER: pgqueuer needs a Postgres: name one by "
            "HEADCOUNT_DATABASE_URL, or set the runner to local"
        )
    try:
        from headcount.runners.pgqueuer import (  # noqa: PLC0415 - an extra
            PgQueuerWaker,
        )
    except ImportError:
        raise InvalidSetting(
            "HEADCOUNT_RUNNER: pgqueuer is not installed: install headcount[postgres]"
        ) from None
    return PgQueuerWaker(url, clock)


def qstash_waker(settings: Settings, store: Store, clock: Clock) -> QStashWaker | None:
    """What publishes the steps of jobs at QStash, where that is wanted.

    Raises:
        InvalidSetting: it is wanted, and cannot be had.
    """
    if settings.runner != "qstash":
        return None
    account = qstash_account(settings)
    terms = Terms(
        timeout=round(settings.qstash_limit),
        parallelism=min(settings.qstash_parallelism, settings.concurrency),
        rate=settings.qstash_rate,
        flow=partial(_flow_key, settings),
    )
    return QStashWaker(account, terms, store=store, clock=clock)


def qstash_account(settings: Settings) -> Account:
    """Who publishes at QStash.

    Raises:
        InvalidSetting: a setting of QStash is missing, or cannot be used, or the extra
            is not installed.
    """
    if find_spec("qstash") is None:
        raise InvalidSetting(
            "HEADCOUNT_RUNNER: qstash is not installed: install headcount[qstash]"
        )
    token = settings.qstash_token
    return Account(
        token.get_secret_value().strip().strip("\"'") if token else "",
        settings.qstash_url.strip().strip("\"'"),
        settings.public_urls[0],
    )


def _flow_key(settings: Settings, job: Job) -> str:
    """What the messages of all jobs of one provider key have in common."""
    key = settings.scrapecreators_api_key
    name = key_id(job.search.provider, key.get_secret_value().strip() if key else "")
    return f"headcount-{name.replace('/', '-')}"
