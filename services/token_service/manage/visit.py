"""A request of a browser, as the pages see it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import cookie_parser
from starlette.types import Receive, Scope

from orthanc_share.config.values import Network
from orthanc_share.web.client_address import client_address
from orthanc_share.web.plain import header, read_body
from orthanc_share.web.problems import RequestError

ROOT: Final = "/manage"
"""Where the pages are; below a proxy's prefix they are there too."""

FORM_LIMIT: Final = 65_536
"""Longest form, in bytes; a share of a hundred studies needs a sixth of it."""

FIELDS_MAX: Final = 50
"""Most fields of a form or a query."""

FORM: Final = b"application/x-www-form-urlencoded"
"""Media type of forms."""

LANGUAGES_MAX: Final = 10
"""Most languages of `Accept-Language` that are looked at; browsers sort them."""

UNKNOWN_ADDRESS: Final = "unknown"
"""Stands for visitors whose address is not known; they share their tries."""

_NEXT: Final = re.compile(
    r"(?:|create|shares/[A-Za-z0-9_-]{1,64}(?:/(?:change|revoke))?)"
    r"(?:\?[A-Za-z0-9_.~%+&=-]{0,1000})?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request.

    Args:
        scope: As ASGI has it.
        path: Below `ROOT` and its slash.
        query: Arguments of the address; of two with one name the last.
        form: Fields of the body.
        cookies: By name.
        address: Of the browser, as far as it is known.
    """

    scope: Scope = field(repr=False)
    path: str
    query: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Mapping[str, str] = field(repr=False)
    address: str = field(repr=False)

    @property
    def is_post(self) -> bool:
        """Whether something is to be done."""
        return bool(self.scope["method"] == "POST")

    @property
    def is_https(self) -> bool:
        """Whether the browser says https, here or at the proxy.

        Who lies about it harms nobody but himself: his cookie would not come back.
        """
        told = header(self.scope, b"x-forwarded-proto") or b""
        return b"https" in (told.strip().lower(), self.scope["scheme"].encode())

    @property
    def root(self) -> str:
        """The way from this page to the first one; it needs no prefix of a proxy."""
        return "../" * self.path.count("/") or "./"

    @property
    def leading_back(self) -> str:
        """Argument of the login page that leads back to this one."""
        query = urlencode(self.query)
        return urlencode({"next": f"{self.path}?{query}" if query else self.path})

    @property
    def next(self) -> str:
        """Where a login leads: a page of ours, else the first one."""
        wanted = self.form.get("next") or self.query.get("next") or ""
        return wanted if _NEXT.fullmatch(wanted) else ""

    @property
    def languages(self) -> Sequence[str]:
        """Tags of the languages that the browser prefers, best first."""
        given = header(self.scope, b"accept-language") or b""
        parts = given.decode("latin-1").split(",", LANGUAGES_MAX)[:LANGUAGES_MAX]
        return [part.partition(";")[0].strip() for part in parts]

    async def with_form(self, receive: Receive) -> "Visit":
        """Return the visit with the fields of its body.

        Raises:
            RequestError: It is no form of ours, or comes from another site.
        """
        # A browser that says it cannot lie about it; an old one says nothing.
        if header(self.scope, b"sec-fetch-site") not in {None, b"same-origin"}:
            raise RequestError(HTTPStatus.FORBIDDEN, "The form is not one of ours.")
        kind = (header(self.scope, b"content-type") or b"").partition(b";")[0]
        if kind.strip().lower() != FORM:
            status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
            raise RequestError(status, "This address takes forms only.")
        return replace(self, form=_fields(await read_body(receive, FORM_LIMIT)))


def read_visit(scope: Scope, trusted: Sequence[Network]) -> Visit:
    """Return a request to a path below `ROOT`.

    Args:
        scope: As ASGI has it.
        trusted: Proxies whose word about the address counts.

    Raises:
        RequestError: The query cannot be read.
    """
    cookies = (header(scope, b"cookie") or b"").decode("latin-1")
    return Visit(
        scope=scope,
        path=scope["path"].removeprefix(f"{ROOT}/"),
        query=_fields(scope["query_string"]),
        cookies=cookie_parser(cookies),
        address=client_address(scope, trusted) or UNKNOWN_ADDRESS,
    )


def _fields(text: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            text.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError:
        # The parser's own text would show a part of it.
        detail = "The address or the form cannot be read."
        raise RequestError(HTTPStatus.BAD_REQUEST, detail) from None
    return dict(pairs)
