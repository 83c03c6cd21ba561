"""Which header fields a proxy hands on (RFC 9110 7.6.1)."""

from collections.abc import Collection, Iterable

Header = tuple[bytes, bytes]
"""Name and value as ASGI and httpx's `Headers.raw` give them."""

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Fields that concern one connection only, in lower case.

Source: RFC 9110 7.6.1 (the first five it names), 10.1.4, 6.6.2 and 11.7.
"""


def connection_options(headers: Iterable[Header]) -> frozenset[bytes]:
    """Return the field names that `Connection` lists, in lower case."""
    return frozenset(
        option.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for option in value.split(b",")
        if option.strip()
    )


def end_to_end(
    headers: Iterable[Header], *, drop: Collection[bytes] = ()
) -> list[Header]:
    """Return the fields that may be handed on, in their order, repeated ones too.

    A client can make us remove its own fields by naming them in `Connection`; that
    only ever takes something away from its request, such as its token.

    Args:
        headers: Of a request or an answer; any case.
        drop: Further names to leave out, in lower case, such as `b"host"`.
    """
    fields = list(headers)
    without = HOP_BY_HOP | connection_options(fields) | frozenset(drop)
    return [(name, value) for name, value in fields if name.lower() not in without]
