"""Who gets an e-mail: addresses as people type them, checked before any server is.

Stricter than RFC 5322 on purpose: no quoted local parts, no comments, no routes
through other hosts. Whoever needs those can send a mail by hand.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from email.headerregistry import Address
from email.utils import parseaddr

ADDRESS_MAX_CHARS = 254
"""RFC 5321 4.5.3.1.3: a path of 256 octets less its angle brackets."""

LOCAL_PART_MAX_CHARS = 64
"""RFC 5321 4.5.3.1.1."""

_SEPARATORS = re.compile(r"[;,\s]+")
"""Protocol B.7: semicolon, comma, white space."""

# RFC 5322 3.2.3 dot-atom, without "%" and "!": old servers read them as routes. Nor
# with "=?": Python and mail programs would decode it to another address (RFC 2047 2).
_ATOM = r"(?:[A-Za-z0-9#$&'*+/?^_`{|}~-]|=(?!\?))+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")

# RFC 1123 2.1, at least two labels: a bare "user@host" is a typing mistake.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class AddressError(ValueError):
    """The text is no address that we send to; it may be shown to the sender."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address, and the name shown beside it.

    Args:
        address: `local@domain`, ASCII, the domain in lower case.
        name: May be empty.
    """

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        """What stands behind the `@`."""
        return self.address.rpartition("@")[2]

    def to_header(self) -> Address:
        """Return it for a header of an `EmailMessage`."""
        return Address(display_name=self.name, addr_spec=self.address)


def has_control_characters(text: str) -> bool:
    """Whether a text could break out of its header line, or cannot be encoded."""
    return _CONTROL.search(text) is not None


def address(text: str) -> str:
    """Return a checked address, its domain in lower-case ASCII (IDNA).

    Raises:
        AddressError: It is none, or none that we send to.
    """
    local, at, domain = text.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        ascii_domain = ""
    plain = f"{local}@{ascii_domain}"
    if (
        not at
        or len(plain) > ADDRESS_MAX_CHARS
        or len(local) > LOCAL_PART_MAX_CHARS
        or not _LOCAL_PART.fullmatch(local)
        or not _DOMAIN.fullmatch(ascii_domain)
    ):
        raise AddressError("is no e-mail address")
    return plain


def addresses(text: str) -> list[str]:
    """Return the addresses in what a person typed, each once, in their order.

    Raises:
        AddressError: One of them is none; the text says which by its place.
    """
    found: dict[str, str] = {}
    parts = [part for part in _SEPARATORS.split(text) if part]
    for place, part in enumerate(parts, start=1):
        try:
            one = address(part)
        except AddressError as error:
            raise AddressError(f"Recipient {place} {error}.") from None
        found.setdefault(one.lower(), one)
    return list(found.values())


def mailbox(text: str) -> Mailbox:
    """Return the mailbox in `Name <address>` or `address`.

    Raises:
        AddressError: There is none.
    """
    name, spec = parseaddr(text)
    if has_control_characters(text):
        raise AddressError("has control characters")
    return Mailbox(address(spec), name)


def is_allowed(domain: str, allowed: Collection[str]) -> bool:
    """Whether mail may go to a domain.

    Args:
        domain: Of a checked address.
        allowed: Domains in lower case; `*.example.org` means all below it, and
            none at all means every domain.
    """
    parents = {f"*.{part}" for part in _parents(domain)}
    return not allowed or domain in allowed or not parents.isdisjoint(allowed)


def _parents(domain: str) -> list[str]:
    """Return the domains above this one: for `a.b.c` `b.c` and `c`."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(1, len(labels))]
