"""The runner of this process, and how it tells the dead from the living."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Sequence

import pytest
from builders import a_job
from engine.stage import FailingStore, Stage, a_slow_stage, a_stage, after, names
from fakes.provider import FakeProvider

from headcount.core import lifecycle, ownership
from headcount.core.calls import Failure, FailureKind
from headcount.core.errors import InternalError, StoreError
from headcount.core.model import Change, Lease, Outcome, Status
from headcount.ports import Rule, Store
from headcount.runners.local import LocalRunner, is_dead, worker_name

TEA = {"tea": [names("a", 1, 30), names("b", 1, 30)]}


def runner(stage: Stage, store: Store | None = None) -> LocalRunner:
    return LocalRunner(stage.engine(store=store), stage.rows, stage.clock)


class BrokenStore(FailingStore):
    """A store in which a transaction meets a defect of ours."""

    def __init__(self, stage: Stage, defect: Exception) -> None:
        super().__init__(stage.rows, {})
        self._defect = defect

    async def change(self, job_id: str, rule: Rule, keys: Sequence[str] = ()) -> Change:
        del job_id, rule, keys
        raise self._defect


async def test_a_job_is_worked_on_until_it_has_ended() -> None:
    stage = await a_stage(FakeProvider(TEA), a_job(target=60))

    job = await runner(stage).run(stage.job_id)

    assert (job.status, job.delivered) == (Status.COMPLETED, 60)


async def test_a_paused_job_is_left_alone() -> None:
    stage = await a_stage(FakeProvider(TEA))
    await stage.change(ownership.pause)

    job = await runner(stage).run(stage.job_id)

    assert job.status is Status.PAUSED


async def test_a_job_of_another_worker_is_taken_over_when_its_lease_runs_out() -> None:
    stage = await a_stage(FakeProvider(TEA))
    lease = Lease(0, "another", after(30))
    await stage.change(lambda change: lifecycle.claim(change, lease, after(0)))

    job = await runner(stage).run(stage.job_id)

    assert (job.status, stage.seconds()) == (Status.COMPLETED, 30.0)


async def test_a_wake_up_makes_the_worker_look_at_the_job_at_once() -> None:
    down = Failure(FailureKind.UNAVAILABLE, "503", retry_after=60.0)
    stage = await a_stage(FakeProvider(TEA, first=[down]))
    local = runner(stage)

    async def pause() -> None:
        await stage.change(ownership.pause)
        await local.wake(stage.job_id, stage.clock.now())

    pausing = stage.after(1, pause)
    job = await local.run(stage.job_id)
    await pausing

    assert (job.status, stage.seconds()) == (Status.PAUSED, 1.0)


async def test_a_wake_up_for_later_or_for_a_job_not_run_here_is_no_nudge() -> None:
    stage = await a_slow_stage(FakeProvider(TEA), {"tea": 5.0}, a_job(target=30))
    local = runner(stage)
    await local.wake(stage.job_id, after(0))
    waking = stage.after(1, lambda: local.wake(stage.job_id, after(2)))

    job = await local.run(stage.job_id)
    await waking

    assert (job.status, stage.seconds()) == (Status.COMPLETED, 5.0)
    assert stage.changes[-1].job is job


async def test_a_wake_up_that_meets_the_lease_of_another_is_one_look_and_no_more() -> (
    None
):
    stage = await a_stage(FakeProvider(TEA))
    lease = Lease(0, "another", after(30))
    await stage.change(lambda change: lifecycle.claim(change, lease, after(0)))
    local = runner(stage)
    waking = stage.after(0.5, lambda: local.wake(stage.job_id, after(0)))

    job = await asyncio.wait_for(local.run(stage.job_id), timeout=5)
    await waking

    assert (job.status, stage.seconds()) == (Status.COMPLETED, 30.0)


async def test_a_defect_of_ours_ends_the_job_as_failed() -> None:
    stage = await a_stage(FakeProvider(TEA))
    broken = BrokenStore(stage, KeyError("no such column"))

    with pytest.raises(InternalError, match="please report it: KeyError"):
        await runner(stage, broken).run(stage.job_id)

    job = await stage.job()
    told = "KeyError('no such column')"
    assert (job.status, job.outcome) == (Status.FAILED, Outcome(10, None, told))


async def test_what_is_kept_of_a_defect_is_text_that_every_store_can_keep() -> None:
    stage = await a_stage(FakeProvider(TEA))
    broken = BrokenStore(stage, ValueError("half a \ud83d and a \0"))

    with pytest.raises(InternalError):
        await runner(stage, broken).run(stage.job_id)

    job = await stage.job()
    assert job.outcome is not None
    assert job.outcome.detail == r"ValueError('half a \ud83d and a \x00')"


async def test_a_store_that_cannot_be_used_leaves_the_job_as_it_was() -> None:
    stage = await a_stage(FakeProvider(TEA))
    before = await stage.job()

    with pytest.raises(StoreError):
        await runner(stage, BrokenStore(stage, StoreError("gone"))).run(stage.job_id)

    assert await stage.job() is before


# -------------------------------------------------------------------- dead or alive
NAMED = "from headcount.runners.local import worker_name as n; print(n(), flush=True)"


def a_worker() -> tuple[subprocess.Popen[str], str]:
    """A process that lives until its input is closed, and its name as a worker."""
    program = [sys.executable, "-c", f"{NAMED}; input()"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, and no shell
        program, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_worker_is_dead_when_its_process_is_gone() -> None:
    process, name = a_worker()
    alive = is_dead(name)
    process.communicate()

    assert (alive, is_dead(name)) == (False, True)


def test_a_worker_that_nobody_has_buried_yet_is_dead_too() -> None:
    process, name = a_worker()
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert is_dead(name)
    process.communicate()


def test_a_process_with_the_number_of_a_dead_one_is_another() -> None:
    host, pid, _ = worker_name().split("/")

    assert is_dead(f"{host}/{pid}/1")
    assert not is_dead(worker_name())


@pytest.mark.parametrize("holder", ["", "elsewhere/1/1", f"{socket.gethostname()}/x/1"])
def test_of_others_nothing_is_known(holder: str) -> None:
    assert not is_dead(holder)
