"""The exception tree, split by who must act.

    HeadcountError
    ├── UsageError           the caller: ask differently
    │   ├── InvalidSearch      a search that cannot be taken, with the field at fault
    │   ├── InvalidSetting     a setting that cannot be used, with its name
    │   ├── NoSuchJob          an id that names no job of this store
    │   ├── NoSuchKey          an id that names no API key of this store
    │   ├── JobNotReady        the job's status does not allow this now
    │   ├── NotAllowed         a server that refuses the key, or what it may do
    │   └── WrongServer        an address where no server answers that this client knows
    ├── OperatorError        who runs the machine
    │   ├── ServerError        a server that is not reached, or cannot answer now
    │   └── StoreError         the store cannot be used
    │       ├── StoreBusy        held by another process for too long, or away
    │       ├── StoreOutdated    an earlier version made its tables
    │       └── StoreTooNew      a later version of Headcount wrote it
    └── InternalError        us: a promise was about to be broken

What a provider answers, refusals included, is a value (see `calls.Failure`), never
an exception: a call that fails is an expected outcome.
"""


class HeadcountError(Exception):
    """Something the caller could not have wanted; the message says what to do.

    `hint` is what a server has said would help; empty where no server was asked.
    """

    hint = ""


class UsageError(HeadcountError):
    """The caller must ask differently."""


class InvalidSearch(UsageError):  # noqa: N818 - it names the thing at fault, not the act
    """A search that cannot be taken; `field` is the path of what is at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class InvalidSetting(UsageError):  # noqa: N818 - it names the thing at fault
    """A setting that cannot be used; the message names it and never shows a secret."""


class NoSuchJob(UsageError):  # noqa: N818 - it names the thing at fault
    """An id that names no job of this store."""


class NoSuchKey(UsageError):  # noqa: N818 - it names the thing at fault
    """An id that names no API key of this store."""


class JobNotReady(UsageError):  # noqa: N818 - it names the thing at fault
    """The job's status does not allow what was asked."""


class NotAllowed(UsageError):  # noqa: N818 - it names the state found
    """A server refuses the API key, or the key does not allow what was asked."""


class WrongServer(UsageError):  # noqa: N818 - it names the thing at fault
    """What answers at an address is no Headcount server, or one of another API."""


class OperatorError(HeadcountError):
    """Whoever runs this machine must act."""


class ServerError(OperatorError):
    """A Headcount server was not reached, or cannot answer now."""


class StoreError(OperatorError):
    """The store cannot be used; what was settled before is safe in it."""


class StoreBusy(StoreError):  # noqa: N818 - it names the state found
    """Another process has held the store for longer than we wait, or it is away."""


class StoreOutdated(StoreError):  # noqa: N818 - it names the state found
    """The tables are not yet those of this version; upgrading must be asked for."""


class StoreTooNew(StoreError):  # noqa: N818 - it names the state found
    """A later version of Headcount wrote this store."""


class InternalError(HeadcountError):
    """A promise was about to be broken: a defect of ours, please report it."""
