"""Writes the reference of the HTTP API, which follows from its OpenAPI document."""

from collections.abc import Iterator, Sequence
from typing import Any

from headcount.web.app import Web
from headcount.web.document import openapi_document

_BODIES = ("SearchAsk", "LimitsAsk", "FiltersAsk", "TopUpAsk")
_OF_EVERY_ROUTE = {"401", "403", "422", "429", "500", "503"}


def http() -> str:
    """Every route with what it takes and answers, and every body."""
    document = openapi_document(Web())
    routes = [
        _route(method, path, told)
        for path, operations in document["paths"].items()
        for method, told in operations.items()
    ]
    bodies = [_body(name, document["components"]["schemas"][name]) for name in _BODIES]
    return "\n\n".join([*routes, *bodies])


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    rule = f"|{'|'.join(['---'] * len(heads))}|"
    return "\n".join([f"| {' | '.join(heads)} |", rule, *lines])


def _route(method: str, path: str, told: Any) -> str:  # noqa: ANN401 - JSON
    parts = [f"## `{method.upper()} {path}`", told["description"]]
    rows = [
        (f"`{one['name']}`", one["in"], _kind(one["schema"]), one["description"])
        for one in told.get("parameters", [])
        if one["in"] != "path"
    ]
    if "requestBody" in told:
        [media] = told["requestBody"]["content"].values()
        rows.append(("", "body", _kind(media["schema"]), "As below."))
    if rows:
        parts.append(_table(("Name", "In", "Type", "Meaning"), rows))
    parts.append(f"Answers: {', '.join(_answers(told['responses']))}.")
    return "\n\n".join(parts)


def _answers(responses: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """The statuses of a route, without those that every route may answer."""
    for status, answer in responses.items():
        if status not in _OF_EVERY_ROUTE:
            kinds = [
                _kind(media["schema"]) if media["schema"].get("$ref") else f"`{name}`"
                for name, media in answer.get("content", {}).items()
                if "problem" not in name
            ]
            yield f"`{status}`" + (f" ({', '.join(kinds)})" if kinds else "")


def _body(name: str, schema: Any) -> str:  # noqa: ANN401 - JSON
    needed = schema.get("required", [])
    rows = [
        (
            f"`{field}`" + (" (needed)" if field in needed else ""),
            _kind(inner),
            inner.get("description", "As below."),
        )
        for field, inner in schema["properties"].items()
    ]
    table = _table(("Field", "Type", "Meaning"), rows)
    return f"## `{name}`\n\n{schema['description']}\n\n{table}"


def _kind(schema: Any) -> str:  # noqa: ANN401 - JSON
    """The type in words: JSON's own, the values there are, or the object meant."""
    if "anyOf" in schema:
        kinds = [_kind(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(kinds)
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return str(schema.get("type", "any"))
