"""Tells OpenTelemetry of acts: a span for each, sent to a collector over HTTP.

No keyword, no address of a webhook and no key is in a span: only ids, numbers and
outcomes. What else the standard variables say (headers, sampling, the service's name)
is read by the library itself.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from headcount.acts import Act, Fetch, Request, Send, Step, Wake, Write
from headcount.core.calls import Call, CallState, Failure, Page
from headcount.core.model import Change, Job
from headcount.core.webhooks import is_taken

Attributes = dict[str, str | int | float | bool]
_UNSEEN = {"/healthz", "/readyz", "/metrics"}  # asked every few seconds
_KINDS = {
    Fetch: SpanKind.CLIENT,
    Send: SpanKind.CLIENT,
    Wake: SpanKind.PRODUCER,
    Request: SpanKind.SERVER,
}
_JOB: ContextVar[str | None] = ContextVar("job", default=None)
_CALLER = TraceContextTextMapPropagator()


class Traces:
    """An observer that makes a span of each act."""

    def __init__(self, processor: SpanProcessor) -> None:
        ours = {"service.name": "headcount", "service.version": version("headcount")}
        resource = Resource.create(ours).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("headcount", version("headcount"))

    @contextmanager
    def during(self, act: Act) -> Iterator[None]:
        """Have a span while the act is done; what is done within it is its child."""
        if isinstance(act, Request) and act.path in _UNSEEN:
            yield
            return
        before = _JOB.set(getattr(act, "job_id", None) or _JOB.get())
        caller = _CALLER.extract(act.trace) if isinstance(act, Request) else None
        kind = _KINDS.get(type(act), SpanKind.INTERNAL)
        try:
            with self._tracer.start_as_current_span(
                _name(act), caller, kind, _begun(act)
            ) as span:
                yield
                _finish(span, act)
        finally:
            _JOB.reset(before)

    def close(self) -> None:
        """Send what has not been sent, as far as the collector takes it."""
        self._provider.shutdown()


@asynccontextmanager
async def open_traces(endpoint: str) -> AsyncIterator[Traces]:
    """Trace to a collector at this URL, in the background; at the end send the rest."""
    traces = Traces(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
    try:
        yield traces
    finally:
        await asyncio.to_thread(traces.close)


def trace_ids(_: object, __: str, line: Any) -> Any:  # noqa: ANN401 - as structlog has it
    """Name the span in a log line that is written within one."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = trace.format_trace_id(context.trace_id)
        line["span_id"] = trace.format_span_id(context.span_id)
    return line


def _name(act: Act) -> str:
    """What a span is called; of few names, however many jobs there are."""
    match act:
        case Request(method=method, route=route):
            return f"{method} {route}" if route else method
        case Fetch(call=call):
            return f"call {call.kind.value}"
        case Write(change=change):
            return "settle" if change and _settled(change.calls) else "write"
        case Send():
            return "send webhook"
    return type(act).__name__.lower()


def _settled(calls: Iterable[Call]) -> int:
    return sum(call.state is CallState.SETTLED for call in calls)


def _begun(act: Act) -> Attributes:
    """What is known of an act before it is done."""
    found: Attributes = {}
    if job := _JOB.get():
        found["headcount.job.id"] = job
    match act:
        case Fetch(call=call):
            found |= {"headcount.call.id": call.id, "headcount.source.id": call.source}
        case Send(message_id=message, attempt=attempt):
            found |= {"headcount.message.id": message, "headcount.attempt": attempt}
        case Request(method=method, path=path):
            found |= {"http.request.method": method, "url.path": path}
    return found


def _finish(span: trace.Span, act: Act) -> None:
    """Add how the act went."""
    span.update_name(_name(act))
    span.set_attributes(_ended(act))
    if problem := _problem(act):
        span.set_attribute("error.type", problem)
        span.set_status(StatusCode.ERROR)


def _problem(act: Act) -> str | None:
    """What went wrong, in a word; what was said of it may be secret."""
    if act.error is not None:
        return type(act.error).__name__
    match act:
        case Fetch(answer=Failure() as failure):
            return failure.kind.value
        case Send(answer=answer) if answer is not None and not is_taken(answer):
            return str(answer) if isinstance(answer, int) else "not_reached"
        case Request(status=int(status)) if status >= 500:
            return str(status)
    return None


def _ended(act: Act) -> Attributes:
    """What is known of an act once it has been done."""
    found: Attributes = {}
    match act:
        case Step(job=Job() as job):
            found["headcount.job.status"] = job.status.value
            found["headcount.job.delivered"] = job.delivered
        case Fetch(answer=Page() as page):
            found["headcount.call.outcome"] = "page" if page.items else "empty"
            found["headcount.call.items"] = page.items
        case Fetch(answer=Failure() as failure):
            found["headcount.call.outcome"] = failure.kind.value
        case Write(change=Change() as change):
            found["headcount.pages"] = _settled(change.calls)
            found["headcount.creators"] = len(change.findings)
        case Send(answer=int(status)) | Request(status=int(status)):
            found["http.response.status_code"] = status
    if isinstance(act, Request) and act.route:
        found["http.route"] = act.route
    return found
