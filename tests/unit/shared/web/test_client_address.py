"""From where a request comes."""

from ipaddress import ip_network

import pytest
from hypothesis import given, strategies as st

from orthanc_share.config.values import Network
from orthanc_share.web.client_address import HOPS_MAX, client_address

PROXIES: tuple[Network, ...] = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def seen(
    *forwarded: str,
    peer: str | None = "10.0.0.1",
    trusted: tuple[Network, ...] = PROXIES,
) -> str | None:
    """Return the address of a client whose request has these fields."""
    headers = [(b"x-forwarded-for", one.encode("utf-8")) for one in forwarded]
    client = None if peer is None else (peer, 4711)
    return client_address(
        {"type": "http", "headers": headers, "client": client}, trusted
    )


def test_without_a_proxy_it_is_the_peer() -> None:
    assert seen(peer="203.0.113.9") == "203.0.113.9"


def test_who_is_not_trusted_names_nobody_else() -> None:
    assert seen("198.51.100.7", peer="203.0.113.9") == "203.0.113.9"
    assert seen("198.51.100.7", trusted=()) == "10.0.0.1"


def test_a_trusted_proxy_names_the_client() -> None:
    assert seen("198.51.100.7") == "198.51.100.7"
    assert seen("198.51.100.7", peer="fd00::1") == "198.51.100.7"


def test_the_nearest_who_is_not_trusted_counts_whatever_he_wrote() -> None:
    assert seen("192.0.2.1, 198.51.100.7, 10.0.0.2") == "198.51.100.7"
    assert seen("192.0.2.1", "198.51.100.7", "10.0.0.2") == "198.51.100.7"


def test_if_all_are_trusted_it_is_the_farthest() -> None:
    assert seen("10.9.9.9, 10.0.0.2") == "10.9.9.9"


@pytest.mark.parametrize("empty", ["", " ", ",", " , ,"])
def test_a_field_without_an_address_says_nothing(empty: str) -> None:
    assert seen(empty) == "10.0.0.1"
    assert seen(f"198.51.100.7,{empty}") == "198.51.100.7"


@pytest.mark.parametrize(
    "garbage",
    [
        "unknown",
        "_hidden",
        "198.51.100.7.1",
        "198.51.100.300",
        "1",
        "198.51.100.7:port",
        "198.51.100.7:1:2",
        "[2001:db8::1",
        "[2001:db8::1]x",
        "[]",
        "<script>",
        "é",
        "localhost",
    ],
)
def test_what_cannot_be_read_and_what_is_beyond_it_is_ignored(garbage: str) -> None:
    assert seen(garbage) == "10.0.0.1"
    assert seen(f"192.0.2.1, {garbage}, 10.0.0.2") == "10.0.0.2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("198.51.100.7:4711", "198.51.100.7"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
    ],
)
def test_ports_zones_and_brackets_do_not_matter(text: str, expected: str) -> None:
    assert seen(text) == expected


def test_a_proxy_is_trusted_however_its_address_is_written() -> None:
    assert seen("198.51.100.7", peer="::ffff:10.0.0.1") == "198.51.100.7"
    assert seen("198.51.100.7", peer="fd00::1%eth0") == "198.51.100.7"


def test_a_peer_without_an_address_is_not_known_and_not_trusted() -> None:
    assert seen("198.51.100.7", peer=None) is None
    assert seen("198.51.100.7", peer="testserver") is None


def test_only_so_many_hops_are_looked_at() -> None:
    proxies = ["10.0.0.2"] * (HOPS_MAX - 1)
    assert seen(",".join(["198.51.100.7", *proxies])) == "198.51.100.7"
    assert seen(",".join(["198.51.100.7", *proxies, "10.0.0.2"])) == "10.0.0.2"


@given(st.lists(st.text(max_size=40), max_size=4))
def test_whatever_is_written_the_answer_is_an_address(fields: list[str]) -> None:
    found = seen(*(one.encode("utf-8", "replace").decode() for one in fields))
    assert found is not None
    assert seen(peer=found) == found
