"""The OpenAPI document: the routes as they are, and the objects of the JSON schema."""

import json
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from headcount.web.answers import RATE_HEADERS, json_answer, reference
from headcount.web.site import Reader

routes = APIRouter()
_ABOUT = """\
Ask for N creators and get exactly N different ones, or be told precisely why not.

A search becomes a *job*, which is worked on in the background until it has exactly as
many creators as were asked for (`completed`), or ends as `partial` with one named
reason. Every error is a problem document (RFC 9457) that says what is wrong and what
to do. Lists come in pages: ask again with `cursor` set to the `nextCursor` given.
"""


@routes.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request, _: Reader) -> Response:
    """This document."""
    return json_answer(openapi_document(request.app))


def openapi_document(web: FastAPI) -> dict[str, Any]:
    """The whole description of an app's routes."""
    if web.openapi_schema is None:
        told = get_openapi(
            title="Headcount",
            version=version("headcount"),
            description=_ABOUT,
            routes=web.routes,
        )
        schemas = told["components"].setdefault("schemas", {})
        _strip([told["paths"], told["components"]])
        schemas |= {**_published(), **_OWN}
        _tell_rates(told)
        web.openapi_schema = told
    return web.openapi_schema


def _published() -> dict[str, Any]:
    """The objects of the published schema, under the document's own paths."""
    text = files("headcount").joinpath("schema.json").read_text(encoding="utf-8")
    moved = text.replace('"#/$defs/', '"#/components/schemas/')
    published: dict[str, Any] = json.loads(moved)["$defs"]
    job = published["jobDocument"]
    published["job"] = {
        **job,
        "description": "A job with its statistics.",
        "properties": {**job["properties"], **_MORE_OF_A_JOB},
        "required": [*job["required"], *_MORE_OF_A_JOB],
    }
    return published


def _strip(part: object) -> None:
    """Leave out what is made of Python's own words: titles, and parameters of null."""
    if isinstance(part, list):
        for inner in part:
            _strip(inner)
    if isinstance(part, dict):
        if isinstance(part.get("title"), str):
            del part["title"]
        if "in" in part and "anyOf" in part.get("schema", {}):
            part["schema"] |= part["schema"].pop("anyOf")[0]
        for inner in part.values():
            _strip(inner)


def _tell_rates(told: dict[str, Any]) -> None:
    """Say of every answer to a known caller how many requests are left."""
    headers = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in RATE_HEADERS.items()
    }
    for operations in told["paths"].values():
        for operation in operations.values():
            if operation.get("security"):
                for status, answer in operation["responses"].items():
                    if status.startswith("2"):
                        answer["headers"] = {**headers, **answer.get("headers", {})}


def _object(description: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "description": description,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(description: str, items: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "type": "array", "items": items}


def _text(description: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"description": description, "type": "string", **more}


_MORE_OF_A_JOB = {
    "advice": _text("What would help where it fell short; empty where nothing would."),
    "exactCountTracking": reference("exactCountTracking"),
}
_NEXT = {
    "description": "Where the next page begins; null where there is none now.",
    "type": ["string", "null"],
}
_OWN = {
    "jobPage": _object(
        "Jobs, the newest first.",
        jobs=_list("The jobs.", reference("jobDocument")),
        nextCursor=_NEXT,
    ),
    "creatorPage": _object(
        "Delivered creators by ordinal.",
        creators=_list(
            "The creators, all in the shape asked for.",
            {"anyOf": [reference("row"), reference("guideRow")]},
        ),
        nextCursor=_NEXT,
    ),
    "allowancePage": _object(
        "What an owner and their users may use, and have used.",
        allowances=_list("One for each holder.", reference("allowance")),
    ),
    "callPage": _object(
        "The ledger, in the order the calls were held.",
        calls=_list("The calls.", reference("apiCallDetail")),
        nextCursor=_NEXT,
    ),
    "news": {
        "description": "The data of an event: the numbers of `progress`, and these.",
        "type": "object",
        "properties": {
            "at": reference("moment"),
            "status": _text("The status the job has come to."),
            "credits": {"type": "integer", "description": "Credits spent."},
            "calls": _list("The calls just closed.", reference("apiCallDetail")),
            "outcome": {"oneOf": [reference("outcome"), {"type": "null"}]},
            "rest": {"oneOf": [reference("rest"), {"type": "null"}]},
            "forecast": reference("forecast"),
        },
        "required": [
            *("at", "status", "credits", "calls", "outcome", "rest", "forecast"),
        ],
    },
    "health": _object("All is well.", status={"const": "ok"}),
    "problem": _object(
        "What went wrong, as in RFC 9457.",
        type=_text("The kind of problem.", examples=["urn:headcount:problem:invalid"]),
        title=_text("The kind in words."),
        status={"description": "The HTTP status.", "type": "integer"},
        detail=_text("What is wrong this time."),
        hint=_text("What to do about it."),
        errors=_list(
            "The fields of the request that are at fault.",
            _object(
                "A field at fault.",
                field=_text("Its path.", examples=["filters.followersMin"]),
                detail=_text("What is wrong with it."),
            ),
        ),
    ),
}
