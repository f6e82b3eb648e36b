"""What a job may open beyond its keywords: the door."""

import pytest

from headcount.core.errors import InvalidSearch
from headcount.core.expansion import (
    Expand,
    Expansion,
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


def test_a_keyword_as_a_hashtag_is_one_word() -> None:
    assert squeezed("#Street  Style") == "streetstyle"
