"""`/manage/login` and `/manage/logout`."""

import base64
import logging
import secrets
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from orthanc_share.store.second_factor import Locked, visitor_at
from orthanc_share.web.authentication import ANYBODY
from orthanc_share.web.problems import RequestError
from token_service.manage.context import Context
from token_service.manage.sessions import (
    KEY_BYTES,
    LOGIN,
    SESSION,
    Session,
    cookie_name,
    form_token,
    is_form_token,
    set_cookie,
)
from token_service.manage.visit import Visit
from token_service.manage.words import translatable

WRONG: Final = translatable("The user name or the password is wrong.")
STALE: Final = translatable(
    "The form was too old, or the browser keeps no cookies. Please try again."
)
LOCKED: Final = translatable("Too many tries. Please wait a while.")

_log = logging.getLogger(__name__)


class Login:
    """Lets people in, and out.

    Args:
        context: The parts.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def show(self, visit: Visit, session: Session | None) -> Response:
        """Answer a GET with the form, or lead on who is in already."""
        if session is not None:
            return redirect(f"./{visit.next}")
        return self._form(visit, HTTPStatus.OK)

    async def enter(self, visit: Visit, session: Session | None) -> Response:
        """Answer a form with a session, if its password is right."""
        key = visit.cookies.get(cookie_name(LOGIN, visit)) or ""
        expected = form_token(key, "login")
        if not key or not is_form_token(visit.form.get("token"), expected):
            return self._form(visit, HTTPStatus.FORBIDDEN, STALE)
        if not self._context.has_users:
            return await self._begin(visit, session, ANYBODY)
        return await self._check(visit, session)

    async def leave(self, visit: Visit, session: Session) -> Response:
        """End the session."""
        await self._context.sessions.end(session)
        answer = redirect("login")
        answer.headers.append("Set-Cookie", set_cookie(SESSION, "", visit))
        return answer

    async def _check(self, visit: Visit, session: Session | None) -> Response:
        name = visit.form.get("user") or ""
        # Under names of their own: who mistypes a link's password must not be locked
        # out here, nor the other way round. And nobody can lock out another one.
        visitor = f"login:{visitor_at(visit.address)}"
        tried = (f"{visitor}:{name}", visitor)
        context = self._context
        tries, now = context.store().second_factor, context.clock()
        outcome = await tries.begin(*tried, now=now)
        if isinstance(outcome, Locked):
            _log.warning("login locked")
            wait = int((outcome.until - now).total_seconds())
            return self._form(visit, HTTPStatus.TOO_MANY_REQUESTS, LOCKED, wait)
        if not await self._is_right(name, visit):
            _log.warning("login refused")
            return self._form(visit, HTTPStatus.FORBIDDEN, WRONG)
        await tries.passed(*tried)
        return await self._begin(visit, session, name)

    async def _is_right(self, name: str, visit: Visit) -> bool:
        pair = f"{name}:{visit.form.get('password') or ''}"
        header = b"Basic " + base64.b64encode(pair.encode("utf-8", "replace"))
        try:
            found = await self._context.authenticator.authenticate(
                header, visit.address
            )
        except RequestError as error:
            if error.status is HTTPStatus.UNAUTHORIZED:
                return False
            raise
        # With a colon in it the name ends earlier.
        return found == name

    async def _begin(
        self, visit: Visit, session: Session | None, account: str
    ) -> Response:
        context = self._context
        if session is not None:
            await context.sessions.end(session)
        begun = await context.sessions.begin(account)
        _log.info("login", extra={"caller": account})
        answer = redirect(f"./{visit.next}")
        answer.headers.append("Set-Cookie", set_cookie(SESSION, begun.key, visit))
        answer.headers.append("Set-Cookie", set_cookie(LOGIN, "", visit))
        return answer

    def _form(
        self,
        visit: Visit,
        status: HTTPStatus,
        error: str | None = None,
        wait: int | None = None,
    ) -> Response:
        key = secrets.token_urlsafe(KEY_BYTES)
        headers = {"Set-Cookie": set_cookie(LOGIN, key, visit)}
        if wait is not None:
            headers["Retry-After"] = str(wait)
        return self._context.pages.render(
            "login",
            visit,
            status=status,
            headers=headers,
            asks=self._context.has_users,
            token=form_token(key, "login"),
            errors={} if error is None else {"login": error},
        )


def redirect(target: str) -> Response:
    """Return an answer that leads on; the way is relative, for prefixes of proxies."""
    return Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": target})
