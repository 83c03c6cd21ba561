"""Notices go nowhere that the site did not name."""

import pytest

from orthanc_share.domain.errors import NoticeAddressError
from orthanc_share.upstream.notice_addresses import NoticeAddresses, host_of

SITE = "http://ris:8080/hook?key=secret"
ALLOWED = NoticeAddresses(
    SITE,
    (
        "hooks.example.org",
        "Example.COM",
        "ports.example:8443",
        "192.0.2.7",
        "2001:db8::1",
        "[2001:db8::2]:8443",
        "127.0.0.1:9000",
        "localhost",
    ),
)


@pytest.mark.parametrize(
    "address",
    [
        SITE,
        "https://hooks.example.org/path?key=value",
        "https://HOOKS.example.org:443/",
        "https://a.b.hooks.example.org/%20x",
        "https://example.com",
        "https://ports.example:8443/",
        "https://deep.ports.example:8443/",
        "https://192.0.2.7/",
        "https://[2001:db8::1]/",
        "https://[2001:db8::2]:8443/",
        "http://127.0.0.1:9000/",
        "http://localhost/",
        "https://localhost/",
    ],
)
def test_what_the_site_named_is_allowed(address: str) -> None:
    ALLOWED.check(address)
    assert ALLOWED.allows(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hooks.example.org",
        "//hooks.example.org/",
        "ftp://hooks.example.org/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        # Not encrypted, and not loopback.
        "http://hooks.example.org/",
        "http://192.0.2.7/",
        # Another host or port.
        "https://ris:8080/hook",
        "http://ris:8080/hook",
        f"{SITE}&more=1",
        "https://example.org/",
        "https://evilhooks.example.org/",
        "https://hooks.example.org.evil.example/",
        "https://hooks.example.org:8443/",
        "https://ports.example/",
        "https://ports.example:444/",
        "https://192.0.2.8/",
        "https://1.192.0.2.7/",
        "https://[::ffff:192.0.2.7]/",
        "https://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:9001/",
        "http://127.0.0.2:9000/",
        "http://2130706433:9000/",
        "http://0x7f.1:9000/",
        # Read differently by different parsers.
        "https://hooks.example.org@evil.example/",
        "https://user@hooks.example.org/",
        "https://user:pass@hooks.example.org/",
        "https://@hooks.example.org/",
        "https://evil.example\\@hooks.example.org/",
        "https://evil.example#@hooks.example.org/",
        "https://hooks.example.org#fragment",
        "https://hooks.example.org:99999/",
        "https://hooks.example.org:x/",
        "https://hooks.example.org./",
        "https://.hooks.example.org/",
        "https://a..hooks.example.org/",
        f"https://{'a' * 64}.hooks.example.org/",
        f"https://{'a.' * 130}hooks.example.org/",
        "https://a%2eb.hooks.example.org/",
        "https://[hooks.example.org/",
        "https://[v1.hooks.example.org]/",
        "https:///hook",
        "https://hooks.example.org/\n",
        "https://hooks.example.org/ x",
        "https://hooks.example.örg/",
        "\x00https://hooks.example.org/",
        f"https://hooks.example.org/{'x' * 2048}",
    ],
)
def test_everything_else_is_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(NoticeAddressError) as caught:
        ALLOWED.check(address)
    assert not address or address not in str(caught.value)


def test_without_a_list_only_the_site_is_told() -> None:
    own = NoticeAddresses(SITE)
    own.check(SITE)
    with pytest.raises(NoticeAddressError):
        own.check("https://hooks.example.org/")


def test_without_anything_nobody_is_told() -> None:
    with pytest.raises(NoticeAddressError):
        NoticeAddresses().check("https://hooks.example.org/")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (SITE, "ris"),
        (
            "https://Hooks.example.org:8443/secret?key=secret#secret",
            "hooks.example.org",
        ),
        ("https://secret:secret@hooks.example.org/", "hooks.example.org"),
        ("https://[2001:db8::1]:8443/secret", "2001:db8::1"),
        ("secret", None),
        ("https://[secret/", None),
        ("", None),
    ],
)
def test_the_host_of_an_address_is_no_secret(
    address: str, expected: str | None
) -> None:
    assert host_of(address) == expected


def test_the_rule_does_not_show_the_address_of_the_site() -> None:
    assert "secret" not in repr(ALLOWED)
