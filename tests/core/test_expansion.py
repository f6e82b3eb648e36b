"""What a job may open beyond its keywords: the door."""
# ruff: noqa: RUF001 - letters that look alike are what these tests are about

import pytest

from headcount.core.errors import InvalidSearch
from headcount.core.expansion import (
    Expand,
    Expansion,
    as_hashtag,
    build_expansion,
    parse_expand,
    squeezed,
)


def test_nothing_is_opened_unless_somebody_says_so() -> None:
    assert Expansion() == Expansion(Expand.OFF, (), 0.0)
    assert not Expand.OFF.variants
    assert not Expand.OFF.related


@pytest.mark.parametrize(
    ("expand", "variants", "related"),
    [
        (Expand.VARIANTS, True, False),
        (Expand.RELATED, False, True),
        (Expand.ALL, True, True),
    ],
)
def test_all_is_variants_and_related(
    expand: Expand,
    *,
    variants: bool,
    related: bool,
) -> None:
    assert (expand.variants, expand.related) == (variants, related)


def test_a_way_is_read_in_any_case() -> None:
    assert parse_expand(" All ") is Expand.ALL


@pytest.mark.parametrize(
    ("word", "near"), [("variant", "'variants'"), ("relate", "'related'")]
)
def test_an_unknown_way_is_refused_with_the_nearest_one(word: str, near: str) -> None:
    with pytest.raises(InvalidSearch) as fault:
        parse_expand(word)

    assert fault.value.field == "expand"
    assert str(fault.value) == (
        f"expand: expected off, variants, related, all, not {word!r}; "
        f"did you mean {near}?"
    )


def test_a_way_that_is_like_none_is_refused_without_a_guess() -> None:
    with pytest.raises(InvalidSearch, match=r"not 'qqq'$"):
        parse_expand("qqq")


def test_words_to_leave_out_come_one_by_one_or_with_commas_and_each_once() -> None:
    expansion = build_expansion("all", exclude=["Nike, puma", " puma"])

    assert expansion == Expansion(Expand.ALL, ("Nike", "puma"), 0.0)


@pytest.mark.parametrize("given", [[""], [" "], ["nike,"], ["#"], ["a", " , b"]])
def test_a_blank_word_to_leave_out_is_refused(given: list[str]) -> None:
    with pytest.raises(InvalidSearch, match="not a blank: leave it out") as fault:
        build_expansion("all", exclude=given)

    assert fault.value.field == "expandExclude"


def test_an_empty_list_of_words_to_leave_out_leaves_nothing_out() -> None:
    assert build_expansion("related", exclude=[]) == Expansion(Expand.RELATED)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_relevance_that_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(InvalidSearch, match="a number from 0 to 1") as fault:
        build_expansion("all", relevance_min=share)

    assert fault.value.field == "relevanceMin"


@pytest.mark.parametrize(
    "given", [{"exclude": ["nike"]}, {"relevance_min": 0.5}], ids=str
)
def test_conditions_are_refused_where_nothing_may_be_opened(
    given: dict[str, object],
) -> None:
    with pytest.raises(InvalidSearch, match="give expand as variants, related, all"):
        build_expansion("off", **given)  # type: ignore[arg-type] # one of the two


def test_an_excluded_word_is_seen_in_whichever_way_it_is_written() -> None:
    expansion = Expansion(Expand.ALL, ("Street Style", "nike"))

    assert expansion.excludes("#streetstyle")
    assert expansion.excludes("my STREET style")
    assert expansion.excludes("nikeshoes")
    assert not expansion.excludes("style")


@pytest.mark.parametrize(
    ("word", "ways"),
    [
        ("nike air", ["nike_air", "nike-air", "NÍKE air", "ｎｉｋｅ　ａｉｒ"]),
        ("l'oreal", ["loreal", "L’Oréal Paris", "l`oréal", "lʼoréal"]),
        ("h&m", ["hm", "H & M", "＃h＆m"]),
        ("café", ["cafe", "cafe\u0301", "CAFÉS"]),
        ("straße", ["strasse", "STRASSE"]),
        ("ｎｉｋｅ", ["nike", "nikeshoes"]),
        ("istanbul", ["İstanbul"]),
    ],
)  # fmt: skip
def test_no_way_to_write_an_excluded_word_gets_past(word: str, ways: list[str]) -> None:
    for way in ways:
        assert Expansion(Expand.ALL, (word,)).excludes(way), way
        assert Expansion(Expand.ALL, (way,)).excludes(f"a {way} b"), way


@pytest.mark.parametrize(
    ("word", "other"),
    [("が", "か"), ("हिन्दी", "हनद"), ("ที่", "ทอ"), ("가", "각"), ("c++", "c"),
     ("שלום", "עולם"), ("йога", "танго"), ("ヨガ", "ヨカ"), ("🧘", "🏃")],
)  # fmt: skip
def test_what_other_scripts_tell_apart_stays_apart(word: str, other: str) -> None:
    assert Expansion(Expand.ALL, (word,)).excludes(f"my{word}time")
    assert not Expansion(Expand.ALL, (word,)).excludes(other)


def test_half_width_letters_are_the_same_letters() -> None:
    assert squeezed("ﾖｶﾞ") == squeezed("ヨガ") == "ヨガ"


def test_a_keyword_as_it_is_compared_is_one_word_unless_it_is_no_word() -> None:
    assert squeezed("#Street  Style") == "streetstyle"
    assert squeezed("!?") == "!?"
    assert squeezed(" # ") == ""


@pytest.mark.parametrize(
    ("keyword", "hashtag"),
    [("#Street  Style", "streetstyle"), ("L'Oréal", "loréal"), ("nike_air", "nike_air"),
     ("H & M", "hm"), ("ヨガ 初心者", "ヨガ初心者"), ("&", "")],
)  # fmt: skip
def test_a_keyword_as_a_hashtag_is_one_word_with_its_accents(
    keyword: str, hashtag: str
) -> None:
    assert as_hashtag(keyword) == hashtag
