"""How a page of TikTok search results is read: its list, its end, its way on."""

import json

import pytest
from fakes.tiktok import Json, author, page, post, raw, without
from hypothesis import given
from hypothesis import strategies as st

from headcount.adapters.tiktok import NoPage, read_page
from headcount.core.calls import Page


def read(body: object, asked: str = "0") -> Page:
    answer = read_page(raw(body), asked)
    assert isinstance(answer, Page), answer
    return answer


# --------------------------------------------------------------------------- the list
def test_a_list_may_be_an_object_keyed_by_numbers() -> None:
    numbered = {str(n): {"aweme_info": post(n)} for n in range(30)}

    answer = read(page(search_item_list=numbered))

    assert answer == read(page(*map(post, range(30))))


@pytest.mark.parametrize("nothing", [None, [], {}])
def test_a_list_that_holds_nothing_is_an_empty_page(nothing: object) -> None:
    answer = read(page(search_item_list=nothing))

    assert (answer.sightings, answer.items, answer.next_cursor) == ((), 0, "30")


def test_a_missing_list_is_an_empty_page_only_where_success_is_claimed() -> None:
    claimed = without(page(), "search_item_list")
    silent = without(claimed, "success")

    assert read(claimed).items == 0
    assert isinstance(read_page(raw(silent), "0"), NoPage)


def test_a_list_of_another_kind_is_no_page() -> None:
    assert isinstance(read_page(raw(page(search_item_list="none")), "0"), NoPage)


@pytest.mark.parametrize(
    "unusable",
    [
        without(post(2), "aweme_id"),
        without(post(2), "author"),
        post(2, author=None),
        post(2, author="sim_creator_002"),
        post(2, author={"nickname": "no id at all"}),
        post(2, aweme_id={"id": 2}),
        None,
        7,
        [],
        {},
    ],
)
def test_an_item_without_creator_or_video_is_counted_and_loses_no_other(
    unusable: object,
) -> None:
    answer = read(page(post(1), unusable, post(3)))

    assert answer.items == 3
    assert answer.sightings == read(page(post(1), post(3))).sightings


# -------------------------------------------------------------------------- the way on
@pytest.mark.parametrize(
    ("given_more", "more"),
    [
        (1, True), (True, True), ("1", True), (1.0, True),
        (0, False), (False, False), ("0", False),
        (None, None), ("maybe", None), (2, None), ([], None),
    ],
)  # fmt: skip
def test_has_more_is_taken_in_every_spelling(
    *, given_more: object, more: bool | None
) -> None:
    assert read(page(post(), has_more=given_more)).more is more


def test_a_page_that_does_not_say_whether_there_is_more_leaves_it_open() -> None:
    assert read(without(page(post()), "has_more")).more is None


@pytest.mark.parametrize(
    ("given_cursor", "next_cursor", "stuck"),
    [
        (60, "60", False),
        ("60", "60", False),
        (60.0, "60", False),
        (89, "89", False),
        (30, "60", True),
        (0, "60", True),
        (-1, "60", True),
        ("29", "60", True),
        (None, "60", False),
        ("", "60", False),
        ("soon", "60", False),
        (60.5, "60", False),
        ({"next": 60}, "60", False),
        (10**40, "60", True),
        (1e300, "60", True),
    ],
)
def test_the_next_cursor_always_lies_ahead(
    *, given_cursor: object, next_cursor: str, stuck: bool
) -> None:
    answer = read(page(post(), cursor=given_cursor), asked="30")

    assert (answer.next_cursor, answer.stuck) == (next_cursor, stuck)


def test_a_missing_cursor_is_not_a_stuck_one() -> None:
    answer = read(without(page(post()), "cursor"), asked="30")

    assert (answer.next_cursor, answer.stuck) == ("60", False)


# ------------------------------------------------------------------------------ no page
@pytest.mark.parametrize("block", ["verify_check", "hit_shark", "antispam_check"])
def test_an_empty_list_with_a_block_is_no_page(block: str) -> None:
    nil = {"search_nil_item": block, "search_nil_type": ""}

    answer = read_page(raw(page(search_nil_info=nil)), "0")

    assert isinstance(answer, NoPage)
    assert block in answer.problem


@pytest.mark.parametrize("reason", ["empty_session", "federation_empty", "", None])
def test_an_empty_list_for_another_reason_is_an_empty_page(reason: object) -> None:
    assert read(page(search_nil_info={"search_nil_item": reason})).items == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"[" * 99999,
        raw(page(post()))[:-20],
    ],
)
def test_what_is_no_json_object_is_no_page(body: bytes) -> None:
    assert isinstance(read_page(body, "0"), NoPage)


def test_items_are_taken_even_from_an_answer_that_says_it_failed() -> None:
    assert read(page(post(), success=False)).items == 1


NAMES = st.sampled_from(
    [*post(), *author(), *page(), "aweme_info", "text_extra", "url_list"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES | st.text(), inner, max_size=6)
    ),
    max_leaves=25,
)
FIELDS = st.dictionaries(NAMES, JSON, max_size=5)


@given(JSON)
def test_no_json_is_too_strange_to_be_answered(body: object) -> None:
    assert isinstance(read_page(raw(body), "0"), Page | NoPage)


@given(FIELDS, FIELDS, FIELDS)
def test_no_item_is_too_strange_to_be_read(
    in_page: Json, in_post: Json, by: Json
) -> None:
    body = page(post() | {"author": author() | by} | in_post, post(2)) | in_page

    answer = read_page(raw(body), "30")

    if isinstance(answer, Page):
        assert len(answer.sightings) <= answer.items
        assert int(answer.next_cursor) > 30
        for sighting in answer.sightings:
            assert json.dumps(str(sighting), ensure_ascii=False).encode()
