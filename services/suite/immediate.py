"""Answers that wait for nothing, given by the server itself.

An application may have a member `posts_at_once`: request target to a function of the
ASGI scope and the whole body that returns the JSON of a 200, or None where the
application has to be called in the usual way. Such a question needs no task, no queue
and no messages, which together cost more than the decision in the answer.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from starlette.types import Scope

PostsAtOnce = Mapping[bytes, Callable[[Scope, bytes], bytes | None]]
"""What answers a POST to a request target (RFC 9112 3.2) without a query."""

Fields = list[tuple[bytes, bytes]]
"""Header fields as uvicorn has them."""

_NONE: PostsAtOnce = MappingProxyType({})


def posts_at_once(app: Any) -> PostsAtOnce:
    """Return the questions that `app` answers at once."""
    found: PostsAtOnce = getattr(app, "posts_at_once", _NONE)
    return found


class ResponseHead:
    """The beginning of all answers at once of one server, up to their length.

    uvicorn replaces the list of its own fields, among them `Date`, every second.
    """

    def __init__(self) -> None:
        self._fields: Fields | None = None
        self._head = b""

    def before_length(self, fields: Fields) -> bytes:
        """Return status line and fields, up to the value of `Content-Length`.

        Args:
            fields: Those that the server adds to every answer.
        """
        if fields is not self._fields:
            own = b"".join(b"%b: %b\r\n" % field for field in fields)
            self._fields = fields
            self._head = (
                b"HTTP/1.1 200 OK\r\n%bcontent-type: application/json\r\n"
                b"cache-control: no-store\r\ncontent-length: " % own
            )
        return self._head
