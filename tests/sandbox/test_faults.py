"""Every fault of the table, seen from outside, and the rules that say when."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2 as httpx
import pytest

from headcount.sandbox import FAULTS, Faults, Sandbox, World, described
from headcount.settings import Settings

Json = dict[str, Any]
Ask = Callable[..., Awaitable[httpx.Response]]


def fresh(*faults: str) -> Sandbox:
    return Sandbox(World(3), faults=Faults.parse(faults))


def uids(body: Json) -> list[Any]:
    return [item["author"].get("uid") for item in body["search_item_list"]]


def handles(body: Json) -> list[str]:
    return [item["author"]["unique_id"] for item in body["search_item_list"]]


def followers(body: Json) -> list[int]:
    return [item["author"]["follower_count"] for item in body["search_item_list"]]


# fault -> what is true of a trimmed page at cursor 30 (`usual` without the fault).
BODIES: dict[str, Callable[[Json, Json], bool]] = {
    "early_end": lambda body, usual: (body["has_more"], usual["has_more"]) == (0, 1),
    "stuck_cursor": lambda body, _: body["cursor"] == 30,
    "backward_cursor": lambda body, _: body["cursor"] == 0,
    "zero_cursor": lambda body, _: body["cursor"] == 0,
    "negative_cursor": lambda body, _: body["cursor"] == -1,
    "string_cursor": lambda body, _: body["cursor"] == "60",
    "missing_has_more": lambda body, _: "has_more" not in body,
    "true_has_more": lambda body, _: body["has_more"] is True,
    "string_has_more": lambda body, _: body["has_more"] == "1",
    "empty_page": lambda body, _: (
        (body["search_item_list"], body["has_more"]) == ([], 1)
    ),
    "soft_block": lambda body, _: (
        (body["search_item_list"], body["has_more"]) == ([], 0)
        and body["search_nil_info"]["search_nil_item"] == "verify_check"
    ),
    "null_list": lambda body, _: body["search_item_list"] is None,
    "object_list": lambda body, usual: (
        list(body["search_item_list"].values()) == usual["search_item_list"]
        and list(body["search_item_list"])[:2] == ["0", "1"]
    ),
    "no_author": lambda body, _: (
        sum(item["author"] is None for item in body["search_item_list"]) == 6
        and sum("aweme_id" not in item for item in body["search_item_list"]) == 6
    ),
    "uid_missing": lambda body, _: uids(body).count(None) == 6,
    "uid_int": lambda body, usual: uids(body) == [int(uid) for uid in uids(usual)],
    "changed_handle": lambda body, usual: (
        uids(body) == uids(usual) and not set(handles(body)) & set(handles(usual))
    ),
    "shared_handle": lambda body, _: (
        handles(body).count("sandbox_shared") == 6 and len(set(uids(body))) > 6
    ),
    "follower_drift": lambda body, usual: (
        followers(body) != followers(usual)
        and all(
            abs(new - old) <= 0.007 * old
            for new, old in zip(followers(body), followers(usual), strict=True)
        )
    ),
    "private_accounts": lambda body, _: (
        sum(item["author"]["secret"] for item in body["search_item_list"]) == 6
    ),
    "success_false": lambda body, _: body["success"] is False and bool(body["message"]),
}
# fault -> status, credits charged
REFUSALS = {
    "out_of_credits": (402, 0),
    "bad_key": (401, 0),
    "forbidden": (403, 0),
    "not_found": (404, 0),
    "throttled": (429, 0),
    "throttled_retry_after": (429, 0),
    "server_error": (500, 0),
    "charged_error": (500, 1),
}
ELSEWHERE = {"endless", "html", "truncated", "slow", "big_page", "lost_answer"}


def test_no_fault_is_without_a_test() -> None:
    assert BODIES.keys() | REFUSALS.keys() | ELSEWHERE == FAULTS.keys()


@pytest.mark.parametrize("name", BODIES)
async def test_a_fault_of_the_body_shows_and_is_charged(name: str, ask: Ask) -> None:
    sandbox = fresh(f"{name}@1")
    page = {"cursor": 30, "trim": "true"}

    faulty = await ask(sandbox, **page)
    usual = await ask(sandbox, **page)

    assert faulty.status_code == 200
    assert BODIES[name](faulty.json(), usual.json())
    assert [(call.fault, call.credits) for call in sandbox.ledger] == [
        (name, 1),
        (None, 1),
    ]


@pytest.mark.parametrize("name", REFUSALS)
async def test_an_error_says_so_by_status_and_message(name: str, ask: Ask) -> None:
    sandbox = fresh(f"{name}:1")

    answer = await ask(sandbox)

    (call,) = sandbox.ledger
    assert (answer.status_code, call.credits) == REFUSALS[name]
    assert answer.json()["message"]
    assert (answer.headers.get("retry-after") == "1") == name.endswith("retry_after")


async def test_an_item_without_an_author_is_without_one_in_its_wrapper_too(
    ask: Ask,
) -> None:
    answer = await ask(fresh("no_author:1"))

    first = answer.json()["search_item_list"][0]
    assert first["aweme_info"]["author"] is None


async def test_an_endless_keyword_replays_its_first_page(ask: Ask) -> None:
    sandbox = fresh("endless:1")

    first, far = await ask(sandbox), await ask(sandbox, cursor=900)

    assert far.json()["search_item_list"] == first.json()["search_item_list"]
    assert (far.json()["cursor"], far.json()["has_more"]) == (900, 1)


async def test_a_web_page_instead_of_json_is_charged(ask: Ask) -> None:
    sandbox = fresh("html:1")

    answer = await ask(sandbox)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!doctype html>")
    assert sandbox.credits_charged == 1


async def test_a_big_page_has_two_megabytes_untrimmed_only(ask: Ask) -> None:
    sandbox = fresh("big_page:1")

    big, small = await ask(sandbox), await ask(sandbox, trim="true")

    assert len(big.content) >= 2_000_000
    assert len(small.content) < 200_000


async def test_a_slow_answer_waits_as_long_as_configured(ask: Ask) -> None:
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    for faults in (
        Faults.parse(["slow@1"]),
        Faults.parse(["slow@1"], slow_seconds=2),
    ):
        sandbox = Sandbox(World(), faults=faults, latency_ms=500, sleep=note)
        await ask(sandbox)
        await ask(sandbox)

    assert pauses == [70, 0.5, 2, 0.5]


# ---------------------------------------------------------------- when a fault happens


def hits(faults: Faults, calls: int = 1000) -> list[int]:
    return [call for call in range(1, calls + 1) if faults.at(call)]


def test_a_fault_by_number_happens_on_these_calls_only() -> None:
    assert hits(Faults.parse(["early_end@3,9"])) == [3, 9]


@pytest.mark.parametrize(
    "texts",
    [
        ["early_end@3", "9", "html:0"],
        ["html:0", "early_end@3", "9"],
        ["early_end@3", "early_end@9"],
    ],
)
def test_calls_that_a_list_of_words_has_cut_off_stay_with_their_fault(
    texts: list[str],
) -> None:
    assert hits(Faults.parse(texts)) == [3, 9]


def test_the_environment_names_faults_as_it_is_documented() -> None:
    given = {"HEADCOUNT_SANDBOX_FAULTS": "server_error@3,9,html@5"}

    faults = Faults.parse(Settings.model_validate(given).sandbox_faults)

    assert hits(faults) == [3, 5, 9]


@pytest.mark.parametrize("texts", [["9"], ["html:0.5", "9"]])
def test_calls_without_a_fault_are_refused(texts: list[str]) -> None:
    with pytest.raises(ValueError, match="unknown fault '9'"):
        Faults.parse(texts)


@pytest.mark.parametrize("cut_off", ["0", "x"])
def test_a_piece_that_is_no_call_is_refused(cut_off: str) -> None:
    with pytest.raises(ValueError, match="fault"):
        Faults.parse(["html@3", cut_off])


def test_a_rate_is_a_share_of_the_calls_and_the_same_for_the_same_seed() -> None:
    faults = Faults.parse(["server_error:0.1"])

    assert 70 < len(hits(faults)) < 130
    assert hits(faults) == hits(Faults.parse(["server_error:0.1"]))
    assert hits(faults) != hits(Faults.parse(["server_error:0.1"], seed=1))


def test_of_two_faults_on_one_call_the_first_named_happens() -> None:
    fault = Faults.parse(["html@5", "server_error:1"]).at(5)

    assert fault is FAULTS["html"]


@pytest.mark.parametrize("rate", ["0", "0.5", ".5", "1", "1.0"])
def test_a_rate_may_be_anything_from_0_to_1(rate: str) -> None:
    assert Faults.parse([f"html:{rate}"]).rules[0].rate == float(rate)


@pytest.mark.parametrize(
    "text",
    ["html", "html:", "html:2", "html:-1", "html:x", "html@", "html@0", "html@1,"],
)
def test_a_rule_without_a_proper_when_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"html:0\.1 or html@3,9"):
        Faults.parse([text])


def test_a_misspelt_fault_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'server_error'"):
        Faults.parse(["sever_eror:0.1"])


def test_a_fault_like_no_other_lists_all() -> None:
    with pytest.raises(ValueError, match=r"known are early_end, .*lost_answer"):
        Faults.parse(["zzz:1"])


def test_the_help_text_has_a_line_for_every_fault() -> None:
    assert [line.split()[0] for line in described().splitlines()] == list(FAULTS)
