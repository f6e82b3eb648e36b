"""`headcount serve` and `headcount keys`, as somebody runs them."""

import json
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from e2e.program import PATIENCE, Home, Run, until
from fakes.postgres import server as postgres

_ADDRESS = re.compile(r"Headcount on (http://\S+) ")
SEARCH = {"keywords": "apple, tech", "targetResults": 63, "sandbox": True}


def address(run: Run) -> str:
    """Where a service listens, as soon as it says so."""
    return until(lambda: _ADDRESS.search(run.said))[1]


def client(run: Run, **headers: str) -> httpx2.Client:
    return httpx2.Client(base_url=address(run), headers=headers, timeout=PATIENCE)


def events(to: httpx2.Client, job: str, **headers: str) -> Iterator[dict[str, Any]]:
    """What happens to a job until its end, or the connection's."""
    seen = 0
    with to.stream("GET", f"/api/jobs/{job}/events", headers=headers) as answer:
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                seen = int(value)
            if name == "data":
                yield {"id": seen, **json.loads(value)}


def test_a_search_over_http_ends_with_exactly_n_creators(home: Home) -> None:
    run = home.start("serve", "--dev", "--port", 0)
    with client(run) as to:
        job = to.post("/api/jobs", json=SEARCH).json()["id"]

        followed = list(events(to, job))

        creators = to.get(f"/api/jobs/{job}/creators").json()["creators"]
        assert followed[-1]["status"] == "completed"
        assert len({creator["id"] for creator in creators}) == len(creators) == 63
    run.send(signal.SIGTERM)
    assert run.end().code == 0
    assert home.shows(job)["status"] == "completed"


def test_a_service_that_is_stopped_hands_its_jobs_back(home: Home) -> None:
    run = home.start("serve", "--dev", "--port", 0, HEADCOUNT_SANDBOX_LATENCY_MS="300")
    with client(run) as to:
        job = to.post("/api/jobs", json={**SEARCH, "targetResults": 200}).json()["id"]
        following = events(to, job)
        until(lambda: next(following)["apiCalls"])
        run.send(signal.SIGTERM)

        list(following)  # the stream ends, and the service does not wait for us

    assert run.end().code == 0
    left = home.shows(job)
    assert left["status"] == "processing"
    again = home.start("serve", "--dev", "--port", 0)
    with client(again) as to:
        ended = list(events(to, job))[-1]
    assert (ended["status"], ended["current"]) == ("completed", 200)


def test_a_watcher_of_one_process_misses_nothing_of_what_others_do(
    home: Home,
) -> None:
    home.env["HEADCOUNT_SANDBOX_LATENCY_MS"] = "200"
    first, second = (
        home.start("serve", "--dev", "--port", 0, "--no-work") for _ in range(2)
    )
    told: list[dict[str, Any]] = []
    with client(first) as to, suppress(httpx2.HTTPError):
        job = to.post("/api/jobs", json={**SEARCH, "targetResults": 200}).json()["id"]
        home.start("worker")
        for event in events(to, job):
            told.append(event)
            if event["apiCalls"] >= 2:
                first.kill()
    last = {"Last-Event-ID": str(told[-1]["id"])}
    with client(second) as to:
        told += events(to, job, **last)

    calls = [call["callNumber"] for event in told for call in event["calls"]]
    assert told[-1]["status"] == "completed"
    assert sorted(calls) == list(range(1, told[-1]["apiCalls"] + 1))


def test_a_key_opens_the_service_until_it_is_revoked(home: Home) -> None:
    made = home.run("keys", "create", "--owner", "acme", "--scope", "read")
    key = made.out.strip()
    [listed] = home.run("keys", "list", "--format", "json").json

    run = home.start("serve", "--port", 0, "--no-work")
    with client(run, Authorization=f"Bearer {key}") as to:
        before = to.get("/api/jobs").status_code
        revoked = home.run("keys", "revoke", listed["id"])
        after = to.get("/api/jobs").status_code

    assert (listed["owner"], listed["scope"], listed["revokedAt"]) == (
        "acme",
        "read",
        None,
    )
    assert key not in home.run("keys", "list").out
    assert key not in made.err
    assert (before, revoked.code, after) == (200, 0, 401)
    assert home.run("keys", "list", "--format", "json").json[0]["revokedAt"]


def test_what_cannot_be_served_is_said_in_one_line(home: Home) -> None:
    with client(home.start("serve", "--dev", "--port", 0)) as to:
        taken = to.base_url.port
        refused = {
            "this machine only": home.run("serve", "--dev", "--host", "0.0.0.0"),  # noqa: S104 - refused
            f"port {taken}": home.run("serve", "--port", str(taken)),
            "cannot listen": home.run("serve", "--host", "no.such.host.invalid"),
            "no key has the id": home.run("keys", "revoke", "x"),
            "owner: expected": home.run("keys", "create", "--owner", " "),
        }

    for words, ran in refused.items():
        assert ran.code == 2
        assert words in ran.err
        assert ran.err.count("\n") == 1


@pytest.mark.parametrize("words", [("serve", "--dev"), ("keys", "list")])
def test_a_postgres_is_upgraded_by_nobody_unasked(
    home: Home, words: tuple[str, ...]
) -> None:
    url = postgres(16).empty_database()

    ran = home.start(*words, HEADCOUNT_DATABASE_URL=url).end()

    assert ran.code == 1
    assert "headcount db upgrade" in ran.err
