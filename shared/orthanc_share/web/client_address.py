"""From where a request comes: the address of the client, not of our own proxy.

Who is trusted may name another address; who is not could name any.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Final

from starlette.types import Scope

from orthanc_share.config.values import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
"""An address of a host."""

FORWARDED_FOR: Final = b"x-forwarded-for"
"""The header with which a proxy says for whom it asks; the nearest comes last."""

HOPS_MAX: Final = 10
"""Most addresses of the header that are looked at, from the nearest on."""

_PORT = re.compile(r":[0-9]{1,5}", re.ASCII)
_IN_BRACKETS = re.compile(r"\[([^]]*)\](?::[0-9]{1,5})?", re.ASCII)


def client_address(scope: Scope, trusted: Sequence[Network] = ()) -> str | None:
    """Return the address of the client of a request; None if it is not known.

    It is that of the nearest who is not trusted, or of the farthest if all are. An
    address that cannot be read ends the way: what lies beyond it anybody could have
    written.

    Args:
        scope: ASGI scope; without `client`, as behind a Unix socket, nobody is trusted.
        trusted: Proxies whose word counts.
    """
    peer = scope.get("client")
    address = None if peer is None else _address(str(peer[0]))
    for hop in _hops(scope):
        if hop is None or not _is_trusted(address, trusted):
            break
        address = hop
    return None if address is None else str(address)


def _is_trusted(address: Address | None, trusted: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in trusted)


def _hops(scope: Scope) -> Iterator[Address | None]:
    """Yield the addresses of the header, the nearest first; None: not readable."""
    fields = [value for name, value in scope["headers"] if name == FORWARDED_FOR]
    hops = b",".join(fields).decode("latin-1").rsplit(",", HOPS_MAX)
    for hop in reversed(hops[-HOPS_MAX:]):
        # An empty element says nothing (RFC 9110 5.6.1.2).
        if hop.strip():
            yield _address(hop.strip())


def _address(text: str) -> Address | None:
    """Return the address in `text`, without the port and zone that it may have."""
    bracketed = _IN_BRACKETS.fullmatch(text)
    if bracketed is not None:
        text = bracketed[1]
    elif text.count(":") == 1:
        text = _PORT.sub("", text)
    try:
        # A zone (RFC 4007) only means something on the machine that wrote it.
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped
