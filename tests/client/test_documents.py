"""The values of the client are the objects that the API publishes, field by field."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headcount.client import documents, results
from headcount.client.documents import Answer, document_of, value_of
from headcount.web.app import Web
from headcount.web.document import openapi_document

GOLDEN = Path(__file__).parents[1] / "golden"
SCHEMA: dict[str, Any] = json.loads(
    files("headcount").joinpath("schema.json").read_text()
)["$defs"]
KINDS: dict[str, type[Answer]] = {
    "jobDocument": documents.JobDocument,
    "exactCountTracking": documents.Tracking,
    "apiCallDetail": documents.CallDetail,
    "limits": documents.LimitsDocument,
    "outcome": documents.OutcomeDocument,
    "rest": documents.RestDocument,
    "forecast": documents.ForecastDocument,
    "range": documents.RangeDocument,
    "source": documents.SourceDocument,
    "row": results.Row,
    "video": results.VideoDocument,
    "guideRow": results.GuideRow,
    "figures": results.Figures,
    "exactCountStats": results.ExactCountStats,
    "exactCountStatus": results.ExactCountStatus,
    "statistics": results.StatisticsDocument,
    "plan": documents.PlanDocument,
    "webhookSecret": results.WebhookSecret,
    "allowance": results.AllowanceDocument,
}
PUBLISHED = [name for name in KINDS if (GOLDEN / f"{name}.json").exists()]


def names(kind: type[Answer]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


@pytest.mark.parametrize("name", KINDS)
def test_a_value_has_every_field_that_is_published(name: str) -> None:
    assert names(KINDS[name]) == set(SCHEMA[name]["properties"])


def test_the_values_of_the_routes_have_every_field_too() -> None:
    schemas = openapi_document(Web())["components"]["schemas"]
    progress = set(SCHEMA["progress"]["properties"])

    assert names(documents.JobSheet) == set(schemas["job"]["properties"])
    assert names(documents.News) == progress | set(schemas["news"]["properties"])


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_document_comes_back_as_it_went(name: str) -> None:
    document = json.loads((GOLDEN / f"{name}.json").read_text())

    value = value_of(document, KINDS[name])

    assert document_of(value) == document
    assert list(document_of(value)) == list(document)


def test_fields_of_a_later_server_are_passed_over() -> None:
    found = value_of(
        {"low": 1, "expected": 2, "high": 3, "later": 4}, documents.RangeDocument
    )

    assert found == documents.RangeDocument(low=1, expected=2, high=3)


def test_times_are_times_and_the_secret_is_not_shown() -> None:
    call = json.loads((GOLDEN / "apiCallDetail.json").read_text())
    secret = results.WebhookSecret(url="https://shop.example/", secret="whsec_x")  # noqa: S106 - invented

    timestamp = value_of(call, documents.CallDetail).timestamp

    assert timestamp == datetime(2026, 3, 14, 12, 0, 4, tzinfo=UTC)
    assert "whsec_" not in repr(secret)
