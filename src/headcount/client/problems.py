"""What a server answers instead of what was asked, as the exceptions of Headcount."""

from collections.abc import Mapping

import msgspec

from headcount.core.errors import (
    HeadcountError,
    InvalidSearch,
    JobNotReady,
    NoSuchJob,
    NotAllowed,
    ServerError,
    WrongServer,
)
from headcount.core.report import API_HEADER, API_VERSION

_NO_KEY = "give one made by `headcount keys create`; commands read HEADCOUNT_API_KEY"


class Fault(msgspec.Struct, frozen=True):
    """A field of a request that is at fault."""

    field: str
    detail: str


class Problem(msgspec.Struct, frozen=True):
    """What went wrong, as in RFC 9457."""

    detail: str
    hint: str = ""
    errors: list[Fault] = []


def stranger(
    server: str, status: int, headers: Mapping[str, str]
) -> WrongServer | None:
    """Why an answer is none that this client understands; `None` where it is."""
    version = headers.get(API_HEADER)
    if version == API_VERSION:
        return None
    if version is not None:
        old = version.isdigit() and int(version) < int(API_VERSION)
        act = "upgrade the server" if old else "upgrade Headcount here"
        return WrongServer(
            f"expected a server with API {API_VERSION}, and {server} has API "
            f"{version[:20]!a}: {act}"
        )
    told = f"HTTP {status}, {headers.get('content-type', 'no type')[:60]!a}"
    if "location" in headers and 300 <= status < 400:
        told = f"it leads on to {headers['location'][:200]!a}"
    return WrongServer(
        f"expected a Headcount server at {server}, and what answers there is none, or "
        f"too old ({told}): give the address that `headcount serve` tells"
    )


def error_of(server: str, status: int, body: bytes) -> HeadcountError:
    """The exception that a refusal of a server is, with its field and hint."""
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        problem = Problem(f"HTTP {status}")
    error = _error(server, status, problem)
    error.hint = problem.hint
    return error


def _error(server: str, status: int, problem: Problem) -> HeadcountError:
    detail = problem.detail
    if status >= 500:
        return ServerError(f"{server} cannot answer now: {detail}")
    kinds: dict[int, tuple[type[HeadcountError], str]] = {
        401: (NotAllowed, f"{server} asks for an API key ({detail}): {_NO_KEY}"),
        403: (NotAllowed, f"{server} does not allow it: {detail}"),
        404: (NoSuchJob, detail),
        409: (JobNotReady, detail),
        429: (ServerError, f"{server} is asked too often: {detail}"),
    }
    if status in kinds:
        kind, message = kinds[status]
        return kind(message)
    return InvalidSearch(problem.errors[0].field if problem.errors else "", detail)
