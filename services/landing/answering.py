"""Requests for links, read: with and without a registry."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, Protocol
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from landing import kinds, page_kind
from landing.asking import Form, LinkAsker, Outcome
from landing.cookies import (
    NONCE_COOKIE,
    VALUE_LENGTH_MAX,
    CookieMaker,
    cookies_of,
    view_cookie,
)
from landing.opening import LinkOpener, Redirect, Refusal, only_token
from landing.site import origin_of
from orthanc_share.config.values import Network
from orthanc_share.domain.errors import InvalidTokenError
from orthanc_share.domain.viewer import SHORT_LINKS
from orthanc_share.registry.links import Link
from orthanc_share.store.records import Origin
from orthanc_share.web.client_address import client_address
from orthanc_share.web.plain import header, read_body
from orthanc_share.web.problems import RequestError

LINK_PATHS: Final = frozenset({"", "/", "/share-landing", "/share-landing/"})
"""Where links are opened: here, and where the predecessor did (protocol E.1).

With and without the final slash, for a redirect would copy the token once more.
"""

SHORT_PATH: Final = f"/{SHORT_LINKS}"
"""Below it are short links: their code follows."""

READING: Final = ("GET", "HEAD")
"""Methods that change nothing."""

FORM_LIMIT: Final = 4096
"""Longest form, in bytes: a password of 128 characters takes up to 1536."""

FORM_FIELDS_MAX: Final = 4
"""Most fields of a form; ours has two."""

NONCE_BYTES: Final = 16
"""Random bytes of a nonce; 128 bits."""

NONCE_LIFETIME: Final = timedelta(days=1)
"""How long a page with a form may stay open."""

USER_AGENT_LENGTH_MAX: Final = 255
"""Most characters that are kept of what a browser calls itself."""

_CODE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_NONCE = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_FORM_TYPE = b"application/x-www-form-urlencoded"


class Opener(Protocol):
    """Answers requests for links."""

    @property
    def methods(self) -> Sequence[str]:
        """The methods that links take."""

    def is_link(self, path: str) -> bool:
        """Tell whether links are at a path, below the service's own prefix."""

    async def answer(self, scope: Scope, receive: Receive) -> Redirect | Refusal:
        """Return where a link leads, or the page that asks or says why not."""


