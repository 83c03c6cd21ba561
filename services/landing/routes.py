"""What the landing service answers: a redirect to the viewer, or a page that helps.

GET and HEAD change nothing, so that mail scanners and previews do no harm.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from landing import kinds
from landing.opening import LinkOpener, Refusal
from landing.pages import Pages
from landing.visit import Visit
from orthanc_share.domain.errors import OrthancShareError
from orthanc_share.web.metrics import Metrics
from orthanc_share.web.middleware import SAFE_HEADERS
from orthanc_share.web.plain import header
from orthanc_share.web.problems import RETRY_AFTER

LINK_PATHS: Final = frozenset({"", "/", "/share-landing", "/share-landing/"})
"""Where links are opened: here, and where the predecessor did (protocol E.1).

With and without the final slash, for a redirect would copy the token once more.
"""

METHODS: Final = ("GET", "HEAD")
"""The methods that the service knows."""

OPENED: Final = "opened"
"""Outcome of a link that led to its viewer, in metrics."""

_REFUSAL: Final = "landing_refusal"
_REDIRECT_HEADERS: Final = [
    (b"content-length", b"0"),
    *((name.lower().encode(), value.encode()) for name, value in SAFE_HEADERS.items()),
]
_PAGE_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_log = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]
"""Answers a request."""


class LinkRoute:
    """ASGI middleware that sends the links that open on to their viewers.

    It stands in front of everything, because nearly all requests end here. A link
    that does not open goes on, with the reason, to `PageRoutes`.

    Args:
        app: Answers everything else.
        opener: Decides about links.
        metrics: Counts links that were opened.
    """

    def __init__(self, app: ASGIApp, opener: LinkOpener, metrics: Metrics) -> None:
        self._app = app
        self._opener = opener
        self._opened = metrics.openings.labels(OPENED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or hand it on."""
        if not _is_link(scope):
            await self._app(scope, receive, send)
            return
        opened = await self._open(scope["query_string"])
        if isinstance(opened, Refusal):
            scope.setdefault("state", {})[_REFUSAL] = opened
            await self._app(scope, receive, send)
            return
        self._opened.inc()
        headers = [(b"location", opened), *_REDIRECT_HEADERS]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body"})

    async def _open(self, query: bytes) -> bytes | Refusal:
        try:
            opened = await self._opener.open(query)
            return opened if isinstance(opened, Refusal) else opened.encode("ascii")
        except Exception as error:  # noqa: BLE001 - a person gets a page, whatever it is
            return Refusal(kinds.ERROR, error=error)


def _is_link(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] in METHODS
        and _path(scope) in LINK_PATHS
    )


def _path(scope: Scope) -> str:
    """Return the path below the prefix at which the service is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


class PageRoutes:
    """Pages, and the few routes that are not for people, as an ASGI application.

    Args:
        pages: Renders pages.
        metrics: Counts links that were not opened, by their page.
        endpoints: Path to endpoint, for everything that is not about links.
    """

    def __init__(
        self, pages: Pages, metrics: Metrics, endpoints: Mapping[str, Endpoint]
    ) -> None:
        self._pages = pages
        self._endpoints = endpoints
        self._counters = {
            kind: metrics.openings.labels(kind.name) for kind in kinds.ALL
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        response = await self._respond(scope)
        if scope["method"] == "HEAD":
            # The length stays that of GET (RFC 9110 9.3.2).
            response.body = b""
        await response(scope, receive, send)

    async def _respond(self, scope: Scope) -> Response:
        if scope["method"] not in METHODS:
            return self._page(scope, Refusal(kinds.UNSUPPORTED, token=None))
        refusal = scope["state"].get(_REFUSAL)
        if refusal is not None:
            return self._page(scope, refusal)
        endpoint = self._endpoints.get(_path(scope))
        if endpoint is not None:
            return await endpoint(Request(scope))
        return self._page(scope, Refusal(kinds.MISSING, token=None))

    def _page(self, scope: Scope, refusal: Refusal) -> Response:
        self._note(scope, refusal)
        accepted = header(scope, b"accept-language") or b""
        visit = Visit(
            reference=scope["state"]["request_id"],
            lang=Request(scope).query_params.get("lang", ""),
            accept_language=accepted.decode("latin-1"),
            token=refusal.token,
        )
        page = self._pages.render(refusal.kind, visit, refusal.moment)
        headers = {**_PAGE_HEADERS, "Content-Security-Policy": page.policy}
        if page.language is not None:
            headers |= {"Content-Language": page.language, "Vary": "Accept-Language"}
        if refusal.kind is kinds.UNAVAILABLE:
            headers["Retry-After"] = str(RETRY_AFTER)
        if refusal.kind is kinds.UNSUPPORTED:
            headers["Allow"] = ", ".join(METHODS)
        return Response(page.body, refusal.kind.status, headers)

    def _note(self, scope: Scope, refusal: Refusal) -> None:
        """Count the page, and leave a line that support finds by the reference."""
        self._counters[refusal.kind].inc()
        error = refusal.error
        details = {
            "outcome": refusal.kind.name,
            "request_id": scope["state"]["request_id"],
            "share": refusal.share_id,
        }
        if isinstance(error, OrthancShareError):
            # The text of our own errors holds nothing that came with the request.
            details |= {"code": error.code, "detail": str(error)}
            _log.info("link not opened", extra=details)
        elif error is not None:
            _log.error("unexpected error", extra=details, exc_info=error)


async def robots(_request: Request) -> Response:
    """Answer `GET /robots.txt`: links are nobody's search result."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")
