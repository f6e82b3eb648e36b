"""What the receiver answers to messages that QStash did sign."""

import json
import logging
from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from serverless.letters import a_letter, about, sealed
from serverless.site import KEYS, Site, a_site

from headcount.core.errors import InvalidSetting
from headcount.core.model import Status
from headcount.sandbox.qstash import Keys
from headcount.serverless import FAILED, PROCESS, SWEEP, Answer, Receiver


async def send(site: Site, body: bytes, path: str = PROCESS) -> tuple[int, object]:
    """What is answered to a body that is signed."""
    answer = await site.sends(*sealed(a_letter(body, path)), path)
    return answer.status_code, answer.json()


# -------------------------------------------------------------------------- bad input
NEVER = {
    "no jobId": b"{}",
    "a jobId that is a list": b'{"jobId": ["a"]}',
    "no jobId but null": b'{"jobId": null}',
    "broken JSON": b'{"jobId": "a',
    "not an object": b'["jobId"]',
    "not UTF-8": b'{"jobId": "\xff"}',
    "nothing": b"",
    "100,000 brackets": b"[" * 100_000,
}


@pytest.mark.parametrize("name", NEVER)
async def test_what_can_never_succeed_is_not_tried_again(
    tmp_path: Path, name: str
) -> None:
    async with a_site(tmp_path) as site:
        letter = a_letter(NEVER[name])

        answer = await site.sends(*sealed(letter))

        assert answer.status_code == 489
        assert answer.headers["Upstash-NonRetryable-Error"] == "true"


OTHERS = ["unknown", "", "a\0b", "\ud800", "x" * 10_000, 17]


@pytest.mark.parametrize("job_id", OTHERS, ids=range(len(OTHERS)))
async def test_a_job_that_is_not_ours_is_left_alone(
    tmp_path: Path, job_id: object
) -> None:
    async with a_site(tmp_path) as site:
        body = json.dumps({"jobId": job_id}).encode()

        assert await send(site, body) == (200, {"handled": False})