def path_below(scope: Scope) -> str:
    """Return the path below the prefix at which the service is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


class TokenLinks:
    """Links where there is no registry: nothing is asked, nothing is counted.

    Args:
        opener: Decides about them.
    """

    methods = READING

    def __init__(self, opener: LinkOpener) -> None:
        self._opener = opener

    def is_link(self, path: str) -> bool:
        """Tell whether links are at a path."""
        return path in LINK_PATHS

    async def answer(self, scope: Scope, receive: Receive) -> Redirect | Refusal:  # noqa: ARG002 - as in `Opener`
        """Return where a link leads, or why nowhere."""
        opened = await self._opener.open(scope["query_string"])
        return opened if isinstance(opened, Refusal) else Redirect(opened)


class FormLinks:
    """Links where there is a registry.

    Args:
        asker: Decides about them.
        root: Public address of the page; None: not known.
        grace: How long a browser may come back without being counted.
        trusted: Proxies whose word about addresses counts.
    """

    methods = (*READING, "POST")

    def __init__(
        self,
        asker: LinkAsker,
        root: str | None,
        grace: timedelta,
        trusted: Sequence[Network] = (),
    ) -> None:
        self._asker = asker
        self._cookies = CookieMaker.for_page(root)
        self._page_origin = None if root is None else origin_of(root).encode()
        self._grace = grace
        self._trusted = trusted

    def is_link(self, path: str) -> bool:
        """Tell whether links are at a path."""
        return path in LINK_PATHS or path.startswith(SHORT_PATH)

    async def answer(self, scope: Scope, receive: Receive) -> Redirect | Refusal:
        """Return where a link leads, or the page that asks or says why not."""
        link = self._link(scope)
        if isinstance(link, Refusal):
            return link
        cookies = cookies_of(scope)
        view = cookies.get(view_cookie(link))
        if scope["method"] != "POST":
            visitor = None if scope["method"] == "HEAD" else self._origin(scope)
            found = await self._asker.look(link, view, _nonce(cookies), visitor)
            return self._answer(link, found, cookies)
        form = await self._form(scope, receive, cookies)
        if form is None:
            return Refusal(kinds.STALE_FORM, link.token)
        found = await self._asker.open(link, form, view, self._origin(scope))
        return self._answer(link, found, cookies)

    def _link(self, scope: Scope) -> Link | Refusal:
        link = _link(scope)
        return link if isinstance(link, Refusal) else self._asker.check(link) or link

    def _answer(
        self, link: Link, found: Outcome, cookies: Mapping[str, str]
    ) -> Redirect | Refusal:
        kept = self._kept(link, found.view)
        if not isinstance(found.target, Refusal):
            return Redirect(found.target, kept)
        if found.target.kind.form is page_kind.Form.NONE:
            return replace(found.target, cookies=kept)
        nonce = _nonce(cookies) or secrets.token_urlsafe(NONCE_BYTES)
        cookie = self._cookies.make(NONCE_COOKIE, nonce, NONCE_LIFETIME)
        return replace(found.target, nonce=nonce, cookies=(cookie,))

    def _kept(self, link: Link, view: str | None) -> tuple[str, ...]:
        """Return the cookie with which this browser may come back, if it can."""
        if view is None or len(view) > VALUE_LENGTH_MAX or not self._grace:
            return ()
        return (self._cookies.make(view_cookie(link), view, self._grace),)

    async def _form(
        self, scope: Scope, receive: Receive, cookies: Mapping[str, str]
    ) -> Form | None:
        """Return what was sent, if it is the form of our page from this browser."""
        try:
            fields = _fields(scope, await read_body(receive, FORM_LIMIT))
        except (RequestError, ClientDisconnect, ValueError):
            return None
        nonce, expected = fields.get("nonce", ""), cookies.get(NONCE_COOKIE, "")
        if not (_NONCE.fullmatch(nonce) and self._is_from_our_page(scope)):
            return None
        if not secrets.compare_digest(nonce.encode(), expected.encode()):
            return None
        return Form(nonce, fields.get("password"))

    def _is_from_our_page(self, scope: Scope) -> bool:
        """Tell whether the browser says that the form was on our own page.

        `Origin` alone says little: it is `null` on a page without referrer (Fetch
        3.2), and older browsers leave it out.
        """
        site = header(scope, b"sec-fetch-site")
        if site is not None:
            return site == b"same-origin"
        return header(scope, b"origin") in {None, b"null", self._page_origin}

    def _origin(self, scope: Scope) -> Origin:
        agent = (header(scope, b"user-agent") or b"").decode("latin-1")
        return Origin(
            address=client_address(scope, self._trusted),
            user_agent=agent[:USER_AGENT_LENGTH_MAX] or None,
        )


def _nonce(cookies: Mapping[str, str]) -> str | None:
    nonce = cookies.get(NONCE_COOKIE, "")
    return nonce if _NONCE.fullmatch(nonce) else None


def _link(scope: Scope) -> Link | Refusal:
    path = path_below(scope)
    if path.startswith(SHORT_PATH):
        code = path.removeprefix(SHORT_PATH)
        is_code = _CODE.fullmatch(code) is not None
        return Link(code=code) if is_code else Refusal(kinds.INVALID, None)
    try:
        token = only_token(scope["query_string"])
    except InvalidTokenError as error:
        return Refusal(kinds.INVALID, error=error)
    return Refusal(kinds.MISSING, token=None) if token is None else Link(token)


def _fields(scope: Scope, body: bytes) -> dict[str, str]:
    """Return the fields of a form that are there once.

    Raises:
        ValueError: It is no form, or has more fields than ours.
    """
    media_type = (header(scope, b"content-type") or b"").partition(b";")[0]
    if media_type.strip().lower() != _FORM_TYPE:
        raise ValueError("The body is no form.")
    fields = parse_qs(
        body.decode("ascii"),
        keep_blank_values=True,
        strict_parsing=True,
        errors="strict",
        max_num_fields=FORM_FIELDS_MAX,
    )
    return {name: values[0] for name, values in fields.items() if len(values) == 1}
