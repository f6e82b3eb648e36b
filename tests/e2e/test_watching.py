"""A service that is watched: scraped, traced and read in its log, as operators do."""

import json
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx2
from e2e.program import PATIENCE, Home, Run, until
from e2e.test_serve import SEARCH, client, events

_METRICS = re.compile(r"Metrics on (http://\S+/metrics) ")


def key(home: Home, scope: str) -> dict[str, str]:
    made = home.run("keys", "create", "--owner", "ops", "--scope", scope)
    return {"Authorization": f"Bearer {made.out.strip()}"}


def lines(run: Run) -> list[dict[str, Any]]:
    """What a service has logged, where it is not on a terminal."""
    return [json.loads(line) for line in run.said.splitlines() if line[:1] == "{"]


@contextmanager
def a_collector() -> Iterator[tuple[str, list[str]]]:
    """A collector of traces on loopback: its address, and the paths it was sent to."""
    paths: list[str] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()
        thread.join()


def test_a_service_is_scraped_with_a_key_that_opens_nothing_else(home: Home) -> None:
    ours, writer = key(home, "metrics"), key(home, "write")
    run = home.start("serve", "--port", 0)
    with client(run, **writer) as to:
        job = to.post("/api/jobs", json=SEARCH).json()["id"]
        list(events(to, job))
        scraped = to.get("/metrics", headers=ours)
        refused = to.get("/api/jobs", headers=ours).status_code

    assert scraped.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'headcount_jobs_ended_total{reason="",status="completed"} 1.0' in (
        scraped.text
    )
    assert refused == 403


def test_a_worker_is_scraped_on_a_port_of_its_own(home: Home) -> None:
    ours = key(home, "metrics")
    worker = home.start("worker", "--metrics-port", 0)
    place = until(lambda: _METRICS.search(worker.said))[1]

    with client(home.start("serve", "--dev", "--port", 0, "--no-work")) as to:
        job = to.post("/api/jobs", json=SEARCH).json()["id"]
        ended = list(events(to, job))[-1]
    scraped = httpx2.get(place, headers=ours, timeout=PATIENCE).text

    found = re.search(r"^headcount_pages_settled_total (\S+)$", scraped, re.MULTILINE)
    assert found
    assert float(found[1]) == ended["apiCalls"]
    assert httpx2.get(place, timeout=PATIENCE).status_code == 401
    worker.send(signal.SIGTERM)
    assert worker.end().code == 0


def test_a_port_that_is_taken_is_said_with_the_options_that_name_another(
    home: Home,
) -> None:
    with client(home.start("serve", "--dev", "--port", 0)) as to:
        taken = to.base_url.port
        ran = home.run("worker", "--metrics-port", str(taken))

    assert ran.code == 2
    assert "--metrics-host, --metrics-port" in ran.err


def test_every_line_about_a_job_names_it_and_the_span_where_it_is_traced(
    home: Home,
) -> None:
    with a_collector() as (endpoint, paths):
        run = home.start(
            *("serve", "--dev", "--port", 0),
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
            OTEL_SERVICE_NAME="ours",
        )
        with client(run) as to:
            job = to.post("/api/jobs", json=SEARCH).json()["id"]
            ended = list(events(to, job))[-1]
        run.send(signal.SIGTERM)
        code = run.end().code

    told = [line for line in lines(run) if line["event"].startswith(("call", "job"))]
    calls = [line for line in told if line["event"] == "call"]
    assert code == 0
    assert {line["job"] for line in told} == {job}
    assert sorted(line["call"] for line in calls) == list(
        range(1, ended["apiCalls"] + 1)
    )
    assert len({line["trace_id"] for line in calls}) == 1
    assert set(paths) == {"/v1/traces"}


def test_a_warning_within_a_step_names_the_job(home: Home) -> None:
    run = home.start(
        *("serve", "--dev", "--port", 0), HEADCOUNT_SANDBOX_FAULTS="out_of_credits@1"
    )
    with client(run) as to:
        job = to.post("/api/jobs", json=SEARCH).json()["id"]
        until(lambda: "is closed" in run.said)

    (warning,) = [line for line in lines(run) if "is closed" in line["event"]]
    assert (warning["job"], warning["level"]) == (job, "warning")
    assert "trace_id" not in warning


def test_without_a_collector_nothing_of_opentelemetry_is_imported(home: Home) -> None:
    run = home.start("serve", "--dev", "--port", 0, PYTHONPROFILEIMPORTTIME="1")
    with client(run) as to:
        to.get("/metrics")
    run.send(signal.SIGTERM)

    said = run.end().err
    assert "prometheus_client" in said
    assert "opentelemetry.sdk" not in said


def test_old_jobs_are_pruned_and_their_figures_kept(home: Home) -> None:
    for word in ("apple", "tea"):
        home.run("find", 20, word, "--sandbox", "--quiet")
    kept = home.run("stats", "--format", "json").json

    early = home.run("jobs", "prune", "--older-than", "1d", "--yes")
    later = ("jobs", "prune", "--older-than", "1s", "--format", "json")
    tried = until(lambda: _found(home, *later))
    unsaid = home.run(*later)
    pruned = home.run(*later, "--yes")

    assert "Forgot 0 jobs" in early.err
    assert tried == {"found": 2, "forgotten": 0}
    assert unsaid.code == 130
    assert pruned.json == {"found": 2, "forgotten": 2}
    assert home.run("jobs", "list", "--format", "json").json == []
    after = home.run("stats", "--format", "json").json
    assert after["sandbox"] == kept["sandbox"]
    assert home.run("jobs", "prune", "--older-than", "soon").code == 2


def _found(home: Home, *words: str) -> Any:  # noqa: ANN401 - JSON
    """What would be pruned, once both jobs are old enough."""
    told = home.run(*words, "--dry-run").json
    return told if told["found"] == 2 else None


def test_a_service_forgets_what_its_operator_does_not_keep(home: Home) -> None:
    home.run("find", 20, "apple", "--sandbox", "--quiet")
    age(home, days=8)

    run = home.start("serve", "--dev", "--port", 0, HEADCOUNT_RETENTION_DAYS="7")
    with client(run) as to:
        until(lambda: to.get("/api/jobs").json()["jobs"] == [])


def age(home: Home, *, days: int) -> None:
    """Let all jobs have ended so many days ago."""
    then = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="microseconds")
    connection = sqlite3.connect(home.data / "headcount" / "jobs.db")
    connection.execute("UPDATE jobs SET created_at = ?, ended_at = ?", (then, then))
    connection.commit()
    connection.close()
