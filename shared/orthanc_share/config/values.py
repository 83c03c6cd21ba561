"""Types of settings: how a text becomes a value."""

import ipaddress
import json
import re
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr

from orthanc_share.config.json_with_comments import MemberTwiceError, unique_members

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_NOT_IN_ADDRESSES = "?#\\ "
_DURATION = re.compile(r"(\d{1,10})\s*([smhdw]?)", re.ASCII)


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip().lower())
    if match is None:
        raise ValueError("should be seconds, or a number with s, m, h, d or w")
    seconds = int(match[1]) * _UNITS[match[2] or "s"]
    # Else timedelta overflows, which is no ValueError.
    if seconds > timedelta.max.total_seconds():
        raise ValueError("is too long")
    return timedelta(seconds=seconds)


def _address(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value.isascii():
        raise ValueError("should be ASCII, with punycode for other host names")
    if not value.isprintable() or any(mark in value for mark in _NOT_IN_ADDRESSES):
        raise ValueError("should be an address without ?, #, \\ and blanks")
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        # The parser's own text would show a part of the value.
        raise ValueError("should be an address that can be read") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("should be an address that starts with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("should hold no user name or password")
    return value


def _root(value: Any) -> Any:
    checked = _address(value)
    if isinstance(checked, str) and not checked.endswith("/"):
        return checked + "/"
    return checked


def _page(value: Any) -> Any:
    checked = _address(value)
    if isinstance(checked, str) and "." in checked.rpartition("/")[2]:
        host_only = checked.count("/") == len("//")
        return checked + "/" if host_only else checked
    return _root(checked)


def _list(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.startswith("["):
        return _json(value)
    return [part for part in re.split(r"[\s,]+", value) if part]


def _networks(value: Any) -> Any:
    try:
        # A number in a JSON array would be taken for an address.
        return tuple(ipaddress.ip_network(str(text)) for text in _list(value))
    except ValueError:
        # The parser's own text would show a part of the value.
        raise ValueError("should be addresses or networks such as 10.0.0.0/8") from None


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, object_pairs_hook=unique_members)
    except MemberTwiceError:
        raise
    except (ValueError, RecursionError):
        # The parser's own text would show a part of the value.
        raise ValueError("should be valid JSON") from None


def _users(value: Any) -> Any:
    parsed = _json(value)
    if not isinstance(parsed, dict):
        raise ValueError('should be a JSON object {"user": "password"}')  # noqa: TRY004 - pydantic wants ValueError
    for name, password in parsed.items():
        if not name or ":" in name or not name.isprintable():
            raise ValueError("has a user name that HTTP Basic cannot carry")
        if not isinstance(password, str | SecretStr) or not password:
            raise ValueError("has a user without a password")
        # Such as an escaped half of a surrogate pair, which no login can match.
        if isinstance(password, str) and not _is_encodable(password):
            raise ValueError("has a password that is no text")
    return parsed


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


Network = ipaddress.IPv4Network | ipaddress.IPv6Network
"""Addresses with a common beginning."""

Networks = Annotated[tuple[Network, ...], BeforeValidator(_networks)]
"""Addresses or networks (CIDR), by blanks or commas, or as a JSON array."""

Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""Seconds, or a number with a unit: `90`, `15m`, `30d`."""

REGISTRY_GRACE = timedelta(minutes=5)
"""How long what is known of revocations is used without news, by default."""

RegistryGrace = Annotated[
    Duration,
    Field(
        description="How long links work on while the database is away",
        ge=timedelta(seconds=5),
        le=timedelta(days=1),
    ),
]
"""How long what is known of revocations is used without news."""

Address = Annotated[str, BeforeValidator(_address)]
"""An http or https address."""

Root = Annotated[str, BeforeValidator(_root)]
"""An http or https address that ends with `/`; the `/` is added if need be."""

Page = Annotated[str, BeforeValidator(_page)]
"""Like `Root`, but may end with the name of a page that has a dot."""

Texts = Annotated[tuple[str, ...], BeforeValidator(_list)]
"""Texts, by blanks or commas, or as a JSON array."""

SecretTexts = Annotated[tuple[SecretStr, ...], BeforeValidator(_list)]
"""Secrets, by blanks or commas, or as a JSON array."""

Users = Annotated[dict[str, SecretStr], BeforeValidator(_users)]
"""User names with their passwords or argon2 hashes, as a JSON object."""
