"""What an item of TikTok search results shows, in every shape that was met."""

from datetime import UTC, datetime

import pytest
from fakes.tiktok import Json, author, page, post, raw

from headcount.adapters.tiktok import read_page
from headcount.core.calls import Page
from headcount.core.sighting import Sighting, Video


def read(body: object) -> Page:
    answer = read_page(raw(body), "0")
    assert isinstance(answer, Page), answer
    return answer


def seen(**changed: object) -> Sighting:
    """The sighting of one post with these fields changed."""
    return read(page(post() | changed)).sightings[0]


def seen_by(**changed: object) -> Sighting:
    """The sighting of one post whose author has these fields changed."""
    return seen(author=author() | changed)


EXPECTED = Sighting(
    platform="tiktok",
    id="7100000000000000001",
    username="sim_creator_001",
    video=Video(
        id="7300000000000000001",
        url="https://www.tiktok.com/@sim_creator_001/video/7300000000000000001",
        description="an invented caption #simtag",
        posted_at=datetime(2024, 12, 7, 19, 33, 20, tzinfo=UTC),
        plays=268_500,
        likes=7_932,
        comments=139,
        shares=198,
    ),
    name="Sim Créator 1",
    followers=11_965,
    avatar_url="https://cdn.invalid/1.jpeg?x=1",
    profile_url="https://www.tiktok.com/@sim_creator_001",
    hashtags=("simtag",),
    language="en",
)


# ----------------------------------------------------------------------- the two shapes
def test_a_wrapped_item_is_read_whole() -> None:
    answer = read(page(post()))

    assert answer == Page((EXPECTED,), 1, "30", more=True, credits=1)


def test_a_flat_item_says_the_same_as_a_wrapped_one() -> None:
    answer = read(page(search_item_list=[post()]))

    assert answer == read(page(post()))


@pytest.mark.parametrize(
    ("odd", "field"),
    [
        (post(author=author(follower_count="12K")), "followers"),
        (post(author=author(follower_count=-1)), "followers"),
        (post(author=author(follower_count=2**70)), "followers"),
        (post(author=author(avatar_medium="x.jpeg")), "avatar_url"),
        (post(author=author(avatar_medium={"url_list": ["x://a.jpeg"]})), "avatar_url"),
        (post(desc_language=7), "language"),
        (post(desc_language="un"), "language"),
    ],
)
def test_an_odd_value_is_unknown_and_the_rest_is_kept(odd: Json, field: str) -> None:
    sighting = read(page(odd)).sightings[0]

    assert getattr(sighting, field) is None
    assert (sighting.id, sighting.username) == (EXPECTED.id, EXPECTED.username)


def test_odd_statistics_leave_the_counts_that_are_sound() -> None:
    video = seen(statistics={"play_count": 5, "digg_count": "many"}).video

    assert (video.plays, video.likes, video.comments) == (5, None, None)
    assert seen(statistics=[]).video.plays is None


# ------------------------------------------------------------------------ the creator
@pytest.mark.parametrize(
    ("uid", "id_"),
    [
        ("7100000000000000001", "7100000000000000001"),
        (" 7100000000000000001 ", "7100000000000000001"),
        (71_000_001, "71000001"),
        (2**53, "9007199254740992"),
        (7_100_000_000_000_000_123, "7100000000000000123"),
    ],
)
def test_a_creator_is_told_by_the_uid_as_text_or_as_an_exact_number(
    uid: str | int, id_: str
) -> None:
    assert seen_by(uid=uid).id == id_


@pytest.mark.parametrize("uid", [None, "", "0", 0, 7.1e18, 7_100_000_000_000_000_000])
def test_who_has_no_sure_uid_is_not_counted_lest_somebody_count_twice(
    uid: str | float | None,
) -> None:
    answer = read(page(post(author=author(uid=uid))))

    assert answer.sightings == ()
    assert answer.items == 1


def test_a_changed_handle_leaves_the_creator_the_same() -> None:
    assert seen_by(unique_id="sim_renamed").key == seen_by().key


