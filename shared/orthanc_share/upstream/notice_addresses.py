"""Where notices may be sent: nowhere that the site did not name.

Who makes a share may say where its notices go; without a rule that would let them ask
any server that this one can reach.
"""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from orthanc_share.domain.errors import NoticeAddressError

ADDRESS_MAX_CHARS = 2048
"""Longest address, in characters."""

_PORTS = {"https": 443, "http": 80}
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")  # RFC 1123 2.1
_FORBIDDEN = frozenset('\\#"<>`{}|^ ')


@dataclass(frozen=True, slots=True)
class NoticeAddresses:
    """Which addresses may be told.

    Args:
        site: The site's own (`NOTIFY_URL`), which is always allowed; None: none.
        hosts: `NOTIFY_ALLOWED_HOSTS`: names, each with all names below it, or IP
            addresses; `host:port` allows this port, else it is that of the scheme.
            Empty: only the site's own.
    """

    site: str | None = field(default=None, repr=False)
    hosts: Collection[str] = ()

    def check(self, address: str) -> None:
        """Return if notices may be sent to `address`.

        Raises:
            NoticeAddressError: They may not; the text never says the address.
        """
        if address == self.site:
            return
        parts = _split(address)
        host = parts.hostname or ""
        if parts.scheme not in _PORTS or not _is_host(host, parts.netloc):
            raise NoticeAddressError(
                "Notices go to addresses that start with https://."
            )
        if parts.scheme == "http" and not _is_loopback(host):
            raise NoticeAddressError("Notices go to https only.")
        if "@" in parts.netloc:
            raise NoticeAddressError("Addresses of notices hold no user or password.")
        own = _PORTS[parts.scheme]
        port = own if parts.port is None else parts.port
        if not any(_allows(entry, host, port, own) for entry in self.hosts):
            raise NoticeAddressError("Notices to this host are not allowed here.")

    def allows(self, address: str) -> bool:
        """Tell whether notices may be sent to `address`."""
        try:
            self.check(address)
        except NoticeAddressError:
            return False
        return True


def host_of(address: str) -> str | None:
    """Return the host of an address; None: it has none.

    The rest of an address may hold a secret, and is for nobody to see.
    """
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _split(address: str) -> SplitResult:
    is_text = address.isascii() and address.isprintable()
    if not is_text or len(address) > ADDRESS_MAX_CHARS or _FORBIDDEN & set(address):
        raise NoticeAddressError("The address of notices cannot be read.")
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise NoticeAddressError("The address of notices cannot be read.") from None
    return parts


def _allows(entry: str, host: str, port: int, own: int) -> bool:
    """Tell whether an entry of the list allows a host; `own`: port of the scheme."""
    name, named_port = _host_and_port(entry.lower())
    if port != (named_port or own):
        return False
    if _is_ip(name):
        return host == name
    return host == name or host.endswith(f".{name}")


def _host_and_port(entry: str) -> tuple[str, int | None]:
    """Return the parts of `host`, `host:port`, `[::1]:port` or `::1`."""
    if entry.count(":") > 1 and not entry.startswith("["):
        return entry, None
    host, _, port = entry.rpartition(":")
    if not port.isdigit():
        return entry.strip("[]"), None
    return host.strip("[]"), int(port)


def _is_host(host: str, netloc: str) -> bool:
    is_name = _NAME.fullmatch(host) is not None and "[" not in netloc
    return is_name or _is_ip(host)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    return _is_ip(host) and ipaddress.ip_address(host).is_loopback
