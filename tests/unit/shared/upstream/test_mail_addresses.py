"""Only what is plainly an address gets mail (defect A67)."""

import pytest
from hypothesis import given, strategies as st

from orthanc_share.upstream.mail_addresses import (
    AddressError,
    Mailbox,
    address,
    addresses,
    is_allowed,
    mailbox,
)


def test_recipients_are_separated_as_people_do() -> None:
    text = " a@example.org; b@example.org,c@example.org\n\td@example.org;; "
    letters = [one[0] for one in addresses(text)]
    assert letters == ["a", "b", "c", "d"]


def test_nobody_gets_a_mail_twice() -> None:
    assert addresses("Ann@example.org ann@EXAMPLE.org") == ["Ann@example.org"]


def test_no_text_has_no_address() -> None:
    assert addresses(" ;, ") == []


def test_the_wrong_address_is_named_by_its_place_only() -> None:
    with pytest.raises(AddressError, match=r"^Recipient 2 is no e-mail address\.$"):
        addresses("a@example.org; Jane Doe")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@example.org", "a@example.org"),
        ("a.b+c@Sub.Example.ORG", "a.b+c@sub.example.org"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("o'neil@example.org", "o'neil@example.org"),
        ("x" * 64 + "@example.org", "x" * 64 + "@example.org"),
    ],
)
def test_an_address_is_accepted(text: str, expected: str) -> None:
    assert address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@example.org",
        "a@",
        "a@localhost",
        "=?utf-8?q?a=0d=0ab?=@example.org",
        "=?utf-8?b?YUBldmlsLmV4YW1wbGU=?=@example.org",
        "a.=?utf-8?q?b?=@example.org",
        "a@-example.org",
        "a@example..org",
        "a@example.org.",
        "a@[127.0.0.1]",
        ".a@example.org",
        "a..b@example.org",
        "a b@example.org",
        '"a b"@example.org',
        "a@b@example.org",
        "user%other.example@example.org",
        "host!user@example.org",
        "é@example.org",
        "a\r\nBcc:b@example.org",
        "a@example.org\r\nRCPT",
        "a@example.org\n",
        "a\x00@example.org",
        "<a@example.org>",
        "a@\ud800.org",
        "a@" + "b" * 64 + ".org",
        "x" * 65 + "@example.org",
        "x@" + "a." * 130 + "org",
    ],
)
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(AddressError):
        address(text)


@given(st.text() | st.emails())
def test_what_is_accepted_can_do_no_harm_in_a_header(text: str) -> None:
    try:
        found = addresses(text)
    except AddressError:
        return
    for one in found:
        assert one.isascii()
        assert one.isprintable()
        assert not set(one) & set(' ,;<>"()\\')


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a@example.org", ""),
        ("Radiology <a@example.org>", "Radiology"),
        ('"Doe, Jane" <a@example.org>', "Doe, Jane"),
        ("Röntgen <a@example.org>", "Röntgen"),
    ],
)
def test_a_mailbox_may_have_a_name(text: str, name: str) -> None:
    box = mailbox(text)
    assert box == Mailbox("a@example.org", name)
    assert box.domain == "example.org"
    assert box.to_header().addr_spec == "a@example.org"
    assert box.to_header().display_name == name


@pytest.mark.parametrize("text", ["", "Radiology", "a@example.org\r\nBcc: b", "<>"])
def test_a_mailbox_without_address_is_none(text: str) -> None:
    with pytest.raises(AddressError):
        mailbox(text)


@pytest.mark.parametrize(
    ("domain", "allowed", "is_so"),
    [
        ("example.org", set(), True),
        ("example.org", {"example.org"}, True),
        ("example.org", {"example.com"}, False),
        ("a.example.org", {"example.org"}, False),
        ("a.example.org", {"*.example.org"}, True),
        ("b.a.example.org", {"*.example.org"}, True),
        ("example.org", {"*.example.org"}, False),
        ("notexample.org", {"*.example.org", "example.org"}, False),
    ],
)
def test_a_site_may_name_the_domains(
    domain: str, allowed: set[str], *, is_so: bool
) -> None:
    assert is_allowed(domain, allowed) is is_so
