"""Ask for N creators and get exactly N different ones, or be told precisely why not.

The names below are the public ones; each is loaded when it is first used, so that
`import headcount` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headcount.client import Client as Client
    from headcount.client import JobDocument as JobDocument
    from headcount.client import JobEvent as JobEvent
    from headcount.client import JobSheet as JobSheet
    from headcount.client import Row as Row
    from headcount.core.errors import HeadcountError as HeadcountError
    from headcount.core.errors import InvalidSearch as InvalidSearch
    from headcount.core.errors import InvalidSetting as InvalidSetting
    from headcount.core.errors import JobNotReady as JobNotReady
    from headcount.core.errors import NoSuchJob as NoSuchJob
    from headcount.core.errors import NotAllowed as NotAllowed
    from headcount.core.errors import OperatorError as OperatorError
    from headcount.core.errors import ServerError as ServerError
    from headcount.core.errors import StoreError as StoreError
    from headcount.core.errors import UsageError as UsageError
    from headcount.core.errors import WrongServer as WrongServer
    from headcount.core.expansion import Expansion as Expansion
    from headcount.core.filters import Filters as Filters
    from headcount.core.model import Change as Change
    from headcount.core.model import Finding as Finding
    from headcount.core.model import Job as Job
    from headcount.core.model import Limits as Limits
    from headcount.core.model import Look as Look
    from headcount.core.model import Outcome as Outcome
    from headcount.core.model import Reason as Reason
    from headcount.core.model import Status as Status
    from headcount.core.plans import Plan as Plan
    from headcount.core.selection import Selection as Selection
    from headcount.core.sighting import Sighting as Sighting
    from headcount.core.statistics import Coverage as Coverage
    from headcount.library import Result as Result
    from headcount.library import find as find
    from headcount.library import plan as plan
    from headcount.library import resume as resume
    from headcount.library import stream as stream
    from headcount.processor import Processed as Processed
    from headcount.processor import (
        process_tiktok_job_with_exact_count as process_tiktok_job_with_exact_count,
    )
    from headcount.processor import (
        process_tiktok_job_with_exact_count_sync as process_tiktok_job_with_exact_count_sync,  # noqa: E501 - the name, twice
    )
    from headcount.settings import Settings as Settings

_HOMES = {
    "headcount.client": ("Client", "JobDocument", "JobEvent", "JobSheet", "Row"),
    "headcount.core.errors": (
        "HeadcountError",
        "InvalidSearch",
        "InvalidSetting",
        "JobNotReady",
        "NoSuchJob",
        "NotAllowed",
        "OperatorError",
        "ServerError",
        "StoreError",
        "UsageError",
        "WrongServer",
    ),
    "headcount.core.expansion": ("Expansion",),
    "headcount.core.filters": ("Filters",),
    "headcount.core.model": (
        "Change",
        "Finding",
        "Job",
        "Limits",
        "Look",
        "Outcome",
        "Reason",
        "Status",
    ),
    "headcount.core.plans": ("Plan",),
    "headcount.core.selection": ("Selection",),
    "headcount.core.sighting": ("Sighting",),
    "headcount.core.statistics": ("Coverage",),
    "headcount.library": ("Result", "find", "plan", "resume", "stream"),
    "headcount.processor": (
        "Processed",
        "process_tiktok_job_with_exact_count",
        "process_tiktok_job_with_exact_count_sync",
    ),
    "headcount.settings": ("Settings",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - a list of names, told once above


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'headcount' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
