"""Answers everything below `/manage`: who may, what is meant, and what went wrong."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from orthanc_share.domain.errors import OrthancShareError
from orthanc_share.store.errors import (
    InvalidCursorError,
    ShareNotFoundError,
    ShareRevokedError,
    StoreUnavailableError,
)
from orthanc_share.web.problems import RETRY_AFTER, RequestError, problem_of
from token_service.manage.acting import Acting
from token_service.manage.context import Context
from token_service.manage.details import Details
from token_service.manage.listing import Listing
from token_service.manage.login import Login, redirect
from token_service.manage.pages import Pages
from token_service.manage.sessions import Session, is_form_token
from token_service.manage.visit import Visit, read_visit
from token_service.manage.words import translatable

Handler = Callable[..., Awaitable[Response]]
"""Answers a visit of a session, and for some pages the id of a share."""

_SHARE: Final = re.compile(
    r"shares/(?P<share_id>[A-Za-z0-9_-]{1,64})(?P<rest>/[a-z]+)?"
)
_WAY_BACK: Final = ("", translatable("To the list"))
_WAY_IN: Final = ("login", translatable("Sign in"))
_WRONG: Final = translatable("That did not work")
_OURS: Final = translatable("Something went wrong here. The log knows more.")
_MISSING: Final = (
    translatable("There is no such page"),
    translatable("The address is wrong, or what it showed was removed."),
)
_METHOD: Final = (
    translatable("Not this way"),
    translatable("This address does not take that method."),
)
_OVER: Final = (
    translatable("You are not signed in any more"),
    translatable("Nothing was changed. Please sign in and do it again."),
)
_STALE: Final = (
    translatable("The form was not one of ours"),
    translatable("Nothing was changed. Please open the page again."),
)
_AWAY: Final = (
    translatable("The list cannot be reached at the moment"),
    translatable("The database does not answer. Please try again in a minute."),
)
_REFUSALS: Final[Mapping[type[Exception], tuple[HTTPStatus, str, str]]] = {
    ShareNotFoundError: (
        HTTPStatus.NOT_FOUND,
        translatable("There is no such share"),
        translatable("Its address is wrong, or it ended and was removed."),
    ),
    ShareRevokedError: (
        HTTPStatus.CONFLICT,
        translatable("The share was revoked"),
        translatable("It stays so and cannot be changed any more."),
    ),
    InvalidCursorError: (
        HTTPStatus.BAD_REQUEST,
        translatable("There is no such page of the list"),
        translatable("Please begin with its first page."),
    ),
}
_log = logging.getLogger(__name__)


class NoRegistry:
    """Says that this site keeps no shares: `REGISTRY=off`.

    Args:
        pages: Renders.
    """

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        visit = read_visit({**scope, "query_string": b""}, ())
        answer = static_file(self._pages, visit) or self._pages.render(
            "message",
            visit,
            status=HTTPStatus.NOT_FOUND,
            heading=translatable("There is no registry"),
            message=translatable(
                "This site keeps no list of shares (REGISTRY=off): links work until"
                " they end, and cannot be seen or revoked."
            ),
            way=None,
        )
        await answer(scope, receive, send)


class ManageSite:
    """The pages.

    Args:
        context: The parts.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._login = Login(context)
        acting, details = Acting(context), Details(context)
        self._handlers: Mapping[str, Mapping[str, Handler]] = {
            "": {"GET": Listing(context).show},
            "create": {"GET": acting.ask_new, "POST": acting.create},
            "login": {"GET": self._login.show, "POST": self._login.enter},
            "logout": {"POST": self._login.leave},
        }
        self._of_share: Mapping[str, Mapping[str, Handler]] = {
            "": {"GET": details.show},
            "/link": {"POST": acting.link},
            "/change": {"GET": acting.ask_change, "POST": acting.change},
            "/revoke": {"GET": acting.ask_revoke, "POST": acting.revoke},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        visit = Visit(scope=scope, path="", query={}, cookies={}, address="")
        try:
            visit = read_visit(scope, self._context.trusted)
            answer = await self._answer(visit, receive)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - what no rule foresaw stays here
            answer = self._refusal(visit, error)
        await answer(scope, receive, send)

    async def _answer(self, visit: Visit, receive: Receive) -> Response:
        file = static_file(self._context.pages, visit)
        if file is not None:
            return file
        methods, params = self._find(visit.path)
        if methods is None:
            return self._page(visit, HTTPStatus.NOT_FOUND, *_MISSING)
        handler = methods.get("POST" if visit.is_post else "GET")
        if handler is None:
            allow = {"Allow": ", ".join(methods)}
            status = HTTPStatus.METHOD_NOT_ALLOWED
            return self._page(visit, status, *_METHOD, headers=allow)
        if visit.is_post:
            visit = await visit.with_form(receive)
        session = await self._context.sessions.find(visit)
        if visit.path == "login":
            return await handler(visit, session)
        return await self._inside(handler, visit, session, params)

    def _find(
        self, path: str
    ) -> tuple[Mapping[str, Handler] | None, Mapping[str, str]]:
        """Return what answers a path, and the id of the share in it."""
        found = _SHARE.fullmatch(path)
        if found is None:
            return self._handlers.get(path), {}
        methods = self._of_share.get(found["rest"] or "")
        return methods, {"share_id": found["share_id"]}

    async def _inside(
        self,
        handler: Handler,
        visit: Visit,
        session: Session | None,
        params: Mapping[str, str],
    ) -> Response:
        if session is None and visit.is_post:
            return self._page(visit, HTTPStatus.FORBIDDEN, *_OVER, way=_WAY_IN)
        if session is None:
            return redirect(f"{visit.root}login?{visit.leading_back}")
        token = visit.form.get("token")
        if visit.is_post and not is_form_token(token, session.form_token):
            return self._page(visit, HTTPStatus.FORBIDDEN, *_STALE)
        return await handler(visit, session, **params)

    def _refusal(self, visit: Visit, error: Exception) -> Response:
        if isinstance(error, StoreUnavailableError):
            retry = {"Retry-After": str(RETRY_AFTER)}
            status = HTTPStatus.SERVICE_UNAVAILABLE
            return self._page(visit, status, *_AWAY, headers=retry, way=None)
        for kind, (status, heading, message) in _REFUSALS.items():
            if isinstance(error, kind):
                return self._page(visit, status, heading, message)
        if isinstance(error, OrthancShareError):
            # The status is that of the API, the text says what is wrong.
            status = HTTPStatus(problem_of(error).status_code)
            headers = error.headers if isinstance(error, RequestError) else {}
            return self._page(visit, status, _WRONG, str(error), headers=headers)
        _log.error("unexpected error", exc_info=error)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return self._page(visit, status, _WRONG, _OURS)

    def _page(
        self,
        visit: Visit,
        status: HTTPStatus,
        heading: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        way: tuple[str, str] | None = _WAY_BACK,
    ) -> Response:
        return self._context.pages.render(
            "message",
            visit,
            status=status,
            headers=headers,
            heading=heading,
            message=message,
            way=way,
        )


def static_file(pages: Pages, visit: Visit) -> Response | None:
    """Return the file of ours that is asked for; None: none is."""
    folder, _, name = visit.path.partition("/")
    return pages.static(name) if folder == "static" and not visit.is_post else None
