"""Ask for N creators and get exactly N different ones, or be told precisely why not.

The names below are the public ones; each is loaded when it is first used, so that
`import headcount` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headcount.core.errors import HeadcountError as HeadcountError
    from headcount.core.errors import InvalidSearch as InvalidSearch
    from headcount.core.errors import InvalidSetting as InvalidSetting
    from headcount.core.errors import OperatorError as OperatorError
    from headcount.core.errors import StoreError as StoreError
    from headcount.core.errors import UsageError as UsageError
    from headcount.core.filters import Filters as Filters
    from headcount.core.model import Change as Change
    from headcount.core.model import Finding as Finding
    from headcount.core.model import Job as Job
    from headcount.core.model import Limits as Limits
    from headcount.core.model import Outcome as Outcome
    from headcount.core.model import Reason as Reason
    from headcount.core.model import Status as Status
    from headcount.core.sighting import Sighting as Sighting
    from headcount.library import Result as Result
    from headcount.library import find as find
    from headcount.library import resume as resume
    from headcount.library import stream as stream
    from headcount.settings import Settings as Settings

_HOMES = {
    "headcount.core.errors": (
        "HeadcountError",
        "InvalidSearch",
        "InvalidSetting",
        "OperatorError",
        "StoreError",
        "UsageError",
    ),
    "headcount.core.filters": ("Filters",),
    "headcount.core.model": (
        "Change",
        "Finding",
        "Job",
        "Limits",
        "Outcome",
        "Reason",
        "Status",
    ),
    "headcount.core.sighting": ("Sighting",),
    "headcount.library": ("Result", "find", "resume", "stream"),
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
