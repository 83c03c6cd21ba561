"""Which plain endpoint answers a request: by exact path, else by the best template."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from orthanc_share.web.problems import problem

Methods = Mapping[str, ASGIApp]
"""Method to what answers it."""


class PlainRoutes:
    """ASGI middleware that answers some paths by itself.

    Methods that a path does not take get 405 there, with those that it takes.

    Args:
        app: Answers everything else.
        routes: Path to method to endpoint. A path may have one name in braces, which
            stands for any text, slashes too, where no path fits exactly; of several
            the one with the most text besides counts. The text is in the scope's
            `path_params`, by the name.
    """

    def __init__(self, app: ASGIApp, routes: Mapping[str, Methods]) -> None:
        self._app = app
        self._routes = {p: methods for p, methods in routes.items() if "{" not in p}
        templates = [
            _Template.of(path, methods)
            for path, methods in routes.items()
            if path not in self._routes
        ]
        self._templates = sorted(templates, key=lambda one: one.length, reverse=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or hand it on."""
        methods = self._methods(scope) if scope["type"] == "http" else None
        if methods is None:
            await self._app(scope, receive, send)
            return
        # The server leaves out the body of an answer to HEAD.
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        endpoint = methods.get(method) or _not_allowed(methods)
        await endpoint(scope, receive, send)

    def _methods(self, scope: Scope) -> Methods | None:
        path: str = scope["path"]
        found = self._routes.get(path)
        if found is not None:
            return found
        for template in self._templates:
            text = template.text_in(path)
            if text is not None:
                scope["path_params"] = {template.name: text}
                return template.methods
        return None


@dataclass(frozen=True, slots=True)
class _Template:
    """A path with one name in braces, cut in three."""

    before: str
    name: str
    after: str
    methods: Methods

    @classmethod
    def of(cls, path: str, methods: Methods) -> "_Template":
        before, _, rest = path.partition("{")
        name, _, after = rest.partition("}")
        return cls(before, name, after, methods)

    @property
    def length(self) -> int:
        """How much text there is besides the name."""
        return len(self.before) + len(self.after)

    def text_in(self, path: str) -> str | None:
        """Return what stands in `path` for the name; None: it does not fit."""
        fits = path.startswith(self.before) and path.endswith(self.after)
        if not fits or len(path) < self.length:
            return None
        return path[len(self.before) : len(path) - len(self.after)]


def _not_allowed(methods: Iterable[str]) -> Response:
    status = HTTPStatus.METHOD_NOT_ALLOWED
    allow = {"Allow": ", ".join(sorted(methods))}
    return problem(status, "This address does not take that method.", headers=allow)
