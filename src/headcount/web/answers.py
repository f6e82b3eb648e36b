"""What routes answer, and how the OpenAPI document tells of it."""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

import msgspec
from fastapi import Response

from headcount.web.problems import KINDS, MEDIA_TYPE

T = TypeVar("T")
Told = dict[int | str, dict[str, Any]]
_ALWAYS = (401, 403, 422, 429, 500, 503)
RATE_HEADERS = {
    "RateLimit-Limit": "Requests that the key may make in a minute.",
    "RateLimit-Remaining": "How many of them are left.",
    "RateLimit-Reset": "Seconds until they are all there again.",
}


def json_answer(document: object) -> Response:
    """An answer in JSON."""
    return Response(msgspec.json.encode(document), media_type="application/json")


async def page_of(found: AsyncIterator[T], limit: int) -> tuple[list[T], bool]:
    """The first of a list, and whether there are more."""
    page: list[T] = []
    async for one in found:
        if len(page) == limit:
            return page, True
        page.append(one)
    return page, False


def answers(schema: str, *errors: int) -> Told:
    """That a route answers 200 with this object, or one of these errors."""
    return {200: _content(schema, "As asked."), **problems(*errors)}


def created(schema: str) -> Told:
    """That a route makes a job."""
    headers = {"Location": _header("Where the job is.")}
    made = {**_content(schema, "The job as it begins."), "headers": headers}
    return {201: made, **problems(400, 409, 413)}


def nothing() -> Told:
    """That a route has nothing to say when all is well."""
    return {204: {"description": "It is done."}, **problems(404)}


def problems(*errors: int) -> Told:
    """That a route may answer these errors, besides those that every route may."""
    return {status: _problem(status) for status in sorted({*errors, *_ALWAYS})}


def reference(schema: str) -> dict[str, str]:
    """A pointer to an object of the document."""
    return {"$ref": f"#/components/schemas/{schema}"}


def _content(schema: str, description: str) -> dict[str, Any]:
    media = {"application/json": {"schema": reference(schema)}}
    return {"description": description, "content": media}


def _problem(status: int) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": reference("problem")}}
    told = {"description": KINDS[status].title, "content": content}
    if status == 429:
        return {**told, "headers": {"Retry-After": _header("Seconds to wait.")}}
    return told


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}
