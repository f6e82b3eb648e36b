"""The objects of the HTTP API as TypeScript: `headcount.d.ts` for the Next.js example.

The parts of JSON Schema that our own document uses are known here, and no others.
"""

import json
from collections.abc import Iterator
from typing import Any

from headcount.web.app import Web
from headcount.web.document import openapi_document

_HEAD = """\
// The objects of Headcount's HTTP API, made from its OpenAPI document: do not edit.
// `python scripts/reference.py` writes it anew.
"""
_SCALARS = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def declarations() -> str:
    """Every object that the HTTP API takes or gives."""
    schemas = openapi_document(Web())["components"]["schemas"]
    return "\n".join([_HEAD, *(_declared(*each) for each in sorted(schemas.items()))])


def _declared(name: str, part: dict[str, Any]) -> str:
    return f"{_comment(part, '')}export type {_named(name)} = {_type(part)};\n"


def _named(name: str) -> str:
    return name[0].upper() + name[1:]


def _type(part: dict[str, Any], indent: str = "") -> str:
    """A schema as an expression of TypeScript."""
    if "$ref" in part:
        return _reference(part["$ref"])
    if "const" in part or "enum" in part:
        values = part.get("enum", [part.get("const")])
        return " | ".join(json.dumps(value) for value in values)
    if choices := part.get("anyOf", part.get("oneOf")):
        return " | ".join(_type(choice, indent) for choice in choices)
    kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
    return " | ".join(_kind(kind, part, indent) for kind in kinds)


def _kind(kind: str, part: dict[str, Any], indent: str) -> str:
    if kind == "array":
        return f"Array<{_type(part['items'], indent)}>"
    if kind == "object":
        lines = "".join(_fields(part, f"{indent}  "))
        return f"{{\n{lines}{indent}}}"
    return _SCALARS[kind]


def _fields(part: dict[str, Any], indent: str) -> Iterator[str]:
    for name, inner in part["properties"].items():
        mark = "" if name in part.get("required", ()) else "?"
        yield _comment(inner, indent)
        yield f"{indent}{name}{mark}: {_type(inner, indent)};\n"


def _reference(path: str) -> str:
    """`#/components/schemas/job/properties/id` is `Job["id"]`."""
    name, *inner = path.removeprefix("#/components/schemas/").split("/")
    return _named(name) + "".join(f'["{step}"]' for step in inner[1::2])


def _comment(part: dict[str, Any], indent: str) -> str:
    text = " ".join(part.get("description", "").split()).replace("*/", "*\\/")
    return f"{indent}/** {text} */\n" if text else ""
