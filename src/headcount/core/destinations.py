"""Where a webhook may lead: its URL as text, and the addresses that a name stands for.

A URL is somebody else's wish that this machine send something: it must not reach what
only this machine can. The text is judged here before anything is looked up, and every
address again right before it is connected to.
"""

import base64
import re
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from headcount.core.errors import InvalidSearch

FIELD = "webhook"
LONGEST_URL = 2_000  # characters
SECRET_PREFIX = "whsec_"  # noqa: S105 - the mark of a secret, and none itself
SECRET_SIZES = range(24, 65)  # bytes, by the specification of Standard Webhooks

# A host as every program reads it: what they might take in different ways is refused.
_AUTHORITY = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")
# Of IPv6, only this part is handed out to the public.
_UNICAST = ip_network("2000::/3")
_6TO4 = ip_network("2002::/16")  # leads to any IPv4 address, private ones too
_NAT64 = ip_network("64:ff9b::/96")  # an IPv4 address as an IPv6 network sees it


def check_webhook_url(url: str, *, allow_private: bool = False) -> str:
    """Let a URL through that may be told of a job, as far as its text says.

    Raises:
        InvalidSearch: no URL over HTTPS, or with what does not belong in it; the
            message does not show the URL, which may hold a secret.
    """
    if len(url) > LONGEST_URL:
        raise _invalid(f"a URL has at most {LONGEST_URL:,} characters")
    if not re.fullmatch(r"[!-~]+", url) or set(url) & set('\\"<>^`{|}'):
        raise _invalid("expected a URL in plain ASCII without spaces (names as xn--)")
    parts = _split(url)
    if parts.scheme not in ({"https", "http"} if allow_private else {"https"}):
        raise _invalid("expected a URL that begins with https://")
    if "@" in parts.netloc:
        raise _invalid("a URL with a user or password is not taken: leave them out")
    if "#" in url:
        raise _invalid("a URL with a fragment is not taken: leave out the '#...'")
    host = _host(parts)
    if not allow_private and _is_private_literal(host):
        raise private(host)
    return url


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise _unreadable() from None


def _host(parts: SplitResult) -> str:
    """The host of a URL, if it has one that every program reads in the same way."""
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _unreadable() from None
    if not host or port == 0:
        raise _invalid("expected a URL with a host, such as https://example.com/hook")
    if not _AUTHORITY.fullmatch(parts.netloc):
        raise _unreadable()
    return host


def _unreadable() -> InvalidSearch:
    return _invalid("the URL cannot be read: is its host or port right?")


def private(host: str) -> InvalidSearch:
    """What is said of a host that leads to no public address; not to which one."""
    return _invalid(
        f"{host[:100]} leads to a private or reserved address: give a public one, or "
        "have the operator set HEADCOUNT_WEBHOOK_ALLOW_PRIVATE"
    )


def unknown(host: str) -> InvalidSearch:
    """What is said of a host that has no address."""
    return _invalid(f"{host[:100]} has no address: check the name")


def _invalid(message: str) -> InvalidSearch:
    return InvalidSearch(FIELD, f"{FIELD}: {message}")


def _is_private_literal(host: str) -> bool:
    try:
        return not is_public(host)
    except ValueError:
        return False  # a name: what it stands for is not known yet


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet.

    An IPv4 address within an IPv6 one is judged for itself.

    Raises:
        ValueError: this is no address.
    """
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or _behind_nat64(ip)
        if inner is None:
            return ip in _UNICAST and ip not in _6TO4 and ip.is_global
        ip = inner
    return ip.is_global and not ip.is_multicast


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, whatever the name service says."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _behind_nat64(ip: IPv6Address) -> IPv4Address | None:
    return IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None


def check_secret(secret: str) -> str:
    """Let a secret through that Standard Webhooks can sign with.

    Raises:
        InvalidSearch: not `whsec_` with 24 to 64 bytes in Base64; never shown.
    """
    encoded = secret.removeprefix(SECRET_PREFIX)
    if encoded == secret or _decoded_size(encoded) not in SECRET_SIZES:
        raise InvalidSearch(
            "secret",
            f"secret: expected {SECRET_PREFIX} and then 24 to 64 bytes in Base64; "
            "or give none, and one is made",
        )
    return secret


def _decoded_size(encoded: str) -> int | None:
    with suppress(ValueError):
        return len(base64.b64decode(encoded, validate=True))
    return None
