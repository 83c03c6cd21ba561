"""A request as Orthanc shows it to the plugin, and the tokens in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from demo.orthanc.options import Options

METHODS = {1: "get", 2: "post", 3: "put", 4: "delete"}
"""Orthanc's `OrthancPluginHttpMethod`; HEAD and OPTIONS arrive as GET."""


@dataclass(frozen=True)
class Token:
    """A token as it came.

    Attributes:
        key: Name of the header or argument, spelled as in the configuration.
        value: What it holds, such as `Bearer aaa.bbb.ccc`; may be empty.
        in_header: Whether it came as a header, not as an argument.
    """

    key: str
    value: str = field(repr=False)
    in_header: bool = True


@dataclass(frozen=True)
class Request:
    """An incoming HTTP request.

    Attributes:
        method: `get`, `post`, `put` or `delete`.
        path: Path without arguments, decoded, without final slash.
        headers: Names in lower case, as Orthanc gives them.
        arguments: GET arguments, decoded.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    arguments: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(
        cls,
        path: str,
        method: str,
        headers: Mapping[str, str],
        arguments: Mapping[str, str],
    ) -> "Request":
        """Build a request from what Orthanc passes; arguments arrive still encoded."""
        decoded = {name: unquote_plus(value) for name, value in arguments.items()}
        return cls(method.lower(), path.rstrip("/") or "/", dict(headers), decoded)

    def tokens(self, options: Options) -> list[Token]:
        """Return the tokens in the order in which the service is asked about them."""
        found = [
            Token(name, self.headers[name.lower()])
            for name in options.headers
            if name.lower() in self.headers
        ]
        found += [
            Token(name, self.arguments[name], in_header=False)
            for name in options.arguments
            if name in self.arguments
        ]
        return found
