"""The OpenAPI document is true: the service does what it says, and nothing else."""

import asyncio
import sys
from pathlib import Path

from fakes.databases import sqlite
from web.service import Service, serving_web

from headcount.sandbox import Sandbox, World, serving
from headcount.web.document import openapi_document


async def test_every_operation_says_what_it_is_for(desk: Service) -> None:
    document = (await desk.get("/openapi.json")).json()

    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            for parameter in operation.get("parameters", []):
                assert parameter.get("description"), parameter


async def test_every_operation_but_health_says_that_it_needs_a_key(
    desk: Service,
) -> None:
    document = openapi_document(desk.web)

    open_to_all = [
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if not operation.get("security")
    ]
    assert open_to_all == ["/healthz", "/readyz"]


async def test_the_examples_of_the_document_are_taken(desk: Service) -> None:
    document = openapi_document(desk.web)

    for example in document["components"]["schemas"]["SearchAsk"]["examples"]:
        answer = await desk.post("/api/jobs", example)

        assert answer.status_code == 201


CONFIGURATION = """
# What no schema can say is refused all the same: a least above a most, a cost where
# no price is known, a cursor of nobody's page.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429"]
"""


async def test_the_service_keeps_to_its_description(tmp_path: Path) -> None:
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    async with (
        serving(Sandbox(World(1))) as provider,
        serving_web(
            await sqlite(tmp_path),
            dev=False,
            requests_per_minute=10**6,
            scrapecreators_api_key="invented",
            scrapecreators_api_url=provider,
        ) as service,
    ):
        shown = await service.key("ada", "admin")
        tried = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("st"),
            *("--config-file", str(configuration)),
            *("run", f"{service.url}/openapi.json", "--checks", "all"),
            *("--header", f"Authorization: {shown['Authorization']}"),
            # Streams of events do not end while a job does not: they have own tests.
            *("--exclude-path-regex", "/events$"),
            *("--max-time", "20", "--request-timeout", "10"),
            *("--max-examples", "10", "--no-shrink", "--seed", "1"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await tried.communicate()

    assert tried.returncode == 0, said.decode()
