"""Cookies of the landing page (RFC 6265)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import cookie_parser
from starlette.types import Scope

from orthanc_share.registry.links import Link
from orthanc_share.web.plain import header

NONCE_COOKIE: Final = "os-form"
"""Cookie that says which browser got a form."""

VIEW_COOKIE: Final = "os-view-"
"""Beginning of the name of a cookie that says that this browser opened a link."""

VALUE_LENGTH_MAX: Final = 3800
"""Longest value, in characters; browsers drop a cookie beyond 4096 bytes."""


def cookies_of(scope: Scope) -> Mapping[str, str]:
    """Return the cookies of a request."""
    return cookie_parser((header(scope, b"cookie") or b"").decode("latin-1"))


def view_cookie(link: Link) -> str:
    """Return the name of the cookie for a link; the link cannot be read in it."""
    text = link.token or link.code or ""
    return VIEW_COOKIE + sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class CookieMaker:
    """Sets cookies for the landing page alone.

    Args:
        path: Of the page, as browsers see it.
        is_secure: Whether browsers see it by https.
    """

    path: str = "/"
    is_secure: bool = False

    @classmethod
    def for_page(cls, root: str | None) -> "CookieMaker":
        """Return the one for the page at a public address; None: not known."""
        if root is None:
            return cls()
        parts = urlsplit(root)
        return cls(parts.path.rpartition("/")[0] + "/", parts.scheme == "https")

    def make(self, name: str, value: str, age: timedelta) -> str:
        """Return the value of `Set-Cookie`, which no script can read.

        Browsers send it when a link is clicked elsewhere, as in a message, but not with
        the form of another site.
        """
        seconds = int(age.total_seconds())
        secure = "; Secure" if self.is_secure else ""
        return (
            f"{name}={value}; Path={self.path}; Max-Age={seconds}; HttpOnly;"
            f" SameSite=Lax{secure}"
        )
