"""Refusals, credits, caps and deadlines: kept to the letter, and told in one line."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from e2e.program import Home, Provider

Serve = Callable[..., Provider]
WORDS = ("tech", "gaming", "fitness", "cooking")


def said_last(text: str) -> str:
    return "\n".join(text.splitlines()[-2:])


def everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_a_refused_key_ends_with_4_and_is_never_shown(
    home: Home, provider: Provider
) -> None:
    key = "invalid-key-314159"

    ran = home.start("find", 50, "tech", "--debug", SCRAPECREATORS_API_KEY=key).end()

    assert ran.code == 4
    assert "Reason: provider_blocked" in said_last(ran.err)
    assert "SCRAPECREATORS_API_KEY" in said_last(ran.err)
    assert f"headcount jobs resume {ran.job}" in said_last(ran.err)
    assert key not in ran.out + ran.err
    assert key.encode() not in everything_in(home.folder)
    assert provider.charged == 0


def test_a_wrong_address_ends_with_4_and_is_named(
    home: Home, provider: Provider
) -> None:
    wrong = f"{provider.url}/wrong"

    ran = home.run("find", 5, "tech", "--retries", 1, SCRAPECREATORS_API_URL=wrong)

    assert ran.code == 4
    assert "check SCRAPECREATORS_API_URL" in ran.err.splitlines()[-1]


def test_what_was_found_before_the_credits_ran_out_is_kept_and_resumed(
    home: Home, serve: Serve
) -> None:
    provider = serve("--credits", 6)

    short = home.run("find", 200, *WORDS, "--format", "jsonl")

    first = home.creators(short.job)
    assert short.code == 3
    assert "Reason: out_of_credits" in said_last(short.err)
    assert f"headcount jobs resume {short.job}" in said_last(short.err)
    assert provider.charged == 6
    assert len(short.out.splitlines()) == len(first) == home.shows(short.job)["current"]
    assert 100 < len(first) < 200

    provider.reset()  # somebody has bought more
    resumed = home.run("jobs", "resume", short.job, "--format", "jsonl")

    creators = home.creators(short.job)
    assert resumed.code == 0
    assert len(set(creators)) == len(resumed.out.splitlines()) == 200
    assert creators[: len(first)] == first


@pytest.mark.parametrize("cap", [1, 3, 7])
@pytest.mark.parametrize(
    ("option", "reason"), [("--max-calls", "call_limit"), ("--max-credits", "budget")]
)
def test_a_cap_is_never_exceeded(
    home: Home, provider: Provider, option: str, reason: str, cap: int
) -> None:
    ran = home.run("find", 1000, *WORDS, option, cap, "--concurrency", 8)

    assert ran.code == 3
    assert len(provider.calls) == provider.charged == cap
    assert f"Reason: {reason}" in said_last(ran.err)
    assert f"resume {ran.job} {option}" in said_last(ran.err)
    assert "will probably end partial" in ran.err.splitlines()[1]


def test_a_cap_holds_under_faults_that_are_charged(home: Home, serve: Serve) -> None:
    provider = serve("--fault", "charged_error:0.3", "--fault", "lost_answer:0.2")

    home.run("find", 1000, *WORDS, "--max-credits", 9, "--retries", 9)

    assert provider.charged <= 9


def test_resuming_with_a_higher_cap_goes_on(home: Home, provider: Provider) -> None:
    short = home.run("find", 100, *WORDS, "--max-calls", 2)

    resumed = home.run("jobs", "resume", short.job, "--max-calls", 20)

    assert (short.code, resumed.code) == (3, 0)
    assert "more creators for tech, " in resumed.err.splitlines()[0]
    assert "at most 18 more calls" in resumed.err.splitlines()[0]
    assert len(home.creators(short.job)) == 100
    assert provider.asked_again() == 0


def test_resuming_under_the_same_cap_asks_nothing(
    home: Home, provider: Provider
) -> None:
    short = home.run("find", 100, *WORDS, "--max-calls", 2)

    again = home.run("jobs", "resume", short.job)

    assert again.code == 3
    assert len(provider.calls) == 2


def test_nothing_is_asked_after_the_deadline(home: Home, serve: Serve) -> None:
    provider = serve("--latency", 300)

    ran = home.run("find", 1000, *WORDS, "--deadline", "1s")
    made = len(provider.calls)
    again = home.run("jobs", "resume", ran.job)

    assert ran.code == again.code == 3
    assert "Reason: deadline" in said_last(ran.err)
    assert len(home.creators(ran.job)) == home.shows(ran.job)["current"] < 1000
    assert len(provider.calls) == made


def test_calls_keep_their_distance(home: Home, provider: Provider) -> None:
    started = time.monotonic()

    ran = home.run("find", 100, *WORDS, "--rate-limit-ms", 400)

    took = time.monotonic() - started
    assert ran.code == 0
    assert took >= 0.4 * (len(provider.calls) - 1) >= 1.2


def test_sources_that_hold_too_few_are_told_of(home: Home, serve: Serve) -> None:
    world = home.folder / "world.json"
    world.write_text('{"keywords": {"owls": [["a", "b", "c"], ["c", "d"]]}}')
    serve("--world", world)

    ran = home.run("find", 10, "owls", "--format", "jsonl")

    assert ran.code == 3
    assert len(ran.out.splitlines()) == 4
    assert "Partial: 4 of 10 creators" in ran.err
    assert "Reason: sources_exhausted" in said_last(ran.err)
    assert "further keywords" in said_last(ran.err)


TESTING = {"MAX_API_CALLS_FOR_TESTING": "2"}


def test_the_cap_for_testing_holds_for_a_search_and_its_resuming(
    home: Home, provider: Provider
) -> None:
    short = home.run("find", 500, *WORDS, "--max-calls", 50, **TESTING)
    home.run("jobs", "resume", short.job, "--max-calls", 50, **TESTING)

    assert short.code == 3
    assert "at most 2 calls" in short.err.splitlines()[0]
    assert len(provider.calls) == 2


def test_the_cap_for_testing_holds_for_jobs_from_before(
    home: Home, provider: Provider
) -> None:
    short = home.run("find", 500, *WORDS, "--max-calls", 1)

    home.run("jobs", "topup", short.job, "--target", 900, "--max-calls", 90, **TESTING)

    assert len(provider.calls) == 2


def test_the_cap_for_testing_holds_for_a_batch(home: Home, provider: Provider) -> None:
    file = home.folder / "batch.toml"
    file.write_text('[[search]]\ntarget = 500\nkeywords = ["tech"]\nmax_calls = 50\n')

    ran = home.run("batch", file, **TESTING)

    assert ran.code == 3
    assert len(provider.calls) == 2


def test_a_target_that_the_keywords_can_hardly_hold_is_told_before_it_costs(
    home: Home,
) -> None:
    within = home.run("find", 330, "tech", "--sandbox", "--max-calls", 1)
    beyond = home.run("find", 331, "tech", "--sandbox", "--max-calls", 1)

    assert "probably out of reach" not in within.err
    assert "331 are probably out of reach: name further keywords" in beyond.err


# ------------------------------------------------------------------------- allowances
@pytest.mark.usefixtures("provider")
def test_a_search_waits_for_the_day_on_which_its_owner_may_spend_again(
    home: Home,
) -> None:
    home.run("allowances", "set", "--owner", "local", "--credits-per-day", 1)

    search = home.start("find", 50, "tech", "gaming")
    search.hears("[WAITING] the 1 credits a day of owner 'local' are used up")
    resting = home.shows(search.job)
    more = home.run("allowances", "set", "--owner", "*", "--credits-per-day", 90)
    freed = home.run("allowances", "remove", "--owner", "local")
    ran = search.end()

    assert resting["rest"]["until"].endswith("T00:00:00.000Z")
    assert resting["apiCalls"] == 1
    assert more.err == "all owners together: 1 of 90 credits today\n"
    assert freed.err == "owner 'local': no limit\n"
    assert ran.code == 0
    assert len(home.creators(search.job)) == 50


def test_a_search_ends_short_where_its_owners_month_is_used_up(
    home: Home, provider: Provider
) -> None:
    home.run("allowances", "set", "--owner", "local", "--creators-per-month", 10)

    ran = home.run("find", 50, "tech")

    assert ran.code == 3
    assert "Reason: budget. It may deliver no more" in ran.err
    assert len(home.creators(ran.job)) == 10
    assert home.run("allowances", "list").out == (
        "owner 'local': 10 of 10 creators this month\n"
    )
    [told] = home.run("allowances", "list", "--format", "json").json
    assert (told["owner"], told["creatorsUsedThisMonth"]) == ("local", 10)
    assert provider.charged == 1


def test_without_allowances_there_is_nothing_to_list(home: Home) -> None:
    listed = home.run("allowances", "list")

    assert (listed.code, listed.out) == (0, "")
    assert listed.err == "No allowances: everybody may use what they like.\n"
