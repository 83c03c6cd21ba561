"""Routes as data: what is not in the table does not exist."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from anonymizer.context import ShareContext

Handler = Callable[[ShareContext, Request], Awaitable[Response]]
"""Answers a request that a share may make."""

_UID = r"[0-9][0-9.]{0,63}"
_ORTHANC_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{8}){4}"
_NUMBER = r"[1-9][0-9]{0,6}"

PATTERNS: Mapping[str, str] = {
    "study": _UID,
    "series": _UID,
    "instance": _UID,
    "frame": _NUMBER,
    "frames": rf"{_NUMBER}(?:,{_NUMBER}){{0,999}}",
    "tag_path": r"[0-9A-Fa-f]{8}(?:/[1-9][0-9]{0,5}/[0-9A-Fa-f]{8}){0,63}",
    "id": _ORTHANC_ID,
    "index": r"0|[1-9][0-9]{0,6}",
}
"""Name of a parameter in a template to the form that its value must have.

`study`, `series` and `instance` are mapped UIDs, `id` a mapped Orthanc id, `frame` is
counted from 1 (DICOMweb) and `index` from 0 (Orthanc), `tag_path` leads to an element.
"""


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """One route.

    Args:
        methods: The methods, upper case.
        template: The path below the service's root, beginning with `/`, with
            parameters in braces whose names are in `PATTERNS`.
        handler: Answers; `request.path_params` holds the parameters.
    """

    methods: tuple[str, ...]
    template: str
    handler: Handler

    def pattern(self) -> re.Pattern[str]:
        """Return the expression that whole paths match."""
        parts = re.split(r"\{(\w+)\}", self.template)
        pieces = [
            f"(?P<{part}>{PATTERNS[part]})" if number % 2 else re.escape(part)
            for number, part in enumerate(parts)
        ]
        return re.compile("".join(pieces), re.ASCII)


class RouteTable:
    """Finds the route of a request.

    Args:
        routes: All routes there are.
    """

    def __init__(self, routes: Iterable[RouteSpec]) -> None:
        self._routes = [(route, route.pattern()) for route in routes]

    def find(self, method: str, path: str) -> tuple[RouteSpec, dict[str, str]] | None:
        """Return the route and its parameters; None: there is none.

        Args:
            method: The method, upper case.
            path: The path below the service's root, percent-decoded.
        """
        for route, pattern in self._routes:
            found = pattern.fullmatch(path)
            if found is not None and method in route.methods:
                return route, found.groupdict()
        return None
