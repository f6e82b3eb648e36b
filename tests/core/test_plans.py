"""A plan tells what a search takes, from a few pages of it."""

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from builders import NOON, a_job

from headcount.core.expansion import Expand
from headcount.core.hashtags import NO_HASHTAGS, noted
from headcount.core.model import Job, Limits, SourceState, Status
from headcount.core.plans import Plan, plan_document
from headcount.core.tempo import Tempo

MATCHA = noted(NO_HASHTAGS, "tea", [("matcha",)] * 9 + [()] * 20)


def looked_at(target: int = 400, max_calls: int | None = None) -> Job:
    """A paused job that has seen a page of each of its two keywords."""
    job = a_job("tea", "mate", target=target, limits=Limits(max_calls))
    sources = tuple(
        replace(source, pages=1, items=30, found=28, once=26, recent=28.0)
        for source in job.sources
    )
    return replace(
        job,
        sources=sources,
        status=Status.PAUSED,
        qualified=56,
        pages=2,
        charged=2,
        credits=2,
        tempo=Tempo(NOON, calls=2, worked_ms=2_000, waited_ms=4_000),
    )


def planned(job: Job, price: float | None = None) -> Plan:
    return Plan(job, (), MATCHA, price)


def test_a_plan_tells_calls_credits_money_and_time_each_with_its_range() -> None:
    told = plan_document(planned(looked_at(200), 0.01))

    needed: Any = told["needed"]
    calls = needed["calls"]
    assert calls["low"] < calls["expected"] < calls["high"]
    assert needed["credits"] == calls
    assert needed["cost"]["expected"] == round(calls["expected"] * 0.01, 2)
    # 2 s each, two at once: a second is added by each call, another by the last one
    assert needed["seconds"]["expected"] == calls["expected"] + 1
    assert (told["job"], told["found"], told["targetResults"]) == ("job-1", 56, 200)
    assert told["spent"] == {"calls": 2, "credits": 2}
    assert told["resume"] == "headcount jobs resume job-1"
    assert told["outOfReach"] is False


@pytest.mark.parametrize("target", [56, 300, 9_000])
@pytest.mark.parametrize("price", [None, 0.01])
def test_a_plan_is_told_as_the_schema_has_it(target: int, price: float | None) -> None:
    schema = json.loads(files("headcount").joinpath("schema.json").read_text())
    told = plan_document(planned(looked_at(target), price))

    part = {"$ref": "#/$defs/plan", "$defs": schema["$defs"]}
    jsonschema.validate(json.loads(json.dumps(told)), part)


def test_money_is_told_only_where_a_price_is_known() -> None:
    told: Any = plan_document(planned(looked_at()))

    assert told["needed"]["cost"] is None


def test_a_plan_without_a_call_knows_no_time_and_takes_a_credit_each() -> None:
    nothing = Plan(a_job("tea"), (), NO_HASHTAGS)

    assert (nothing.seconds, nothing.price) == (None, 1.0)


def test_the_price_of_a_call_is_what_those_made_have_cost() -> None:
    job = replace(looked_at(), credits=6)

    assert planned(job).price == 3.0


def test_what_the_keywords_do_not_hold_is_out_of_reach_and_more_may_be_opened() -> None:
    plan = planned(looked_at(2_000))

    told: Any = plan_document(plan)

    assert plan.out_of_reach
    assert told["outOfReach"] is True
    assert told["reach"]["high"] < 2_000
    assert [one["supply"] > 0 for one in told["keywords"]] == [True, True]
    assert told["keywords"][0] == {
        "keyword": "tea",
        "pages": 1,
        "newUnique": 28,
        "supply": told["keywords"][0]["supply"],
        "error": None,
    }
    assert "tea (keyword+region=US)" in told["mayOpen"]["variants"]
    assert "matcha (keyword)" in told["mayOpen"]["related"]
    assert plan.may_open(Expand.OFF) == ()


@pytest.mark.parametrize(
    ("target", "short"), [(56, False), (200, False), (380, True), (5_000, True)]
)
def test_a_plan_tells_where_less_is_expected_than_was_asked_for(
    target: int,
    *,
    short: bool,
) -> None:
    plan = planned(looked_at(target))

    assert plan.falls_short is short
    assert plan.falls_short or not plan.out_of_reach


def test_a_cap_below_what_is_expected_is_told() -> None:
    assert planned(looked_at(300, max_calls=5)).over_the_cap
    assert not planned(looked_at(300)).over_the_cap


def test_where_nothing_is_left_to_ask_there_is_no_figure_of_calls() -> None:
    job = looked_at()
    dry = tuple(replace(source, state=SourceState.DRY) for source in job.sources)

    plan = planned(replace(job, sources=dry))

    told: Any = plan_document(plan)
    assert (plan.needed, plan.over_the_cap) == (None, False)
    assert told["needed"]["calls"] is None


def test_a_plan_that_has_found_all_has_nothing_to_resume() -> None:
    told = plan_document(planned(replace(looked_at(), qualified=400)))

    assert (told["resume"], told["outOfReach"]) == (None, False)
