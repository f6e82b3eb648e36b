"""A plan that is interrupted or killed costs no more than its calls, and goes on."""

import signal

from e2e.program import Home, Provider
from e2e.test_server import serving

WORDS = ("tech", "gaming")
LONG = ("plan", 150, *WORDS, "--calls", 8, "--json")


def test_a_plan_that_was_killed_goes_on_to_all_of_the_search(
    home: Home, slow: Provider
) -> None:
    run = home.start(*LONG)
    slow.after(2)
    run.kill()
    (job,) = home.run("jobs", "list", "--format", "json").json

    ran = home.run("jobs", "resume", job["id"], "--format", "jsonl")

    questions = [(call["keyword"], call["cursor"]) for call in slow.calls]
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 150
    assert len(questions) - len(set(questions)) <= len(WORDS)  # those that were out


def test_ctrl_c_leaves_a_plan_that_tells_how_to_go_on(
    home: Home, slow: Provider
) -> None:
    run = home.start(*LONG)
    slow.after(2)
    run.send(signal.SIGINT)

    ran = run.end()

    (job,) = home.run("jobs", "list", "--format", "json").json
    assert ran.code == 130
    assert ran.out == ""
    assert f"Interrupted: headcount jobs resume {job['id']} makes all of" in ran.err
    assert job["status"] == "paused"


def test_a_server_plans_and_goes_on_as_this_machine_does(home: Home) -> None:
    here = home.run("plan", 100, *WORDS, "--sandbox")
    url = serving(home, "--dev")

    afar = home.run("plan", 100, *WORDS, "--sandbox")

    assert (here.code, afar.code) == (0, 0)
    same = [line for line in here.out.splitlines() if "seconds" not in line][:-1]
    assert [line for line in afar.out.splitlines() if "seconds" not in line][
        :-1
    ] == same
    again = afar.out.splitlines()[-1].removeprefix("Go on, from what is there: ")
    assert again.endswith(f" --server {url}")
    ran = home.run(*again.split()[1:], "--format", "jsonl")
    assert (ran.code, len(ran.out.splitlines())) == (0, 100)
