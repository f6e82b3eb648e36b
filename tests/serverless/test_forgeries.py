"""No message changes anything but those that QStash signed, for us and just now."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from serverless.letters import FORGERIES, a_letter, about, sealed
from serverless.site import KEYS, PUBLIC, Site, a_site

from headcount.sandbox.qstash import Keys, Letter
from headcount.serverless import FAILED, PROCESS, SWEEP

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A service whose QStash never delivers anything by itself."""
    async with a_site(tmp_path_factory.mktemp("forgeries"), "vanished:1") as site:
        yield site


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_message_changes_nothing(site: Site, name: str) -> None:
    job_id = await site.begins()
    before = await site.job(job_id)

    answer = await site.sends(*FORGERIES[name](about(job_id)))

    assert (answer.status_code, answer.content) == (401, b'{"error": "unauthorized"}')
    assert await site.job(job_id) == before


async def test_the_message_that_the_forgeries_are_made_of_is_taken(site: Site) -> None:
    job_id = await site.begins()

    answer = await site.sends(*sealed(about(job_id)))

    assert answer.json() | {"found": 0} == {
        "handled": True,
        "advanced": True,
        "status": "completed",
        "found": 0,
        "target": 40,
    }


@pytest.mark.parametrize("path", [SWEEP, FAILED])
async def test_the_other_routes_take_no_forgeries_either(site: Site, path: str) -> None:
    job_id = await site.begins()
    letter = a_letter(json.dumps({"jobId": job_id}).encode(), path)
    ours = {"another route of ours"} if path == SWEEP else set()
    before = await site.job(job_id)

    answers = [
        await site.sends(*FORGERIES[name](letter), path)
        for name in FORGERIES.keys() - ours
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert await site.job(job_id) == before


GOOD = {
    "signed by the next key": lambda letter: replace(letter, key=letter.next_key),
    "without padding": lambda letter: letter.claiming(
        body=letter.claims["body"].rstrip("=")
    ),
    "good from the beginning of time": lambda letter: letter.claiming(nbf=0),
    "ten seconds ahead of our clock": lambda letter: letter.claiming(
        iat=letter.claims["iat"] + 10, nbf=letter.claims["nbf"] + 10
    ),
    "expired ten seconds ago": lambda letter: letter.claiming(
        exp=int(time.time()) - 10
    ),
}


@pytest.mark.parametrize("name", GOOD)
async def test_what_qstash_may_do_is_taken(site: Site, name: str) -> None:
    job_id = await site.begins()

    answer = await site.sends(*sealed(GOOD[name](about(job_id))))

    assert answer.json()["advanced"] is True


async def test_a_second_region_and_a_second_address_are_taken(tmp_path: Path) -> None:
    other = Keys("sig_invented_in_another_region_1", "sig_invented_in_another_region_2")
    second = "https://second.example/base"
    more: dict[str, Any] = {
        "qstash_second_current_signing_key": other.current,
        "qstash_second_next_signing_key": other.next,
        "qstash_public_urls": f"{PUBLIC}, {second}/",
    }
    async with a_site(tmp_path, "vanished:1", **more) as site:
        for keys, url in [(other, PUBLIC), (KEYS, second), (other.rotated(), second)]:
            body = json.dumps({"jobId": await site.begins()}).encode()
            letter = Letter.addressed(url + PROCESS, body, keys=keys, at=time.time())

            answer = await site.sends(*sealed(letter))

            assert answer.json()["advanced"] is True


async def test_the_official_receiver_agrees_on_what_is_good(site: Site) -> None:
    from qstash import Receiver

    letter = about(await site.begins())
    official = Receiver(KEYS.current, KEYS.next)

    official.verify(
        signature=letter.signature, body=letter.body.decode(), url=PUBLIC + PROCESS
    )
    assert (await site.sends(*sealed(letter))).status_code == 200
