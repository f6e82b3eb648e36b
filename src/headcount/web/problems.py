"""Whatever goes wrong is told the same way: a problem document as in RFC 9457."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from headcount.core.errors import (
    HeadcountError,
    InternalError,
    InvalidSearch,
    JobNotReady,
    NoSuchJob,
    OperatorError,
    UsageError,
)
from headcount.core.filters import FILTERS, shown

_LOG = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
_ANY_FILTER = {spec.name: f"filters.{spec.json_name}" for spec in FILTERS}
_PLAIN = {404: "nothing is at this path", 405: "not by this method"}
_MOST_FAULTS = 20
# What pydantic calls the branch of a choice, which the client did not write.
_BRANCH = re.compile(r"(constrained-)?(str|int|bool|list\[.*\])|function-after\[.*\]")
_FIELDS = {**_ANY_FILTER, "target": "targetResults", "deadline": "limits.deadline"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its name and title, and what to do about it."""

    name: str
    title: str
    hint: str


KINDS: Mapping[int, Kind] = {
    400: Kind("malformed", "Malformed request", "Send JSON in UTF-8."),
    401: Kind(
        "unauthenticated",
        "A key is needed",
        "Send `Authorization: Bearer` with a key that is not revoked; the operator "
        "makes one by `headcount keys create`.",
    ),
    403: Kind("forbidden", "Not allowed", "Use a key whose scope allows it."),
    404: Kind(
        "not-found", "Not found", "Check the path, and the id in the list of your jobs."
    ),
    405: Kind("method-not-allowed", "Method not allowed", "See the header Allow."),
    406: Kind(
        "not-acceptable",
        "Not to be had in this form",
        "Accept application/json, application/x-ndjson or text/csv.",
    ),
    409: Kind("conflict", "Not possible now", "Look at how it stands, then decide."),
    413: Kind("too-large", "Too large", "Send at most 1 MB."),
    422: Kind("invalid", "The request cannot be taken", "Mend the fields in `errors`."),
    429: Kind(
        "too-many-requests", "Too many requests", "Wait as long as Retry-After says."
    ),
    500: Kind("internal", "A defect of ours", "Please report it; try again later."),
    503: Kind(
        "unavailable", "Not available now", "Try again; if it stays, tell the operator."
    ),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field of a request; `field` is its path."""

    field: str
    detail: str


@dataclass
class Problem(Exception):  # noqa: N818 - it names the document that is answered
    """An answer that is not what was asked for, to be raised where that shows."""

    status: int
    detail: str
    errors: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer to send."""
        kind = KINDS.get(self.status, Kind("refused", "Refused", "See the detail."))
        document = {
            "type": f"urn:headcount:problem:{kind.name}",
            "title": kind.title,
            "status": self.status,
            "detail": self.detail,
            "hint": kind.hint,
            "errors": [{"field": e.field, "detail": e.detail} for e in self.errors],
        }
        return Response(
            msgspec.json.encode(document),
            self.status,
            headers=dict(self.headers),
            media_type=MEDIA_TYPE,
        )


def invalid(field: str, detail: str) -> Problem:
    """The problem of one field that cannot be used."""
    return Problem(422, f"{field}: {detail}", [Fault(field, detail)])


def problem_of(error: HeadcountError) -> Problem:
    """The problem that tells of an error of ours, by who must act."""
    text = str(error)
    match error:
        case InvalidSearch():
            path = _harmless(_FIELDS.get(error.field, error.field))
            for name in (error.field, path.rpartition(".")[2]):
                text = text.removeprefix(f"{name}: ")
            return invalid(path, text)
        case NoSuchJob():
            return Problem(404, text)
        case JobNotReady():
            return Problem(409, text)
        case InternalError():
            _LOG.error("a request met a defect: %s", text)
            return Problem(500, "a promise was about to be broken; nothing was changed")
        case OperatorError() | UsageError():
            _LOG.error("a request could not be answered: %s", text)
            told = "the service cannot do this now; its log says why"
            return Problem(503, told, headers={"Retry-After": "5"})
    raise error


def install(web: FastAPI) -> None:
    """Answer every error of an app by a problem."""

    async def ours(_: Request, error: Exception) -> Response:
        assert isinstance(error, HeadcountError)
        return problem_of(error).response()

    async def raised(_: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response()

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status, headers = error.status_code, dict(error.headers or {})
        if status == 405:
            headers["Allow"] = ", ".join(sorted(_methods_at(request)))
        detail = _PLAIN.get(status) or str(error.detail)
        return Problem(status, detail, headers=headers).response()

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _of_validation(error).response()

    async def defect(_: Request, error: Exception) -> Response:
        del error  # the server logs it
        return Problem(500, "the service met a defect; its log says where").response()

    web.add_exception_handler(HeadcountError, ours)
    web.add_exception_handler(Problem, raised)
    web.add_exception_handler(HTTPException, refused)
    web.add_exception_handler(RequestValidationError, invalid)
    web.add_exception_handler(Exception, defect)


def _methods_at(request: Request) -> set[str]:
    """All that may be done at a path; a single route knows its own method only."""
    path = request.scope["path"]
    found = [
        context.methods or set()
        for context in iter_route_contexts(request.app.routes)
        if context.path_regex.fullmatch(path)
    ]
    return set().union(*found)


def _of_validation(error: RequestValidationError) -> Problem:
    found = error.errors()
    if any(fault["type"] == "json_invalid" for fault in found):
        return Problem(400, f"the body is no JSON: {found[0]['ctx']['error']}")
    faults: dict[str, str] = {}
    for fault in found:
        faults.setdefault(_path(fault), _said(fault))
    told = [Fault(path, said) for path, said in list(faults.items())[:_MOST_FAULTS]]
    return Problem(422, f"{told[0].field}: {told[0].detail}", told)


def _path(fault: Mapping[str, Any]) -> str:
    """Where in a request a fault is: `filters.verified`, `keywords.0`, `?limit`."""
    where, *steps = map(str, fault["loc"])
    if fault["type"] != "extra_forbidden":  # a client may call a field anything
        steps = [step for step in steps if not _BRANCH.fullmatch(step)]
    mark = {"query": "?", "header": "header ", "path": "path "}.get(where, "")
    return _harmless(mark + ".".join(steps)) or "body"


def _said(fault: Mapping[str, Any]) -> str:
    """What pydantic found, without what came, which may be secret or huge."""
    if fault["type"] == "extra_forbidden":
        return "no field has this name"
    text = str(fault["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _harmless(text: str) -> str:
    """A path that can be sent and printed, whatever was in it."""
    return text if text.isascii() and text.isprintable() else shown(text)