async def test_a_body_of_10_mb_is_refused(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        answer = await site.sends(*sealed(a_letter(b" " * 10_000_000)))

        assert answer.status_code == 413


async def test_a_fallback_answers_for_the_jobs_of_others(tmp_path: Path) -> None:
    async def theirs(body: bytes, headers: Mapping[str, str]) -> Answer:
        return 202, {"X-Theirs": headers["X-Kind"]}, body

    def plainly(body: bytes, _: Mapping[str, str]) -> Answer:
        return 200, {}, body

    async with a_site(tmp_path, "vanished:1") as site:
        receiver = Receiver(site.app)
        body = b'{"kind": "instagram"}'
        headers = {**dict(sealed(a_letter(body))[1]), "X-Kind": "instagram"}
        ours = about(await site.begins())

        assert await receiver.handle(body, headers, fallback=theirs) == (
            202,
            {"X-Theirs": "instagram"},
            body,
        )
        assert (await receiver.handle(body, headers, fallback=plainly))[0] == 200
        forged = await receiver.handle(body + b" ", headers, fallback=plainly)
        assert forged[0] == 401
        status, _, told = await receiver.handle(
            ours.body, dict(sealed(ours)[1]), fallback=plainly
        )
        assert (status, json.loads(told)["advanced"]) == (200, True)
        assert (await receiver.handle(body, headers, path="/api/other"))[0] == 404


async def test_the_log_tells_which_message_it_was_and_how_often_it_came(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_site(tmp_path) as site:
        letter = about("unknown")
        marks = [("Upstash-Message-Id", "msg_7"), ("Upstash-Retried", "2")]

        with caplog.at_level(logging.INFO, "headcount"):
            await site.sends(letter.body, [*sealed(letter)[1], *marks])

        assert f"message msg_7 came to {PROCESS}, retried 2" in caplog.text


async def test_what_is_amiss_here_is_tried_again_later(tmp_path: Path) -> None:
    async with a_site(tmp_path, "vanished:1", scrapecreators_api_key=None) as site:
        letter = about(await site.begins())

        answer = await site.sends(*sealed(letter))

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "15")


# ------------------------------------------------------------------- QStash goes wrong
async def test_a_job_is_made_though_qstash_is_down(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_site(tmp_path) as site:
        site.qstash.down = True
        began = monotonic()
        job_id = await site.begins()

        assert monotonic() - began < 5
        assert f"job {job_id} is not announced" in caplog.text
        answer = await site.sends(*sealed(about(job_id)))
        assert (await site.job(job_id)).status is Status.COMPLETED
        assert answer.status_code == 200  # there was nothing more to publish


async def test_a_step_whose_next_one_cannot_be_published_comes_again(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path, qstash_slice=0.01) as site:
        site.qstash.down = True
        letter = about(await site.begins(200))

        answer = await site.sends(*sealed(letter))

        assert answer.status_code == 503


async def test_the_token_of_another_region_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_site(tmp_path, qstash_token="another") as site:  # noqa: S106 - opens nothing
        await site.begins()

    assert "must be of the same account and region" in caplog.text


# --------------------------------------------------------------- the sweep and failures
async def test_the_sweep_publishes_what_is_overdue_and_does_the_chores(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path, "vanished@1") as site:
        job_id = await site.begins()
        fresh = await send(site, b"{}", SWEEP)
        site.app.clock.set_by(site.app.clock.now() + timedelta(seconds=60))
        healed = await send(site, b"{}", SWEEP)
        await site.qstash.settled()

        assert fresh == (200, {"published": 0, "finished": True})
        assert healed == (200, {"published": 1, "finished": True})
        assert len(site.qstash.deliveries) == 1
        assert (await site.job(job_id)).status is Status.COMPLETED


def failure(job_id: str, **more: object) -> bytes:
    """What a failure callback says."""
    source = json.dumps({"jobId": job_id, "pages": 0}).encode()
    return json.dumps({"sourceBody": b64encode(source).decode(), **more}).encode()


async def test_a_job_that_qstash_gave_up_on_says_so(tmp_path: Path) -> None:
    async with a_site(tmp_path, "vanished:1") as site:
        job_id = await site.begins()
        body = failure(job_id, status=500, retried=5)

        assert await send(site, body, FAILED) == (
            200,
            {"handled": True, "recorded": True},
        )
        job = await site.job(job_id)
        assert job.status is Status.FAILED
        assert job.outcome
        assert job.outcome.detail == (
            "QStash gave up after 6 deliveries, the last with status 500: "
            "`headcount qstash retry` lets it go on"
        )


async def test_a_failure_is_not_recorded_where_the_job_went_on(tmp_path: Path) -> None:
    async with a_site(tmp_path, "vanished:1", qstash_slice=0.1) as site:
        done, going = await site.begins(), await site.begins(900)
        await site.app.finish(done)
        await site.sends(*sealed(about(going)))
        assert (await site.job(going)).pages > 0

        for job_id in (done, going):
            before = await site.job(job_id)
            told = await send(site, failure(job_id), FAILED)
            assert told == (200, {"handled": True, "recorded": False})
            assert await site.job(job_id) == before


BARE = [b"", b"{}", b'{"sourceBody": "%%%"}', b'{"sourceBody": 7}', b"[1]"]


@pytest.mark.parametrize("body", [*BARE, failure("unknown")])
async def test_all_fields_of_a_failure_are_optional(
    tmp_path: Path, body: bytes
) -> None:
    async with a_site(tmp_path) as site:
        assert await send(site, body, FAILED) == (200, {"handled": False})


# ------------------------------------------------------------------------- the settings
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no current key": (
        {"qstash_current_signing_key": None},
        "CURRENT_SIGNING_KEY: set",
    ),
    "no next key": ({"qstash_next_signing_key": None}, "NEXT_SIGNING_KEY: set"),
    "a key with a line break in it": (
        {"qstash_next_signing_key": "sig_a\nb"},
        "no space or line break",
    ),
    "a published key": (
        {"qstash_next_signing_key": "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs"},
        "published",
    ),
    "the sandbox's keys": ({"qstash_current_signing_key": Keys().current}, "published"),
    "half of a second pair": (
        {"qstash_second_current_signing_key": "sig_a"},
        "HEADCOUNT_QSTASH_SECOND_NEXT_SIGNING_KEY",
    ),
    "no token": ({"qstash_token": None}, "QSTASH_TOKEN: set"),
    "a token with a space in it": (
        {"qstash_token": "a b"},
        "QSTASH_TOKEN: expected no",
    ),
    "a path appended": (
        {"qstash_url": "https://qstash.upstash.io/v2/publish"},
        "leave out what follows https://qstash.upstash.io$",
    ),
    "a URL without a scheme": ({"qstash_url": "qstash.upstash.io"}, "expected such as"),
    "no address of ours": ({"qstash_public_urls": " , "}, "PUBLIC_URLS: expected"),
    "an address with a query": (
        {"qstash_public_urls": "https://app.example/?a=1"},
        "PUBLIC_URLS: expected",
    ),
    "a limit that leaves no time": (
        {"qstash_limit": 25.0},
        "HEADCOUNT_QSTASH_LIMIT: expected at least 6 s more",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_start_that_would_not_be_safe_is_refused(
    tmp_path: Path, name: str
) -> None:
    settings, said = REFUSED[name]

    with pytest.raises(InvalidSetting, match=said) as refused:
        async with a_site(tmp_path, **settings):
            pass

    assert not any(key in str(refused.value) for key in (KEYS.current, KEYS.next))


async def test_spaces_and_quotes_around_a_key_do_no_harm(tmp_path: Path) -> None:
    pasted = f' "{KEYS.current}"\n'
    async with a_site(
        tmp_path, "vanished:1", qstash_current_signing_key=pasted
    ) as site:
        answer = await site.sends(*sealed(about(await site.begins())))

        assert answer.status_code == 200


async def test_no_signature_is_needed_with_dev_on_this_machine_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bare: dict[str, Any] = {
        "qstash_current_signing_key": None,
        "qstash_next_signing_key": None,
    }
    with caplog.at_level(logging.CRITICAL):
        async with a_site(tmp_path, "vanished:1", dev=True, **bare) as site:
            body = json.dumps({"jobId": await site.begins()}).encode()

            elsewhere = await site.sends(body, {"Host": "app.example"})
            signed = await site.sends(*sealed(a_letter(body)))
            here = await site.sends(body, {})

    assert [a.status_code for a in (elsewhere, signed, here)] == [403, 401, 200]
