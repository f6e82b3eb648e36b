"""What a service does, as observers see it: acts, and the door for who watches them.

Metrics, traces and the names in log lines are observers. Whoever does something that
an operator wants to know of tells them of it as an act, while it is being done. An
observer changes nothing: what goes wrong in one is logged, and the act goes on.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from headcount.core.calls import Answer, Call
from headcount.core.model import Change, Job, Source

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Act:
    """Something that is being done; how it went is filled in when it has been.

    `error` is what was raised, if anything was.
    """

    error: BaseException | None = field(default=None, init=False)


@dataclass(slots=True)
class Step(Act):
    """A job is taken forward, from its claim to the release; `job` as it was left."""

    job_id: str
    job: Job | None = field(default=None, init=False)


@dataclass(slots=True)
class Fetch(Act):
    """A provider is asked for a page."""

    call: Call
    source: Source
    answer: Answer | None = field(default=None, init=False)


@dataclass(slots=True)
class Write(Act):
    """A job is changed in the store, in one transaction."""

    job_id: str
    change: Change | None = field(default=None, init=False)


@dataclass(slots=True)
class Wake(Act):
    """Somebody is told to look at a job now."""

    job_id: str


@dataclass(slots=True)
class Send(Act):
    """An attempt is made at a message to a webhook.

    `answer` is a status, or what went wrong; `gave_up` that it was the last attempt.
    """

    job_id: str
    message_id: str
    attempt: int
    answer: int | str | None = field(default=None, init=False)
    gave_up: bool = field(default=False, init=False)


@dataclass(slots=True)
class Request(Act):
    """A request is answered over HTTP.

    `trace` has the headers by which a caller's trace goes on here. `route` is the
    template of the path, and `waited` the seconds until the answer began.
    """

    method: str
    path: str
    trace: Mapping[str, str]
    route: str | None = field(default=None, init=False)
    status: int | None = field(default=None, init=False)
    waited: float | None = field(default=None, init=False)


Done = TypeVar("Done", bound=Act)


class Observer(Protocol):
    """Sees acts while they are done."""

    def during(self, act: Act) -> AbstractContextManager[object]:
        """Watch an act: the block is the act, and at its end all is filled in."""
        ...


class Observers:
    """All who watch; an act costs next to nothing where nobody does."""

    def __init__(self, *first: Observer) -> None:
        self._all = list(first)

    def add(self, observer: Observer) -> None:
        """Let one more watch all acts from now on."""
        self._all.append(observer)

    @contextmanager
    def during(self, act: Done) -> Iterator[Done]:
        """Let all watch an act, which the block does and fills in."""
        watching = [one for o in self._all if (one := _begun(o, act)) is not None]
        try:
            yield act
        except BaseException as error:
            act.error = error
            raise
        finally:
            for one in reversed(watching):
                _end(one)


def _begun(observer: Observer, act: Act) -> AbstractContextManager[object] | None:
    try:
        watching = observer.during(act)
        watching.__enter__()
    except Exception:  # noqa: BLE001 - whatever it is, it is not the act's
        _LOG.exception("an observer failed")
        return None
    return watching


def _end(watching: AbstractContextManager[object]) -> None:
    try:
        watching.__exit__(None, None, None)
    except Exception:  # noqa: BLE001 - the same
        _LOG.exception("an observer failed")
