"""Who is logged in: a random key in a cookie, everything else in the database.

So a session holds on every replica, and a logout ends it on all of them. What ends it
too: a change of the account's password, half an hour without a request, and twelve
hours.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr

from orthanc_share.domain.clock import Clock
from orthanc_share.store.sessions import SessionLimits
from orthanc_share.store.store import Store
from orthanc_share.web.authentication import ANYBODY
from token_service.manage.visit import Visit

LIMITS: Final = SessionLimits()
"""How long a session lasts."""

KEY_BYTES: Final = 32
"""Random bytes of a key."""

SESSION: Final = "orthanc-share-manage"
"""Name of the cookie with a session's key."""

LOGIN: Final = "orthanc-share-login"
"""Name of the cookie that a login form belongs to."""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is logged in.

    Args:
        account: As whom.
        key: Its secret.
    """

    account: str
    key: str = field(repr=False)

    @property
    def form_token(self) -> str:
        """What each form of this session carries, and no other site can know."""
        return form_token(self.key, "form")


class SessionKeeper:
    """Begins, finds and ends sessions.

    Args:
        store: Gives the store; raises `StoreUnavailableError` while there is none.
        users: Names with passwords or hashes; None: everybody may come in.
        clock: The present instant.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        users: Mapping[str, SecretStr] | None,
        clock: Clock,
    ) -> None:
        self._store = store
        self._users = {ANYBODY: SecretStr("")} if users is None else users
        self._clock = clock

    async def begin(self, account: str) -> Session:
        """Begin a session of an account of ours.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        key = secrets.token_urlsafe(KEY_BYTES)
        proof = self._proof(account, key)
        await self._store().sessions.begin(key, account, proof, now=self._clock())
        return Session(account, key)

    async def find(self, visit: Visit) -> Session | None:
        """Return the session of a browser; None if it has none that holds.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        key = visit.cookies.get(cookie_name(SESSION, visit))
        store = self._store()
        if not key:
            return None
        found = await store.sessions.find(key, LIMITS, now=self._clock())
        if found is None or found.account not in self._users:
            return None
        if not hmac.compare_digest(found.proof, self._proof(found.account, key)):
            return None
        return Session(found.account, key)

    async def end(self, session: Session) -> None:
        """End a session, everywhere.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        await self._store().sessions.end(session.key)

    def _proof(self, account: str, key: str) -> bytes:
        # Keyed by what only the browser knows: nobody guesses the password from it.
        secret = self._users[account].get_secret_value()
        return hmac.digest(key.encode(), secret.encode(), "sha256")


def form_token(key: str, purpose: str) -> str:
    """Return what a form carries for who has the cookie `key`."""
    return hmac.digest(key.encode("utf-8", "replace"), purpose.encode(), "sha256").hex()


def is_form_token(given: str | None, expected: str) -> bool:
    """Tell whether a form carries what it should."""
    return hmac.compare_digest(
        (given or "").encode("utf-8", "replace"), expected.encode()
    )


def cookie_name(name: str, visit: Visit) -> str:
    """Return the name under which a cookie is kept; on https, http cannot set it."""
    return f"__Secure-{name}" if visit.is_https else name


def set_cookie(name: str, value: str, visit: Visit) -> str:
    """Return a header `Set-Cookie`; an empty value takes the cookie away.

    It names no path: the browser takes the folder of the page, with the prefix that a
    proxy may have put before it.
    """
    parts = [f"{cookie_name(name, visit)}={value}", "HttpOnly", "SameSite=Strict"]
    if visit.is_https:
        parts.append("Secure")
    if not value:
        parts.append("Max-Age=0")
    return "; ".join(parts)
