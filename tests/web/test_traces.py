"""Spans of what a service does: whose they are, and what they must not tell."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes.databases import sqlite
from fakes.receiver import Receiver, receiving, status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from web.service import SEARCH, Service, serving_web

from headcount.acts import Act, Observers, Request, Step
from headcount.adapters.traces import Traces, trace_ids

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Spans:
    """What was traced, in memory."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.traces = Traces(SimpleSpanProcessor(self._exporter))

    def __call__(self, name: str) -> list[ReadableSpan]:
        """The spans of this name that have ended."""
        return [one for one in self.all if one.name == name]

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()


@pytest.fixture
def spans() -> Spans:
    return Spans()


@asynccontextmanager
async def tracing(
    folder: Path,
    spans: Spans,
    **settings: Any,  # noqa: ANN401 - as declared by Settings
) -> AsyncIterator[Service]:
    at = await sqlite(folder)
    async with serving_web(at, observers=[spans.traces], **settings) as service:
        yield service


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def is_child(span: ReadableSpan, of: ReadableSpan) -> bool:
    parent, above = span.parent, of.context
    return bool(parent and above and parent.span_id == above.span_id)


async def test_a_step_has_its_calls_and_transactions_within_it(
    tmp_path: Path, spans: Spans
) -> None:
    async with tracing(tmp_path, spans) as service:
        job = await service.ended(await service.begun())

    (step,) = spans("step")
    calls, settles = spans("call page"), spans("settle")
    assert len(calls) == len(settles) == job["apiCalls"]
    assert all(is_child(one, step) for one in [*calls, *settles])
    assert told(step)["headcount.job.status"] == "completed"
    assert {told(one)["headcount.job.id"] for one in [step, *calls, *settles]} == {
        job["id"]
    }
    assert sorted(told(call)["headcount.call.id"] for call in calls) == list(
        range(1, len(calls) + 1)
    )
    assert {told(call)["headcount.call.outcome"] for call in calls} == {"page"}
    assert sum(told(one)["headcount.pages"] for one in settles) == len(settles)


async def test_a_call_that_fails_says_how_and_nothing_of_what_was_said(
    tmp_path: Path, spans: Spans
) -> None:
    faults = ("server_error@1",)
    async with tracing(tmp_path, spans, sandbox_faults=faults) as service:
        await service.ended(await service.begun())

    failed = [one for one in spans("call page") if not one.status.is_ok]
    assert [told(one)["headcount.call.outcome"] for one in failed] == ["unavailable"]
    assert [one.status.description for one in failed] == [None]


async def test_a_request_is_named_by_its_route_and_goes_on_with_the_callers_trace(
    tmp_path: Path, spans: Spans
) -> None:
    async with tracing(tmp_path, spans, works=False) as service:
        await service.post("/api/jobs", SEARCH, traceparent=CALLER)
        await service.get("/nowhere/at/all")
        await service.get("/healthz")

    (asked,) = spans("POST /api/jobs")
    assert told(asked)["http.response.status_code"] == 201
    assert told(asked)["http.route"] == "/api/jobs"
    assert asked.context
    assert f"{asked.context.trace_id:032x}" in CALLER
    assert asked.parent
    assert f"{asked.parent.span_id:016x}" in CALLER
    assert is_child(spans("wake")[0], asked)
    assert [told(one)["http.response.status_code"] for one in spans("GET")] == [404]
    assert spans("GET /healthz") == []


async def test_a_job_that_is_taken_up_at_once_goes_on_with_the_trace_of_its_request(
    tmp_path: Path, spans: Spans
) -> None:
    async with tracing(tmp_path, spans) as service:
        await service.ended(await service.begun())

    contexts = [one.context for one in [*spans("POST /api/jobs"), *spans("step")]]
    assert len({context.trace_id for context in contexts if context}) == 1


