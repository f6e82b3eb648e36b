"""Settings by flag, environment and file, in that order, under old names too."""

import pytest
from e2e.program import Home, Provider

from headcount.core.errors import InvalidSetting
from headcount.settings import Settings, load_settings


def spoken_cap(home: Home, *flags: str | int, **env: str) -> int:
    """The cap on calls that a search announces."""
    ran = home.run("find", 5, "tech", "--sandbox", *flags, **env)
    return int(ran.err.splitlines()[0].partition("at most ")[2].split()[0])


def test_a_flag_goes_before_the_environment_and_that_before_the_file(
    home: Home,
) -> None:
    file = home.folder / "headcount.toml"

    assert spoken_cap(home) == 23
    file.write_text("max_calls = 30\n")
    assert spoken_cap(home) == 30
    assert spoken_cap(home, MAX_API_CALLS="40") == 40
    assert spoken_cap(home, "--max-calls", 50, MAX_API_CALLS="40") == 50


def test_the_file_may_lie_in_the_users_own_folder(home: Home) -> None:
    folder = home.folder / "config" / "headcount"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("max_calls = 31\n")

    assert spoken_cap(home) == 31


def test_our_own_name_goes_before_the_older_one(home: Home) -> None:
    assert spoken_cap(home, HEADCOUNT_MAX_CALLS="41", MAX_API_CALLS="40") == 41


def test_an_empty_variable_is_as_good_as_none(home: Home) -> None:
    assert spoken_cap(home, MAX_API_CALLS="") == 23


@pytest.mark.parametrize("prefix", ["", "HEADCOUNT_"])
def test_target_and_keywords_may_come_from_the_environment(
    home: Home, provider: Provider, prefix: str
) -> None:
    names = ("HEADCOUNT_TARGET", "HEADCOUNT_KEYWORDS")
    target, keywords = names if prefix else ("TARGET_COUNT", "TEST_KEYWORDS")

    ran = home.run("find", **{target: "40", keywords: "street food, tech"})

    assert ran.code == 0
    assert len(ran.out.splitlines()) == 41
    assert {call["keyword"] for call in provider.calls} == {"street food", "tech"}


def test_keywords_may_be_a_list_in_json(home: Home, provider: Provider) -> None:
    home.run("find", 40, TEST_KEYWORDS='["salt, pepper", "tech"]')

    assert {call["keyword"] for call in provider.calls} == {"salt, pepper", "tech"}


def test_the_other_older_names_work_too(home: Home, provider: Provider) -> None:
    older = {"RATE_LIMIT_MS": "120", "RETRY_ATTEMPTS": "7", "DEBUG_MODE": "true"}

    ran = home.run("find", 60, "tech", **older)

    assert home.shows(ran.job)["limits"]["attempts"] == 7
    assert "[DEBUG] uniqueIds:" in ran.err
    first, second, *_ = [call["at"] for call in provider.calls]
    assert first < second


BAD = {
    "MAX_API_CALLS": "few",
    "MAX_API_CALLS_FOR_TESTING": "0",
    "RATE_LIMIT_MS": "-1",
    "RETRY_ATTEMPTS": "none",
    "DEBUG_MODE": "perhaps",
    "TEST_KEYWORDS": '["tech"',
    "HEADCOUNT_CONCURRENCY": "0",
    "HEADCOUNT_MAX_CREDITS": "1.5",
    "HEADCOUNT_TIMEOUT": "-3",
    "HEADCOUNT_CREDIT_PRICE": "cheap",
    "HEADCOUNT_SANDBOX_FAULTS": "flood:0.1",
    "TARGET_COUNT": "many",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_told_by_the_name_the_user_gave(home: Home, name: str) -> None:
    words = () if name == "TARGET_COUNT" else (5, "tech")

    ran = home.run("find", *words, "--sandbox", **{name: BAD[name]})

    (line,) = ran.err.splitlines()
    assert ran.code == 2
    assert line.startswith(f"Error: {name}: ")
    assert BAD[name] in line or BAD[name].partition(":")[0] in line


def test_a_bad_flag_is_told_by_its_name() -> None:
    with pytest.raises(InvalidSetting, match=r"^--rate-limit-ms: .*, not -1$"):
        load_settings(rate_limit_ms=-1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max_calls = 'few'\n", "max_calls in headcount.toml: "),
        ("max_calls = \n", "headcount.toml: "),
        (
            "max_cals = 5\n",
            "headcount.toml: no setting is called 'max_cals': did you mean",
        ),
    ],
)
def test_a_bad_file_is_told_by_its_name(home: Home, text: str, expected: str) -> None:
    (home.folder / "headcount.toml").write_text(text)

    ran = home.run("find", 5, "tech", "--sandbox")

    (line,) = ran.err.splitlines()
    assert ran.code == 2
    assert line.startswith("Error: ")
    assert expected in line


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"}, "http://c:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/in"}, "http://c/in"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "TRUE"},
            None,
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"},
            None,
        ),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c",
                "OTEL_TRACES_EXPORTER": "console, otlp",
            },
            "http://c/v1/traces",
        ),
    ],
)
def test_traces_go_where_the_standard_variables_say(
    given: dict[str, str], endpoint: str | None
) -> None:
    assert Settings.model_validate(given).traces_endpoint == endpoint
