"""Which URLs and addresses a webhook may have, and which secrets."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.core.destinations import (
    LONGEST_URL,
    check_secret,
    check_webhook_url,
    is_public,
    private,
    unknown,
)
from headcount.core.errors import InvalidSearch

PUBLIC = [
    "8.8.8.8",
    "93.184.216.34",
    "172.15.255.255",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "2001:4860:4860::8888",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]
PRIVATE = [
    "0.0.0.0",  # noqa: S104 - an address to be refused
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:224.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_or_reserved_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses(v=4, network="10.0.0.0/8").map(str))
def test_a_private_address_stays_private_within_ipv6(address: str) -> None:
    assert not is_public(f"::ffff:{address}")
    assert not is_public(f"64:ff9b::{address}")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://EXAMPLE.com/X?tenant=7&x=%20",
        "https://xn--bcher-kva.example:8443/hook",
        "https://8.8.8.8/hook",
        "https://[2606:4700::ABcd]:443/hook",
        "https://a_b-9.Z.example:/",
    ],
)
def test_a_url_over_https_is_taken_as_it_is(url: str) -> None:
    assert check_webhook_url(url) == url


ASCII = "expected a URL in plain ASCII without spaces (names as xn--)"
READ = "the URL cannot be read: is its host or port right?"
HTTPS = "expected a URL that begins with https://"
HOST = "expected a URL with a host, such as https://example.com/hook"
USER = "a URL with a user or password is not taken: leave them out"
FRAGMENT = "a URL with a fragment is not taken: leave out the '#...'"
LED = (
    " leads to a private or reserved address: give a public one, or have the operator "
    "set HEADCOUNT_WEBHOOK_ALLOW_PRIVATE"
)
BAD = {
    "": ASCII,
    "https://exa mple.com/": ASCII,
    "https://example.com/\n": ASCII,
    "https://example.com/\x00": ASCII,
    "https://bücher.example/": ASCII,
    "https://example.com\\@10.0.0.1/": ASCII,
    "https://example.com/" + "a" * LONGEST_URL: "a URL has at most 2,000 characters",
    "https://example.com:99999/": READ,
    "https://[::1/": READ,
    "https://[::g]/": READ,
    "https://a[::1]/": READ,
    "https://exa%6dple.com/": READ,
    "https://exa'mple.com/": READ,
    "https://a,b.com/": READ,
    "https://example.com:8:8/": READ,
    "http://example.com/": HTTPS,
    "ftp://example.com/": HTTPS,
    "file:///etc/passwd": HTTPS,
    "example.com/hook": HTTPS,
    "https:///hook": HOST,
    "https://:443/hook": HOST,
    "https://example.com:0/": HOST,
    "https://ann:pw@example.com/": USER,
    "https://@example.com/": USER,
    "https://example.com/#top": FRAGMENT,
    "https://example.com/#": FRAGMENT,
    "https://127.0.0.1/": f"127.0.0.1{LED}",
    "https://169.254.169.254/latest/meta-data": f"169.254.169.254{LED}",
    "https://[::1]/": f"::1{LED}",
    "https://[::ffff:10.0.0.1]/": f"::ffff:10.0.0.1{LED}",
}


@pytest.mark.parametrize("url", BAD)
def test_a_bad_url_is_refused_with_what_was_expected(url: str) -> None:
    with pytest.raises(InvalidSearch) as refused:
        check_webhook_url(url)

    assert refused.value.field == "webhook"
    assert str(refused.value) == f"webhook: {BAD[url]}"


@pytest.mark.parametrize("mark", '\\"<>^`{|}')
def test_what_programs_read_in_different_ways_is_refused(mark: str) -> None:
    with pytest.raises(InvalidSearch) as refused:
        check_webhook_url(f"https://example.com/{mark}")

    assert str(refused.value) == f"webhook: {ASCII}"


def test_a_url_of_just_the_longest_length_is_taken() -> None:
    url = "https://example.com/".ljust(LONGEST_URL, "a")

    assert check_webhook_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://ann:hunter2@example.com/",
        "https://example.com:hunter2/",
        "https://example.com/?token=hunter2#",
        "http://example.com/hunter2",
        "https://10.0.0.1/hunter2",
        "hunter2://",
    ],
)
def test_a_refused_url_is_not_shown(url: str) -> None:
    with pytest.raises(InvalidSearch) as refused:
        check_webhook_url(url)

    assert "hunter2" not in str(refused.value)


@given(st.text() | st.from_regex(r"https?://[!-~]*", fullmatch=True))
def test_whatever_comes_is_taken_or_refused(text: str) -> None:
    with suppress(InvalidSearch):
        assert check_webhook_url(text).startswith("https://")


@pytest.mark.parametrize(
    "url", ["http://example.com/", "http://127.0.0.1:8080/hook", "https://[::1]/"]
)
def test_where_it_is_allowed_a_url_may_be_private_and_plain(url: str) -> None:
    assert check_webhook_url(url, allow_private=True) == url


@pytest.mark.parametrize("url", ["ftp://example.com/", "https://a@example.com/", "//x"])
def test_nothing_else_is_allowed_with_it(url: str) -> None:
    with pytest.raises(InvalidSearch):
        check_webhook_url(url, allow_private=True)


def test_a_refused_host_is_named_in_short() -> None:
    host = "a" * 300

    for refused in (private(host), unknown(host)):
        assert refused.field == "webhook"
        assert f" {'a' * 100} " in str(refused)
        assert "a" * 101 not in str(refused)


# -------------------------------------------------------------------------- the secret
def a_secret(size: int) -> str:
    return "whsec_" + base64.b64encode(bytes(size)).decode()


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_secret_of_the_right_size_is_taken(size: int) -> None:
    assert check_secret(a_secret(size)) == a_secret(size)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "hunter2",
        "whsec_hunter2",
        a_secret(23),
        a_secret(65),
        a_secret(32).removeprefix("whsec_"),
        a_secret(32) + "é",
        a_secret(32) + "\ud800",
        a_secret(32) + "\n",
    ],
)
def test_a_secret_that_is_none_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(InvalidSearch) as refused:
        check_secret(secret)

    assert refused.value.field == "secret"
    assert str(refused.value) == (
        "secret: expected whsec_ and then 24 to 64 bytes in Base64; or give none, and "
        "one is made"
    )