async def test_a_message_to_a_webhook_is_a_span_of_its_job(
    tmp_path: Path, spans: Spans
) -> None:
    async with (
        receiving([status(500)]) as receiver,
        tracing(tmp_path, spans, webhook_allow_private=True) as service,
    ):
        job = await service.begun(webhook=receiver.url())
        await service.ended(job)
        courier = (await service.site.app.webhooks()).courier
        await courier.deliver_due()

    sent = spans("send webhook")
    assert sent
    assert {told(one)["headcount.job.id"] for one in sent} == {job}
    assert all(told(one)["headcount.message.id"].startswith(job) for one in sent)
    failed = [told(one) for one in sent if not one.status.is_ok]
    assert [one["http.response.status_code"] for one in failed] == [500]


async def test_no_span_tells_a_keyword_a_key_or_where_a_webhook_is(
    tmp_path: Path, spans: Spans
) -> None:
    async with (
        receiving() as receiver,
        tracing(tmp_path, spans, webhook_allow_private=True, dev=False) as service,
    ):
        key = await service.key("ann")
        ask = {**SEARCH, "keywords": ["zebrafish"], "webhook": receiver.url()}
        made = await service.post("/api/jobs", ask, **key)
        await service.get(f"/api/jobs/{made.json()['id']}/events", **key)

    everything = " ".join(one.to_json() for one in spans.all)
    token = key["Authorization"].removeprefix("Bearer ")
    assert not [
        word for word in ("zebrafish", token, "/hook", "ann") if word in everything
    ]


async def test_spans_are_sent_to_the_collector_that_the_settings_name(
    tmp_path: Path,
) -> None:
    async with receiving([status(200)] * 50) as collector:
        endpoint = f"http://127.0.0.1:{collector.port}"
        at = await sqlite(tmp_path)
        async with serving_web(at, otel_exporter_otlp_endpoint=endpoint) as service:
            job = await service.ended(await service.begun())

    sent = exported(collector)
    names = {span.name for span in sent}
    assert {"step", "call page", "settle", "POST /api/jobs"} <= names
    ids = {a.value.string_value for span in sent for a in span.attributes}
    assert job["id"] in ids


def exported(collector: Receiver) -> list[Any]:
    """The spans that a collector got."""
    found: list[Any] = []
    for received in collector.received:
        assert received.line.startswith("POST /v1/traces ")
        packed = received.headers.get("content-encoding") == "gzip"
        body = gzip.decompress(received.body) if packed else received.body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {a.key: a.value.string_value for a in resource.resource.attributes}
            assert names["service.name"] == "headcount"
            found += [span for scope in resource.scope_spans for span in scope.spans]
    return found


def test_a_log_line_names_the_span_that_it_is_written_in(spans: Spans) -> None:
    observers = Observers(spans.traces)

    before = trace_ids(None, "info", {"event": "before"})
    with observers.during(Step("job-1")):
        within = trace_ids(None, "info", {"event": "within"})

    (step,) = spans.all
    assert step.context
    assert before == {"event": "before"}
    assert within == {
        "event": "within",
        "trace_id": f"{step.context.trace_id:032x}",
        "span_id": f"{step.context.span_id:016x}",
    }


def test_what_goes_wrong_in_an_act_is_named_by_its_kind_alone(spans: Spans) -> None:
    observers = Observers(spans.traces)

    with pytest.raises(ValueError, match="secret"), observers.during(Step("job-1")):
        raise ValueError("a secret")

    (step,) = spans.all
    assert told(step)["error.type"] == "ValueError"
    assert "secret" not in step.to_json()


def test_an_observer_that_fails_does_no_harm(
    spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def during(self, act: Act) -> Any:  # noqa: ANN401 - it returns nothing at all
            raise RuntimeError(f"cannot see {type(act).__name__}")

    observers = Observers(Broken(), spans.traces)

    with observers.during(Request("GET", "/api/jobs", {})) as act:
        act.status = 200

    assert [one.name for one in spans.all] == ["GET"]
    assert "cannot see Request" in caplog.text
