"""`--expand` and `headcount plan`, from end to end."""

import csv
import io
import json

import pytest
from e2e.program import Home, Provider

THREE = ("yoga", "pilates", "workout")


def test_three_keywords_that_hold_too_few_reach_a_thousand_and_say_what_it_cost(
    home: Home, provider: Provider
) -> None:
    alone = home.run("find", 1_000, *THREE, "--quiet", "--format", "csv")
    provider.reset()

    ran = home.start(
        "find", 1_000, *THREE, "--expand", "related", "--out", "all.csv"
    ).end()

    assert (alone.code, ran.code) == (3, 0)
    assert "headcount jobs resume" in alone.err
    assert "--expand all" in alone.err
    rows = list(csv.DictReader(io.StringIO((home.folder / "all.csv").read_text())))
    assert len({row["id"] for row in rows}) == len(rows) == 1_000
    assert {row["keyword"] for row in rows} > set(THREE)
    assert any('suggested for "' in row["origin"] for row in rows)
    job = home.shows(ran.job)
    made = job["expansion"]
    opened = [source for source in job["sources"] if source["origin"]]
    assert job["apiCalls"] == len(provider.calls) == provider.charged <= job["callCap"]
    assert made["sources"] == len(opened)
    assert made["credits"] == sum(source["credits"] for source in opened)
    assert (
        f"Opened {made['sources']} sources beyond the keywords: "
        f"{made['calls']} calls, {made['credits']} credits, "
        f"{made['newUnique']} creators." in ran.err
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--expand", "variant"), "did you mean 'variants'?"),
        (("--expand", "all", "--expand-exclude", ""), "not a blank"),
        (("--expand-exclude", "nike"), "give expand as variants, related, all"),
        (("--expand", "all", "--relevance-min", "7"), "a number from 0 to 1"),
    ],
)
def test_what_cannot_be_opened_is_refused_before_any_call(
    home: Home, provider: Provider, options: tuple[str, ...], said: str
) -> None:
    ran = home.run("find", 100, "yoga", *options)

    assert ran.code == 2
    assert said in ran.err
    assert provider.calls == []


def test_the_setting_allows_it_and_the_option_forbids_it(home: Home) -> None:
    allowed = home.run(
        "find", 400, "yoga", "--sandbox", "-q", HEADCOUNT_EXPAND="variants"
    )
    forbidden = home.run(
        "find", 400, "yoga", "--sandbox", "-q", "--expand", "off",
        HEADCOUNT_EXPAND="variants",
    )  # fmt: skip

    assert (allowed.code, forbidden.code) == (0, 3)


def test_nothing_with_an_excluded_word_is_asked(home: Home, provider: Provider) -> None:
    excluded = "gym, cardio,running"

    ran = home.run(
        "find", 500, "yoga", "-q", "--expand", "related", "--expand-exclude", excluded
    )

    assert ran.code == 0
    asked = {call["keyword"] for call in provider.calls}
    assert not [
        word for word in asked if {"gym", "cardio", "running"} & {*word.split()}
    ]


def test_a_job_that_fell_short_may_open_sources_when_it_is_resumed(home: Home) -> None:
    short = home.run("find", 400, "yoga", "--sandbox")
    assert short.code == 3

    ran = home.run("jobs", "resume", short.job, "--expand", "related", "-q")

    assert ran.code == 0
    assert home.shows(short.job)["expand"] == "related"
    assert len(home.creators(short.job)) == 400


def test_endpoints_that_fail_do_no_harm(home: Home) -> None:
    faults = "server_error:0.15,html:0.05,empty_page:0.05,lost_answer@9"

    ran = home.run(
        "find", 400, "yoga", "--sandbox", "-q", "--expand", "all",
        HEADCOUNT_SANDBOX_FAULTS=faults,
    )  # fmt: skip

    assert ran.code == 0


# ---------------------------------------------------------------------------- plan
def test_a_plan_makes_a_call_a_keyword_and_says_what_the_rest_will_take(
    home: Home, provider: Provider
) -> None:
    ran = home.run("plan", 300, *THREE)

    assert ran.code == 0
    assert len(provider.calls) == 3
    assert {call["keyword"] for call in provider.calls} == set(THREE)
    assert ran.err == "Looking: at most 3 calls.\n"
    for told in ("calls to go", "credits", "seconds", "creators in all", "expected"):
        assert told in ran.out
    assert "Go on, from what is there: headcount jobs resume " in ran.out


def test_what_a_plan_paid_for_is_gone_on_from_and_never_paid_twice(
    home: Home, provider: Provider
) -> None:
    plan = home.run("plan", 150, "yoga", "tech", "--json").json

    ran = home.run("jobs", "resume", plan["job"], "--format", "jsonl")

    questions = [(call["keyword"], call["cursor"]) for call in provider.calls]
    assert ran.code == 0
    assert len({json.loads(row)["id"] for row in ran.out.splitlines()}) == 150
    assert len(set(questions)) == len(questions)
    made = home.shows(plan["job"])["apiCalls"] - plan["spent"]["calls"]
    needed = plan["needed"]["calls"]
    assert needed["low"] <= made <= needed["high"]
    assert home.shows(plan["job"])["limits"]["maxCalls"] is None


def test_a_plan_says_that_a_target_is_out_of_reach_and_what_would_help(
    home: Home,
) -> None:
    ran = home.run("plan", 5_000, "yoga", "--sandbox")

    assert "5,000 is out of reach with these keywords: about " in ran.out
    assert "--expand variants would open " in ran.out
    assert "--expand related would open " in ran.out


def test_a_plan_makes_no_more_calls_than_it_is_told_and_tells_their_price(
    home: Home, provider: Provider
) -> None:
    ran = home.run("plan", 900, *THREE, "--calls", 2, HEADCOUNT_CREDIT_PRICE="0.5")

    assert len(provider.calls) == 2
    assert ran.err == "Looking: at most 2 calls (cost 1.00).\n"
    assert "cost" in ran.out


def test_a_plan_says_where_the_cap_is_smaller_than_what_is_expected(
    home: Home,
) -> None:
    ran = home.run("plan", 200, *THREE, "--max-calls", 4, "--sandbox")

    assert "The cap of 4 calls is smaller than what is expected" in ran.out


def test_a_plan_that_finds_all_says_so(home: Home) -> None:
    ran = home.run("plan", 10, "yoga", "--sandbox")

    assert "All are there: headcount jobs export " in ran.out


@pytest.mark.parametrize("fault", ["out_of_credits:1", "bad_key:1", "html:1"])
def test_a_plan_made_of_nothing_is_none(home: Home, fault: str) -> None:
    ran = home.run("plan", 90, "yoga", "--sandbox", HEADCOUNT_SANDBOX_FAULTS=fault)

    assert (ran.code, ran.out) == (4, "")
    assert "No plan: " in ran.err