@pytest.mark.parametrize(
    ("badge", "verified"),
    [
        ("Verified account", True),
        ("Popular creator", False),
        ("", False),
        (None, False),
    ],
)
def test_only_the_badge_itself_makes_an_account_verified(
    *, badge: object, verified: bool
) -> None:
    assert seen_by(custom_verify=badge, verification_type=1).verified is verified


def test_a_picture_that_browsers_do_not_show_is_passed_over() -> None:
    sighting = seen_by(
        avatar_medium={"url_list": ["https://cdn.invalid/m.heic"]},
        avatar_larger={"url_list": ["https://cdn.invalid/l.jpeg"]},
    )

    assert sighting.avatar_url == "https://cdn.invalid/l.jpeg"


# -------------------------------------------------------------------------- the video
def test_a_video_without_a_clean_address_has_the_shared_one_without_its_query() -> None:
    shared = "https://www.tiktok.com/@sim_creator_001/video/1"

    sighting = seen(url=None, share_url=f"{shared}?_r=1&u=2")

    assert sighting.video.url == shared


def test_a_profile_lies_on_the_host_that_the_video_names() -> None:
    sighting = seen(url="https://sandbox.invalid/@sim_creator_001/video/1")

    assert sighting.profile_url == "https://sandbox.invalid/@sim_creator_001"


def test_an_address_of_another_scheme_is_left_out() -> None:
    sighting = seen(url="javascript:alert(1)//@sim/")

    assert sighting.video.url is None
    assert sighting.profile_url == "https://www.tiktok.com/@sim_creator_001"


@pytest.mark.parametrize(
    ("given_time", "read_as"),
    [
        (1_733_600_000, "2024-12-07T19:33:20+00:00"),
        ("1733600000", "2024-12-07T19:33:20+00:00"),
        ("2024-12-07T19:33:20.000Z", "2024-12-07T19:33:20+00:00"),
        ("2024-12-07T21:33:20+02:00", "2024-12-07T19:33:20+00:00"),
        ("2024-12-07T19:33:20", "2024-12-07T19:33:20+00:00"),
        (0, None),
        (-5, None),
        (1_733_600_000_000, None),
        (10**30, None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        (True, None),
        (None, None),
    ],
)
def test_a_time_is_aware_and_in_utc_or_unknown(
    given_time: object, read_as: str | None
) -> None:
    posted_at = seen(create_time=given_time).video.posted_at

    assert (posted_at and posted_at.isoformat()) == read_as


TAG, MENTION = {"type": 1, "hashtag_name": "SimTag"}, {"type": 0, "user_id": "7"}


@pytest.mark.parametrize(
    ("extra", "caption", "hashtags"),
    [
        ([TAG, MENTION, TAG, {"type": 1, "hashtag_name": "b"}], "#c", ("simtag", "b")),
        ([MENTION], "#One, #two!#THREE #one", ("one", "two", "three")),
        (None, "#café #कहानी #日本語、#a_b-c", ("café", "कहानी", "日本語", "a_b")),
        (None, "full width \uff03simtag", ("simtag",)),
        (None, "a # alone, and none", ()),
        ("odd", "#kept", ("kept",)),
    ],
)
def test_hashtags_are_those_tiktok_found_or_those_in_the_caption(
    extra: object, caption: str, hashtags: tuple[str, ...]
) -> None:
    assert seen(text_extra=extra, desc=caption).hashtags == hashtags


def test_only_is_ad_makes_an_ad() -> None:
    assert seen(is_ad=True).is_ad
    assert not seen(is_ads=True, is_paid_partnership=True).is_ad


def test_text_is_rid_of_what_no_database_takes() -> None:
    sighting = seen(desc="a\0b \ud800 \U0001f600", author=author(nickname="n\0"))

    assert sighting.video.description == "ab  \U0001f600"
    assert sighting.name == "n"


def test_bytes_that_are_no_utf_8_lose_only_themselves() -> None:
    body = raw(page(post(desc="MARK"), post(2))).replace(b"MARK", b"caf\xe9")

    answer = read_page(body, "0")

    assert isinstance(answer, Page)
    assert answer.sightings[0].video.description == "caf\ufffd"
